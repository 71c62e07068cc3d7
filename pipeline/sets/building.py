"""A set entry of params.yaml to a store: every photograph read, decoded once, and kept or refused with a reason."""

import hashlib
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sized
from dataclasses import dataclass
from itertools import chain, count, islice
from pathlib import Path
from typing import Any, NamedTuple, TypeVar

from pipeline.errors import UserError
from pipeline.machine.engine import map_shards
from pipeline.machine.files import DISK_FULL, format_bytes
from pipeline.machine.progress import progress
from pipeline.sets.duplicates import near_duplicate_leaders
from pipeline.sets.examination import examine
from pipeline.sets.folder import FolderSet
from pipeline.sets.photographs import ImageSet, Photograph
from pipeline.settings.set_entries import SetEntry
from pipeline.storage.store import StoreWriter

FEW = 2000
"""Photographs for which starting processes takes longer than looking at them."""
BATCH = 16
"""Photographs that a process gets at a time."""
BAD_OF_FOLDER = 3
"""Refused files that a folder may hold whatever its size: a share of a few photographs is less than one file."""
NAMED = 20
"""Refused photographs that a message names."""

Found = TypeVar("Found")


class Examined(NamedTuple):
    """A photograph that was looked at.

    Attributes:
        image_id: its name.
        suffix: of its file.
        data: its bytes; None where it is refused.
        columns: of `tables.STORE_INDEX`.
    """

    image_id: str
    suffix: str
    data: bytes | None
    columns: dict[str, Any]


@dataclass(frozen=True)
class BuiltSet:
    """What became of a set.

    Attributes:
        photographs: how many are usable, by split.
        grey: how many of them are grey.
        bytes: how long they are together.
        refused: how many were refused, by reason.
        named: the first of them, each "name (reason)".
        moved: photographs that a near duplicate drew to the other split.
    """

    photographs: dict[str, int]
    grey: int
    bytes: int
    refused: dict[str, int]
    named: tuple[str, ...]
    moved: int

    def __str__(self) -> str:
        splits = ", ".join(f"{count:,} {split}" for split, count in sorted(self.photographs.items()))
        reasons = ", ".join(f"{reason} {count:,}" for reason, count in sorted(self.refused.items()))
        moved = f", {self.moved:,} moved beside their near duplicates" if self.moved else ""
        total = sum(self.photographs.values())
        return (
            f"{total:,} photographs ({splits}; {self.grey:,} grey), {format_bytes(self.bytes)}, "
            f"refused: {reasons or 'none'}{moved}"
        )


def build_set(name: str, entry: SetEntry, out: Path, archives: Path) -> BuiltSet:
    """Write the store of a set entry.

    The photographs are decoded in parallel; the store does not depend on how.

    Args:
        name: the key of the entry, for messages.
        entry: of params.yaml, an `ImageSet`.
        out: the store's folder; replaced when everything is written.
        archives: where downloaded archives are kept.

    Returns:
        What became of the photographs.

    Raises:
        UserError: if the source cannot be had, is empty, or a larger share than `max_bad_share` is refused.
    """
    assert isinstance(entry, ImageSet), "the classes of registries.SETS are image sets"
    photographs: Iterable[Photograph] = entry.photographs(archives)
    moved = 0
    try:
        with StoreWriter(out) as writer:
            if isinstance(entry, FolderSet):
                photographs, moved = _kept_together(list(photographs), entry, name)
            built = _write(writer, _mapped(_examine_some, photographs, entry, f"download {name}"), moved)
            _judge(name, entry, built)
    except OSError as error:
        if error.errno not in DISK_FULL:
            raise
        raise UserError(
            f"{out.parent} is full; what was fetched is kept in {archives}, free space and run again"
        ) from None
    return built


def _mapped(
    look: Callable[[list[Photograph], Any], list[Found]],
    photographs: Iterable[Photograph],
    entry: ImageSet,
    description: str,
) -> Iterator[Found]:
    """What a look at each photograph gives, in their order; they are taken as they are worked on, few at a time."""
    results = map_shards(look, _tasks(photographs), entry, None, in_threads=FEW)
    total = len(photographs) if isinstance(photographs, Sized) else None
    yield from progress(chain.from_iterable(results), description, total)


def _tasks(photographs: Iterable[Photograph]) -> Iterator[list[Photograph]]:
    """The first few one by one, so that threads share them evenly; the rest in batches, which processes want."""
    source = iter(photographs)
    for number in count():
        if not (batch := list(islice(source, 1 if number < FEW else BATCH))):
            return
        yield batch


def _examine_some(photographs: list[Photograph], entry: ImageSet) -> list[Examined]:
    return [
        Examined(one.image_id, one.suffix, *examine(one, entry.grey_chroma, entry.max_pixels)) for one in photographs
    ]


def _hash_some(photographs: list[Photograph], entry: FolderSet) -> list[tuple[int, str] | None]:
    """Perceptual hash and digest of each photograph; None for one that is refused, which is no one's duplicate."""
    if entry.near_duplicate_bits < 0:  # nothing needs to be decoded
        return [None if one.refused else (0, hashlib.sha256(one.read()).hexdigest()) for one in photographs]
    return [
        None if data is None else (int(columns["perceptual_hash"], 16), hashlib.sha256(data).hexdigest())
        for _, _, data, columns in _examine_some(photographs, entry)
    ]


def _write(writer: StoreWriter, examined: Iterable[Examined], moved: int) -> BuiltSet:
    """Add the photographs to the store and count what became of them."""
    splits: Counter[str] = Counter()
    refused: Counter[str] = Counter()
    named: list[str] = []
    size, grey = 0, 0
    for image_id, suffix, data, columns in examined:
        writer.add(image_id, data, suffix, **columns)
        if data is None:
            refused[columns["status"]] += 1
            named.append(f"{image_id}{suffix} ({columns['status']})")
            del named[NAMED:]
            continue
        splits[columns["split"]] += 1
        size, grey = size + len(data), grey + columns["is_grey"]
    return BuiltSet(dict(splits), grey, size, dict(refused), tuple(named), moved)


def _kept_together(photographs: list[Photograph], entry: FolderSet, name: str) -> tuple[list[Photograph], int]:
    """Send near duplicates to the split of the first of them, by name; return how many that moved.

    Needs a look at all of them before the first is written, so the files are read twice; only their hashes are kept.
    """
    found = list(_mapped(_hash_some, photographs, entry, f"duplicates {name}"))
    usable = [position for position, hashed in enumerate(found) if hashed is not None]
    alike = [hashed for hashed in found if hashed is not None]
    leaders = near_duplicate_leaders(
        [one for one, _ in alike], [digest for _, digest in alike], entry.near_duplicate_bits
    )
    together = list(photographs)
    moved = 0
    for position, leader in zip(usable, leaders, strict=True):
        split = photographs[usable[leader]].split
        if together[position].split != split:
            together[position] = together[position].in_split(split)
            moved += 1
    return together, moved


def _judge(name: str, entry: ImageSet, built: BuiltSet) -> None:
    """Refuse a set that has no usable photograph or too many bad files."""
    bad = sum(built.refused.values())
    total = sum(built.photographs.values()) + bad
    if not total:
        raise UserError(f"sets.{name} has no photograph; look at its settings")
    few = BAD_OF_FOLDER if isinstance(entry, FolderSet) and entry.max_bad_share else 0
    if bad > max(few, entry.max_bad_share * total) or bad == total:
        reasons = ", ".join(f"{reason} {count:,}" for reason, count in sorted(built.refused.items()))
        more = [f"and {bad - NAMED:,} more"] if bad > NAMED else []
        raise UserError(
            f"sets.{name}: {bad:,} of {total:,} files were refused ({reasons}), and "
            f"sets.{name}.max_bad_share is {entry.max_bad_share:g}; remove them or raise it:\n"
            + "\n".join([*built.named, *more])
        )
