"""What the published sets have in common: photographs of one part, straight from an archive, some or all."""

from collections.abc import Callable, Iterator
from pathlib import Path, PurePosixPath
from typing import NamedTuple

from pipeline.errors import UserError
from pipeline.images.decode import MAX_BYTES
from pipeline.sets.members import draw, members
from pipeline.sets.photographs import Photograph
from pipeline.settings.set_entries import ArchiveSection


class Entry(NamedTuple):
    """What the name of a member says.

    Attributes:
        image_id: the photograph's name in the store.
        label: its class; "" where the set has none.
    """

    image_id: str
    label: str = ""


def from_archive(
    path: Path,
    settings: ArchiveSection,
    entry: Callable[[str], Entry | None],
    credit: str,
    licence: str,
) -> Iterator[Photograph]:
    """Yield the photographs of an archive without unpacking it.

    Args:
        path: a tar or zip archive.
        settings: how many are drawn, and the split they get.
        entry: tells from a member's path whether it is a photograph of the wanted part.
        credit: for the index.
        licence: for the index.

    Yields:
        The photographs, in the order of the archive.

    Raises:
        UserError: if the archive is damaged, holds fewer photographs than are to be drawn, or none.
    """
    chosen: set[str] | None = None
    if settings.sample is not None:
        found = [known.image_id for member in members(path) if (known := entry(member.name))]
        if len(found) < settings.sample:
            raise UserError(f"{path} holds {len(found):,} photographs, sample takes {settings.sample:,} of them")
        chosen = set(draw(found, settings.sample, settings.seed))
    for member in members(path):
        known = entry(member.name)
        if known is None or (chosen is not None and known.image_id not in chosen):
            continue
        huge = member.length > MAX_BYTES
        data = b"" if huge else member.read()
        yield Photograph(
            known.image_id,
            PurePosixPath(member.name).suffix.lower(),
            data.__bytes__,
            settings.split,
            known.label,
            credit,
            licence,
            refused="too_many_bytes" if huge else "",
        )
