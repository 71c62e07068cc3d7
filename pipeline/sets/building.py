"""A set entry of params.yaml to a store: every photograph read, decoded once, and kept or refused with a reason."""

import hashlib
from collections import Counter, deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Executor, Future, ThreadPoolExecutor
from dataclasses import dataclass
from functools import partial
from itertools import chain, islice
from pathlib import Path
from typing import Any, TypeVar

from pipeline.errors import UserError
from pipeline.machine.engine import worker_count, worker_pool
from pipeline.machine.files import DISK_FULL, format_bytes
from pipeline.machine.progress import progress
from pipeline.sets.duplicates import groups
from pipeline.sets.photographs import Photograph, examine
from pipeline.sets.registry import SOURCES
from pipeline.settings.set_entries import Folder, SetSettings
from pipeline.storage.store import StoreWriter

AHEAD = 4
"""Batches in flight for each worker: enough to keep it busy, few enough to keep memory flat."""
FEW = 2000
"""Photographs for which starting processes takes longer than looking at them."""
BATCH = 16
"""Photographs that a process gets at a time."""
NAMED = 20
"""Refused photographs that a message names."""

Item = TypeVar("Item")
Result = TypeVar("Result")
Examined = tuple[bytes | None, dict[str, Any]]


@dataclass(frozen=True)
class Summary:
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


def build(name: str, settings: SetSettings, out: Path, archives: Path) -> Summary:
    """Write the store of a set entry.

    The photographs are decoded in parallel; the store does not depend on how.

    Args:
        name: the key of the entry, for messages.
        settings: the entry.
        out: the store's folder; replaced when everything is written.
        archives: where downloaded archives are kept.

    Returns:
        What became of the photographs.

    Raises:
        UserError: if the source cannot be had, is empty, or a larger share than `max_bad_share` is refused.
    """
    photographs: Iterable[Photograph] = SOURCES[settings.source].photographs(settings, archives)
    moved = 0
    try:
        with StoreWriter(out) as writer:
            if isinstance(settings, Folder):
                photographs, moved = _kept_together(list(photographs), settings, name)
            summary = _write(
                writer, in_order(partial(_look, settings), progress(photographs, f"download {name}")), moved
            )
            _judge(name, settings, summary)
    except OSError as error:
        if error.errno not in DISK_FULL:
            raise
        raise UserError(
            f"{out.parent} is full; what was fetched is kept in {archives}, free space and run again"
        ) from None
    return summary


def in_order(work: Callable[[Item], Result], items: Iterable[Item]) -> Iterator[tuple[Item, Result]]:
    """Apply a function in parallel, and yield items and results in the order of the items, few at a time in memory.

    The first few are shared among threads, since starting processes would take longer than the work; if there are
    more, they go to processes in batches, since threads of small photographs mostly wait for the interpreter's lock.

    Args:
        work: picklable, and safe to run in several threads.
        items: picklable, may be endless; at most `AHEAD` batches for each worker are taken ahead.

    Yields:
        Each item with its result.
    """
    workers, source = worker_count(), iter(items)
    if workers == 1:
        yield from ((item, work(item)) for item in source)
        return
    with ThreadPoolExecutor(workers) as pool:
        yield from _pooled(pool, work, islice(source, FEW), workers, 1)
    for next_one in source:
        with worker_pool(workers, __name__) as processes:
            yield from _pooled(processes, work, chain([next_one], source), workers, BATCH)


def _pooled(
    pool: Executor, work: Callable[[Item], Result], items: Iterable[Item], workers: int, size: int
) -> Iterator[tuple[Item, Result]]:
    waiting: deque[tuple[list[Item], Future[list[Result]]]] = deque()
    for batch in _batches(items, size):
        waiting.append((batch, pool.submit(_each, work, batch)))
        if len(waiting) > workers * AHEAD:
            earliest, future = waiting.popleft()
            yield from zip(earliest, future.result(), strict=True)
    for earliest, future in waiting:
        yield from zip(earliest, future.result(), strict=True)


def _batches(items: Iterable[Item], size: int) -> Iterator[list[Item]]:
    source = iter(items)
    while batch := list(islice(source, size)):
        yield batch


def _each(work: Callable[[Item], Result], batch: list[Item]) -> list[Result]:
    return [work(item) for item in batch]


def _look(settings: SetSettings, photograph: Photograph) -> Examined:
    return examine(photograph, settings.grey_chroma, settings.max_pixels)


def _hashes(settings: Folder, photograph: Photograph) -> tuple[int, str] | None:
    if settings.near_duplicate_bits < 0:
        return 0, hashlib.sha256(photograph.read()).hexdigest()
    data, columns = _look(settings, photograph)
    if data is None:  # a refused file is no one's duplicate
        return None
    return int(columns["perceptual_hash"], 16), hashlib.sha256(data).hexdigest()


def _write(writer: StoreWriter, examined: Iterable[tuple[Photograph, Examined]], moved: int) -> Summary:
    """Add the photographs to the store and count what became of them."""
    splits: Counter[str] = Counter()
    refused: Counter[str] = Counter()
    named: list[str] = []
    size, grey = 0, 0
    for photograph, (data, columns) in examined:
        writer.add(photograph.image_id, data, photograph.suffix, **columns)
        if data is None:
            refused[columns["status"]] += 1
            named.append(f"{photograph.image_id}{photograph.suffix} ({columns['status']})")
            del named[NAMED:]
            continue
        splits[photograph.split] += 1
        size, grey = size + len(data), grey + columns["is_grey"]
    return Summary(dict(splits), grey, size, dict(refused), tuple(named), moved)


def _kept_together(photographs: list[Photograph], settings: Folder, name: str) -> tuple[list[Photograph], int]:
    """Send near duplicates to the split of the first of them, by name; return how many that moved.

    Needs a look at all of them before the first is written, so the files are read twice; only their hashes are kept.
    """

    found = [result for _, result in in_order(partial(_hashes, settings), progress(photographs, f"duplicates {name}"))]
    usable = [position for position, hashed in enumerate(found) if hashed is not None]
    alike = [hashed for hashed in found if hashed is not None]
    leaders = groups([one for one, _ in alike], [digest for _, digest in alike], settings.near_duplicate_bits)
    together = list(photographs)
    moved = 0
    for position, leader in zip(usable, leaders, strict=True):
        split = photographs[usable[leader]].split
        if together[position].split != split:
            together[position] = together[position].in_split(split)
            moved += 1
    return together, moved


def _judge(name: str, settings: SetSettings, summary: Summary) -> None:
    """Refuse a set that is empty or has too many bad files."""
    bad = sum(summary.refused.values())
    total = sum(summary.photographs.values()) + bad
    if not total:
        raise UserError(f"sets.{name} has no photograph; look at its settings")
    if bad > settings.max_bad_share * total:
        reasons = ", ".join(f"{reason} {count:,}" for reason, count in sorted(summary.refused.items()))
        more = [f"and {bad - NAMED:,} more"] if bad > NAMED else []
        raise UserError(
            f"sets.{name}: {bad:,} of {total:,} files were refused ({reasons}), and "
            f"sets.{name}.max_bad_share is {settings.max_bad_share:g}; remove them or raise it:\n"
            + "\n".join([*summary.named, *more])
        )
