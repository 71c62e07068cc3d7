"""What may be said of two rows of a leaderboard: nothing that the paired tests of `pairs.parquet` do not carry.

A mean above another is no finding. A row is better than another where the mean difference over the same photographs is
above 0 with its whole 95 % interval, and the signed-rank test holds, corrected by Holm for all pairs of the set and
metric; it leads where it is better than every other row.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

import pandas as pd
import pyarrow.parquet as pq

from pipeline.errors import UserError
from pipeline.reporting.tables.columns import MetricColumn

LEVEL = 0.05
"""Of the tests: what is said of rows that do not differ is wrong in at most this share of runs."""
PAIR_COLUMNS = (
    *("set", "metric", "variant", "method", "other", "other_variant"),
    *("difference", "low", "high", "p", "p_holm", "images"),
)

Contender = tuple[str, str]
"""Method and variant."""


@dataclass(frozen=True)
class PairedTests:
    """The paired tests of a run.

    Attributes:
        found: set, metric and two contenders to the ends of the interval of their mean difference, first less second,
            and its p after Holm.
    """

    found: Mapping[tuple[str, str, Contender, Contender], tuple[float, float, float]] = field(default_factory=dict)

    def of_metric(self, set_name: str, metric: str) -> bool:
        """Say whether there is any test of a metric on a set; figures of whole sets have none."""
        return any(key[:2] == (set_name, metric) for key in self.found)

    def chance(self, set_name: str, column: MetricColumn, one: Contender, other: Contender) -> float:
        """The p with which one row is better than another.

        Args:
            set_name: the test set.
            column: the metric.
            one: the row said to be better.
            other: the row that it is compared with.

        Returns:
            p after Holm where the interval has `one` as the better one, else 1; 1 where nothing was tested.
        """
        low, high, p = self.found.get((set_name, column.name, one, other), (0.0, 0.0, 1.0))
        better = low > 0 if column.better == "higher" else high < 0
        return p if better and column.better else 1.0


def read_pairs(path: Path | None) -> pd.DataFrame:
    """Read the table of pairs; a file that is not there gives an empty table.

    Raises:
        UserError: a column is missing.
    """
    if path is None or not path.exists():
        return pd.DataFrame({name: pd.Series(dtype=object) for name in PAIR_COLUMNS})
    frame: pd.DataFrame = pq.read_table(path).to_pandas()
    missing = [name for name in PAIR_COLUMNS if name not in frame.columns]
    if missing:
        raise UserError(f"{path}: has no column {', '.join(missing)}; it takes {', '.join(PAIR_COLUMNS)}")
    return frame


def paired_tests(pairs: pd.DataFrame) -> PairedTests:
    """Take the tests out of the table of pairs, in both directions.

    Args:
        pairs: as `read_pairs` gives it.
    """
    found: dict[tuple[str, str, Contender, Contender], tuple[float, float, float]] = {}
    for row in pairs.to_dict("records"):
        if any(pd.isna(row[name]) for name in ("low", "high", "p_holm")):
            continue
        place = str(row["set"]), str(row["metric"])
        one, other = (str(row["method"]), str(row["variant"])), (str(row["other"]), str(row["other_variant"]))
        low, high, p = (float(row[name]) for name in ("low", "high", "p_holm"))
        found[*place, one, other], found[*place, other, one] = (low, high, p), (-high, -low, p)
    return PairedTests(found)


def marks_of(
    tests: PairedTests, set_name: str, column: MetricColumn, figures: Mapping[Contender, float]
) -> tuple[dict[Contender, str], float]:
    """Mark what leads, or what nothing was found to be better than.

    Args:
        tests: of the run.
        set_name: the test set.
        column: the metric.
        figures: contender to its figure, of those that are ranked.

    Returns:
        Contender to "best" (better than every other one) or, where nobody is, "tied" (the best figure and all that are
        not found to be worse); and the p of the leader's closest comparison, 1 without a leader.
    """
    if not column.better or len(figures) < 2 or not tests.of_metric(set_name, column.name):
        return {}, 1.0
    top = max(figures, key=lambda one: column.score(figures[one]))
    chances = {other: tests.chance(set_name, column, top, other) for other in figures if other != top}
    closest = max(chances.values())
    if closest < LEVEL:
        return {top: "best"}, closest
    return {top: "tied"} | {other: "tied" for other, p in chances.items() if p >= LEVEL}, 1.0
