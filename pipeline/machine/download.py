"""The one downloader: continues where a connection broke or a process was killed, and trusts nothing but a checksum.

A download grows under the name `<file>.part`, beside which `<file>.part.json` says which version of the file it is of.
It gets its name once its checksum is the published one, so a file under its final name is whole.
"""

import errno
import hashlib
import http.client
import json
import os
import shutil
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from http import HTTPStatus
from pathlib import Path
from typing import Any

from filelock import FileLock

from pipeline.errors import UserError
from pipeline.machine.cache import cache_folder
from pipeline.machine.checksums import checksum_difference, checksum_digits, checksum_of
from pipeline.machine.files import DISK_FULL, format_bytes
from pipeline.machine.progress import byte_progress

BLOCK = 1 << 20
TIMEOUT = 60
PAUSES = (1.0, 4.0, 15.0, 60.0)
"""Seconds to wait before the 2nd, 3rd ... attempt within one run."""
_LATER = {408, 425, 429, 500, 502, 503, 504}
_CUT = (http.client.HTTPException, urllib.error.URLError, TimeoutError, ConnectionError)


class NotFetched(UserError):
    """A file that its server did not give: it has none, nobody answers, or the connection keeps breaking."""


@dataclass(frozen=True)
class RemoteFile:
    """A file on a server, and what is known of it beforehand.

    Attributes:
        url: where it is.
        checksum: "sha256:..." or "md5:...", with all hexadecimal digits or the first of them.
        bytes: its exact length; None where only the server knows.
        by_hand: what a person can do instead, such as "look at https://...".
        elsewhere: how to choose a folder on a larger disk, such as "set HUEBENCH_ARCHIVES to ...".
    """

    url: str
    checksum: str
    bytes: int | None
    by_hand: str
    elsewhere: str


def fetch_file(file: RemoteFile, path: Path, pauses: Sequence[float] = PAUSES) -> None:
    """Have a file of a server at a place, complete and verified; a file that is there already is left as it is.

    Several processes may ask for the same file: one fetches it, the others wait.

    Args:
        file: which, and its checksum.
        path: its final place; folders are made.
        pauses: seconds before each further attempt after a broken connection.

    Raises:
        NotFetched: if the server has no such file, nobody answers or the connection keeps breaking.
        UserError: if the disk is too small or may not be written, or the server gives another file.
    """
    with _alone(file, path):
        if path.exists():
            return
        part = path.with_name(path.name + ".part")
        if file.bytes is not None:
            _check_space(file, part, file.bytes)
        _fetch(file, part, pauses)
        found = checksum_of(part, file.checksum)
        if not found.startswith(checksum_digits(file.checksum)):
            part.unlink()
            _notes(part).unlink(missing_ok=True)
            raise UserError(
                f"{file.url} gave another file than the published one; it was removed, run again "
                f"({checksum_difference(found, file.checksum)})"
            )
        part.replace(path)
        _notes(part).unlink(missing_ok=True)


@contextmanager
def _alone(file: RemoteFile, path: Path) -> Iterator[None]:
    """Hold the file's lock, in the machine's cache; a process that is killed lets go of it."""
    named = hashlib.sha256(str(path.absolute()).encode()).hexdigest()[:16]
    lock = cache_folder() / "locks" / f"{path.name}-{named}"
    for folder in (path.parent, lock.parent):
        try:
            folder.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise _disk_fault(error, file, folder / path.name) from None
    with FileLock(lock):
        yield


def _fetch(file: RemoteFile, part: Path, pauses: Sequence[float]) -> None:
    """Complete the part, over as many connections as it takes while they move on."""
    attempt, answered = 0, False
    while True:
        before = _length(part)
        try:
            return _continue(file, part)
        except _CUT as fault:
            moved = _length(part) > before
            attempt = 0 if moved else attempt  # a connection that moves on may break often
            answered |= (
                moved or isinstance(fault, urllib.error.HTTPError) or not isinstance(fault, urllib.error.URLError)
            )
            if attempt == len(pauses) or not answered:  # without a network there is nothing to wait for
                raise NotFetched(
                    f"{file.url}: {' '.join(str(fault).split()) or type(fault).__name__}; {_kept(file, part)} are "
                    f"kept, run again to continue"
                ) from None
            time.sleep(pauses[attempt])
            attempt += 1


def _continue(file: RemoteFile, part: Path) -> None:
    """Append to the part what is missing of it; starts anew where the server has another file than before."""
    have, total, version = _length(part), _total(file, part), _known(part).get("version")
    if have == total:
        return
    if total is not None and have > total:
        part.unlink()
        have = 0
    headers = {"User-Agent": "huebench", "Accept-Encoding": "identity"}
    if have:
        headers["Range"] = f"bytes={have}-"
        if version:
            headers["If-Range"] = version
    try:
        answer = urllib.request.urlopen(urllib.request.Request(file.url, headers=headers), timeout=TIMEOUT)
    except urllib.error.HTTPError as error:
        with error:
            _judge_status(file, part, error)
        raise
    with answer:
        if answer.status != HTTPStatus.PARTIAL_CONTENT:
            have = 0  # no ranges here, or the file has changed since: from the beginning
        elif not answer.headers.get("Content-Range", "").startswith(f"bytes {have}-"):
            raise ConnectionError(f"the server sent {answer.headers.get('Content-Range')!r} instead of the rest")
        declared = answer.headers.get("Content-Length")
        total = _accepted_total(file, None if declared is None else int(declared) + have)
        if file.bytes is None and total is not None:
            _check_space(file, part, total)
        _write_notes(file, part, answer.headers, total)
        _copy(file, answer, part, have, total)
    if total is not None and _length(part) < total:
        raise ConnectionError("the connection was cut")


def _judge_status(file: RemoteFile, part: Path, error: urllib.error.HTTPError) -> None:
    """Turn an HTTP status that will not pass by itself into a line for the user."""
    if error.code == HTTPStatus.REQUESTED_RANGE_NOT_SATISFIABLE:
        part.unlink(missing_ok=True)  # the server's file is shorter than ours: not the one we began
    elif error.code not in _LATER:
        raise NotFetched(f"{file.url} answered {error.code} {error.reason}; {file.by_hand}") from None


def _accepted_total(file: RemoteFile, declared: int | None) -> int | None:
    """The file's length; a wrong file is refused by it before any of it is fetched."""
    if declared is not None and file.bytes is not None and declared != file.bytes:
        raise UserError(f"{file.url} is {declared:,} bytes, the published file has {file.bytes:,}; {file.by_hand}")
    return declared if file.bytes is None else file.bytes


def _write_notes(file: RemoteFile, part: Path, headers: Any, total: int | None) -> None:
    """Say beside the part which version of the file it is of, and how long that is."""
    version = headers.get("ETag") or headers.get("Last-Modified") or ""
    notes = {"version": "" if version.startswith("W/") else version, "bytes": total}
    try:  # a weak tag names a file of equal meaning, not of equal bytes
        _notes(part).write_text(json.dumps(notes), encoding="utf-8")
    except OSError as error:
        raise _disk_fault(error, file, part) from None


def _copy(file: RemoteFile, answer: Any, part: Path, have: int, total: int | None) -> None:
    """Append the answer's body to the part, never more than the file holds."""
    with _opened(file, part, have) as opened, byte_progress(f"fetch {part.stem}", total, have) as bar:
        while (left := BLOCK if total is None else min(BLOCK, total - have)) and (block := _read(answer, left)):
            while block:
                try:
                    written = opened.write(block)
                except OSError as error:
                    raise _disk_fault(error, file, part) from None
                have, block = have + written, block[written:]
                bar.update(written)


@contextmanager
def _opened(file: RemoteFile, part: Path, have: int) -> Iterator[Any]:
    try:
        opened = part.open("r+b" if have else "wb", buffering=0)
    except OSError as error:
        raise _disk_fault(error, file, part) from None
    with opened:
        opened.seek(have)
        yield opened


def _read(answer: Any, count: int) -> bytes:
    try:
        block: bytes = answer.read1(count)
    except http.client.HTTPException:
        raise
    except OSError as error:  # of the connection, such as an interrupted TLS session
        raise ConnectionError(str(error)) from None
    return block


def _disk_fault(error: OSError, file: RemoteFile, part: Path) -> UserError:
    if error.errno not in DISK_FULL:
        return UserError(f"{part.parent} cannot be written ({os.strerror(error.errno or errno.EIO)}); {file.elsewhere}")
    return UserError(
        f"{part.parent} is full: {_kept(file, part)} of {part.stem} are kept; free space or {file.elsewhere}, then run "
        f"again to continue"
    )


def _kept(file: RemoteFile, part: Path) -> str:
    total = _total(file, part)
    return format_bytes(_length(part)) + ("" if total is None else f" of {format_bytes(total)}")


def _check_space(file: RemoteFile, part: Path, total: int) -> None:
    """Say what will be fetched, and refuse where it cannot fit."""
    folder, missing = part.parent, total - min(_length(part), total)
    free = shutil.disk_usage(folder).free
    if missing > free:
        raise UserError(
            f"{folder} has {format_bytes(free)} free, {part.stem} takes {format_bytes(missing)} more; free space or "
            f"{file.elsewhere}"
        )
    print(
        f"fetching {file.url}: {format_bytes(missing)} of {format_bytes(total)} into {folder} "
        f"({format_bytes(free)} free)",
        file=sys.stderr,
    )


def _total(file: RemoteFile, part: Path) -> int | None:
    """The file's length, as published or as the server said when the part was begun."""
    return _known(part).get("bytes") if file.bytes is None else file.bytes


def _known(part: Path) -> dict[str, Any]:
    """What was noted beside a part; nothing where there is none, or the note was cut short."""
    try:
        known: dict[str, Any] = json.loads(_notes(part).read_text(encoding="utf-8")) if _length(part) else {}
    except (OSError, ValueError):
        return {}
    return known


def _notes(part: Path) -> Path:
    return part.with_name(part.name + ".json")


def _length(path: Path) -> int:
    return path.stat().st_size if path.exists() else 0
