"""The figures: drawn from any table that the stages write, the same bytes each time, with captions that hold."""

from pathlib import Path
from xml.etree import ElementTree

import numpy as np
import pandas as pd
import pytest

from pipeline.color.pruning import prune
from pipeline.color.study import bin_size_study
from pipeline.color.weighting import cic_weights, smoothed_prior, summarize_batch
from pipeline.reporting.pictures.color_figures import ColorTables, color_figures
from pipeline.storage.color_tables import space_table

NAMES = ("ab_plane", "class_histogram", "kept_by_bin_size", "weight_by_frequency", "weight_by_percent")


def tables(bin_size: int = 6, min_share: float = 1e-3, batches: int = 3) -> ColorTables:
    random = np.random.default_rng(0)
    cells = np.zeros((256, 256), np.int64)
    a, b = np.clip(random.normal(128, 15, (2, 50_000)), 40, 220).astype(int)
    np.add.at(cells, (a, b), 1)
    classes = prune(cells, bin_size, 108, min_share)
    space = classes.space
    counts = np.bincount(space.to_kept(np.arange(space.total)), classes.count).astype(np.int64)
    prior = counts / counts.sum()
    smooth = smoothed_prior(prior, space.kept_centers, 5)
    weights = {"class_id": space.kept, "count": counts, "prior": prior, "cic_weight": cic_weights(smooth, 0.5)}
    drawn = [random.multinomial(5000, prior) for _ in range(batches)]
    rows = [
        {"percent": percent, "batch": number, "images": 4, "classes": (count > 0).sum()}
        | summarize_batch(count, percent)._asdict()
        for percent in (4.0, 10.0, 16.0)
        for number, count in enumerate(drawn)
    ]
    study = bin_size_study(cells, lambda classes: classes, min_share)
    printed = pd.DataFrame({"bin_size": [4, 6], "kept_classes": [1049, 532]})
    return ColorTables(
        "paper",
        space_table(classes).to_pandas(),
        bin_size,
        min_share * cells.sum(),
        study,
        printed,
        pd.DataFrame(weights),
        pd.DataFrame(rows),
        (4.0, 10.0, 16.0),
        5000,
    )


def test_the_same_tables_give_the_same_bytes(tmp_path: Path) -> None:
    first, second = (color_figures(tables(), tmp_path / name) for name in ("first", "second"))
    assert [figure.path.name for figure in first] == [f"{name}_paper.svg" for name in NAMES]
    for one, other in zip(first, second, strict=True):
        assert one.path.read_bytes() == other.path.read_bytes()
        assert ElementTree.parse(one.path).getroot().tag.endswith("svg")
        assert one.title
        assert one.caption


def test_the_caption_says_what_the_batches_give(tmp_path: Path) -> None:
    made = tables()
    caption = color_figures(made, tmp_path)[-1].caption
    medians = made.batches.groupby("percent")["weight_max"].median()
    assert f"from {medians[4.0]:.1f} to {medians[16.0]:.1f}" in caption
    assert "over 3 batches of 4 photographs" in caption


@pytest.mark.parametrize(
    "changes", [{"min_share": 0.0, "bin_size": 3}, {"min_share": 0.01, "bin_size": 10, "batches": 1}]
)
def test_odd_spaces_are_drawn_too(tmp_path: Path, changes: dict[str, float]) -> None:
    figures = color_figures(tables(**changes), tmp_path)  # type: ignore[arg-type]
    assert all(figure.path.stat().st_size > 1000 for figure in figures)
