"""What a report is made from: paths and facts, all handed over by the caller.

Nothing in `pipeline.reporting` knows where the graph keeps its files or reads its parameters.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from pipeline.settings.sections import Harmonize


@dataclass(frozen=True)
class TestSet:
    """The images of one test set: the truth and, by method, what was made of it.

    Attributes:
        name: of the set.
        truth: store of the photographs.
        predictions: method to the store of its results.
        harmonized: method to the store of its harmonized results.
        masks: Parquet table of the photographs' objects (`pipeline.storage.tables.MASKS`), or None.
        parts: its photographs as published: source, part and choice; "" where they are not those of a published set.
    """

    __test__ = False  # the name starts with "Test", and pytest would take it for a class of tests

    name: str
    truth: Path | None
    predictions: Mapping[str, Path] = field(default_factory=dict)
    harmonized: Mapping[str, Path] = field(default_factory=dict)
    masks: Path | None = None
    parts: str = ""


@dataclass(frozen=True)
class Figure:
    """A finished picture (PNG or SVG) that the page shows, with the words that go with it."""

    path: Path
    title: str
    caption: str = ""


@dataclass(frozen=True)
class RunDescription:
    """The facts above the first table: what was run, where and when.

    Attributes:
        revisions: (method, set) to the git revision that its rows were made with, with a mark when the tree was
            changed; "" where the rows do not say.
        date: ISO 8601 date or time of the run.
        machine: processor, memory, accelerator in words.
        seed: the run's seed.
        protocol: name and version of the evaluation protocol, and what it compares.
        stage_seconds: wall time of each stage, seconds, in the order of the graph.
        settings: the run's parameters as a nested mapping, shown on request.
        versions: library name to version.
    """

    revisions: Mapping[tuple[str, str], str] = field(default_factory=dict)
    date: str = ""
    machine: str = ""
    seed: int | None = None
    protocol: str = ""
    stage_seconds: Mapping[str, float] = field(default_factory=dict)
    settings: Mapping[str, object] = field(default_factory=dict)
    versions: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class ReportInputs:
    """Everything `page.build_report` reads.

    Attributes:
        summary: Parquet table `reports/summary.parquet`; the figures of the leaderboards come from it.
        pairs: Parquet table of differences between methods, from which marks and leaders follow; None for neither.
        rows: (method, set) to the Parquet table with a row per image; used to sort the gallery, never averaged here.
        sets: the test sets in the order of the page.
        run: what was run.
        figures: pictures of the class space, in the order of the page.
        bin_sizes: Parquet or CSV table of the bin-size study (one row per `bin_size`), or None.
        training: method to the DVCLive folder of its training.
        bands: table of `pipeline.evaluation.schemas.BAND_ROWS` (which tenth of the classes, by frequency, is
            mistaken for which), or None.
        turing: JSON file written by `turing.write_scores`, or None.
        sweep: Parquet table of `pipeline.storage.tables.SWEEP`, or None.
        harmonize: how objects were chosen, for the figures that show them.
        gallery: how many photographs of a set the page shows at most.
        notes: things to say under "what is missing", such as a stage that was left out.
        reported: the metrics that the protocol reports in the variant of its papers.
    """

    summary: Path
    run: RunDescription
    pairs: Path | None = None
    rows: Mapping[tuple[str, str], Path] = field(default_factory=dict)
    sets: tuple[TestSet, ...] = ()
    figures: tuple[Figure, ...] = ()
    bin_sizes: Path | None = None
    training: Mapping[str, Path] = field(default_factory=dict)
    bands: Path | None = None
    turing: Path | None = None
    sweep: Path | None = None
    harmonize: Harmonize = field(default_factory=Harmonize)
    gallery: int = 24
    notes: tuple[str, ...] = ()
    reported: tuple[str, ...] = ()
