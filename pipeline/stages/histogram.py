"""Count the reference set's colors at 1-unit resolution, once for every bin size (SPEC sections 2 and 3)."""

import numpy as np

from pipeline.color.histogram import CELLS, HistogramPart, check_totals, whole_histogram
from pipeline.errors import UserError
from pipeline.machine.engine import map_shards
from pipeline.settings.params import Settings
from pipeline.stages import paths
from pipeline.stages.versions import StageVersion
from pipeline.storage.color_tables import histogram_table
from pipeline.storage.portions import Portion, View, portions, read_rows, reference_rows, skipped_rows, thumbnails
from pipeline.storage.tables import write_table

PIXELS_TOGETHER = 1 << 20
"""Pixels counted at a time: enough for a whole portion at 56 x 56, few enough for flat memory at any size."""


def count(task: Portion, view: View) -> HistogramPart:
    """The partial histogram of some photographs.

    Args:
        task: which photographs.
        view: how they are looked at.

    Returns:
        Their pixels by unit cell, and the photographs left out by reason.
    """
    partial, waiting = HistogramPart(), []
    together = max(1, PIXELS_TOGETHER // view.size**2)
    for thumbnail in thumbnails(task, view):
        if isinstance(thumbnail, str):
            partial.skip(thumbnail)
            continue
        waiting.append(thumbnail)
        if len(waiting) == together:
            partial.add(np.stack(waiting))
            waiting.clear()
    if waiting:
        partial.add(np.stack(waiting))
    return partial


def count_histogram(settings: Settings, version: StageVersion) -> str:
    """Write data/histogram.parquet from the photographs in the reference set's train split.

    Args:
        settings: `run.reference` and `histogram` are read.
        version: of this stage's code.

    Raises:
        UserError: if no photograph of the set can be counted; nothing is written then.
    """
    choice, reference = settings.histogram, settings.run.reference
    store = paths.image_set(reference)
    rows = read_rows(store, "train")
    view = View(choice.size, choice.resampling, choice.smallest)
    whole = whole_histogram(map_shards(count, portions(store, reference_rows(rows)), view, "histogram", unit="portion"))
    whole.skipped.update(skipped_rows(rows))
    check_totals(whole, len(rows), choice.size)
    if not whole.images:
        reasons = ", ".join(f"{number} {reason}" for reason, number in sorted(whole.skipped.items())) or "no photograph"
        raise UserError(f"run.reference is {reference!r}, whose train split has nothing to count: {reasons}")
    facts = {
        "reference": reference,
        "images": whole.images,
        "pixels": int(whole.cells.sum()),
        "skipped": dict(whole.skipped),
        **choice.model_dump(),
        **version.facts(),
    }
    table = histogram_table(whole.cells.reshape(CELLS, CELLS))
    write_table(table, paths.HISTOGRAM, facts)
    left_out = "".join(f", {number} {reason}" for reason, number in sorted(whole.skipped.items()))
    return f"{whole.images} images counted{left_out}, {len(table)} color cells"
