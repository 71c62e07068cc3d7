"""The one list of metrics: its order, what its measures give, and the documentation that follows from it."""

import pkgutil
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from pipeline import metrics
from pipeline.machine.weight_files import FILES
from pipeline.metrics.listing import metric_list
from pipeline.metrics.registry import METRICS, Metric, headline_metrics, image_metrics

DOCUMENT = Path(__file__).parents[2] / "docs" / "metrics.md"

OF_CLASSES = ("cnr", "ccar", "active", "tar")
OF_PHOTOGRAPHS = (
    *(
        "mse",
        "psnr",
        "ssim",
        "uiqi",
        "ciede2000",
        "ciede2000_p95",
        "lpips",
        "lpips_vgg",
        "cf",
        "cf_abs",
        "cf_difference",
    ),
    *OF_CLASSES,
    *("top1", "top5", "objects", "pixels_changed", "edge_bleeding"),
    *(f"own_{name}" for name in OF_CLASSES),
)
OF_SETS = (
    *("fid", "frechet_alexnet", "delta_cf", "class_accuracy", "own_class_accuracy"),
    *(f"class_accuracy_band_{band:02d}" for band in range(1, 11)),
)


def test_columns_of_rows_and_summary_keep_their_order() -> None:
    """Tables that were written before have these columns in this order."""
    assert image_metrics() == OF_PHOTOGRAPHS
    assert tuple(METRICS) == (*OF_PHOTOGRAPHS, *OF_SETS)
    assert headline_metrics() == ("psnr", "ssim", "lpips", "fid", "cnr", "tar", "cf")


def test_a_metric_is_a_function_of_its_name(pairs: tuple[np.ndarray, np.ndarray]) -> None:
    measured = [name for name, metric in METRICS.items() if metric.measure and not metric.own]
    assert metrics.__all__ == measured
    for name in measured:
        assert getattr(metrics, name).__name__ == name
        assert callable(pkgutil.resolve_name(METRICS[name].measure))
    assert metrics.psnr(*pairs).shape == (4,)
    for name in ("own_cnr", "fid", "top1", "nothing"):
        with pytest.raises(AttributeError, match=f"has no attribute '{name}'"):
            getattr(metrics, name)


def test_the_registry_loads_no_library() -> None:
    code = "import sys, pipeline.metrics.registry; sys.exit(any(name in sys.modules for name in ('torch', 'numpy')))"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


def test_what_measures_a_metric_is_said_once() -> None:
    with pytest.raises(ValueError, match=r"metric 'hue' has measure '', it takes a measure"):
        Metric("hue", "Hue", "lower", "", 2, "image", "pixels", "")
    with pytest.raises(ValueError, match=r"metric 'hue' has measure 'a:b', it takes no measure"):
        Metric("hue", "Hue", "lower", "", 2, "set", "features", "", measure="a:b")
    places = [metric.place for metric in METRICS.values() if metric.place is not None]
    assert len(set(places)) == len(places)


@pytest.mark.parametrize("per", ["image", "set"])
def test_the_documentation_lists_the_registry(per: str) -> None:
    """Mended by `python -m pipeline.metrics.listing`."""
    text = DOCUMENT.read_text(encoding="utf-8")
    assert metric_list(per) in text  # type: ignore[arg-type]
    assert text.count("| name | definition |") == 2


def test_weights_go_by_the_names_of_the_weight_files() -> None:
    assert {metric.weights for metric in METRICS.values()} - {None} == {"alexnet", "inception_v3", "vgg16"}
    assert {"alexnet", "inception_v3", "vgg16"} <= set(FILES)
