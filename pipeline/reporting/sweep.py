"""Charts of results: a sweep over one parameter, and class accuracy by how frequent a class is."""

from collections.abc import Sequence
from pathlib import Path

from pipeline.config import UserError
from pipeline.reporting.bins import read_frame
from pipeline.reporting.columns import BAND, metric_columns
from pipeline.reporting.curves import Chart, Line, chart
from pipeline.reporting.leaderboard import Board

SWEEP_COLUMNS = ("parameter", "value", "method", "metric", "figure")


def sweep_panels(path: Path | None) -> tuple[Chart, ...]:
    """Draw the experiments of a sweep; parameters whose values are no numbers are not drawn.

    Args:
        path: table with the columns `SWEEP_COLUMNS`, one row per experiment, method and metric, or None.

    Raises:
        UserError: a column is missing.
    """
    if path is None or not path.exists():
        return ()
    frame = read_frame(path)
    missing = [name for name in SWEEP_COLUMNS if name not in frame.columns]
    if missing:
        raise UserError(f"{path}: has no column {', '.join(missing)}; it takes {', '.join(SWEEP_COLUMNS)}")
    charts = []
    for parameter, part in frame.groupby("parameter", sort=True):
        if part["value"].dtype.kind not in "if" or part["value"].nunique() < 2:
            continue
        for column in metric_columns(part["metric"].astype(str)):
            rows = part[part["metric"] == column.name].sort_values("value")
            lines = [
                Line(str(method), tuple(group["value"].astype(float)), tuple(group["figure"].astype(float)))
                for method, group in rows.groupby("method", sort=True)
            ]
            charts.append(chart(f"{column.label} {column.arrow}".strip(), lines, str(parameter)))
    return tuple(charts)


def band_charts(boards: Sequence[Board]) -> tuple[Chart, ...]:
    """Draw each set's class accuracy by frequency band, from the rarest tenth of the classes to the commonest."""
    charts = []
    for board in boards:
        lines = []
        for row in board.everyone:
            if row.variant not in ("raw", ""):
                continue
            bands = {
                int(name.removeprefix(BAND)): cell.value
                for name, cell in row.cells.items()
                if name.startswith(BAND) and cell.value is not None
            }
            if bands:
                order = sorted(bands)
                lines.append(Line(row.method, tuple(map(float, order)), tuple(bands[band] for band in order)))
        if lines:
            charts.append(chart(f"{board.set}: class accuracy, %", lines, "tenth of the classes, rare to common"))
    return tuple(charts)
