"""Scores (SPEC section 8): a function per metric on uint8 batches, mergeable state for sets, and their registry.

`pipeline.metrics.psnr(truth, result)` is the function of that name in the module of the metric's measure, for every
metric of the registry that has one. It loads torch on first use; the registry alone does not.
"""

import importlib
from typing import Any

from pipeline.metrics.registry import METRICS

__all__ = [metric.name for metric in METRICS.values() if metric.measure and not metric.own]


def __getattr__(name: str) -> Any:
    metric = METRICS.get(name)
    if metric is None or not metric.measure or metric.own:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(importlib.import_module(metric.measure.partition(":")[0]), name)
