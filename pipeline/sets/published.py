"""What the published sets have in common: photographs of one part, straight from an archive, some or all."""

from collections import Counter
from collections.abc import Callable, Collection, Iterator
from pathlib import Path, PurePosixPath
from typing import Annotated, ClassVar, Literal, NamedTuple

from pydantic import Field, model_validator

from pipeline.errors import UserError
from pipeline.images.decode import MAX_BYTES
from pipeline.images.encode import without_suffix
from pipeline.sets.members import archive_members, draw
from pipeline.sets.photographs import ImageSet, Photograph
from pipeline.settings.sections import Positive, Whole


class KnownMember(NamedTuple):
    """What the name of an archive's member says of the photograph in it.

    Attributes:
        image_id: the photograph's name in the store.
        label: its class; "" where the set has none.
    """

    image_id: str
    label: str = ""


class PublishedSet(ImageSet):
    """A published set, read from its official archives.

    Attributes:
        part: the official part that is taken.
        split: the split that the entry's photographs get: a published part is either learnt from or tested on.
        sample: so many photographs taken at random from the part; with none of `sample`, `first` and `list`, all are.
        seed: another seed is another sample.
        first: the first so many of the part, by name.
        list: a text file with the names of the photographs, one on a line, with or without the suffix of their files.
        CREDIT: whom to name for the photographs, for the index.
    """

    split: Literal["train", "test"]
    sample: Positive | None = None
    seed: Annotated[Whole, Field(ge=0)] = 0
    first: Positive | None = None
    list: Annotated[str, Field(min_length=1)] | None = None

    CREDIT: ClassVar[str]

    @property
    def parts(self) -> str:
        """Which photographs these are, whatever the entry is called: source, part and choice, parted by slashes."""
        if self.list is not None:
            choice = f"list {self.list}"
        elif self.sample is not None:
            choice = f"sample {self.sample} of seed {self.seed}"
        else:
            choice = "all" if self.first is None else f"first {self.first}"
        return f"{self.source}/{getattr(self, 'part', 'all')}/{choice}"

    @model_validator(mode="after")
    def _chosen_in_one_way(self) -> "PublishedSet":
        given = [name for name in ("sample", "first", "list") if getattr(self, name) is not None]
        if len(given) > 1:
            raise ValueError(f"{given[1]} stands beside {given[0]}, it takes one of sample, first, list")
        return self

    def photographs_in(self, path: Path, known: Callable[[str], KnownMember | None]) -> Iterator[Photograph]:
        """Yield the photographs of an archive without unpacking it.

        Args:
            path: a tar or zip archive.
            known: tells from a member's path whether it is a photograph of the wanted part, and which.

        Yields:
            The photographs, in the order of the archive, their bytes already read.

        Raises:
            UserError: if the archive is damaged, holds fewer photographs than are to be taken or lacks a listed one, or
                the list cannot be read.
        """
        chosen = self._chosen(path, known)
        for member in archive_members(path):
            told = known(member.name)
            if told is None or (chosen is not None and told.image_id not in chosen):
                continue
            huge = member.length > MAX_BYTES
            data = b"" if huge else member.read()
            yield Photograph(
                told.image_id,
                PurePosixPath(member.name).suffix.lower(),
                data.__bytes__,
                self.split,
                told.label,
                self.CREDIT,
                self.LICENCE,
                refused="too_many_bytes" if huge else "",
            )

    def _chosen(self, path: Path, known: Callable[[str], KnownMember | None]) -> set[str] | None:
        """The names of the photographs to be taken; None for all."""
        if self.list is not None:
            wanted = listed_names(Path(self.list))
        elif self.sample is None and self.first is None:
            return None
        found = [told.image_id for member in archive_members(path) if (told := known(member.name))]
        if self.list is not None:
            if strangers := sorted(wanted - set(found)):
                raise UserError(
                    f"{self.list} names {len(strangers):,} photographs that {path} has not in this part, "
                    f"the first is {strangers[0]!r}"
                )
            return wanted
        count, key = (self.sample, "sample") if self.sample is not None else (self.first or 0, "first")
        if len(found) < count:
            raise UserError(f"{path} holds {len(found):,} photographs, {key} takes {count:,} of them")
        return set(draw(found, count, self.seed)) if self.sample is not None else set(sorted(found)[:count])


def listed_names(path: Path) -> set[str]:
    """The photographs that a text file names.

    Args:
        path: a name on each line, such as ILSVRC2012_val_00000001 or ILSVRC2012_val_00000001.JPEG; empty lines are
            passed over.

    Returns:
        The names, without the suffix of an image file.

    Raises:
        UserError: if it is not there, no text, empty, or names a photograph twice.
    """
    try:
        lines = path.read_text(encoding="utf-8").split("\n")
    except (OSError, UnicodeDecodeError) as error:
        reason = getattr(error, "strerror", None) or "no text"
        raise UserError(
            f"{path} cannot be read ({reason}); sets.<name>.list takes a file of names, one on a line"
        ) from None
    names = [without_suffix(line.strip()) for line in lines if line.strip()]
    if not names:
        raise UserError(f"{path} names no photograph; sets.<name>.list takes a file of names, one on a line")
    if len(set(names)) < len(names):
        twice = next(name for name, count in Counter(names).items() if count > 1)
        raise UserError(f"{path} names {twice!r} twice, it takes each photograph once")
    return set(names)


def parts_of_names(names: Collection[str]) -> str:
    """What photographs are called in the sets whose names number them, so that a folder of them is known again.

    Args:
        names: of the photographs.

    Returns:
        As `PublishedSet.parts`, where they are the first so many of ImageNet's or all of ADE20K's validation part; ""
        otherwise.
    """
    imagenet = {f"ILSVRC2012_val_{number:08d}" for number in range(1, len(names) + 1)}
    if names and imagenet == set(names):
        return "imagenet/val/all" if len(names) == 50_000 else f"imagenet/val/first {len(names)}"
    if {f"ADE_val_{number:08d}" for number in range(1, 2001)} == set(names):
        return "ade20k/validation/all"
    return ""
