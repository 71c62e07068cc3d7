"""The user's own photographs: any tree of image files."""

import hashlib
import os
import re
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

from pipeline.errors import UserError
from pipeline.images.decode import MAX_BYTES
from pipeline.images.encode import photograph_files
from pipeline.sets.archives import Archive
from pipeline.sets.photographs import Photograph
from pipeline.settings.set_entries import Folder

TITLE = "a folder of your own photographs"
PAGE = "sets.<name>.path"
LICENCE = "yours to state: sets.<name>.licence"
PARTS: dict[str, int] = {}
ARCHIVES: dict[str, Archive] = {}
SPLITS = ("train", "test")


def photographs(settings: Folder, folder: Path) -> Iterator[Photograph]:
    """Yield the photographs of a tree, by name.

    Files whose suffix is that of no image are passed over, and so are hidden names; a file that has the suffix and
    is no image is refused with its reason. Symbolic links to files are followed, to folders they are not.

    Args:
        settings: the entry of params.yaml.
        folder: not used.

    Yields:
        The photographs; near duplicates are put into one split by `building.build`.

    Raises:
        UserError: if the folder is not there, or a photograph lies outside `train` and `test` under "subfolder".
    """
    root = Path(settings.path).expanduser()
    if not root.is_dir():
        raise UserError(f"{root} is no folder; sets.<name>.path takes the folder of your photographs")
    files = photograph_files(root)
    names = [_plain(file.relative_to(root)) for file in files]
    taken = Counter(names)
    for file, name in zip(files, names, strict=True):
        inside = file.relative_to(root)
        if taken[name] > 1:  # a/b.jpg beside a-b.jpg, or b.jpg beside b.png
            name += "-" + hashlib.sha256(inside.as_posix().encode()).hexdigest()[:8]
        readable = os.access(file, os.R_OK)
        yield Photograph(
            name,
            file.suffix.lower(),
            file.read_bytes,
            _split(settings, inside, file if readable else None),
            label=inside.parts[-2] if len(inside.parts) > 1 else "",
            credit=settings.credit,
            licence=settings.licence,
            refused=_refusal(file) if readable else "not_read",
        )


def _refusal(file: Path) -> str:
    return "too_many_bytes" if file.stat().st_size > MAX_BYTES else ""


def _plain(inside: Path) -> str:
    """A path as one name that is safe in every file system: folders joined by dashes."""
    return re.sub(r"[^\w.+-]+", "_", "-".join(inside.with_suffix("").parts)) or "_"


def _split(settings: Folder, inside: Path, file: Path | None) -> str:
    """The split of a photograph; `file` is None where it may not be read, and the split then counts for nothing."""
    if settings.split_by == "subfolder":
        if inside.parts[0] not in SPLITS or len(inside.parts) < 2:
            raise UserError(
                f"{inside} is in neither {' nor '.join(SPLITS)}; split_by: subfolder takes these two folders"
            )
        return inside.parts[0]
    if file is None:
        return SPLITS[0]
    with file.open("rb") as opened:
        digest = hashlib.file_digest(opened, "sha256").hexdigest()
    rank = int(hashlib.sha256(f"{settings.seed}:{digest}".encode()).hexdigest()[:13], 16) / 16**13
    return "test" if rank < settings.test_share else "train"
