"""What `huebench score` does: folders of results against a folder of photographs, by the code of `evaluate`."""

import tempfile
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import pandas as pd
import pyarrow as pa

from pipeline.color.space import ColorSpace
from pipeline.errors import UserError
from pipeline.evaluation.protocols import Protocol
from pipeline.evaluation.scoring import ScoreSettings, score_set
from pipeline.evaluation.summary import summarize
from pipeline.machine.devices import choose_device
from pipeline.machine.files import write_text
from pipeline.machine.provenance import library_versions, machine_in_words
from pipeline.metrics.registry import CLASS_BAND, METRICS
from pipeline.reporting.page.score_page import write_score_page
from pipeline.reporting.tables.claims import paired_tests
from pipeline.reporting.tables.leaderboard import Board, boards
from pipeline.reporting.tables.plain_tables import latex_table
from pipeline.sets.matching import listed, match_files, named_files, store_files
from pipeline.sets.published import parts_of_names
from pipeline.stages.versions import stage_version
from pipeline.storage.store import Store
from pipeline.storage.tables import write_table

SPACE = ColorSpace(6)
"""Classes are counted in the whole grid of bin size 6: pruning it needs a reference set, which two folders are not."""
SPACE_NAME = "bin size 6, every class"
BATCH, DRAWS, SEED = 8, 2000, 0


@dataclass(frozen=True)
class FolderScores:
    """What scoring folders gave.

    Attributes:
        board: the leaderboard.
        notes: what could not be matched, scored or computed, a line each.
    """

    board: Board
    notes: tuple[str, ...]


def score_folders(truth: Path, results: Sequence[Path], protocol: Protocol, out: Path) -> FolderScores:
    """Score folders of results and write tables and page to `out`.

    Files are matched by name, whatever their suffix. Photographs that no folder has a result for are left out and
    named; one that some folders have gets a row with status `missing` from the others, which are then not ranked.

    Args:
        truth: folder of the photographs.
        results: folders of results, whose names are those of the methods.
        protocol: how both are brought to size.
        out: folder for `photographs.parquet` (a row per photograph and method), `sets.parquet`, `summary.parquet`,
            `pairs.parquet`, `scores.csv`, `table.tex` and `index.html`; files of these names there are replaced.

    Returns:
        The leaderboard and what is to be said beside it.

    Raises:
        UserError: if a folder is none, is empty or given twice, or no file is named as a photograph.
    """
    names = _method_names(results)
    photographs = named_files(truth)
    notes: list[str] = []
    matched = {}
    for name, folder in zip(names, results, strict=True):
        if not folder.is_dir():
            raise UserError(f"{folder} is no folder; it takes a folder of results, named as the photographs")
        files, extra, twice = match_files(folder, photographs.keys())
        if twice:
            raise UserError(f"{folder}: {listed('photographs with more than one file', twice)}; keep one file for each")
        if not files:
            raise UserError(f"{folder}: no file is named as a photograph of {truth}, such as {next(iter(photographs))}")
        notes += [f"{name}: {listed('files that belong to no photograph', extra)}"] if extra else []
        matched[name] = files
    scored = [name for name in photographs if any(name in files for files in matched.values())]
    left = [name for name in photographs if name not in set(scored)]
    notes += [listed("photographs without a result in any folder, left out", left)] if left else []
    for name, files in matched.items():
        gaps = [one for one in scored if one not in files]
        notes += [f"{name}: {listed('photographs without a result', gaps)}"] if gaps else []
    out.mkdir(parents=True, exist_ok=True)
    settings = ScoreSettings(
        set_name=truth.resolve().name,
        method="folders",
        space_name=SPACE_NAME,
        batch=BATCH,
        device=str(choose_device()),
        split=None,
        stage_version=stage_version("evaluate").number,
    )
    with tempfile.TemporaryDirectory(prefix=".scoring-", dir=out) as scratch:
        store_files(((name, photographs[name]) for name in scored), Path(scratch) / "truth")
        stores = {}
        for number, (name, files) in enumerate(matched.items()):
            store_files(files.items(), Path(scratch) / str(number))
            stores[name] = Store(Path(scratch) / str(number))
        # every folder as a variant of one method: what belongs to the photograph alone is computed once for all
        rows, set_rows = score_set(Store(Path(scratch) / "truth"), stores, protocol, SPACE, None, settings)
    rows, set_rows = _by_method(rows), _of_folders(_by_method(set_rows))
    summary, pairs = summarize([rows], [set_rows], dict.fromkeys(names, "imported"), DRAWS, SEED)
    notes += _odd_results(rows)
    facts = {"protocol": protocol.name, "versions": library_versions(), "stage_version": settings.stage_version}
    for name, table in (("photographs", rows), ("sets", set_rows), ("summary", summary), ("pairs", pairs)):
        write_table(table, out / f"{name}.parquet", facts)
    frame = summary.to_pandas()
    parts = {settings.set_name: parts_of_names(scored)}
    (board,) = boards(frame, tests=paired_tests(pairs.to_pandas()), reported=protocol.reports, parts=parts)
    write_text(out / "scores.csv", frame.to_csv(index=False, lineterminator="\n"))
    write_text(out / "table.tex", latex_table(board))
    described = _described(truth, results, protocol, board)
    write_score_page(board, frame, described, notes, out / "index.html")
    return FolderScores(board, (*notes, *_without_weights(frame)))


def _method_names(results: Sequence[Path]) -> list[str]:
    """The folders' names; with that of the folder above where two share one."""
    whole = [path.resolve() for path in results]
    counts = Counter(path.name for path in whole)
    names = [path.name if counts[path.name] == 1 else f"{path.parent.name}/{path.name}" for path in whole]
    twice = [name for name, count in Counter(names).items() if count > 1]
    if twice:
        raise UserError(f"two folders of results are called {twice[0]!r}; give them names of their own")
    return names


def _by_method(table: pa.Table) -> pa.Table:
    """Rows whose variant is a folder's name, as raw results of that method."""
    method, variant = (table.schema.get_field_index(name) for name in ("method", "variant"))
    table = table.set_column(method, table.schema.field(method), table["variant"])
    return table.set_column(variant, table.schema.field(variant), pa.array(["raw"] * len(table)))


def _odd_results(rows: pa.Table) -> list[str]:
    """A line for each method and status that is not ok; what is missing has been said."""
    frame: pd.DataFrame = rows.select(["method", "status", "image_id"]).to_pandas()
    odd = frame[~frame["status"].isin(("ok", "missing"))]
    return [
        f"{method}: {listed(f'results with status {status}', list(part['image_id']))}"
        for (method, status), part in odd.groupby(["method", "status"], sort=True)
    ]


def _of_folders(set_rows: pa.Table) -> pa.Table:
    """Without what two folders cannot have: a network's class scores, a class space of its own, a reference set."""
    possible = [
        name in METRICS
        and not METRICS[name].own
        and METRICS[name].origin != "network"
        and not name.startswith(CLASS_BAND)
        for name in set_rows["metric"].to_pylist()
    ]
    return set_rows.filter(pa.array(possible))


def _without_weights(summary: pd.DataFrame) -> list[str]:
    """A line for each file of weights that is not here, with the metrics that need it."""
    metrics: dict[str, list[str]] = {}
    for row in summary[summary["status"] == "missing"].to_dict("records"):
        metrics.setdefault(str(row["reason"]), []).append(str(row["metric"]))
    return [f"not computed: {', '.join(dict.fromkeys(names))}: {reason}" for reason, names in metrics.items()]


def _described(truth: Path, results: Sequence[Path], protocol: Protocol, board: Board) -> dict[str, str]:
    return {
        "Photographs": f"{board.images} of {truth}",
        "Results": ", ".join(map(str, results)),
        "Protocol": f"{protocol.name}: {protocol.about}",
        "Methods are given": protocol.grey,
        "In the variant of its papers": ", ".join(protocol.reports) or "none of the metrics here",
        **({"Of its papers, and not here": protocol.elsewhere} if protocol.elsewhere else {}),
        "Classes": SPACE_NAME,
        "Machine": machine_in_words(),
    }
