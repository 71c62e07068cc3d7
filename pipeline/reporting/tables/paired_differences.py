"""Differences between two methods, as plain data for the page's script."""

import pandas as pd

from pipeline.reporting.tables.columns import metric_column, metric_columns
from pipeline.reporting.tables.leaderboard import row_title

SHOWN = ("set", "metric", "difference", "low", "high", "p", "p_holm", "images")


def pair_data(pairs: pd.DataFrame) -> tuple[dict[str, object], list[str]]:
    """Lay out the table of pairs for the page.

    Args:
        pairs: as `claims.read_pairs` gives it.

    Returns:
        Data for the script (records, and how each metric is written), and what to say where there is none.
    """
    if pairs.empty:
        return {"rows": [], "metrics": []}, ["There is no table of pairwise differences."]
    rows = []
    for record in pairs.to_dict("records"):
        one, other = str(record["variant"]), str(record["other_variant"])
        better = metric_column(str(record["metric"])).better
        rows.append(
            {name: _plain(record[name]) for name in SHOWN}
            | {
                "method": row_title(str(record["method"]), one),
                "other": row_title(str(record["other"]), other),
                "variant": one if one == other else "raw beside harmonized",
                "better": "lower" if better == "one" else better,  # the difference is of distances from 1
            }
        )
    metrics = [
        {"name": column.name, "label": column.label, "unit": column.unit, "digits": column.digits}
        for column in metric_columns(pairs["metric"].astype(str))
    ]
    return {"rows": rows, "metrics": metrics}, []


def _plain(value: object) -> object:
    """JSON has neither nan nor infinity."""
    if isinstance(value, float):
        return float(f"{value:.6g}") if abs(value) < float("inf") else None
    return value
