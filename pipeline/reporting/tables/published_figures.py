"""Figures printed in papers, offered only for the set they were measured on, always with their source."""

import csv
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

PUBLISHED = Path(__file__).parent / "published"


@dataclass(frozen=True)
class PublishedMethod:
    """One method's printed figures for one data set.

    Attributes:
        method: name as printed.
        values: metric name to the printed value.
        source: paper and table.
        note: what a reader must know before comparing.
    """

    method: str
    values: dict[str, float]
    source: str
    note: str


def published_for(set_name: str) -> tuple[PublishedMethod, ...]:
    """Return the printed figures for a set, empty where no paper measured it.

    Args:
        set_name: our name of the set; `_` and `-` are the same, and `published/sources.csv` says which of our names
            stand for which data set of a paper.
    """
    wanted = _plain(set_name)
    found = []
    for source in _rows("sources.csv"):
        if wanted not in {_plain(name) for name in source["sets"].split(";")}:
            continue
        by_method: dict[str, dict[str, float]] = {}
        for row in _rows(source["file"]):
            if row["dataset"] == source["dataset"]:
                by_method.setdefault(row["method"], {})[row["metric"]] = float(row["value"])
        found += [
            PublishedMethod(method, values, source["source"], source["note"]) for method, values in by_method.items()
        ]
    return tuple(found)


def published_metrics(methods: Iterable[PublishedMethod]) -> set[str]:
    """Return the names of the metrics that any of the methods has a printed figure for."""
    return {metric for method in methods for metric in method.values}


def _rows(name: str) -> Iterator[dict[str, str]]:
    with (PUBLISHED / name).open(newline="", encoding="utf-8") as lines:
        yield from csv.DictReader(lines)


def _plain(name: str) -> str:
    return name.strip().lower().replace("_", "-")
