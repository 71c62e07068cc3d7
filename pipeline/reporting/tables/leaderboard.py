"""From the summary table to leaderboards: one per set and protocol, with marks for what the paired tests carry."""

import math
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path

import pandas as pd
import pyarrow.parquet as pq

from pipeline.errors import UserError
from pipeline.reporting.tables.claims import PairedTests, marks_of
from pipeline.reporting.tables.columns import MetricColumn, metric_columns
from pipeline.reporting.tables.published_figures import PublishedFigures, published_for

SUMMARY_COLUMNS = (
    "set", "method", "kind", "variant", "protocol", "metric", "value", "low", "high", "images", "left_out", "status",
    "reason",
)  # fmt: skip


@dataclass(frozen=True)
class Cell:
    """One figure of a leaderboard.

    Attributes:
        value: the mean over photographs or the set's figure; None where there is none.
        low: lower end of the 95 % bootstrap interval, None where there is none.
        high: upper end.
        images: photographs behind the figure.
        left_out: photographs left out of it.
        reason: why it is missing or what to know about it.
        mark: "best" (better than every other ranked row, by the paired tests), "tied" (nobody is, and this is the best
            figure or not found to be worse than it) or "".
    """

    value: float | None = None
    low: float | None = None
    high: float | None = None
    images: int = 0
    left_out: int = 0
    reason: str = ""
    mark: str = ""


def row_title(method: str, variant: str) -> str:
    """A method's name, and the variant where it is not the raw result."""
    return method if variant in ("raw", "") else f"{method} · {variant}"


@dataclass(frozen=True)
class LeaderboardRow:
    """One method and variant ("raw" or "harmonized") with its figures by metric name."""

    method: str
    kind: str
    variant: str
    cells: dict[str, Cell]

    @property
    def images(self) -> int:
        """The photographs with a result that could be scored."""
        return max((cell.images for cell in self.cells.values()), default=0)

    @property
    def title(self) -> str:
        """The method's name, and the variant where it is not the raw result."""
        return row_title(self.method, self.variant)


@dataclass(frozen=True)
class Leader:
    """The row that is better than every other one on a metric, and the p of its closest comparison, after Holm."""

    title: str
    p: float


@dataclass(frozen=True)
class Board:
    """The leaderboard of one set under one protocol.

    A row with fewer photographs than others is shown and not ranked: its means are over an easier or harder set.

    Attributes:
        leaders: metric to the row that leads on it; absent where nobody does.
        tested: the directed metrics that ranked rows were compared on by paired tests.
    """

    set: str
    protocol: str
    columns: tuple[MetricColumn, ...]
    rows: tuple[LeaderboardRow, ...]
    floor: tuple[LeaderboardRow, ...]
    ceiling: tuple[LeaderboardRow, ...]
    published: PublishedFigures
    images: int
    leaders: dict[str, Leader] = field(default_factory=dict)
    tested: tuple[MetricColumn, ...] = ()

    @property
    def ranked(self) -> tuple[LeaderboardRow, ...]:
        """The methods that have a result for every photograph."""
        return tuple(row for row in self.rows if row.images == self.images)

    @property
    def everyone(self) -> tuple[LeaderboardRow, ...]:
        """Every row of ours: ceiling, methods, floor."""
        return (*self.ceiling, *self.rows, *self.floor)

    @property
    def spans(self) -> dict[str, tuple[float, float]]:
        """Metric to the range that its figures and their intervals cover, for drawing them on one scale."""
        ends: dict[str, list[float]] = {}
        for row in self.everyone:
            for name, cell in row.cells.items():
                found = (end for end in (cell.value, cell.low, cell.high) if end is not None and math.isfinite(end))
                ends.setdefault(name, []).extend(found)
        return {name: (min(numbers), max(numbers)) for name, numbers in ends.items() if numbers}


def read_summary(path: Path) -> pd.DataFrame:
    """Read the long summary table; a file that is not there gives an empty table, which the page reports.

    Raises:
        UserError: the file is no Parquet table, or a column is missing.
    """
    if not path.exists():
        return pd.DataFrame({name: pd.Series(dtype=object) for name in SUMMARY_COLUMNS})
    try:
        frame: pd.DataFrame = pq.read_table(path).to_pandas()
    except (OSError, ValueError) as error:
        raise UserError(f"{path}: is no readable Parquet table ({error}); run the stage `report` again") from error
    missing = [name for name in SUMMARY_COLUMNS if name not in frame.columns]
    if missing:
        raise UserError(f"{path}: has no column {', '.join(missing)}; it takes {', '.join(SUMMARY_COLUMNS)}")
    return frame


def boards(
    summary: pd.DataFrame,
    order: Iterable[str] = (),
    tests: PairedTests | None = None,
    reported: Collection[str] = (),
    parts: Mapping[str, str] | None = None,
) -> tuple[Board, ...]:
    """Build the leaderboards.

    Args:
        summary: long table as `read_summary` gives it.
        order: set names in the order wanted; sets not named follow by name.
        tests: the paired tests of the run; without them nothing is marked and nobody leads.
        reported: metrics that the protocol reports: shown at once, whatever the registry says.
        parts: set to its photographs as published (`published_figures.published_for`), for the figures of papers.
    """
    places = {name: place for place, name in enumerate(order)}
    pairs = {(str(row.set), str(row.protocol)) for row in summary[["set", "protocol"]].itertuples()}
    ranked = sorted(pairs, key=lambda pair: (places.get(pair[0], len(places)), pair))
    return tuple(
        _board(summary, *pair, tests or PairedTests(), reported, (parts or {}).get(pair[0], "")) for pair in ranked
    )


def _board(
    summary: pd.DataFrame, set_name: str, protocol: str, tests: PairedTests, reported: Collection[str], parts: str
) -> Board:
    part = summary[(summary["set"] == set_name) & (summary["protocol"] == protocol)]
    # a metric that nobody could compute is no column; the section "what is missing" has it
    found = part[part["value"].notna()]
    rows = [_row(group, key) for key, group in part.groupby(["method", "kind", "variant"], sort=True)]
    images = max((row.images for row in rows), default=0)
    published = published_for(parts, images, protocol, reported)
    names = set(found["metric"].astype(str)) | {name for table in published.beside for name in table.metrics}
    columns = tuple(replace(column, core=column.core or column.name in reported) for column in metric_columns(names))
    contenders = [row for row in rows if row.kind not in ("floor", "ceiling")]
    whole = [row for row in contenders if row.images == images]
    marks, leaders, tested = _standings(whole, columns, set_name, tests)
    whole = [
        replace(row, cells={n: replace(cell, mark=marks.get((row.title, n), "")) for n, cell in row.cells.items()})
        for row in whole
    ]
    partial = [row for row in contenders if row.images < images]
    return Board(
        set=set_name,
        protocol=protocol,
        columns=columns,
        rows=(*_by_first_metric(whole, columns), *_by_first_metric(partial, columns)),
        floor=tuple(row for row in rows if row.kind == "floor"),
        ceiling=tuple(row for row in rows if row.kind == "ceiling"),
        published=published,
        images=images,
        leaders=leaders,
        tested=tested,
    )


def _row(group: pd.DataFrame, key: object) -> LeaderboardRow:
    method, kind, variant = (str(part) for part in key) if isinstance(key, tuple) else ("", "", "")
    cells = {
        str(record["metric"]): Cell(
            value=_number(record["value"]),
            low=_number(record["low"]),
            high=_number(record["high"]),
            images=int(_number(record["images"]) or 0),
            left_out=int(_number(record["left_out"]) or 0),
            reason="" if record["reason"] is None else str(record["reason"]),
        )
        for record in group.to_dict("records")
    }
    return LeaderboardRow(method, kind, variant, cells)


def _number(value: object) -> float | None:
    """None and nan are no figure; an infinite one is."""
    if value is None or not isinstance(value, (int, float)):
        return None
    return None if math.isnan(value) else float(value)


def _standings(
    rows: list[LeaderboardRow], columns: tuple[MetricColumn, ...], set_name: str, tests: PairedTests
) -> tuple[dict[tuple[str, str], str], dict[str, Leader], tuple[MetricColumn, ...]]:
    """Marks by title and metric, leaders by metric, and the metrics that were tested."""
    marks: dict[tuple[str, str], str] = {}
    leaders: dict[str, Leader] = {}
    tested = []
    titles = {(row.method, row.variant): row.title for row in rows}
    for column in columns:
        found = {(row.method, row.variant): row.cells[column.name].value for row in rows if column.name in row.cells}
        figures = {one: value for one, value in found.items() if value is not None}
        marked, p = marks_of(tests, set_name, column, figures)
        if marked:
            tested.append(column)
        marks |= {(titles[one], column.name): mark for one, mark in marked.items()}
        for one in [one for one, mark in marked.items() if mark == "best"]:
            leaders[column.name] = Leader(titles[one], p)
    return marks, leaders, tuple(tested)


def _by_first_metric(rows: list[LeaderboardRow], columns: tuple[MetricColumn, ...]) -> list[LeaderboardRow]:
    """Best first by the first directed metric that every board opens with; rows without a figure last."""
    first = next((column for column in columns if column.better), None)
    if first is None:
        return rows

    def place(row: LeaderboardRow) -> tuple[float, str, str]:
        value = row.cells.get(first.name, Cell()).value
        return (-first.score(value) if value is not None else math.inf, row.method, row.variant)

    return sorted(rows, key=place)
