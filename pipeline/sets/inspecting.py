"""What stands behind `huebench sets list`, `sets show` and `sets verify`."""

import hashlib
import tarfile
from collections.abc import Mapping
from pathlib import Path
from typing import NamedTuple

import pandas as pd

from pipeline.errors import UserError
from pipeline.images.decode import REASONS
from pipeline.machine.files import format_bytes
from pipeline.machine.progress import progress
from pipeline.sets.photographs import ImageSet
from pipeline.settings.registries import SETS
from pipeline.settings.set_entries import SetEntry
from pipeline.storage.store import Store

NAMED = 20
"""Refused photographs that are named for each reason."""


class Damage(NamedTuple):
    """A photograph of a store whose bytes are not those that were put into it."""

    image_id: str
    problem: str


def describe_sources(sets: Mapping[str, SetEntry], folder: Path) -> tuple[list[tuple[str, str]], list[tuple[str, str]]]:
    """List the sets of params.yaml and every source that a set may have.

    Args:
        sets: the section `sets`.
        folder: of all stores, `data/sets`.

    Returns:
        Name and description of each set, and of each source.
    """
    described = []
    for name, entry in sets.items():
        path = folder / name
        state = f"{len(Store(path).rows()):,} photographs in {path}" if path.exists() else "not downloaded"
        described.append((name, f"source {entry.source}, {state}"))
    return described, [
        (name, f"{source.TITLE}{_extent(source)}. Licence: {source.LICENCE}") for name, source in SETS.items()
    ]


def _extent(source: type[ImageSet]) -> str:
    if not source.ARCHIVES:
        return ""
    parts = ", ".join(f"{part} {count:,}" for part, count in source.PARTS.items())
    by_hand = "" if all(archive.url for archive in source.ARCHIVES.values()) else ", to be placed by hand"
    return f": {parts} photographs; {format_bytes(sum(one.bytes for one in source.ARCHIVES.values()))}{by_hand}"


def describe_set(name: str, entry: SetEntry, path: Path) -> str:
    """Say what a store holds.

    Args:
        name: the key of the set in params.yaml.
        entry: of params.yaml.
        path: its store.

    Returns:
        Lines for the terminal: counts by split, sizes, grey share, refusals by reason, source and licence.

    Raises:
        UserError: if there is no store.
    """
    source, index = SETS[entry.source], Store(path).index
    usable = index[index["status"] == "ok"]
    lines = [f"{name}: {source.TITLE}", f"  source     {source.PAGE}"]
    lines += [f"  licence    {licence}: {count:,}" for licence, count in _counts(usable["licence"])]
    lines.append(
        f"  store      {path}, {format_bytes(float(usable['length'].sum()))} in {usable['shard'].nunique()} shards"
    )
    lines += [f"  {split:<10} {count:,} photographs" for split, count in _counts(usable["split"])]
    if len(usable):
        for side in ("width", "height"):
            low, middle, high = usable[side].quantile([0, 0.5, 1])
            lines.append(f"  {side:<10} {low:.0f} to {high:.0f} px, half of them up to {middle:.0f}")
        lines.append(f"  grey       {usable['is_grey'].astype(bool).mean():.1%}")
        lines += [f"  mode       {mode}: {count:,}" for mode, count in _counts(usable["mode"])]
    refused = index[index["status"] != "ok"]
    lines.append(f"  refused    {len(refused):,}")
    for reason, count in _counts(refused["status"]):
        names = refused.loc[refused["status"] == reason, "image_id"]
        lines.append(f"    {reason}: {count:,} ({REASONS.get(reason, reason)})")
        lines += [f"      {name}" for name in names[:NAMED]]
        lines += [f"      and {count - NAMED:,} more"] if count > NAMED else []
    return "\n".join(lines)


def _counts(column: "pd.Series[str]") -> list[tuple[str, int]]:
    counted = column.fillna("").value_counts().sort_index()
    return [(str(value) or "not stated", int(count)) for value, count in counted.items()]


def verify_set(path: Path) -> list[Damage]:
    """Compare every photograph of a store with its checksum, and the shards with the index.

    Args:
        path: the store.

    Returns:
        What is wrong; empty when every byte is the one that was stored.

    Raises:
        UserError: if there is no store, or its index cannot be read.
    """
    store = Store(path)
    damages: list[Damage] = []
    for row in progress(list(store.rows().itertuples()), f"verify {path.name}"):
        try:
            data = store.read(row.image_id)
        except UserError as error:
            damages.append(Damage(row.image_id, str(error)))
            continue
        if hashlib.sha256(data).hexdigest() != row.sha256:
            damages.append(Damage(row.image_id, f"{row.shard} has other bytes than were stored"))
    known = set(store.index["shard"].dropna())
    for file in sorted(path.glob("*.tar")):
        if file.name not in known:
            damages.append(Damage("", f"{file.name} is in no row of the index"))
        elif not tarfile.is_tarfile(file):
            damages.append(Damage("", f"{file.name} is no tar archive any more"))
    return damages
