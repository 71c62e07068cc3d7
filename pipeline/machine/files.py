"""Files that are there whole or not at all."""

import errno
import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

DISK_FULL = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)
"""What an OSError's errno is where there is no room left."""


@contextmanager
def replaced(path: Path) -> Iterator[Path]:
    """Write a file beside its place and give it its name in one move: a reader finds the old one or the new one.

    Args:
        path: the final place; folders are made.

    Yields:
        The temporary path to write to. An error inside the block leaves the old file as it was.

    Raises:
        OSError: if the disk refuses.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    temporary = path.with_name(f".{path.name}.{os.getpid()}.writing")
    try:
        yield temporary
        os.replace(temporary, path)
    finally:
        temporary.unlink(missing_ok=True)


def write_bytes(path: Path, data: bytes) -> None:
    """Write a file as `replaced` does.

    Args:
        path: where; folders are made.
        data: its bytes.

    Raises:
        OSError: if the disk refuses.
    """
    with replaced(path) as temporary:
        temporary.write_bytes(data)


def write_text(path: Path, text: str) -> None:
    """Write a text file, UTF-8, as `write_bytes` does.

    Args:
        path: where; folders are made.
        text: its content.

    Raises:
        OSError: if the disk refuses.
    """
    write_bytes(path, text.encode("utf-8"))


def replace_file(path: Path, write: Callable[[Path], object]) -> None:
    """Write a file beside its place, flush it to the disk, and give it its name in one move.

    Args:
        path: the final place; folders are made.
        write: is given the temporary path.

    Raises:
        OSError: if the disk refuses.
    """
    with replaced(path) as partial:
        write(partial)
        with partial.open("rb") as file:
            os.fsync(file.fileno())


def format_bytes(count: float) -> str:
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
