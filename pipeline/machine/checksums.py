"""Checksums of files as publishers give them, "sha256:..." or "md5:..."."""

import hashlib
from pathlib import Path

from pipeline.machine.progress import byte_progress

BLOCK = 1 << 20


def checksum_of(path: Path, kind: str) -> str:
    """The checksum of a file, with a progress bar where that takes long.

    Args:
        path: of the file.
        kind: "sha256" or "md5"; what stands behind a colon is not looked at.

    Returns:
        All hexadecimal digits.

    Raises:
        OSError: if it cannot be read.
    """
    found = hashlib.new(kind.partition(":")[0])
    with path.open("rb") as opened, byte_progress(f"verify {path.name}", path.stat().st_size) as bar:
        while block := opened.read(BLOCK):
            found.update(block)
            bar.update(len(block))
    return found.hexdigest()


def checksum_difference(found: str, checksum: str) -> str:
    """How a checksum differs from the one that it should be, for a message.

    Args:
        found: all digits of the file's.
        checksum: as in `RemoteFile`.

    Returns:
        Such as "sha256 1f3a..., it takes 7be5be79...".
    """
    return f"{checksum.partition(':')[0]} {found[:16]}..., it takes {checksum_digits(checksum)[:16]}..."


def checksum_digits(checksum: str) -> str:
    """The hexadecimal digits of a checksum such as "sha256:1f3a"."""
    return checksum.partition(":")[2]
