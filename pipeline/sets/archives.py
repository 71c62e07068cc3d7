"""Official archives: where they are kept, which of them a person has to bring, and that each is the published one."""

import json
import os
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

from pipeline.errors import UserError
from pipeline.machine.cache import cache_folder
from pipeline.machine.checksums import checksum_difference, checksum_of
from pipeline.machine.download import PAUSES, RemoteFile, fetch_file
from pipeline.machine.files import format_bytes


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
        files = " and ".join(f"{archive.file} ({format_bytes(archive.bytes)})" for archive in missing)
        places = " and ".join(str(folder / archive.file) for archive in missing)
        raise UserError(
            f"{files} cannot be fetched without a person: get it from {missing[0].page} and place it at {places}"
        )


def fetch_archive(archive: Archive, folder: Path, pauses: Sequence[float] = PAUSES) -> Path:
    """Have an archive in a folder, complete and verified.

    A file that is there already is only verified (once: a note beside it says so); a download is continued where an
    earlier one ended.

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
        found = checksum_of(path, archive.checksum)
        if not archive.checksum.endswith(f":{found}"):
            told = checksum_difference(found, archive.checksum)
            raise UserError(f"{path} is not the published file; remove it and run again ({told})")
    else:
        require_placed([archive], folder)
        by_hand = f"look at {archive.page}, or place {archive.file} ({format_bytes(archive.bytes)}) at {path}"
        elsewhere = "set HUEBENCH_ARCHIVES to a folder on a larger disk"
        fetch_file(RemoteFile(archive.url, archive.checksum, archive.bytes, by_hand, elsewhere), path, pauses)
    _note(path).write_text(json.dumps(_stamp(archive, path)), encoding="utf-8")
    return path


def _is_verified(archive: Archive, path: Path) -> bool:
    note = _note(path)
    return path.exists() and note.exists() and json.loads(note.read_text(encoding="utf-8")) == _stamp(archive, path)


def _stamp(archive: Archive, path: Path) -> dict[str, object]:
    """What a verified file looked like: a file that was touched since is verified again."""
    status = path.stat()
    return {"checksum": archive.checksum, "bytes": status.st_size, "changed": status.st_mtime_ns}


def _note(path: Path) -> Path:
    return path.with_name(path.name + ".verified")
