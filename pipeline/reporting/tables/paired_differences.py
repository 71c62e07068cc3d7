"""Differences between two methods, as plain data for the page's script."""

from pathlib import Path

import pandas as pd
import pyarrow.parquet as pq

from pipeline.errors import UserError
from pipeline.reporting.tables.columns import metric_column, metric_columns

PAIR_COLUMNS = ("set", "metric", "variant", "method", "other", "difference", "low", "high", "p", "p_holm", "images")


def pair_data(path: Path | None) -> tuple[dict[str, object], list[str]]:
    """Read the table of pairs.

    Args:
        path: Parquet table with the columns `PAIR_COLUMNS`, or None.

    Returns:
        Data for the script (records, and how each metric is written), and what to say where there is none.

    Raises:
        UserError: a column is missing.
    """
    if path is None or not path.exists():
        return {"rows": [], "metrics": []}, ["There is no table of pairwise differences."]
    frame: pd.DataFrame = pq.read_table(path).to_pandas()
    missing = [name for name in PAIR_COLUMNS if name not in frame.columns]
    if missing:
        raise UserError(f"{path}: has no column {', '.join(missing)}; it takes {', '.join(PAIR_COLUMNS)}")
    rows = []
    for record in frame.loc[:, list(PAIR_COLUMNS)].to_dict("records"):
        column = metric_column(str(record["metric"]))
        better = column.better if column.better in ("higher", "lower") else ""
        rows.append({name: _plain(record[name]) for name in PAIR_COLUMNS} | {"better": better})
    metrics = [
        {"name": column.name, "label": column.label, "unit": column.unit, "digits": column.digits}
        for column in metric_columns(frame["metric"].astype(str))
    ]
    return {"rows": rows, "metrics": metrics}, []


def _plain(value: object) -> object:
    """JSON has neither nan nor infinity."""
    if isinstance(value, float):
        return float(f"{value:.6g}") if abs(value) < float("inf") else None
    return value
