"""Class accuracy by how frequent a class is, as charts."""

from collections.abc import Sequence

from pipeline.metrics.registry import CLASS_BAND
from pipeline.reporting.pictures.charts import Chart, ChartLine, chart
from pipeline.reporting.tables.leaderboard import Board


def band_charts(found: Sequence[Board]) -> tuple[Chart, ...]:
    """Draw each set's class accuracy by frequency band, from the rarest tenth of the classes to the commonest."""
    charts = []
    for board in found:
        lines = []
        for row in board.everyone:
            if row.variant not in ("raw", ""):
                continue
            bands = {
                int(name.removeprefix(CLASS_BAND)): cell.value
                for name, cell in row.cells.items()
                if name.startswith(CLASS_BAND) and cell.value is not None
            }
            if bands:
                order = sorted(bands)
                lines.append(ChartLine(row.method, tuple(map(float, order)), tuple(bands[band] for band in order)))
        if lines:
            charts.append(chart(f"{board.set}: class accuracy, %", lines, "tenth of the classes, rare to common"))
    return tuple(charts)
