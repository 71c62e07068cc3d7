"""Which file of a folder of results belongs to which photograph: by name."""

from collections.abc import Collection, Iterable, Sequence
from pathlib import Path
from typing import NamedTuple

from pipeline.errors import UserError
from pipeline.images.encode import photograph_files
from pipeline.storage.store import StoreWriter

LISTED = 5
"""Names that a line of a message names."""


class MatchedFiles(NamedTuple):
    """The image files of a folder beside the photographs wanted.

    Attributes:
        files: the photograph's name to its file.
        extra: names of files that belong to no photograph.
        twice: photographs with more than one file, such as a.png and a.jpg; `files` has the first.
    """

    files: dict[str, Path]
    extra: list[str]
    twice: list[str]


def match_files(folder: Path, wanted: Collection[str], ending: str = "") -> MatchedFiles:
    """Match the image files of a folder to photographs by name.

    A file belongs to the photograph whose name is the file's without its suffix (with its path inside the folder, where
    names have one). Files that are no images by their suffix are passed over.

    Args:
        folder: where the files lie; subfolders are looked into.
        wanted: names of the photographs.
        ending: what stands behind the photograph's name in the name of its result, such as "_colorized";
            files without it are passed over.
    """
    found = MatchedFiles({}, [], [])
    for path in (one for one in photograph_files(folder) if one.stem.endswith(ending)):
        inside = path.relative_to(folder).with_suffix("").as_posix().removesuffix(ending)
        name = inside if inside in wanted else path.stem.removesuffix(ending)
        if name not in wanted:
            found.extra.append(path.name)
        elif name in found.files:
            found.twice.append(name)
        else:
            found.files[name] = path
    return found


def named_files(folder: Path) -> dict[str, Path]:
    """The photographs of a folder by name: the path inside it, without the suffix.

    Args:
        folder: searched with its subfolders.

    Returns:
        Name to file, in the order of the paths.

    Raises:
        UserError: if it is no folder, holds no image, or two files of one name.
    """
    if not folder.is_dir():
        raise UserError(f"{folder} is no folder; it takes a folder of photographs")
    files: dict[str, Path] = {}
    for path in photograph_files(folder):
        name = path.relative_to(folder).with_suffix("").as_posix()
        if name in files:
            raise UserError(f"{folder} has both {files[name].name} and {path.name}; keep one file for each photograph")
        files[name] = path
    if not files:
        raise UserError(f"{folder} holds no image file; it takes a folder of photographs")
    return files


def store_files(files: Iterable[tuple[str, Path]], out: Path) -> None:
    """Write a store of files as they are, unread: what cannot be decoded is found out when it is scored.

    Args:
        files: image_id and file.
        out: the store's folder.

    Raises:
        UserError: if a file cannot be read.
    """
    with StoreWriter(out) as writer:
        for image_id, path in files:
            try:
                data = path.read_bytes()
            except OSError as error:
                raise UserError(f"{path} cannot be read ({error.strerror})") from None
            writer.add(image_id, data, path.suffix.lower())


def listed(words: str, names: Sequence[str]) -> str:
    """A line that counts names and shows the first of them.

    Args:
        words: what they are.
        names: at least one.
    """
    more = f" and {len(names) - LISTED} more" if len(names) > LISTED else ""
    return f"{len(names)} {words}: {', '.join(names[:LISTED])}{more}"
