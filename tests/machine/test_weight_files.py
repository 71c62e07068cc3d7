"""Weight files: found by name in the right order, checked, fetched whole or not at all, missed in words."""

import hashlib
import http.server
import threading
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
import torch

from pipeline.errors import UserError
from pipeline.machine import weight_files as pretrained
from pipeline.machine.weight_files import FILES, MissingWeights, load_weights, resolve

CONTENT = b"weights of a network" * 1000
DIGEST = hashlib.sha256(CONTENT).hexdigest()


@pytest.fixture(autouse=True)
def nothing_here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TORCH_HOME", str(tmp_path))
    monkeypatch.delenv("HUEBENCH_WEIGHTS", raising=False)


@pytest.fixture
def server(tmp_path: Path) -> Iterator[str]:
    """A server on this machine that has `net.pth`, and answers everything else with 404."""

    class Answer(http.server.BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            found = self.path == "/net.pth"
            self.send_response(200 if found else 404)
            self.send_header("Content-Length", str(len(CONTENT) if found else 0))
            self.end_headers()
            self.wfile.write(CONTENT if found else b"")

        def log_message(self, *_: object) -> None:
            pass

    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Answer) as running:
        threading.Thread(target=running.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{running.server_address[1]}/"
        running.shutdown()


def add(monkeypatch: pytest.MonkeyPatch, url: str, file: str = "net.pth", digits: str = DIGEST[:8]) -> None:
    entry = replace(FILES["vgg19"], file=file, sha256=digits, url=url)
    monkeypatch.setitem(pretrained.FILES, "net", entry)


def test_the_wheel_s_weights_are_found_and_hold_tensors() -> None:
    assert resolve("efficientnet_lite0").name == FILES["efficientnet_lite0"].file
    assert all(isinstance(tensor, torch.Tensor) for tensor in load_weights("efficientnet_lite0").values())


def test_the_folder_of_the_environment_comes_first(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    add(monkeypatch, "http://127.0.0.1:9/")
    for folder in ("hub/checkpoints", "mine"):
        (tmp_path / folder).mkdir(parents=True)
        (tmp_path / folder / "net.pth").write_bytes(CONTENT)
    assert resolve("net") == tmp_path / "hub" / "checkpoints" / "net.pth"
    monkeypatch.setenv("HUEBENCH_WEIGHTS", str(tmp_path / "mine"))
    assert resolve("net") == tmp_path / "mine" / "net.pth"


def test_a_damaged_file_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    add(monkeypatch, "http://127.0.0.1:9/")
    monkeypatch.setenv("HUEBENCH_WEIGHTS", str(tmp_path))
    (tmp_path / "net.pth").write_bytes(CONTENT[:-1])
    with pytest.raises(UserError, match="is damaged: its SHA-256 begins with"):
        resolve("net")


def test_another_file_with_the_same_layers_is_accepted(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HUEBENCH_WEIGHTS", str(tmp_path))
    (tmp_path / "alexnet_features.pth").write_bytes(CONTENT)
    assert resolve("alexnet").name == "alexnet_features.pth"


def test_a_file_is_fetched_once_and_checked(server: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    add(monkeypatch, server)
    path = resolve("net")
    assert path.read_bytes() == CONTENT
    assert [found.name for found in path.parent.iterdir()] == ["net.pth"]
    add(monkeypatch, "http://127.0.0.1:9/")
    assert resolve("net") == path


def test_what_was_fetched_with_another_checksum_is_not_kept(
    server: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    add(monkeypatch, server, digits="00000000")
    with pytest.raises(UserError, match="is damaged"):
        resolve("net")
    assert not list((tmp_path / "hub" / "checkpoints").iterdir())


@pytest.mark.parametrize("name", FILES)
def test_what_is_missing_is_said_with_source_size_and_remedy(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    weights = FILES[name]
    monkeypatch.setitem(pretrained.FILES, name, replace(weights, package=""))
    with pytest.raises(MissingWeights) as raised:
        resolve(name, download=False)
    message = str(raised.value)
    assert "\n" not in message
    for part in (weights.file, f"({weights.megabytes} MB)", "HUEBENCH_WEIGHTS", weights.url):
        assert part in message


def test_a_server_that_lacks_the_file_is_named(server: str, monkeypatch: pytest.MonkeyPatch) -> None:
    add(monkeypatch, server, file="other.pth")
    with pytest.raises(MissingWeights, match=r"could not be fetched .*404.*get other.pth from http"):
        resolve("net")
