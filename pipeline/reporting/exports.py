"""Tables beside the page: CSV of what it shows, and the few rounded figures that DVC compares between revisions."""

import csv
import json
import math
import os
from collections.abc import Iterable, Sequence
from pathlib import Path

import pandas as pd
import pyarrow.parquet as pq

from pipeline.reporting.bins import read_frame
from pipeline.reporting.inputs import ReportInputs
from pipeline.reporting.leaderboard import Board, Row
from pipeline.reporting.render import write_text

HEADLINE = {"psnr": 2, "ssim": 3, "lpips": 3, "fid": 2, "cnr": 3, "tar": 2, "cf": 1}  # metric to decimals


def write_tables(summary: pd.DataFrame, inputs: ReportInputs, found: Sequence[Board], out: Path) -> dict[str, str]:
    """Write `tables/*.csv`, `plots/*.csv` and `metrics.json` below `out`.

    Returns:
        Name of a table to its files, relative to the page, for links.
    """
    write_text(out / "metrics.json", json.dumps(headline_figures(found), indent=2, ensure_ascii=False) + "\n")
    write_text(out / "tables" / "summary.csv", summary.to_csv(index=False, lineterminator="\n"))
    links = {"summary": "tables/summary.csv"}
    if inputs.pairs is not None and inputs.pairs.exists():
        frame: pd.DataFrame = pq.read_table(inputs.pairs).to_pandas()
        write_text(out / "tables" / "pairs.csv", frame.to_csv(index=False, lineterminator="\n"))
        links |= {"pairs": "tables/pairs.csv", "pairs_parquet": os.path.relpath(inputs.pairs, out)}
    if inputs.bin_sizes is not None and inputs.bin_sizes.exists():
        study = read_frame(inputs.bin_sizes).to_csv(index=False, lineterminator="\n")
        write_text(out / "tables" / "bin_sizes.csv", study)
        links |= {"bin_sizes": "tables/bin_sizes.csv", "bin_sizes_source": os.path.relpath(inputs.bin_sizes, out)}
    _write_rows(out / "plots" / "leaderboard.csv", ("method", *HEADLINE), _leaderboard(found))
    _write_rows(out / "plots" / "frequency_bands.csv", BAND_COLUMNS, _bands(inputs.bands))
    return links


def headline_figures(found: Iterable[Board]) -> dict[str, dict[str, dict[str, float]]]:
    """Return set to method to metric to the rounded figure; what is missing or infinite is left out."""
    return {
        board.set: {
            row.title.replace(" · ", "_"): {
                metric: round(value, digits)
                for metric, digits in HEADLINE.items()
                if (value := _figure(row, metric)) is not None
            }
            for row in board.everyone
        }
        for board in found
    }


def _figure(row: Row, metric: str) -> float | None:
    cell = row.cells.get(metric)
    return None if cell is None or cell.value is None or not math.isfinite(cell.value) else cell.value


def _leaderboard(found: Sequence[Board]) -> Iterable[tuple[str, ...]]:
    """One line per method; the set's name is written only where there are several."""
    for board in found:
        for row in board.everyone:
            name = row.title if len(found) == 1 else f"{row.title} ({board.set})"
            figures = ((_figure(row, metric), digits) for metric, digits in HEADLINE.items())
            yield (name, *("" if value is None else f"{value:.{digits}f}" for value, digits in figures))


BAND_COLUMNS = ("set", "method", "actual", "predicted", "share")


def _bands(path: Path | None) -> Iterable[tuple[str, ...]]:
    if path is None or not path.exists():
        return
    for row in read_frame(path).to_dict("records"):
        yield (*(str(row[name]) for name in BAND_COLUMNS[:-1]), f"{float(row['share']):.4f}")


def _write_rows(path: Path, heads: Sequence[str], rows: Iterable[Sequence[str]]) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    temporary = path.with_name(f".{path.name}.writing")
    with temporary.open("w", newline="", encoding="utf-8") as lines:
        writer = csv.writer(lines, lineterminator="\n")
        writer.writerow(heads)
        writer.writerows(rows)
    os.replace(temporary, path)
