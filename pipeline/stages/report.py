"""Stage `report`: tables, figures and the page, from everything that the graph has made."""

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path

import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc
import torch

from pipeline.color.study import bin_size_study
from pipeline.errors import UserError
from pipeline.evaluation.protocols import protocol_named
from pipeline.evaluation.schemas import SET_ROWS, image_rows_schema
from pipeline.evaluation.set_scores import band_table
from pipeline.evaluation.summary import summarize
from pipeline.machine.provenance import library_versions, machine_in_words
from pipeline.methods.build import build_network
from pipeline.models.encoder_decoder import EncoderDecoder
from pipeline.reporting.page.page import build_report
from pipeline.reporting.page.words import revisions_text
from pipeline.reporting.pictures.color_figures import ColorTables, color_figures
from pipeline.reporting.report_inputs import Figure, ReportInputs, RunDescription, TestSet
from pipeline.reporting.tables.published_figures import PUBLISHED
from pipeline.reporting.turing.trials import build_turing
from pipeline.sets.published import PublishedSet
from pipeline.settings.params import BASELINES, Settings
from pipeline.stages import paths
from pipeline.stages.timing import read_seconds
from pipeline.stages.versions import StageVersion, stage_version
from pipeline.storage.color_tables import read_cells
from pipeline.storage.tables import HISTOGRAM, SPACE, WEIGHT_BATCHES, WEIGHTS, read_table, table_facts, write_table

PAPER = EncoderDecoder(encoder="densenet121", pretrained=False, decoder="plain", channels=[1024, 512, 512])
"""The network behind Table II (SPEC section 6)."""
PRINTED = PUBLISHED / "ccc_plus_plus_bin_sizes.csv"


def write_report(settings: Settings, version: StageVersion) -> str:
    """Write everything under reports/ that is not a stage's own.

    Args:
        settings: params.yaml.
        version: of this stage's code.

    Raises:
        UserError: if a table is missing, or rows of several versions, protocols or class spaces were to be compared.
    """
    run_settings = settings.run
    kinds = dict.fromkeys(run_settings.methods, "trained") | dict.fromkeys(run_settings.imported, "imported")
    kinds = {"gray": "floor", "oracle": "ceiling"} | kinds
    pairs = [(method, set_name) for set_name in run_settings.test for method in kinds]
    rows = [_own_rows(paths.image_rows(*pair), image_rows_schema()) for pair in pairs]
    set_rows = [_own_rows(paths.set_rows(*pair), SET_ROWS) for pair in pairs]
    summary, differences = summarize(rows, set_rows, kinds, settings.report.bootstrap, run_settings.seed)
    made_by = [str(table_facts(table).get("git_revision", "")) for table in rows]
    revisions = dict(zip(pairs, made_by, strict=True))
    facts = table_facts(rows[0]) | {"git_revision": revisions_text(revisions)} | version.facts()
    write_table(summary, paths.SUMMARY, facts)
    write_table(differences, paths.PAIRS, facts)
    write_table(band_table(set_rows), paths.BANDS, version.facts())
    study = _bin_size_study(settings)
    write_table(pa.Table.from_pandas(study, preserve_index=False), paths.BIN_SIZES, version.facts())
    sets = tuple(_test_set(settings, set_name) for set_name in run_settings.test)
    notes = _write_turing(sets, run_settings.seed)
    inputs = ReportInputs(
        summary=paths.SUMMARY,
        pairs=paths.PAIRS,
        run=_description(settings, revisions),
        rows={pair: paths.image_rows(*pair) for pair in pairs},
        sets=sets,
        figures=_color_figures(settings, study),
        bin_sizes=paths.BIN_SIZES,
        training={method: paths.training_report(method) for method in run_settings.methods},
        bands=paths.BANDS,
        turing=paths.TURING_SCORES if paths.TURING_SCORES.exists() else None,
        sweep=paths.SWEEP if paths.SWEEP.exists() else None,
        harmonize=settings.harmonize,
        gallery=settings.report.gallery,
        notes=notes,
        reported=protocol_named(run_settings.protocol).reports,
    )
    build_report(inputs, paths.REPORTS)
    images = sum(len(table) for table in rows)
    return f"{len(kinds)} methods, {len(run_settings.test)} test sets, {images} rows -> {paths.REPORTS / 'index.html'}"


def _own_rows(path: Path, schema: pa.Schema) -> pa.Table:
    """Rows of the stage `evaluate` as its code is now: those of other code are not put beside them."""
    table, version = read_table(path, schema), stage_version("evaluate").number
    for row in table.filter(pc.not_equal(table["stage_version"], version)).slice(0, 1).to_pylist():
        raise UserError(
            f"{path} has scores of {row['method']!r} on {row['set']} by version {row['stage_version']} of stage "
            f"evaluate, which is at version {version}; scores of different versions are not compared: run dvc repro"
        )
    return table


def _test_set(settings: Settings, set_name: str) -> TestSet:
    run_settings = settings.run
    predictions = {method: paths.predictions(method, set_name) for method in [*BASELINES, *run_settings.methods]}
    imported = {method: paths.imported(method, set_name) for method in run_settings.imported}
    harmonized = {method: paths.harmonized(method, set_name) for method in run_settings.methods}
    entry = settings.sets[set_name]
    return TestSet(
        name=set_name,
        truth=paths.image_set(set_name),
        predictions=predictions | imported,
        harmonized=harmonized,
        masks=paths.masks(set_name),
        parts=entry.parts if isinstance(entry, PublishedSet) else "",
    )


def _write_turing(sets: Sequence[TestSet], seed: int) -> tuple[str, ...]:
    """The Turing page with the methods alone; where there is nothing to show, the reason, for the page to say."""
    tested = [
        TestSet(one.name, one.truth, {name: path for name, path in one.predictions.items() if name not in BASELINES})
        for one in sets
    ]
    try:
        build_turing(tested, paths.REPORTS, paths.TURING_KEY, seed)
    except UserError as error:
        for place in (paths.REPORTS / "turing", paths.TURING_KEY.parent):
            place.mkdir(parents=True, exist_ok=True)
        for file in (paths.REPORTS / "turing.html", paths.TURING_KEY):
            file.write_text("", encoding="utf-8")
        return (f"Turing test: {error}",)
    return ()


def _description(settings: Settings, revisions: Mapping[tuple[str, str], str]) -> RunDescription:
    return RunDescription(
        revisions=revisions,
        date=datetime.now(UTC).strftime("%Y-%m-%d %H:%M UTC"),
        machine=machine_in_words(),
        seed=settings.run.seed,
        protocol=f"{settings.run.protocol}: {protocol_named(settings.run.protocol).about}",
        stage_seconds=read_seconds(),
        settings=settings.model_dump(mode="json"),
        versions=library_versions(),
    )


def _bin_size_study(settings: Settings) -> pd.DataFrame:
    """Table II for the reference set: pruned as the report space is, with the paper's network behind each Q."""
    space = settings.spaces[settings.run.report_space]
    return bin_size_study(
        read_cells(paths.HISTOGRAM), _paper_network_parameters, space.min_share, space.min_count, space.shift
    )


def _paper_network_parameters(classes: int) -> int:
    with torch.device("meta"):
        network = build_network(PAPER, classes)
    return sum(tensor.numel() for tensor in network.parameters())


def _color_figures(settings: Settings, study: pd.DataFrame) -> tuple[Figure, ...]:
    figures: list[Figure] = []
    histogram = table_facts(read_table(paths.HISTOGRAM, HISTOGRAM))
    for name, space in settings.spaces.items():
        tables = ColorTables(
            space=name,
            classes=read_table(paths.space(name), SPACE).to_pandas(),
            bin_size=space.bin_size,
            least=space.min_share * histogram["pixels"] if space.min_count is None else space.min_count,
            study=study,
            printed=pd.read_csv(PRINTED),
            weights=read_table(paths.weights(name), WEIGHTS).to_pandas(),
            batches=read_table(paths.weight_batches(name), WEIGHT_BATCHES).to_pandas(),
            percents=settings.weights.percents,
            batch_pixels=settings.weights.batch * settings.histogram.size**2,
        )
        figures.extend(color_figures(tables, paths.FIGURES))
    return tuple(figures)
