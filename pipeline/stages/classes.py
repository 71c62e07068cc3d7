"""Choose the classes of a space from the histogram alone: no photograph is read (SPEC sections 2 and 3)."""

import numpy as np
import numpy.typing as npt

from pipeline.color.pruning import ClassTable, class_table, prune, reachable_classes
from pipeline.color.space import ColorSpace
from pipeline.errors import UserError
from pipeline.settings.params import Settings
from pipeline.settings.sections import Space
from pipeline.stages import paths
from pipeline.stages.versions import StageVersion
from pipeline.storage.color_tables import check_facts, histogram_settings, read_cells, space_table
from pipeline.storage.published_classes import cic_classes
from pipeline.storage.tables import HISTOGRAM, read_table, table_facts, write_table


def prune_classes(settings: Settings, version: StageVersion, space: str) -> str:
    """Write data/spaces/<space>.parquet: every class of the grid, kept or mapped to which.

    Args:
        settings: `run.reference`, `histogram` and `spaces.<space>` are read.
        version: of this stage's code.
        space: a key of `spaces`.

    Raises:
        UserError: if the histogram was made under other settings, or pruning keeps no class; nothing is written then.
    """
    choice = settings.spaces[space]
    cells = read_cells(paths.HISTOGRAM)
    facts = table_facts(read_table(paths.HISTOGRAM, HISTOGRAM))
    check_facts(paths.HISTOGRAM, facts, histogram_settings(settings))
    try:
        classes = _chosen(cells, choice)
    except ValueError as error:
        raise UserError(f"spaces.{space}.{error}") from None
    counts = {
        "total": classes.space.total,
        "reachable": int(classes.reachable.sum()),
        "observed": int((classes.count > 0).sum()),
        "kept": classes.space.kept_count,
        "clipped": classes.clipped,
    }
    made_from = {"histogram": facts} | version.facts()
    write_table(space_table(classes), paths.space(space), choice.model_dump() | counts | made_from)
    clipped = f", {classes.clipped} pixels outside the shift clipped" if classes.clipped else ""
    return (
        f"bin size {choice.bin_size}, {counts['total']} classes, {counts['reachable']} reachable, "
        f"{counts['observed']} observed, {counts['kept']} kept{clipped}"
    )


def _chosen(cells: npt.NDArray[np.int64], choice: Space) -> ClassTable:
    """The classes that the space's `keep` asks for."""
    if choice.keep == "published":
        return class_table(cells, cic_classes()[0])
    if choice.keep == "reachable":
        kept = np.flatnonzero(reachable_classes(ColorSpace(choice.bin_size, choice.shift)))
        return class_table(cells, ColorSpace(choice.bin_size, choice.shift, kept.astype(np.int32)))
    return prune(cells, choice.bin_size, choice.shift, choice.min_share, choice.min_count)
