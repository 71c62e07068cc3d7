"""The bin-size study beside the printed one."""

from dataclasses import dataclass
from pathlib import Path

import pandas as pd
import pyarrow.parquet as pq

from pipeline.color.study import beside_printed
from pipeline.errors import UserError
from pipeline.reporting.tables.published_figures import PUBLISHED

COUNTS = ("total_classes", "reachable_classes", "observed_classes", "kept_classes")
HEADS = {
    "bin_size": "Bin size",
    "total_classes": "Total",
    "reachable_classes": "Reachable",
    "observed_classes": "Observed",
    "kept_classes": "Kept",
    "ab_max_dev": "ab max",
    "ab_avg_dev": "ab mean",
    "parameters": "Parameters",
}


@dataclass(frozen=True)
class BinSizeCell:
    """One figure of the study, the printed one beside it, and why they differ."""

    ours: str
    printed: str = ""
    met: bool = True
    note: int | None = None


@dataclass(frozen=True)
class BinSizeTable:
    """The bin-size study, ready to be shown; `notes` are numbered from 1."""

    heads: tuple[str, ...]
    rows: tuple[tuple[BinSizeCell, ...], ...]
    notes: tuple[str, ...]


def bin_size_table(path: Path | None) -> BinSizeTable | None:
    """Read the study (columns of `pipeline.color.study.bin_size_study`) and set it beside CCC++ Table II.

    Raises:
        UserError: the table has no column `bin_size`.
    """
    if path is None or not path.exists():
        return None
    ours = read_frame(path)
    if "bin_size" not in ours.columns:
        raise UserError(f"{path}: has no column bin_size; it takes the bin-size study of the stage `classes`")
    printed = pd.read_csv(PUBLISHED / "ccc_plus_plus_bin_sizes.csv")
    compared = {(row["bin_size"], row["column"]): row for row in beside_printed(ours, printed).to_dict("records")}
    notes: list[str] = []
    columns = [str(name) for name in ours.columns]
    rows = []
    for record in ours.to_dict("records"):
        cells = []
        for column in columns:
            other = compared.get((int(record["bin_size"]), column))
            note = None
            if other is not None and other["note"]:
                notes += [] if other["note"] in notes else [other["note"]]
                note = notes.index(other["note"]) + 1
            shown = "" if other is None else number(other["printed"], column)
            cells.append(BinSizeCell(number(record[column], column), shown, other is None or bool(other["met"]), note))
        rows.append(tuple(cells))
    return BinSizeTable(tuple(_head(name) for name in columns), tuple(rows), tuple(notes))


def read_frame(path: Path) -> pd.DataFrame:
    """Read a Parquet, TSV or CSV table."""
    if path.suffix == ".parquet":
        frame: pd.DataFrame = pq.read_table(path).to_pandas()
        return frame
    return pd.read_csv(path, sep="\t" if path.suffix == ".tsv" else ",")


def number(value: object, column: str = "") -> str:
    """Write a figure for a plain table: counts with thin spaces, other numbers with four significant digits."""
    if isinstance(value, bool) or not isinstance(value, (int, float)):
        return str(value)
    if value != value:
        return "–"
    if isinstance(value, int) or (float(value).is_integer() and (column in COUNTS or abs(value) >= 100)):
        return f"{int(value):,}".replace(",", "\u202f").replace("-", "−")
    return (f"{value:.2f}" if "dev" in column else f"{value:.4g}").replace("-", "−")


def _head(name: str) -> str:
    if name in HEADS:
        return HEADS[name]
    words = name.replace("rgb_max_dev_", "RGB max ").replace("rgb_avg_dev_", "RGB mean ")
    return words.replace("abm50", "−50").replace("ab50", "50").replace("ab0", "0").replace("_", " ")
