"""The user's own photographs: any tree of image files."""

import hashlib
import os
import re
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Annotated, ClassVar, Literal

from pydantic import Field

from pipeline.errors import UserError
from pipeline.images.decode import MAX_BYTES
from pipeline.images.encode import photograph_files
from pipeline.sets.duplicates import NEAR_DUPLICATE_BITS
from pipeline.sets.photographs import ImageSet, Photograph
from pipeline.settings.sections import Share, Whole

SPLITS = ("train", "test")


class FolderSet(ImageSet):
    """Any tree of the user's own photographs.

    A photograph's split under "hash" follows from its bytes alone, whatever else is in the folder; only near duplicates
    stand together, where the first of them by name stands. So adding photographs moves none that was there, with two
    exceptions: one added under an earlier name than its near duplicates may draw these to its own side, and one that is
    near to photographs on both sides brings them together. `download` says how many stand on another side than their
    own for that reason. No rule that looks at the photographs alone does better: it must not matter in which order they
    were added, and the last to come may be the link between two that were apart.

    Up to three refused files stop no folder, unless `max_bad_share` is 0 or nothing else is in it.

    Attributes:
        path: the folder, absolute or from the project's root; read recursively, hidden names left out.
        split_by: "hash" sends a share of the photographs to the test split by a hash of their bytes; "subfolder" takes
            the first folder of the path, which must be `train` or `test`.
        test_share: the share of photographs that goes to the test split under "hash".
        seed: another seed is another split under "hash".
        near_duplicate_bits: photographs whose 64-bit perceptual hashes differ in at most this many bits count as one
            scene and stand in one split; -1 compares exact bytes only.
        credit: whom to name for the photographs, for the index.
        licence: under what they may be used, for the index.
    """

    path: Annotated[str, Field(min_length=1)]
    split_by: Literal["hash", "subfolder"] = "hash"
    test_share: Share = 0.2
    seed: Annotated[Whole, Field(ge=0)] = 0
    near_duplicate_bits: Annotated[Whole, Field(ge=-1, le=20)] = NEAR_DUPLICATE_BITS
    credit: str = ""
    licence: str = ""

    TITLE: ClassVar = "a folder of your own photographs"
    PAGE: ClassVar = "sets.<name>.path"
    LICENCE: ClassVar = "yours to state: sets.<name>.licence"

    def photographs(self, folder: Path) -> Iterator[Photograph]:
        """The photographs of the tree, by name; near duplicates are put into one split by `building.build_set`.

        Files whose suffix is that of no image are passed over, and so are hidden names; a file that has the suffix and
        is no image is refused with its reason. Symbolic links to files are followed, to folders they are not.
        `ImageSet.photographs` says the rest.

        Raises:
            UserError: if the folder is not there, or a photograph lies outside `train` and `test` under "subfolder".
        """
        root = Path(self.path).expanduser()
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
                self._split(inside, file if readable else None),
                label=inside.parts[-2] if len(inside.parts) > 1 else "",
                credit=self.credit,
                licence=self.licence,
                refused=_refusal(file) if readable else "not_read",
            )

    def _split(self, inside: Path, file: Path | None) -> str:
        """The split of a photograph; `file` is None where it may not be read, and the split then counts for nothing."""
        if self.split_by == "subfolder":
            if inside.parts[0] not in SPLITS or len(inside.parts) < 2:
                raise UserError(
                    f"{inside} is in neither {' nor '.join(SPLITS)}; split_by: subfolder takes these two folders"
                )
            return inside.parts[0]
        if file is None:
            return SPLITS[0]
        with file.open("rb") as opened:
            digest = hashlib.file_digest(opened, "sha256").hexdigest()
        rank = int(hashlib.sha256(f"{self.seed}:{digest}".encode()).hexdigest()[:13], 16) / 16**13
        return "test" if rank < self.test_share else "train"


def _refusal(file: Path) -> str:
    return "too_many_bytes" if file.stat().st_size > MAX_BYTES else ""


def _plain(inside: Path) -> str:
    """A path as one name that is safe in every file system: folders joined by dashes."""
    return re.sub(r"[^\w.+-]+", "_", "-".join(inside.with_suffix("").parts)) or "_"
