"""How a metric is written in tables and on the page, from what the registry says of it."""

import math
from collections.abc import Iterable
from dataclasses import dataclass

from pipeline.metrics.registry import METRICS, Direction, column_place


@dataclass(frozen=True)
class MetricColumn:
    """One column of a table of figures.

    Attributes:
        name: the metric's name in the summary.
        label: what stands in the table's head.
        unit: unit, empty for a pure number.
        better: "higher", "lower", "one" (nearer to 1 is better) or "" (neither way is better).
        digits: decimals shown; the Parquet table keeps all of them.
        core: shown at once, not only with "all metrics".
        meaning: one line for the reader who points at the head.
    """

    name: str
    label: str
    unit: str = ""
    better: Direction = ""
    digits: int = 3
    core: bool = False
    meaning: str = ""

    @property
    def arrow(self) -> str:
        """The direction as one character, empty where no direction is better."""
        return {"higher": "↑", "lower": "↓", "one": "→1", "": ""}[self.better]

    def score(self, value: float) -> float:
        """Map a value to a number that is larger when the value is better; undirected metrics give nan."""
        if self.better == "higher":
            return value
        if self.better == "lower":
            return -value
        return -abs(value - 1.0) if self.better == "one" else math.nan

    def sort_key(self, value: float) -> str:
        """Give the number a table is sorted by, larger first, as JavaScript's Number() reads it."""
        key = self.score(value) if self.better else value
        return repr(key) if math.isfinite(key) else ("Infinity" if key > 0 else "-Infinity")

    def text(self, value: float | None) -> str:
        """Write a value: fixed decimals, a true minus sign, the infinity sign, a dash for nothing."""
        if value is None or math.isnan(value):
            return "–"
        if math.isinf(value):
            return "∞" if value > 0 else "−∞"
        return f"{value:.{self.digits}f}".replace("-", "−")


def metric_column(name: str) -> MetricColumn:
    """Say how a metric is written; one that the registry does not know has no direction and no unit.

    Args:
        name: as in `pipeline.metrics.registry`, from where all of it comes.
    """
    metric = METRICS.get(name)
    if metric is None:
        return MetricColumn(name, name.replace("_", " "))
    return MetricColumn(
        name,
        metric.label,
        unit=metric.unit if metric.unit in ("dB", "%") else "",
        better=metric.direction,
        digits=metric.decimals,
        core=metric.shown in ("headline", "core"),
        meaning=metric.about,
    )


def metric_columns(names: Iterable[str]) -> tuple[MetricColumn, ...]:
    """Order the metrics of a table by their places, then the others by name; what is drawn as a chart is left out."""
    wanted = set(names)
    known = [metric for name in wanted if (metric := METRICS.get(name)) is not None]
    placed = [metric.name for metric in sorted(known, key=column_place) if metric.place is not None]
    charts = {metric.name for metric in known if metric.shown == "chart"}
    others = sorted(wanted - set(placed) - charts)
    return tuple(metric_column(name) for name in [*placed, *others])
