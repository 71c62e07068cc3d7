"""The tables of scores: columns, units and directions, laid out from the registry (DESIGN section 3)."""

import pyarrow as pa

from pipeline.metrics.registry import METRICS, image_metrics
from pipeline.storage.tables import column, metric_field

STATUSES = {
    "ok": "compared as it was",
    "converted": "the result was no RGB image (grey, palette, 16 bits ...) and was converted to 8-bit sRGB",
    "resized": "the result came at the protocol's size and not at the photograph's; compared as it was",
    "identical": "the result equals the truth in every pixel; its PSNR is inf and left out of means",
    "missing": "there is no result for this photograph",
    "size_mismatch": "the result has another size than the photograph; nothing was compared",
    "truth_unreadable": "the photograph itself could not be read; nothing was compared",
}
"""Status of a row; else the reason for which the result was refused (`images.decode.REASONS`, its store's status)."""

_TEXT, _FLOAT, _INT = pa.string(), pa.float64(), pa.int64()


_SET = column("set", _TEXT, "the test set")
_METHOD = column("method", _TEXT, "the method")
_VARIANT = column("variant", _TEXT, "raw, or harmonized by the masks")
_PROTOCOL = column("protocol", _TEXT, "evaluation protocol and its version")
_STAGE_VERSION = column("stage_version", pa.int32(), "version of the code that scored it; only equal ones are compared")
_METRIC = column("metric", _TEXT, "name in pipeline.metrics.registry")
_SPACE = column("space", _TEXT, "the class space that all methods are compared in")
_STATUS = column("status", _TEXT, "ok, few_images, undefined, or missing")
_REASON = column("reason", _TEXT, "why the status is not ok; empty otherwise")

_ROW = (
    _SET,
    _METHOD,
    column("image_id", _TEXT, "the photograph"),
    _VARIANT,
    _PROTOCOL,
    _SPACE,
    _STAGE_VERSION,
    column("status", _TEXT, "; ".join(f"{name}: {about}" for name, about in STATUSES.items())),
    column("width", pa.int32(), "of the photograph", unit="px"),
    column("height", pa.int32(), "of the photograph", unit="px"),
)


def image_rows_schema() -> pa.Schema:
    """reports/images/<method>/<set>.parquet: a row per photograph and variant. A metric not computed is null."""
    return pa.schema([*_ROW, *(metric_field(METRICS[name]) for name in image_metrics())])


SET_ROWS = pa.schema(
    [
        _SET,
        _METHOD,
        _VARIANT,
        _PROTOCOL,
        _SPACE,
        _STAGE_VERSION,
        _METRIC,
        column("value", _FLOAT, "of the whole set; null where missing"),
        column("images", _INT, "photographs behind the value"),
        _STATUS,
        _REASON,
    ]
)
"""reports/sets/<method>/<set>.parquet: a row per set metric, and per metric of any kind that could not be computed."""

SUMMARY_ROWS = pa.schema(
    [
        _SET,
        _METHOD,
        column("kind", _TEXT, "floor, ceiling, trained, or imported"),
        _VARIANT,
        _PROTOCOL,
        _SPACE,
        _METRIC,
        column("value", _FLOAT, "mean over photographs, or the set's value"),
        column("low", _FLOAT, "lower end of the 95 % bootstrap interval of the mean"),
        column("high", _FLOAT, "upper end of it"),
        column("images", _INT, "photographs behind the value"),
        column("left_out", _INT, "photographs without a finite value"),
        _STATUS,
        _REASON,
    ]
)
"""reports/summary.parquet."""

PAIR_ROWS = pa.schema(
    [
        _SET,
        _METRIC,
        _VARIANT,
        _PROTOCOL,
        _METHOD,
        column("other", _TEXT, "the method it is compared with"),
        column("other_variant", _TEXT, "of that method"),
        column("difference", _FLOAT, "mean of method - other; of a metric that is best at 1, of the distances from 1"),
        column("low", _FLOAT, "lower end of its 95 % bootstrap interval"),
        column("high", _FLOAT, "upper end of it"),
        column("p", _FLOAT, "Wilcoxon signed-rank test, two-sided"),
        column("p_holm", _FLOAT, "corrected for all pairs of this set and metric (Holm 1979)"),
        column("images", _INT, "photographs that both methods have a value for"),
    ]
)
"""reports/pairs.parquet."""

BAND_ROWS = pa.schema(
    [
        _SET,
        _METHOD,
        _VARIANT,
        column("actual", pa.int32(), "frequency band of the true class, 1 (rarest tenth) to 10"),
        column("predicted", pa.int32(), "frequency band of the result's class"),
        column("share", _FLOAT, "of the actual band's pixels, 0..1"),
    ]
)
