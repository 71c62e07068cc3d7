"""Before and after harmonizing: figures side by side, and the photographs it changed most."""

from dataclasses import dataclass, replace
from functools import cache
from pathlib import Path

from pipeline.masks.harmonized_sets import object_labels
from pipeline.reporting.file_names import slug
from pipeline.reporting.pictures.gallery import HARMONIZED_KEY, Gallery, Photo
from pipeline.reporting.pictures.harmonization_figure import harmonization_figure
from pipeline.reporting.report_inputs import TestSet
from pipeline.reporting.tables.columns import MetricColumn
from pipeline.reporting.tables.leaderboard import Board, Cell
from pipeline.settings.sections import Harmonize
from pipeline.storage.store import Store
from pipeline.storage.tables import MASKS, read_table

EXAMPLES = 6


@dataclass(frozen=True)
class BeforeAfter:
    """One set's figures: for each method and metric the raw and the harmonized one."""

    set: str
    columns: tuple[MetricColumn, ...]
    rows: tuple[tuple[str, tuple[tuple[Cell, Cell], ...]], ...]


@dataclass(frozen=True)
class Example:
    """One photograph before and after; `figure` is the file of its panels, relative to the page, "" for none."""

    set: str
    method: str
    photo: Photo
    before: str
    after: str
    changed: float | None
    figure: str = ""

    @property
    def changed_text(self) -> str:
        """How much changed, in words: a count of pixels, and its share of the photograph."""
        pixels = self.photo.width * self.photo.height
        changed = self.changed or 0.0
        return f"{changed:,.0f} pixels ({100 * changed / pixels:.1f} %)".replace(",", "\u202f")


def harmonized_table(board: Board) -> BeforeAfter | None:
    """Lay the raw and the harmonized figures of each method side by side; None where nothing was harmonized."""
    by_key = {(row.method, row.variant): row for row in board.everyone}
    methods = sorted({method for method, variant in by_key if variant == "harmonized" and (method, "raw") in by_key})
    if not methods:
        return None
    empty = Cell()

    def cells(method: str, metric: str) -> tuple[Cell, Cell]:
        before, after = (by_key[method, variant].cells.get(metric, empty) for variant in ("raw", "harmonized"))
        return before, after

    columns = tuple(
        column
        for column in board.columns
        if (column.core or column.name in ("edge_bleeding", "pixels_changed", "objects"))
        and any(cells(method, column.name)[1].value is not None for method in methods)
    )
    rows = tuple((method, tuple(cells(method, column.name) for column in columns)) for method in methods)
    return BeforeAfter(board.set, columns, rows)


def examples(gallery: Gallery) -> list[Example]:
    """Choose the photographs with the most changed pixels, each with the method that was changed most."""
    found = []
    for photo in gallery.photos:
        pairs = [
            (photo.values.get(key, {}).get("pixels_changed"), key)
            for key in gallery.columns
            if key.endswith(HARMONIZED_KEY) and key in photo.tiles and key.removesuffix(HARMONIZED_KEY) in photo.tiles
        ]
        if pairs:
            changed, key = max(pairs, key=lambda pair: (pair[0] or 0.0, pair[1]))
            method = key.removesuffix(HARMONIZED_KEY)
            found.append(Example(gallery.set, method, photo, method, key, changed))
    return sorted(found, key=lambda example: (-(example.changed or 0.0), example.photo.image_id))[:EXAMPLES]


def drawn(found: list[Example], test_set: TestSet, settings: Harmonize, out: Path) -> tuple[list[Example], list[str]]:
    """Draw each example's panels: grey, masks, raw, harmonized, truth, and the edge where most changed, magnified.

    Args:
        found: the examples of the set.
        test_set: its stores and masks.
        settings: which objects were harmonized.
        out: the page's folder; the figures go below `media/harmonizing`.

    Returns:
        The examples with their figures, and what to say about those that could not be drawn.
    """
    truth, masks = test_set.truth, test_set.masks
    if truth is None or masks is None:
        return found, []
    # indexes and masks of a large set take seconds to read, and the examples share them
    store, table = cache(Store), cache(lambda: read_table(masks, MASKS))

    def draw(example: Example, path: Path) -> None:
        image_id = example.photo.image_id
        places = (truth, test_set.predictions[example.method], test_set.harmonized[example.method])
        photograph, raw, harmonized = (store(place).rgb(image_id) for place in places)
        labels = object_labels(table(), image_id, settings)
        if labels is None:
            raise ValueError("it has no masks")
        path.parent.mkdir(parents=True, exist_ok=True)
        harmonization_figure(photograph, raw, harmonized, labels).savefig(path)

    shown, faults = [], []
    for example in found:
        name = f"media/harmonizing/{slug(example.set)}/{slug(example.photo.image_id)}.png"
        try:
            draw(example, out / name)
        except Exception as error:  # a figure that cannot be drawn must leave the page standing
            faults.append(f"{example.set}, {example.photo.image_id}: its objects cannot be drawn ({error})")
            name = ""
        shown.append(replace(example, figure=name))
    return shown, faults
