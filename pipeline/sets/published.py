"""What the published sets have in common: photographs of one part, straight from an archive, some or all."""

from collections.abc import Callable, Iterator
from pathlib import Path, PurePosixPath
from typing import Annotated, ClassVar, Literal, NamedTuple

from pydantic import Field

from pipeline.errors import UserError
from pipeline.images.decode import MAX_BYTES
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
        split: the split that the entry's photographs get: a published part is either learnt from or tested on.
        sample: so many photographs taken at random from the part; None takes all.
        seed: another seed is another sample.
        CREDIT: whom to name for the photographs, for the index.
    """

    split: Literal["train", "test"]
    sample: Positive | None = None
    seed: Annotated[Whole, Field(ge=0)] = 0

    CREDIT: ClassVar[str]

    def photographs_in(self, path: Path, known: Callable[[str], KnownMember | None]) -> Iterator[Photograph]:
        """Yield the photographs of an archive without unpacking it.

        Args:
            path: a tar or zip archive.
            known: tells from a member's path whether it is a photograph of the wanted part, and which.

        Yields:
            The photographs, in the order of the archive, their bytes already read.

        Raises:
            UserError: if the archive is damaged, or holds fewer photographs than are to be drawn.
        """
        chosen: set[str] | None = None
        if self.sample is not None:
            found = [told.image_id for member in archive_members(path) if (told := known(member.name))]
            if len(found) < self.sample:
                raise UserError(f"{path} holds {len(found):,} photographs, sample takes {self.sample:,} of them")
            chosen = set(draw(found, self.sample, self.seed))
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
