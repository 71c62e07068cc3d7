"""Metrics of a whole set, from state that adds up over its parts."""

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import pyarrow as pa

from pipeline.evaluation.network_features import Features
from pipeline.evaluation.schemas import BAND_ROWS
from pipeline.metrics.batches import Values
from pipeline.metrics.class_metrics import BANDS, ClassCounts
from pipeline.metrics.frechet import ENOUGH_IMAGES, FeatureMoments, frechet_distance
from pipeline.metrics.perceptual import SMALLEST
from pipeline.metrics.registry import ALEXNET, CLASS_BAND, METRICS, OWN, Metric

_CONFUSION = "band_{:02d}_as_{:02d}"
"""Share of a band's pixels that the result puts into a band: kept among the set rows, for `band_table`."""


MOMENTS_OF = 256
"""Photographs whose feature moments are formed at once: one large product costs less than many small ones.

Groups end where a task ends, and tasks are cut in one way, so that sums are formed in one order.
"""

Moments = tuple[FeatureMoments, FeatureMoments]


@dataclass
class SetState:
    """Sums over the photographs seen so far.

    Attributes:
        waiting: (variant, set metric) to features of truth and result that are not in `moments` yet.
        moments: (variant, set metric) to the feature moments of truth and result.
        counts: (variant, "report" or "own") to class counts.
        colorfulness: variant to CF from absolute opponents of truth and result, float64 (n,), batch by batch.
    """

    waiting: dict[tuple[str, str], list[tuple[Features, Features]]] = field(default_factory=dict)
    moments: dict[tuple[str, str], Moments] = field(default_factory=dict)
    counts: dict[tuple[str, str], ClassCounts] = field(default_factory=dict)
    colorfulness: dict[str, list[tuple[Values, Values]]] = field(default_factory=dict)

    def add_features(self, key: tuple[str, str], batches: Sequence[tuple[Features, Features]]) -> None:
        """Add the features of a task. How it was cut into batches leaves no trace in the rounding.

        Args:
            key: variant and set metric.
            batches: float32 (n, D) of truth and result, batch by batch.
        """
        self.waiting.setdefault(key, []).extend(batches)
        if sum(len(truth) for truth, _ in self.waiting[key]) >= MOMENTS_OF:
            self._form_moments(key)

    def form_all_moments(self) -> dict[tuple[str, str], Moments]:
        """Form those of what is still waiting.

        Returns:
            `moments`, of everything that was added.
        """
        for key in list(self.waiting):
            self._form_moments(key)
        return self.moments

    def _form_moments(self, key: tuple[str, str]) -> None:
        truth, result = (FeatureMoments.of(np.concatenate(side)) for side in zip(*self.waiting.pop(key), strict=True))
        if key in self.moments:
            first, second = self.moments[key]
            truth, result = first + truth, second + result
        self.moments[key] = truth, result

    def add_counts(self, key: tuple[str, str], counts: ClassCounts) -> None:
        """Add the class counts of a batch."""
        self.counts[key] = self.counts[key] + counts if key in self.counts else counts


def set_scores(
    state: SetState, variants: Sequence[str], rows: Sequence[Mapping[str, Any]], missing: Mapping[str, str]
) -> list[dict[str, Any]]:
    """The set rows of a method.

    Args:
        state: the sums over the whole set.
        variants: in the order wanted.
        rows: the rows per photograph, for their number.
        missing: metric (of any kind) to the reason for which it could not be computed.

    Returns:
        Mappings with the columns variant, metric, value, images, status, reason.
    """
    answer: list[dict[str, Any]] = []
    for variant in variants:
        images = sum(row["variant"] == variant and "mse" in row for row in rows)
        found = {row["metric"]: row for row in _scores(state, variant, images, missing)}
        for metric in METRICS.values():
            if metric.name in found:
                answer.append(found.pop(metric.name))
            elif metric.name in missing and not (metric.origin == "network" and variant != "raw"):
                answer.append(_row(variant, metric.name, None, 0, "missing", missing[metric.name]))
            elif metric.per == "set":
                answer.append(_row(variant, metric.name, None, images, "undefined", _why_undefined(metric, images)))
        answer += found.values()
    return answer


def _why_undefined(metric: Metric, images: int) -> str:
    if not images:
        return "no photograph could be scored"
    if metric.weights != ALEXNET:  # the one network that cannot take every size
        raise LookupError(f"the registry has the set metric {metric.name!r}, and nothing computes it")
    return f"every photograph has a side below {SMALLEST} px"


def _row(
    variant: str, metric: str, value: float | None, images: int, status: str = "ok", reason: str = ""
) -> dict[str, Any]:
    return {
        "variant": variant,
        "metric": metric,
        "value": value,
        "images": images,
        "status": status,
        "reason": reason,
    }


def _scores(state: SetState, variant: str, images: int, missing: Mapping[str, str]) -> Iterator[dict[str, Any]]:
    for (of, metric), (truth, result) in state.form_all_moments().items():
        if of == variant:
            yield _frechet_row(variant, metric, truth, result)
    if pairs := state.colorfulness.get(variant):
        truth_mean, result_mean = (_exact_mean(side) for side in zip(*pairs, strict=True))
        yield _row(variant, "delta_cf", abs(result_mean - truth_mean), images)
    for space, prefix in (("report", ""), ("own", OWN)):
        counts = state.counts.get((variant, space))
        if counts is not None:
            yield _accuracy_row(variant, f"{prefix}class_accuracy", counts.mean_accuracy(), images)
    counts = state.counts.get((variant, "report"))
    if counts is not None and f"{CLASS_BAND}01" not in missing:
        yield from _band_rows(variant, counts, images)


def _exact_mean(batches: Sequence[Values]) -> float:
    """The same on every machine and in any order: `math.fsum` rounds once."""
    values = np.concatenate(batches)
    return math.fsum(values) / len(values)


def _frechet_row(variant: str, metric: str, truth: FeatureMoments, result: FeatureMoments) -> dict[str, Any]:
    if truth.count < 2:
        reason = f"{truth.count} photograph has no covariance; the distance needs at least 2"
        return _row(variant, metric, None, truth.count, "undefined", reason)
    value = frechet_distance(truth, result)
    if truth.count >= ENOUGH_IMAGES:
        return _row(variant, metric, value, truth.count)
    reason = f"{truth.count} photographs: below {ENOUGH_IMAGES} the distance is biased upwards, compare it with care"
    return _row(variant, metric, value, truth.count, "few_images", reason)


def _accuracy_row(variant: str, metric: str, value: float, images: int) -> dict[str, Any]:
    if math.isnan(value):
        return _row(variant, metric, None, images, "undefined", "the photographs show no class of this band")
    return _row(variant, metric, value, images)


def _band_rows(variant: str, counts: ClassCounts, images: int) -> Iterator[dict[str, Any]]:
    for band in range(BANDS):
        accuracy = counts.mean_accuracy(counts.bands == band)
        yield _accuracy_row(variant, f"{CLASS_BAND}{band + 1:02d}", accuracy, images)
    for actual, row in enumerate(counts.confusion):
        if row.sum():
            for predicted, pixels in enumerate(row):
                name = _CONFUSION.format(actual + 1, predicted + 1)
                yield _row(variant, name, float(pixels / row.sum()), images)


def band_table(set_rows: Sequence[pa.Table]) -> pa.Table:
    """Which frequency bands are mistaken for which.

    Args:
        set_rows: tables of `schemas.SET_ROWS`.

    Returns:
        A table of `schemas.BAND_ROWS`; bands that the truth does not show are absent.
    """
    wanted = {_CONFUSION.format(i, j): (i, j) for i in range(1, BANDS + 1) for j in range(1, BANDS + 1)}
    rows = [
        {key: row[key] for key in ("set", "method", "variant")}
        | {"actual": wanted[row["metric"]][0], "predicted": wanted[row["metric"]][1], "share": row["value"]}
        for table in set_rows
        for row in table.to_pylist()
        if row["metric"] in wanted
    ]
    return pa.Table.from_pylist(rows, schema=BAND_ROWS)
