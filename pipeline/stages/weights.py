"""Class frequencies, CIC's weights, and what Eq. 15 gives on real batches (SPEC sections 5 and 9)."""

from pathlib import Path
from typing import NamedTuple

import numpy as np
import pyarrow as pa

from pipeline.color.space import ColorSpace
from pipeline.color.weighting import cic_weights, draw_batches, smoothed_prior, summarize_batch
from pipeline.errors import UserError
from pipeline.machine.engine import map_shards
from pipeline.settings.params import Settings
from pipeline.settings.sections import Weights
from pipeline.stages import paths
from pipeline.stages.versions import StageVersion
from pipeline.storage.color_tables import check_facts, histogram_settings, mapped_counts, read_space, space_settings
from pipeline.storage.portions import Portion, View, portion, read_rows, reference_rows, thumbnails
from pipeline.storage.tables import SPACE, WEIGHT_BATCHES, WEIGHTS, read_table, table_facts, write_table


class Weighing(NamedTuple):
    """What a worker has to know."""

    view: View
    space: ColorSpace
    percents: tuple[float, ...]


def weigh(batch: Portion, weighing: Weighing) -> list[dict[str, float]]:
    """The weights of Eq. 15 over one batch of photographs.

    Args:
        batch: which photographs.
        weighing: how they are looked at, their class space, and the percents.

    Returns:
        A row of `tables.WEIGHT_BATCHES` for each percent, the batch's number left out; none for an empty batch.
    """
    counts, images = np.zeros(weighing.space.kept_count, np.int64), 0
    for thumbnail in thumbnails(batch, weighing.view):
        if isinstance(thumbnail, str):
            continue
        kept = weighing.space.to_kept(weighing.space.encode(thumbnail))
        counts += np.bincount(kept.reshape(-1), minlength=len(counts))
        images += 1
    whole = {"images": images, "classes": int((counts > 0).sum())}
    percents = weighing.percents if images else ()
    return [{"percent": percent} | whole | summarize_batch(counts, percent)._asdict() for percent in percents]


def weigh_classes(settings: Settings, version: StageVersion, space: str) -> str:
    """Write data/weights/<space>.parquet and data/weights/<space>_batches.parquet.

    Args:
        settings: `run`, `histogram`, `weights` and `spaces.<space>` are read.
        version: of this stage's code.
        space: a key of `spaces`.

    Raises:
        UserError: if the space was made under other settings, no photograph can be drawn, or no finite weight exists;
            nothing is written then.
    """
    path = paths.space(space)
    facts = table_facts(read_table(path, SPACE))
    check_facts(path, facts, space_settings(settings, space))
    check_facts(path, facts.get("histogram", {}), histogram_settings(settings))
    colors = read_space(path)
    weights = _weights(path, colors, settings.weights)
    tasks = _batches(settings)
    view = View(settings.histogram.size, settings.histogram.resampling, settings.histogram.smallest)
    weighing = Weighing(view, colors, tuple(settings.weights.percents))
    weighed = list(map_shards(weigh, tasks, weighing, "weights", unit="batch"))
    rows = [{"batch": number} | row for number, batch in enumerate(weighed) for row in batch]
    rows.sort(key=lambda row: (row["percent"], row["batch"]))
    facts = {"space": space, "seed": settings.run.seed, **settings.weights.model_dump(), **version.facts()}
    write_table(weights, paths.weights(space), facts)
    write_table(pa.Table.from_pylist(rows, WEIGHT_BATCHES), paths.weight_batches(space), facts)
    images = sum(len(task.shards) for task in tasks)
    return f"{colors.kept_count} classes weighed, {len(tasks)} batches of {images} images drawn"


def _weights(path: Path, colors: ColorSpace, choice: Weights) -> pa.Table:
    """Frequencies, priors and CIC's weights of the kept classes, a table of `tables.WEIGHTS`."""
    counts = mapped_counts(path, colors)
    prior = counts / counts.sum()
    smooth = smoothed_prior(prior, colors.kept_centers, choice.smoothing_sigma)
    try:
        cic = cic_weights(smooth, choice.uniform_share)
    except ValueError as error:
        raise UserError(f"weights.uniform_share is {choice.uniform_share:g}: {error}") from None
    return pa.table([colors.kept, counts, prior, smooth, cic], schema=WEIGHTS)


def _batches(settings: Settings) -> list[Portion]:
    """Batches of the reference set, drawn as a training would draw them."""
    reference = settings.run.reference
    store = paths.image_set(reference)
    rows = reference_rows(read_rows(store, "train"))
    drawn = draw_batches(rows.index.tolist(), settings.weights.batch, settings.run.seed)
    if not drawn:
        raise UserError(f"run.reference is {reference!r}, whose train split has no color photograph to draw")
    return [portion(store, rows.loc[image_ids]) for image_ids in drawn]
