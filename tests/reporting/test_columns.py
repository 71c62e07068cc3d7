"""How metrics are written: the columns of the page in their order, from the registry."""

import math

import pytest

from pipeline.metrics.registry import METRICS, Metric
from pipeline.reporting.tables.columns import metric_column, metric_columns

CORE = [
    *(("PSNR", 2), ("SSIM", 3), ("LPIPS", 3), ("FID", 2), ("CIEDE2000", 2), ("CNR", 3), ("Active", 1), ("TAR", 2)),
    ("CF", 1),
]
FURTHER = [
    *(("MSE", 4), ("UIQI", 3), ("CIEDE2000 95th", 2), ("CF abs", 1), ("CF difference", 1), ("CCAR", 2), ("Top-1", 2)),
    *(("Top-5", 2), ("Class accuracy", 2), ("Fréchet AlexNet", 3), ("Objects", 1), ("Changed", 0), ("Bleeding", 3)),
    ("ΔCF", 2),
    ("LPIPS VGG", 3),
    *(("own Active", 1), ("own CCAR", 2), ("own Class accuracy", 2), ("own CNR", 3), ("own TAR", 2)),
]


def test_columns_keep_their_order_labels_and_decimals() -> None:
    columns = metric_columns(reversed(METRICS))
    assert [(column.label, column.digits) for column in columns] == [*CORE, *FURTHER]
    assert [column.label for column in columns if column.core] == [label for label, _ in CORE]
    assert metric_columns(["psnr", "ssim"])[0].name == "psnr"


def test_metrics_without_a_place_follow_by_name(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(METRICS, "angle", Metric("angle", "Angle", "lower", "", 1, "set", "classes", "made up"))
    monkeypatch.setitem(METRICS, "drawn", Metric("drawn", "", "", "", 1, "set", "classes", "made up", shown="chart"))
    names = [column.name for column in metric_columns(["zeal", "own_tar", "angle", "drawn", "edge_bleeding", "psnr"])]
    assert names == ["psnr", "edge_bleeding", "angle", "own_tar", "zeal"]


def test_a_metric_that_the_registry_does_not_know_has_no_direction() -> None:
    column = metric_column("some_thing")
    assert (column.label, column.unit, column.arrow, column.core) == ("some thing", "", "", False)
    assert math.isnan(column.score(1.0))
