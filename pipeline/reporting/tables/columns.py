"""How a metric is written: label, unit, digits, which way is better. Its definition is in `pipeline.metrics`."""

import math
from collections.abc import Iterable
from dataclasses import dataclass

from pipeline.metrics.registry import METRICS, Direction


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


# name in the registry: label, decimals, shown at once
_WRITTEN = {
    "psnr": ("PSNR", 2, True),
    "ssim": ("SSIM", 3, True),
    "lpips": ("LPIPS", 3, True),
    "fid": ("FID", 2, True),
    "ciede2000": ("CIEDE2000", 2, True),
    "cnr": ("CNR", 3, True),
    "active": ("Active", 1, True),
    "tar": ("TAR", 2, True),
    "cf": ("CF", 1, True),
    "mse": ("MSE", 4, False),
    "uiqi": ("UIQI", 3, False),
    "ciede2000_p95": ("CIEDE2000 95th", 2, False),
    "cf_abs": ("CF abs", 1, False),
    "cf_difference": ("CF difference", 1, False),
    "ccar": ("CCAR", 2, False),
    "top1": ("Top-1", 2, False),
    "top5": ("Top-5", 2, False),
    "class_accuracy": ("Class accuracy", 2, False),
    "frechet_alexnet": ("Fréchet AlexNet", 3, False),
    "objects": ("Objects", 1, False),
    "pixels_changed": ("Changed", 0, False),
    "edge_bleeding": ("Bleeding", 3, False),
}
OWN = "own_"
BAND = "class_accuracy_band_"


def metric_column(name: str) -> MetricColumn:
    """Say how a metric is written; one that the registry does not know has no direction and no unit.

    Args:
        name: as in `pipeline.metrics.registry`, from where direction, unit and meaning come.
    """
    known = METRICS.get(name)
    base = name.removeprefix(OWN)
    label, digits, core = _WRITTEN.get(base, (base.replace("_", " "), 3, False))
    if known is None:
        return MetricColumn(name, label if base == name else f"own {label}", digits=digits)
    unit = known.unit if known.unit in ("dB", "%") else ""
    text = label if base == name else f"own {label}"
    return MetricColumn(name, text, unit, known.direction, digits, core and base == name, known.about)


def metric_columns(names: Iterable[str]) -> tuple[MetricColumn, ...]:
    """Order the metrics of a table: as listed here, then the others by name; frequency bands are drawn, not listed."""
    wanted = {name for name in names if not name.startswith(BAND)}
    listed = [name for name in _WRITTEN if name in wanted]
    return tuple(metric_column(name) for name in [*listed, *sorted(wanted - set(_WRITTEN))])
