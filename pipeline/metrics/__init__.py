"""Scores (SPEC section 8): a function per metric on uint8 batches, mergeable state for sets, protocols, statistics.

`pipeline.metrics.psnr(truth, result)` and its likes load torch on first use; the registry alone does not.
"""

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from pipeline.metrics.class_metrics import active, ccar, cnr, tar, top_k_accuracy
    from pipeline.metrics.color_difference import ciede2000, ciede2000_p95
    from pipeline.metrics.colorfulness import cf, cf_abs, cf_difference
    from pipeline.metrics.frechet import FeatureMoments, frechet_distance
    from pipeline.metrics.perceptual import lpips
    from pipeline.metrics.pixels import mse, psnr
    from pipeline.metrics.structure import ssim, uiqi

_HOMES = {
    "class_metrics": ("active", "ccar", "cnr", "tar", "top_k_accuracy"),
    "color_difference": ("ciede2000", "ciede2000_p95"),
    "colorfulness": ("cf", "cf_abs", "cf_difference"),
    "frechet": ("FeatureMoments", "frechet_distance"),
    "perceptual": ("lpips",),
    "pixels": ("mse", "psnr"),
    "structure": ("ssim", "uiqi"),
}
_HOME = {name: home for home, names in _HOMES.items() for name in names}

__all__ = [
    "FeatureMoments",
    "active",
    "ccar",
    "cf",
    "cf_abs",
    "cf_difference",
    "ciede2000",
    "ciede2000_p95",
    "cnr",
    "frechet_distance",
    "lpips",
    "mse",
    "psnr",
    "ssim",
    "tar",
    "top_k_accuracy",
    "uiqi",
]


def __getattr__(name: str) -> Any:
    if name not in _HOME:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(importlib.import_module(f"{__name__}.{_HOME[name]}"), name)
