"""Archives read member by member: nothing is ever extracted to a path that an archive chose."""

import gzip
import hashlib
import lzma
import tarfile
import zipfile
import zlib
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import NamedTuple

from pipeline.errors import UserError
from pipeline.images.decode import MAX_BYTES

# What Python's readers raise on broken archives; NotImplementedError is a zip method that Python does not know.
_TAR_DAMAGE = (tarfile.TarError, gzip.BadGzipFile, lzma.LZMAError, zlib.error, EOFError)
_DAMAGE = (*_TAR_DAMAGE, zipfile.BadZipFile, NotImplementedError)


class Member(NamedTuple):
    """A regular file inside an archive.

    Attributes:
        name: its path inside the archive.
        length: as declared, in bytes.
        read: returns its bytes; works only until the next member is asked for.
    """

    name: str
    length: int
    read: Callable[[], bytes]


def archive_members(path: Path) -> Iterator[Member]:
    """Walk through a tar (plain or compressed) or zip archive in its own order.

    Args:
        path: the archive.

    Yields:
        Its regular files; folders are passed over.

    Raises:
        UserError: if it is no such archive, is damaged, or holds what no data set needs: a link, a device, an
            absolute name or a name with `..`.
    """
    with _told(path):
        yield from _zip_members(path) if zipfile.is_zipfile(path) else _tar_members(path)


def read_member(path: Path, name: str) -> bytes:
    """Read one member.

    Args:
        path: the archive.
        name: the member's path inside it.

    Returns:
        Its bytes.

    Raises:
        UserError: as `archive_members`, or if there is no such member.
    """
    for member in archive_members(path):
        if member.name == name:
            return member.read()
    raise UserError(f"{path} has no member {name}; it is not the published archive")


def draw(names: Iterable[str], count: int, seed: int) -> list[str]:
    """Take names at random, the same ones on every machine and with every library version.

    Each name is ranked by SHA-256 of the seed and itself, so the order in which an archive holds them does not
    matter, and a larger sample contains the smaller one of the same seed.

    Args:
        names: what is drawn from, each once.
        count: how many; all where there are fewer.
        seed: another seed is another sample.

    Returns:
        The drawn names, sorted.
    """
    return sorted(sorted(names, key=lambda name: hashlib.sha256(f"{seed}:{name}".encode()).digest())[:count])


@contextmanager
def _told(path: Path) -> Iterator[None]:
    """Say which archive is at fault."""
    try:
        yield
    except _DAMAGE as error:
        text = " ".join(str(error).split()) or type(error).__name__
        raise UserError(f"{path} is damaged or no archive ({text}); remove it and run again") from error


def _tar_members(path: Path) -> Iterator[Member]:
    with tarfile.open(path, "r:*") as tar:
        while (info := tar.next()) is not None:
            tar.members.clear()  # type: ignore[attr-defined]  # tarfile keeps a record of every member: 1.5 GB for Places365
            if info.isdir():
                continue
            if not info.isreg() or info.issparse():
                raise UserError(f"{path} holds {info.name!r}, no regular file; it is not the published one")
            yield Member(_safe(path, info.name), info.size, _tar_reader(path, tar, info))


def _tar_reader(path: Path, tar: tarfile.TarFile, info: tarfile.TarInfo) -> Callable[[], bytes]:
    def read() -> bytes:
        wanted = min(info.size, MAX_BYTES + 1)  # Python makes room for as much as it is asked for
        with _told(path):
            file = tar.extractfile(info)
            assert file is not None
            data = file.read(wanted)
            if len(data) < wanted:
                raise tarfile.ReadError(f"it ends within {info.name}")
            return data

    return read


def _zip_members(path: Path) -> Iterator[Member]:
    with zipfile.ZipFile(path) as archive:
        for info in archive.infolist():
            if info.is_dir():
                continue
            kind = info.external_attr >> 28  # of the Unix mode, where the zip carries one: 8 is a regular file
            if kind not in (0, 8):
                raise UserError(f"{path} holds {info.filename!r}, no regular file; it is not the published one")
            yield Member(_safe(path, info.filename), info.file_size, _zip_reader(path, archive, info))


def _zip_reader(path: Path, archive: zipfile.ZipFile, info: zipfile.ZipInfo) -> Callable[[], bytes]:
    @_told(path)
    def read() -> bytes:
        with archive.open(info) as file:
            return file.read(MAX_BYTES + 1)  # the declared length may lie

    return read


def _safe(path: Path, name: str) -> str:
    """Refuse names that point out of the archive, although nothing is written under them."""
    inside = name.removeprefix("./")
    parts = inside.replace("\\", "/").split("/")
    if not inside or ".." in parts or not parts[0] or parts[0].endswith(":"):
        raise UserError(f"{path} holds {name!r}, a name that points out of it; it is not the published one")
    return inside
