"""A server on loopback that speaks Range, and can be told to misbehave."""

import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest

PIECE = 1 << 16


@dataclass
class Site:
    """What the server gives.

    Attributes:
        files: by path.
        cut_after: bytes of a body after which the connection is cut; taken from the front, one for each answer.
        statuses: answered instead, one for each answer.
        ranges: whether the server knows Range.
        version: its ETag.
        asked: the Range header of every request so far.
        pause: seconds between two pieces of a body.
        lengths: whether answers say how long they are.
    """

    base: str = ""
    files: dict[str, bytes] = field(default_factory=dict)
    cut_after: list[int] = field(default_factory=list)
    statuses: list[int] = field(default_factory=list)
    ranges: bool = True
    version: str = '"1"'
    asked: list[str | None] = field(default_factory=list)
    pause: float = 0.0
    lengths: bool = True


@pytest.fixture
def site() -> Iterator[Site]:
    state = Site()

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            wanted = self.headers.get("Range")
            state.asked.append(wanted)
            body = state.files.get(self.path)
            if state.statuses or body is None:
                self.send_error(state.statuses.pop(0) if state.statuses else 404)
                return
            start = 0
            same = self.headers.get("If-Range", state.version) == state.version
            if wanted and state.ranges and same:
                start = int(wanted.removeprefix("bytes=").removesuffix("-"))
                if start >= len(body):
                    self.send_error(416)
                    return
                self.send_response(206)
                self.send_header("Content-Range", f"bytes {start}-{len(body) - 1}/{len(body)}")
            else:
                self.send_response(200)
            if state.lengths:
                self.send_header("Content-Length", str(len(body) - start))
            self.send_header("ETag", state.version)
            self.end_headers()
            end = start + state.cut_after.pop(0) if state.cut_after else len(body)
            self.close_connection = True
            for place in range(start, end, PIECE):
                try:
                    self.wfile.write(body[place : min(place + PIECE, end)])
                except ConnectionError:  # whoever asked was killed
                    return
                time.sleep(state.pause)

        def log_message(self, *arguments: Any) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    state.base = f"http://127.0.0.1:{server.server_port}"
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
    thread.start()
    yield state
    server.shutdown()
    server.server_close()
    thread.join()
