"""How a metric is written: label, unit, digits, which way is better. Its definition is in `pipeline.metrics`."""

import math
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Literal

Better = Literal["higher", "lower", "one", ""]


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
    better: Better = ""
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


_KNOWN = (
    MetricColumn("psnr", "PSNR", "dB", "higher", 2, True, "Peak signal-to-noise ratio, mean over photographs"),
    MetricColumn("ssim", "SSIM", "", "higher", 3, True, "Structural similarity, Gaussian window 11"),
    MetricColumn("lpips", "LPIPS", "", "lower", 3, True, "Learned perceptual distance, v0.1, AlexNet"),
    MetricColumn("fid", "FID", "", "lower", 2, True, "Fréchet distance of Inception-v3 features over the whole set"),
    MetricColumn("cnr", "CNR", "", "one", 3, True, "Unique classes of the result / unique classes of the truth"),
    MetricColumn("active", "Active", "", "", 1, True, "Mean number of unique classes in a photograph"),
    MetricColumn("tar", "TAR", "%", "higher", 2, True, "Share of pixels whose class equals the truth's"),
    MetricColumn("cf", "CF", "", "", 1, True, "Colorfulness, Hasler and Süsstrunk 2003"),
    MetricColumn("mse", "MSE", "", "lower", 4, False, "Mean squared difference over RGB in 0..1"),
    MetricColumn("uiqi", "UIQI", "", "higher", 3, False, "Universal image quality index, 8 x 8 window"),
    MetricColumn("ccar", "CCAR", "%", "", 2, False, "Unique classes of the result / number of classes"),
    MetricColumn("top1", "Top-1", "%", "higher", 2, False, "Class accuracy at the network's output size"),
    MetricColumn("top5", "Top-5", "%", "higher", 2, False, "Truth among the five most probable classes"),
    MetricColumn("objects", "Objects", "", "", 1, False, "Objects harmonized in a photograph"),
    MetricColumn("pixels_changed", "Changed", "", "", 3, False, "Pixels that harmonizing changed"),
    MetricColumn("edge_bleeding", "Bleeding", "", "lower", 3, False, "Color spilling over object edges, truth = 1"),
)
_BY_NAME = {column.name: column for column in _KNOWN}


def metric_column(name: str) -> MetricColumn:
    """Say how a metric is written; a name this module has not met is shown as it is, without direction."""
    known = _BY_NAME.get(name)
    if known is not None:
        return known
    if name.startswith("own_") and name[4:] in _BY_NAME:
        base = _BY_NAME[name[4:]]
        meaning = f"{base.meaning}, in the method's own color space"
        return MetricColumn(name, f"own {base.label}", base.unit, base.better, base.digits, False, meaning)
    return MetricColumn(name, name.replace("_", " "))


def metric_columns(names: Iterable[str]) -> tuple[MetricColumn, ...]:
    """Order the metrics of a table: the known ones as listed here, then the others by name."""
    wanted = set(names)
    known = [column for column in _KNOWN if column.name in wanted]
    return (*known, *(metric_column(name) for name in sorted(wanted - set(_BY_NAME))))
