"""From rows to figures: means with intervals, and differences between methods with their tests."""

import itertools
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import numpy as np
import pyarrow as pa

from pipeline.errors import UserError
from pipeline.evaluation.protocols import one_protocol
from pipeline.evaluation.schemas import PAIR_ROWS, SUMMARY_ROWS
from pipeline.evaluation.statistics import FEW_IMAGES, Matrix, bootstrap_intervals, column_means, holm, wilcoxon_p
from pipeline.metrics.registry import METRICS, image_metrics

Group = tuple[str, str, str]
"""Set, method, variant."""


def summarize(
    rows: Sequence[pa.Table],
    set_rows: Sequence[pa.Table],
    kinds: Mapping[str, str],
    draws: int = 2000,
    seed: int = 0,
) -> tuple[pa.Table, pa.Table]:
    """Means over photographs, set metrics, and the differences between every two methods.

    Args:
        rows: tables of `schemas.image_rows_schema`, one for each method and set, in the order of the methods.
        set_rows: tables of `schemas.SET_ROWS`.
        kinds: method to floor, ceiling, trained or imported; every method needs one.
        draws: of the bootstrap.
        seed: of the bootstrap.

    Returns:
        A table of `schemas.SUMMARY_ROWS` and one of `schemas.PAIR_ROWS`. A metric that a method has not,
        and that no set row explains, has no row.

    Raises:
        UserError: if the rows are of more than one protocol or class space, are there twice, or a method has no kind.
    """
    tables = [table for table in rows if len(table)]
    protocol = one_protocol(
        str(name) for table in [*tables, *set_rows] for name in table["protocol"].unique().to_pylist()
    )
    spaces = sorted({str(name) for table in tables for name in table["space"].unique().to_pylist()})
    if len(spaces) > 1:
        raise UserError(f"scores in {len(spaces)} class spaces ({', '.join(spaces)}) cannot be compared; run dvc repro")
    groups = _groups(tables)
    unknown = sorted({method for _, method, _ in groups} - set(kinds))
    if unknown:
        raise UserError(
            f"method {unknown[0]!r} has scores but is of no kind; it takes floor, ceiling, trained or imported"
        )
    facts = {"protocol": protocol, "space": spaces[0] if spaces else ""}
    explained = _set_records(set_rows)
    records: list[dict[str, Any]] = []
    for group, (values, _) in groups.items():
        named = dict(zip(("set", "method", "variant"), group, strict=True)) | facts | {"kind": kinds[group[1]]}
        found = {record["metric"]: record for record in _image_records(values, draws, seed)}
        found |= {record["metric"]: record for record in explained.get(group, []) if record["metric"] not in found}
        records += [named | found[name] for name in METRICS if name in found]
    pairs = [{"protocol": protocol} | record for record in _pair_records(groups, draws, seed)]
    return pa.Table.from_pylist(records, schema=SUMMARY_ROWS), pa.Table.from_pylist(pairs, schema=PAIR_ROWS)


def _groups(tables: Sequence[pa.Table]) -> dict[Group, tuple[dict[str, Matrix], list[str]]]:
    """Metric columns (those that are not null throughout) and image_ids of each set, method and variant."""
    groups: dict[Group, tuple[dict[str, Matrix], list[str]]] = {}
    for table in tables:
        keys = list(zip(*(table[name].to_pylist() for name in ("set", "method", "variant")), strict=True))
        for key in dict.fromkeys(keys):
            part = table.filter(pa.array([one == key for one in keys]))
            if key in groups:
                raise UserError(f"scores of {key[1]!r} on {key[0]!r} ({key[2]}) are there twice; run dvc repro")
            columns = {name: part[name] for name in image_metrics() if part[name].null_count < len(part)}
            values = {name: column.to_numpy().astype(np.float64) for name, column in columns.items()}
            groups[key] = values, part["image_id"].to_pylist()
    return groups


def _image_records(values: Mapping[str, Matrix], draws: int, seed: int) -> Iterator[dict[str, Any]]:
    if not values:
        return
    matrix = np.stack(list(values.values()), axis=1)
    means, images = column_means(matrix)
    low, high = bootstrap_intervals(matrix, draws, seed)
    for number, name in enumerate(values):
        count, left_out = int(images[number]), int(len(matrix) - images[number])
        status, reason = _standing(name, matrix[:, number], count)
        yield {
            "metric": name,
            "value": _number(means[number]),
            "low": _number(low[number]),
            "high": _number(high[number]),
            "images": count,
            "left_out": left_out,
            "status": status,
            "reason": reason,
        }


def _standing(metric: str, values: Matrix, count: int) -> tuple[str, str]:
    """Status and reason of a mean over `count` photographs."""
    infinite = int(np.isinf(values).sum())
    identical = f"{infinite} results are identical to their photographs ({metric} inf)" if infinite else ""
    if count == 0:
        return "undefined", identical or "no photograph has a value"
    if count < FEW_IMAGES:
        few = f"{count} photographs, fewer than {FEW_IMAGES}: read the interval with care"
        return "few_images", f"{few}; {identical}" if identical else few
    return "ok", identical


def _number(value: float) -> float | None:
    return None if np.isnan(value) else float(value)


def _set_records(set_rows: Sequence[pa.Table]) -> dict[Group, list[dict[str, Any]]]:
    """Set metrics and missing metrics by group, as summary records."""
    records: dict[Group, list[dict[str, Any]]] = {}
    for table in set_rows:
        for row in table.to_pylist():
            kept = {name: row[name] for name in ("metric", "value", "images", "status", "reason")}
            group = (row["set"], row["method"], row["variant"])
            records.setdefault(group, []).append(kept | {"low": None, "high": None, "left_out": 0})
    return records


def _pair_records(
    groups: Mapping[Group, tuple[dict[str, Matrix], list[str]]], draws: int, seed: int
) -> Iterator[dict[str, Any]]:
    """Differences between the results of one set, raw and harmonized alike; a family of tests is one metric there."""
    contests: dict[str, list[tuple[str, str]]] = {}
    for set_name, method, variant in groups:
        contests.setdefault(set_name, []).append((method, variant))
    for set_name, contenders in contests.items():
        families: dict[str, list[dict[str, Any]]] = {}
        for one, other in itertools.combinations(contenders, 2):
            names = {"set": set_name, "method": one[0], "variant": one[1], "other": other[0], "other_variant": other[1]}
            for record in _differences(groups[set_name, *one], groups[set_name, *other], draws, seed):
                families.setdefault(record["metric"], []).append(names | record)
        for name in METRICS:
            family = families.get(name, [])
            corrected = holm(np.array([np.nan if one["p"] is None else one["p"] for one in family]))
            yield from (one | {"p_holm": _number(p)} for one, p in zip(family, corrected, strict=True))


def _differences(
    first: tuple[dict[str, Matrix], list[str]], second: tuple[dict[str, Matrix], list[str]], draws: int, seed: int
) -> Iterator[dict[str, Any]]:
    """Paired differences of every metric that both have, over the photographs that both have."""
    (values1, ids1), (values2, ids2) = first, second
    places = {image_id: place for place, image_id in enumerate(ids2)}
    shared = [(place, places[image_id]) for place, image_id in enumerate(ids1) if image_id in places]
    names = [name for name in values1 if name in values2]
    if not shared or not names:
        return
    at1, at2 = (list(side) for side in zip(*shared, strict=True))
    matrix = np.stack([_apart(name, values1[name][at1], values2[name][at2]) for name in names], axis=1)
    means, images = column_means(matrix)
    low, high = bootstrap_intervals(matrix, draws, seed)
    for number, name in enumerate(names):
        column = matrix[:, number]
        yield {
            "metric": name,
            "difference": _number(means[number]),
            "low": _number(low[number]),
            "high": _number(high[number]),
            "p": _number(wilcoxon_p(column[np.isfinite(column)])),
            "images": int(images[number]),
        }


def _apart(metric: str, first: Matrix, second: Matrix) -> Matrix:
    """What one has more than the other, by photograph; inf - inf (both identical to the truth) is nan, and left out.

    A metric that is best at 1 is turned, for each side, so that its mean is the distance of the side's mean from 1:
    the table ranks by that distance, so a claim about the order has to test it.
    """
    with np.errstate(invalid="ignore"):
        if METRICS[metric].direction == "one":
            both = np.isfinite(first) & np.isfinite(second)
            first, second = (_beyond_one(side, side[both]) for side in (first, second))
        return first - second


def _beyond_one(values: Matrix, counted: Matrix) -> Matrix:
    return (values - 1) * (-1 if column_means(counted[:, None] - 1)[0][0] < 0 else 1)
