"""All metrics of a batch in one pass: describe each side once, then compare them by every measure of the registry."""

import pkgutil
from collections.abc import Collection, Mapping

from pipeline.color.space import ColorSpace
from pipeline.evaluation.network_features import NetworkFeatures
from pipeline.metrics.batches import ImageBatch, Values, as_batch
from pipeline.metrics.class_metrics import class_maps
from pipeline.metrics.color_difference import lab_planes
from pipeline.metrics.colorfulness import colorfulness
from pipeline.metrics.described import PairMeasure, Photographs
from pipeline.metrics.registry import METRICS, OWN, Metric


def describe(
    images: ImageBatch,
    found: NetworkFeatures,
    report_space: ColorSpace,
    own_space: ColorSpace | None = None,
) -> Photographs:
    """Describe a batch.

    Args:
        images: uint8 (N, H, W, 3).
        found: its network features.
        report_space: the space that all methods share.
        own_space: the method's own space, if it has one.

    Returns:
        The description.
    """
    batch = as_batch(images)
    classes = class_maps(batch, report_space)
    own = None
    if own_space is not None:
        own = classes if own_space == report_space else class_maps(batch, own_space)
    return Photographs(
        images=batch,
        colorfulness=colorfulness(batch),
        lab=lab_planes(batch),
        classes=classes,
        kept_count=report_space.kept_count,
        own_classes=own,
        own_kept_count=own_space.kept_count if own_space is not None else 0,
        vectors=found.vectors,
        vgg_vectors=found.vgg_vectors,
        features=found.features,
    )


def score_pairs(truth: Photographs, result: Photographs, weights: Collection[str] = ()) -> dict[str, Values]:
    """Every metric per photograph that the registry has a measure for; each measure is called once in each space.

    Args:
        truth: the described truth.
        result: the described result, of the same shape, described in the same spaces.
        weights: names of the network weights with which both were described; metrics that need others are left out.

    Returns:
        Name -> float64 (N,), in no particular order. Metrics in the method's own space are there if both sides have it.

    Raises:
        ValueError: if the shapes differ.
        LookupError: if a measure gives no value, or not one for each photograph, for a metric that names it.
    """
    values: dict[str, Values] = {}
    for (name, own), metrics in _measures(weights).items():
        first, second = (truth.in_own_space(), result.in_own_space()) if own else (truth, result)
        if first is None or second is None:
            continue
        measure: PairMeasure = pkgutil.resolve_name(name)
        given = measure(first, second)
        values |= {metric.name: _values_of(metric, given, len(result.images)) for metric in metrics}
    return values


def _measures(weights: Collection[str]) -> dict[tuple[str, bool], list[Metric]]:
    """Measure, and whether in the method's own space, to the metrics that are taken from it."""
    found: dict[tuple[str, bool], list[Metric]] = {}
    for metric in METRICS.values():
        if metric.measure and (metric.weights is None or metric.weights in weights):
            found.setdefault((metric.measure, metric.own), []).append(metric)
    return found


def _values_of(metric: Metric, given: Mapping[str, Values], images: int) -> Values:
    name = metric.name.removeprefix(OWN) if metric.own else metric.name
    if name not in given:
        raise LookupError(
            f"{metric.measure} gives {', '.join(given)}, and metric {metric.name!r} names it for {name!r}"
        )
    if given[name].shape != (images,):
        raise LookupError(
            f"{metric.measure} gives {name!r} in the shape {given[name].shape}, it takes one value for each of {images}"
        )
    return given[name]
