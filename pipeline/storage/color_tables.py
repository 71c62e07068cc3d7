"""The color statistics as tables: arrays to Parquet and back, with the checks that keep stages from mixing runs."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from pipeline.color.histogram import CELLS
from pipeline.color.lab import OFFSET
from pipeline.color.pruning import ClassTable, class_colors
from pipeline.color.space import ColorSpace
from pipeline.errors import UserError
from pipeline.settings.params import Settings
from pipeline.storage.tables import HISTOGRAM, METHOD, SPACE, read_table, table_facts


def histogram_table(cells: npt.NDArray[np.int64]) -> pa.Table:
    """The unit cells that hold a pixel.

    Args:
        cells: int64 (256, 256), unit cells.

    Returns:
        A table of `tables.HISTOGRAM`, ordered by a, then b.
    """
    row, column = np.nonzero(cells)
    columns = [(row - OFFSET).astype(np.int16), (column - OFFSET).astype(np.int16), cells[row, column]]
    return pa.table(columns, schema=HISTOGRAM)


def read_cells(path: Path) -> npt.NDArray[np.int64]:
    """The unit cells of a histogram.

    Args:
        path: a table of `tables.HISTOGRAM`.

    Returns:
        int64 (256, 256), [floor(a) + 128, floor(b) + 128].

    Raises:
        UserError: if the file is missing, holds no pixel, or has cells that no 8-bit histogram has.
    """
    table = read_table(path, HISTOGRAM)
    a, b, count = (table.column(name).to_numpy().astype(np.int64) for name in ("a", "b", "count"))
    if not count.any():
        raise UserError(f"{path} holds no pixel; run.reference takes a set with color photographs in its train split")
    rows, columns = a + OFFSET, b + OFFSET
    if min(rows.min(), columns.min()) < 0 or max(rows.max(), columns.max()) >= CELLS or count.min() < 0:
        raise UserError(f"{path} has cells outside [-128, 128) or negative counts: no histogram; run dvc repro --force")
    cells = np.zeros((CELLS, CELLS), np.int64)
    np.add.at(cells, (rows, columns), count)
    return cells


def histogram_settings(settings: Settings) -> dict[str, Any]:
    """The settings that a histogram depends on.

    Args:
        settings: `run.reference` and `histogram` are read.

    Returns:
        Their values by dotted name, as `check_facts` wants them.
    """
    sampling = {f"histogram.{name}": value for name, value in settings.histogram.model_dump().items()}
    return {"run.reference": settings.run.reference} | sampling


def space_settings(settings: Settings, space: str) -> dict[str, Any]:
    """The settings of one class space.

    Args:
        settings: `spaces.<space>` is read.
        space: a key of `spaces`.

    Returns:
        Their values by dotted name, as `check_facts` wants them.
    """
    return {f"spaces.{space}.{name}": value for name, value in settings.spaces[space].model_dump().items()}


def check_facts(path: Path, facts: Mapping[str, Any], wanted: Mapping[str, Any]) -> None:
    """Refuses a table that was made under other settings.

    Args:
        path: of the table, for the message.
        facts: what the table says of itself (`tables.table_facts`).
        wanted: what the settings say, by the setting's dotted name; a fact is named by the last part.

    Raises:
        UserError: naming the first setting that differs, both values and the remedy.
    """
    for setting, value in wanted.items():
        made_with = facts.get(setting.rpartition(".")[2])
        if made_with != value:
            raise UserError(f"{setting} is {value!r}, but {path} was made with {made_with!r}; run dvc repro")


def space_table(classes: ClassTable) -> pa.Table:
    """Every class of a grid.

    Args:
        classes: as `pruning.prune` returns it.

    Returns:
        A table of `tables.SPACE`, ordered by class id.
    """
    ids = np.arange(classes.space.total, dtype=np.int32)
    centers, colors = classes.space.decode(ids), class_colors(classes.space)
    observed = classes.count > 0
    columns = [
        ids,
        centers[:, 0],
        centers[:, 1],
        classes.count,
        classes.share,
        classes.reachable,
        observed,
        classes.kept,
    ]
    return pa.table([*columns, classes.mapped_to, *colors.T], schema=SPACE)


def read_space(path: Path) -> ColorSpace:
    """The class space that a table describes.

    Args:
        path: a table of `tables.SPACE`.

    Returns:
        The grid with its kept classes.

    Raises:
        UserError: if the file is missing, has other columns, or its rows are not those of its grid.
    """
    table = read_table(path, SPACE)
    facts = table_facts(table)
    ids, kept = table.column("class_id").to_numpy(), table.column("kept").to_numpy(zero_copy_only=False)
    try:
        space = ColorSpace(facts["bin_size"], facts["shift"], ids[kept])
    except (KeyError, ValueError) as error:
        raise UserError(f"{path} describes no class space ({error}); run dvc repro --force") from None
    if not np.array_equal(ids, np.arange(space.total)):
        raise UserError(f"{path} has {len(ids)} rows, not the {space.total} classes of its grid; run dvc repro --force")
    return space


def mapped_counts(path: Path, space: ColorSpace) -> npt.NDArray[np.int64]:
    """Pixels of the reference set that each kept class stands for, its own and those of the classes mapped to it.

    Args:
        path: the table of `tables.SPACE` that `space` was read from.
        space: its class space.

    Returns:
        int64 (Q,), in the order of `space.kept`.
    """
    table = read_table(path, SPACE)
    places = np.searchsorted(space.kept, table.column("mapped_to").to_numpy())
    counts = np.zeros(space.kept_count, np.int64)
    np.add.at(counts, places, table.column("count").to_numpy())
    return counts


def method_table(
    name: str | None,
    space: ColorSpace | None,
    counts: npt.NDArray[np.int64] | None = None,
    soft_prior: npt.NDArray[np.float64] | None = None,
    axis_counts: npt.NDArray[np.int64] | None = None,
) -> tuple[pa.Table, dict[str, Any]]:
    """The classes of a method.

    Args:
        name: of its space; None for a regression.
        space: with the kept classes; None for a regression.
        counts: int64 (Q,), pixels of the reference set that each kept class stands for; None where nothing needs them.
        soft_prior: float64 (Q,), the reference set's mean soft target; None where nothing needs it.
        axis_counts: int64 (2, bins), its pixels by value of a and of b, which become facts; None where nothing needs
            them.

    Returns:
        A table of `tables.METHOD`, ordered by kept index, without rows for a regression; and its facts.
    """
    by_axis = {} if axis_counts is None else {"axis_counts": axis_counts.tolist()}
    if space is None:
        return METHOD.empty_table(), {"space": None} | by_axis
    columns = [
        np.arange(space.kept_count, dtype=np.int32),
        space.kept,
        pa.nulls(space.kept_count, pa.int64()) if counts is None else counts,
        pa.nulls(space.kept_count, pa.float64()) if soft_prior is None else soft_prior,
    ]
    facts = {"space": name, "bin_size": int(space.bin_size), "shift": int(space.shift)}
    return pa.table([pa.array(column) for column in columns], schema=METHOD), facts | by_axis


def read_method_classes(
    path: Path,
) -> tuple[str, ColorSpace, npt.NDArray[np.int64] | None, npt.NDArray[np.float64] | None] | None:
    """The classes of a method, as `method_table` laid them out.

    Args:
        path: a table of `tables.METHOD`.

    Returns:
        Name and space with the kept classes, their counts and their soft prior where they are there; None for a
        regression.

    Raises:
        UserError: if the file is missing or has other columns.
    """
    table = read_table(path, METHOD)
    facts = table_facts(table)
    if facts["space"] is None:
        return None
    space = ColorSpace.from_json(facts | {"kept": table["class_id"].to_numpy()})
    counts, prior = (None if table[name].null_count else table[name].to_numpy() for name in ("count", "soft_prior"))
    return facts["space"], space, counts, prior


def read_axis_counts(path: Path) -> npt.NDArray[np.int64] | None:
    """How often a and b have which value in the reference set.

    Args:
        path: a table of `tables.METHOD`.

    Returns:
        int64 (2, bins), as `method_table` was given them; None where nothing needs them.

    Raises:
        UserError: if the file is missing or has other columns.
    """
    counts = table_facts(read_table(path, METHOD)).get("axis_counts")
    return None if counts is None else np.array(counts, np.int64)
