"""Tables beside the page: CSV of what it shows, and the few rounded figures that DVC compares between revisions."""

import csv
import json
import math
import os
from collections.abc import Iterable, Sequence
from pathlib import Path

import pandas as pd
import pyarrow.parquet as pq

from pipeline.machine.files import replaced, write_text
from pipeline.metrics.registry import METRICS, headline_metrics
from pipeline.reporting.file_names import slug
from pipeline.reporting.report_inputs import ReportInputs
from pipeline.reporting.tables.bin_sizes import read_frame
from pipeline.reporting.tables.leaderboard import Board, LeaderboardRow


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
    _write_rows(out / "plots" / "leaderboard.csv", ("method", *headline_metrics()), _leaderboard(found))
    for (set_name, name), rows in _confusions(inputs.bands).items():
        _write_rows(out / "plots" / "confusion" / slug(set_name) / f"{slug(name)}.csv", ("actual", "predicted"), rows)
    return links


def headline_figures(found: Iterable[Board]) -> dict[str, dict[str, dict[str, float]]]:
    """Return set to method to metric to the rounded figure; what is missing or infinite is left out."""
    return {
        board.set: {
            row.title.replace(" · ", "_"): {
                metric: round(value, METRICS[metric].decimals)
                for metric in headline_metrics()
                if (value := _figure(row, metric)) is not None
            }
            for row in board.everyone
        }
        for board in found
    }


def _figure(row: LeaderboardRow, metric: str) -> float | None:
    cell = row.cells.get(metric)
    return None if cell is None or cell.value is None or not math.isfinite(cell.value) else cell.value


def _leaderboard(found: Sequence[Board]) -> Iterable[tuple[str, ...]]:
    """One line per method; the set's name is written only where there are several."""
    for board in found:
        for row in board.everyone:
            name = row.title if len(found) == 1 else f"{row.title} ({board.set})"
            figures = ((_figure(row, metric), METRICS[metric].decimals) for metric in headline_metrics())
            yield (name, *("" if value is None else f"{value:.{decimals}f}" for value, decimals in figures))


def _confusions(path: Path | None) -> dict[tuple[str, str], list[tuple[str, str]]]:
    """Turn shares into the rows that DVC's confusion template counts: a hundred for each band that the truth shows.

    Largest remainders are rounded up, so that the rows of a band add up to exactly a hundred.
    """
    found: dict[tuple[str, str], list[tuple[str, str]]] = {}
    if path is None or not path.exists():
        return found
    for key, part in read_frame(path).groupby(["set", "method", "variant", "actual"], sort=True):
        set_name, method, variant, actual = (str(value) for value in key)
        shares = {str(row["predicted"]): 100.0 * float(row["share"]) for row in part.to_dict("records")}
        if not math.isclose(sum(shares.values()), 100.0, abs_tol=0.5):
            continue  # the truth does not show this band, or the shares are not finite
        counts = {name: math.floor(share) for name, share in shares.items()}
        by_rest = sorted(shares, key=lambda name: (counts[name] - shares[name], name))
        for name in by_rest[: 100 - sum(counts.values())]:
            counts[name] += 1
        rows = found.setdefault((set_name, method if variant == "raw" else f"{method}_{variant}"), [])
        rows += [(f"band {int(actual):02d}", f"band {int(name):02d}") for name in shares for _ in range(counts[name])]
    return found


def _write_rows(path: Path, heads: Sequence[str], rows: Iterable[Sequence[str]]) -> None:
    with replaced(path) as temporary, temporary.open("w", newline="", encoding="utf-8") as lines:
        writer = csv.writer(lines, lineterminator="\n")
        writer.writerow(heads)
        writer.writerows(rows)
