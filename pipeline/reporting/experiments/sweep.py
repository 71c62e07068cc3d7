"""Results of experiments that differ in one parameter, as charts and tables."""

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple

import pandas as pd
import pyarrow as pa

from pipeline.reporting.experiments.compare import changes
from pipeline.reporting.pictures.charts import Chart, ChartLine, chart
from pipeline.reporting.tables.columns import metric_columns
from pipeline.storage.tables import SWEEP, read_table

Figures = Mapping[str, Mapping[str, Mapping[str, float]]]
"""What `metrics.json` holds: set to method to metric to figure."""


class FinishedRun(NamedTuple):
    """A finished run: its name, its parameters as a nested mapping, and its figures."""

    name: str
    settings: Mapping[str, object]
    figures: Figures


@dataclass(frozen=True)
class SweepPanel:
    """What the page shows of one parameter: charts where its values are numbers, and the figures as a table.

    Attributes:
        parameter: its dotted name.
        charts: one for each metric; none where the values are no numbers.
        heads: of the table.
        rows: a row for each set, method and value.
    """

    parameter: str
    charts: tuple[Chart, ...]
    heads: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]


def sweep_table(start: FinishedRun, experiments: Sequence[FinishedRun]) -> tuple[pa.Table, list[str]]:
    """Collect the experiments that differ from their start in one parameter; the start is a point of each sweep.

    Args:
        start: what the experiments started from.
        experiments: in any order; of those that set a parameter to the same value, the first by name counts.

    Returns:
        A table of `tables.SWEEP`, each parameter's values in their order, and a line for each experiment left out.
    """
    swept: dict[str, dict[str, FinishedRun]] = {}
    left_out = []
    for run in sorted(experiments, key=lambda one: one.name):
        differing = changes(start.settings, run.settings)
        if not differing:
            left_out.append(f"{run.name} is left out: it has the parameters of {start.name}, which is a point already")
            continue
        if len(differing) > 1:
            names = ", ".join(change.key for change in differing)
            left_out.append(f"{run.name} is left out: it differs from {start.name} in {names}, a sweep takes one")
            continue
        (change,) = differing
        values = swept.setdefault(change.key, {change.a: start})
        first = values.setdefault(change.b, run)
        if first is not run:
            left_out.append(f"{run.name} is left out: {first.name} has {change.key} {change.b} as well")
    rows = [
        {"experiment": run.name, "parameter": parameter, "value": value, "set": set_name, "method": method}
        | {"metric": metric, "figure": figure}
        for parameter, runs in sorted(swept.items())
        for value, run in ((value, runs[value]) for value in _in_order(runs))
        for set_name, methods in run.figures.items()
        for method, figures in methods.items()
        for metric, figure in figures.items()
    ]
    return pa.Table.from_pylist(rows, schema=SWEEP), left_out


def sweep_panels(path: Path | None) -> tuple[SweepPanel, ...]:
    """Draw the experiments of a sweep.

    Args:
        path: a table of `tables.SWEEP`, or None.

    Raises:
        UserError: if it has other columns.
    """
    if path is None or not path.exists():
        return ()
    frame = read_table(path, SWEEP).to_pandas()
    return tuple(_panel(str(parameter), part) for parameter, part in frame.groupby("parameter", sort=True))


def _panel(parameter: str, frame: pd.DataFrame) -> SweepPanel:
    order = _in_order(frame["value"].unique())
    values = {text: _read(text) for text in order}
    numeric = all(map(_is_number, values.values()))
    columns = metric_columns(frame["metric"].unique())
    figures = frame.set_index(["set", "method", "value", "metric"])["figure"].to_dict()
    pairs = list(dict.fromkeys(zip(frame["set"], frame["method"], strict=True)))
    several = frame["set"].nunique() > 1
    charts = []
    for column in columns if numeric else ():
        lines = []
        for set_name, method in pairs:
            points = [
                (values[v], figures[key]) for v in order if (key := (set_name, method, v, column.name)) in figures
            ]
            if points:
                x, y = zip(*points, strict=True)
                lines.append(ChartLine(f"{method} ({set_name})" if several else method, x, y))
        charts.append(chart(f"{column.label} {column.arrow}".strip(), lines, parameter, marked=True))
    rows = tuple(
        (
            method,
            set_name,
            str(values[value]),
            *(column.text(figures.get((set_name, method, value, column.name))) for column in columns),
        )
        for set_name, method in pairs
        for value in order
    )
    heads = ("Method", "Set", parameter, *(f"{column.label} {column.arrow}".strip() for column in columns))
    return SweepPanel(parameter, tuple(charts), heads, rows)


def _in_order(texts: Iterable[str]) -> list[str]:
    """Values as the table has them: numbers by size, anything else as text."""
    values = {text: _read(text) for text in texts}
    return sorted(values, key=values.__getitem__) if all(map(_is_number, values.values())) else sorted(values)


def _is_number(value: object) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


def _read(text: str) -> Any:
    """A setting's value; where the run did not have the setting, the dash that stands for it."""
    try:
        return json.loads(text)
    except ValueError:
        return text
