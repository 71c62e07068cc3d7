"""Official archives: fetched once, continued where a connection broke, trusted only by their checksum."""

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
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from http import HTTPStatus
from pathlib import Path
from typing import Any

from pipeline.errors import UserError
from pipeline.machine.cache import cache_folder
from pipeline.machine.progress import progress

BLOCK = 1 << 20
TIMEOUT = 60
PAUSES = (1.0, 4.0, 15.0, 60.0)
"""Seconds to wait before the 2nd, 3rd ... attempt within one run."""
DISK_FULL = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)
_LATER = {408, 425, 429, 500, 502, 503, 504}
_CUT = (http.client.HTTPException, urllib.error.URLError, TimeoutError, ConnectionError)


@dataclass(frozen=True)
class Archive:
    """A file that a data set's makers publish.

    Attributes:
        file: its name, as published and as kept.
        bytes: its length.
        checksum: "sha256:..." or "md5:...", as published by its makers or by a project that pins it.
        url: where it is; "" when a log-in or a person stands before it.
        page: where a person gets it.
    """

    file: str
    bytes: int
    checksum: str
    url: str
    page: str


def archive_folder() -> Path:
    """Where archives are kept and looked for: HUEBENCH_ARCHIVES, or `archives` in the cache folder.

    Returns:
        The folder; it need not exist.
    """
    chosen = os.environ.get("HUEBENCH_ARCHIVES")
    return Path(chosen) if chosen else cache_folder() / "archives"


def amount(count: float) -> str:
    """A number of bytes for people.

    Args:
        count: bytes.

    Returns:
        Such as "1.5 GB", in powers of 1000.
    """
    if count < 1000:
        return f"{count:.0f} bytes"
    for unit in ("kB", "MB"):
        count /= 1000
        if count < 1000:
            return f"{count:.1f} {unit}"
    return f"{count / 1000:,.1f} GB"


def require_placed(archives: Iterable[Archive], folder: Path) -> None:
    """Say in one line which files a person has to bring, all of them at once.

    Args:
        archives: of a set; those that can be fetched are passed over.
        folder: where archives are kept.

    Raises:
        UserError: if any is not there.
    """
    missing = [archive for archive in archives if not archive.url and not (folder / archive.file).exists()]
    if missing:
        files = " and ".join(f"{archive.file} ({amount(archive.bytes)})" for archive in missing)
        places = " and ".join(str(folder / archive.file) for archive in missing)
        raise UserError(
            f"{files} cannot be fetched without a person: get it from {missing[0].page} and place it at {places}"
        )


def fetch(archive: Archive, folder: Path, pauses: Sequence[float] = PAUSES) -> Path:
    """Have an archive in a folder, complete and verified.

    A file that is there already is only verified (once: a note beside it says so). A download grows under the name
    `<file>.part`, from where the next attempt, or the next run, continues.

    Args:
        archive: which.
        folder: where archives are kept; made if needed.
        pauses: seconds before each further attempt after a broken connection.

    Returns:
        The file.

    Raises:
        UserError: if it must be placed by hand, the server has no such file, the disk is too small, the connection
            keeps breaking or the checksum is another.
    """
    path = folder / archive.file
    if _is_verified(archive, path):
        return path
    if path.exists():
        _verify(archive, path, f"{path} is not the published file; remove it and run again")
        return path
    require_placed([archive], folder)
    folder.mkdir(parents=True, exist_ok=True)
    part = path.with_name(path.name + ".part")
    _check_space(archive, folder, part)
    attempt = 0
    while True:
        before = _length(part)
        try:
            _continue(archive, part)
            break
        except _CUT as fault:
            attempt = 0 if _length(part) > before else attempt  # a connection that moves on may break often
            if attempt == len(pauses):
                raise UserError(
                    f"{archive.url}: {' '.join(str(fault).split()) or type(fault).__name__}; "
                    f"{amount(_length(part))} of {amount(archive.bytes)} are kept, run again to continue"
                ) from None
            time.sleep(pauses[attempt])
            attempt += 1
    _verify(archive, part, f"{archive.url} gave another file than the published one; it was removed, run again", True)
    part.replace(path)
    _note(path).write_text(json.dumps(_stamp(archive, path)), encoding="utf-8")
    _state(part).unlink(missing_ok=True)
    return path


def _continue(archive: Archive, part: Path) -> None:
    """Append to the part what is missing of it; starts anew where the server has another file than before."""
    have = _length(part)
    if have == archive.bytes:
        return
    if have > archive.bytes:
        part.unlink()
        have = 0
    known = json.loads(_state(part).read_text(encoding="utf-8")) if have and _state(part).exists() else {}
    headers = {"User-Agent": "huebench", "Accept-Encoding": "identity"}
    if have:
        headers["Range"] = f"bytes={have}-"
        if known.get("version"):
            headers["If-Range"] = known["version"]
    try:
        answer = urllib.request.urlopen(urllib.request.Request(archive.url, headers=headers), timeout=TIMEOUT)
    except urllib.error.HTTPError as error:
        with error:
            _judge_status(archive, part, error)
        raise
    with answer:
        if answer.status != HTTPStatus.PARTIAL_CONTENT:
            have = 0  # no ranges here, or the file has changed since: from the beginning
        elif not answer.headers.get("Content-Range", "").startswith(f"bytes {have}-"):
            raise ConnectionError(f"the server sent {answer.headers.get('Content-Range')!r} instead of the rest")
        _expect_length(archive, answer, have)
        version = answer.headers.get("ETag") or answer.headers.get("Last-Modified") or ""
        # a weak tag names a file of equal meaning, not of equal bytes
        _state(part).write_text(json.dumps({"version": "" if version.startswith("W/") else version}), encoding="utf-8")
        _copy(archive, answer, part, have)
    if _length(part) < archive.bytes:
        raise ConnectionError("the connection was cut")


def _judge_status(archive: Archive, part: Path, error: urllib.error.HTTPError) -> None:
    """Turn an HTTP status that will not pass by itself into a line for the user."""
    if error.code == HTTPStatus.REQUESTED_RANGE_NOT_SATISFIABLE:
        part.unlink(missing_ok=True)  # the server's file is shorter than ours: not the one we began
    elif error.code not in _LATER:
        raise UserError(
            f"{archive.url} answered {error.code} {error.reason}; look at {archive.page}, or place {archive.file} "
            f"({amount(archive.bytes)}) at {part.with_suffix('')}"
        ) from None


def _expect_length(archive: Archive, answer: Any, have: int) -> None:
    """Refuse a wrong file by its length before any of it is fetched."""
    declared = answer.headers.get("Content-Length")
    if declared is not None and int(declared) + have != archive.bytes:
        raise UserError(
            f"{archive.url} is {int(declared) + have:,} bytes, the published file has {archive.bytes:,}; "
            f"look at {archive.page}"
        )


def _copy(archive: Archive, answer: Any, part: Path, have: int) -> None:
    """Append the answer's body to the part, never more than the archive holds."""
    with (
        part.open("r+b" if have else "wb", buffering=0) as file,
        _byte_bar(f"fetch {archive.file}", archive.bytes, have) as bar,
    ):
        file.seek(have)
        while have < archive.bytes and (block := answer.read1(min(BLOCK, archive.bytes - have))):
            while block:
                try:
                    written = file.write(block)
                except OSError as error:
                    raise _full(error, archive, part) from None
                have, block = have + written, block[written:]
                bar.update(written)


def _full(error: OSError, archive: Archive, part: Path) -> Exception:
    if error.errno not in DISK_FULL:
        return error
    return UserError(
        f"{part.parent} is full: {amount(_length(part))} of {amount(archive.bytes)} of {archive.file} are kept; free "
        f"space or set HUEBENCH_ARCHIVES to a larger disk, then run again to continue"
    )


def _check_space(archive: Archive, folder: Path, part: Path) -> None:
    """Say what will be fetched, and refuse where it cannot fit."""
    missing, free = archive.bytes - min(_length(part), archive.bytes), shutil.disk_usage(folder).free
    if missing > free:
        raise UserError(
            f"{folder} has {amount(free)} free, {archive.file} takes {amount(missing)} more; free space or set "
            f"HUEBENCH_ARCHIVES to a larger disk"
        )
    print(
        f"fetching {archive.url}: {amount(missing)} of {amount(archive.bytes)} into {folder} ({amount(free)} free)",
        file=sys.stderr,
    )


def _verify(archive: Archive, path: Path, otherwise: str, remove: bool = False) -> None:
    """Check length and checksum, and leave a note, so that the next run need not read the file again."""
    kind, _, expected = archive.checksum.partition(":")
    found = hashlib.new(kind)
    with path.open("rb") as file, _byte_bar(f"verify {path.name}", path.stat().st_size) as bar:
        while block := file.read(BLOCK):
            found.update(block)
            bar.update(len(block))
    if found.hexdigest() != expected:
        if remove:
            path.unlink()
            _state(path).unlink(missing_ok=True)
        raise UserError(f"{otherwise} ({kind} {found.hexdigest()[:16]}..., it takes {expected[:16]}...)")
    if not remove:
        _note(path).write_text(json.dumps(_stamp(archive, path)), encoding="utf-8")


def _is_verified(archive: Archive, path: Path) -> bool:
    note = _note(path)
    return path.exists() and note.exists() and json.loads(note.read_text(encoding="utf-8")) == _stamp(archive, path)


def _stamp(archive: Archive, path: Path) -> dict[str, object]:
    """What a verified file looked like: a file that was touched since is verified again."""
    status = path.stat()
    return {"checksum": archive.checksum, "bytes": status.st_size, "changed": status.st_mtime_ns}


def _note(path: Path) -> Path:
    return path.with_name(path.name + ".verified")


def _state(part: Path) -> Path:
    return part.with_name(part.name + ".json")


def _length(path: Path) -> int:
    return path.stat().st_size if path.exists() else 0


def _byte_bar(description: str, total: int, done: int = 0) -> Any:
    bar: Any = progress((), description, total, "B")
    bar.unit_scale = True
    bar.n = bar.initial = done
    return bar
