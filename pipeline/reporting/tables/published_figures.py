"""Figures printed in papers: beside rows of their own protocol and photographs, or apart, as another protocol's."""

import csv
from collections.abc import Collection, Iterator
from dataclasses import dataclass, field
from pathlib import Path

from pipeline.metrics.registry import METRICS

PUBLISHED = Path(__file__).parent / "published"
"""The tables as printed, and sources.csv: of which photographs, which protocol, which CF, from which paper."""


@dataclass(frozen=True)
class PublishedMethod:
    """One method's printed figures.

    Attributes:
        method: name as printed.
        values: metric to the printed value; "cf" is whatever the paper calls so.
    """

    method: str
    values: dict[str, float]


@dataclass(frozen=True)
class PublishedTable:
    """What a paper prints for one data set.

    Attributes:
        methods: its rows.
        parts: the photographs: source, part, and how they were chosen.
        photographs: how many; 0 where the paper does not say.
        protocol: name, "" where none is stated.
        source: paper and table.
        note: what a reader must know before comparing.
        cf: which colorfulness "cf" is: a metric of the registry, "unknown", or "" without one.
    """

    methods: tuple[PublishedMethod, ...]
    parts: str
    photographs: int
    protocol: str
    source: str
    note: str
    cf: str = ""

    @property
    def metrics(self) -> tuple[str, ...]:
        """The metrics that any row has, in the order of the table."""
        return tuple(dict.fromkeys(metric for one in self.methods for metric in one.values))

    def label(self, metric: str) -> str:
        """What stands over a column of the table where it is shown apart."""
        if metric == "ccar":
            return "CCAR (a count)"
        label = METRICS[metric].label if metric in METRICS else metric
        return f"{label} (which one is unknown)" if metric == "cf" and self.cf == "unknown" else label


@dataclass(frozen=True)
class PublishedFigures:
    """What papers print for a set.

    Attributes:
        beside: tables of the same photographs under the same protocol; only the metrics whose variant is the same.
        apart: whole tables of other photographs of the same part, or under another protocol.
    """

    beside: tuple[PublishedTable, ...] = ()
    apart: tuple[PublishedTable, ...] = field(default=())


def published_for(parts: str, images: int, protocol: str, reported: Collection[str]) -> PublishedFigures:
    """Find the printed figures for a set.

    Args:
        parts: its photographs: source, part and choice, as `PublishedSet.parts` says; "" where that is not known.
        images: how many were scored.
        protocol: under which.
        reported: the metrics that the protocol reports in its papers' variant.

    Returns:
        Tables to stand beside the rows, and those to be kept apart from them.
    """
    beside, apart = [], []
    for table in _tables():
        if parts == table.parts and images == table.photographs and protocol == table.protocol:
            beside.append(_of_variants(table, reported))
        elif parts and parts.split("/")[:2] == table.parts.split("/")[:2]:
            apart.append(table)
    return PublishedFigures(tuple(beside), tuple(apart))


def _of_variants(table: PublishedTable, reported: Collection[str]) -> PublishedTable:
    rows = [
        PublishedMethod(one.method, {name: value for name, value in one.values.items() if name in reported})
        for one in table.methods
    ]
    kept = tuple(one for one in rows if one.values)
    return PublishedTable(kept, table.parts, table.photographs, table.protocol, table.source, table.note, table.cf)


def _tables() -> Iterator[PublishedTable]:
    for source in _rows("sources.csv"):
        by_method: dict[str, dict[str, float]] = {}
        for row in _rows(source["file"]):
            if row["dataset"] == source["dataset"]:
                by_method.setdefault(row["method"], {})[row["metric"]] = float(row["value"])
        yield PublishedTable(
            methods=tuple(PublishedMethod(method, values) for method, values in by_method.items()),
            parts=source["parts"],
            photographs=int(source["photographs"]),
            protocol=source["protocol"],
            source=source["source"],
            note=source["note"],
            cf=source["cf"],
        )


def _rows(name: str) -> Iterator[dict[str, str]]:
    with (PUBLISHED / name).open(newline="", encoding="utf-8") as lines:
        yield from csv.DictReader(lines)
