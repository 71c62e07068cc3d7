"""Stage `prepare`: every method gets what its own parts need, to the byte, and nothing of another's."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from pipeline.color.soft_encoding import soft_shares
from pipeline.errors import UserError
from pipeline.methods.head import ClassHead
from pipeline.settings.params import Settings, validate_settings
from pipeline.stages import paths
from pipeline.stages.classes import prune_classes
from pipeline.stages.prepare import prepare_method, read_prepared
from pipeline.stages.versions import StageVersion
from pipeline.storage.color_tables import histogram_settings, histogram_table
from pipeline.storage.tables import write_table

VERSION = StageVersion("test", 1)
NETWORK = {"encoder": "efficientnet_lite0", "pretrained": True, "decoder": "skip", "channels": [16, 16, 16]}


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


@pytest.fixture
def settings(params: dict[str, Any]) -> Callable[..., Settings]:
    """Methods over CIC's classes, one per loss term; keywords change the space."""

    def make(term: dict[str, Any] | None = None, **space: Any) -> Settings:
        params["spaces"]["cic"] = {"bin_size": 10, "shift": 115} | space
        for name, losses in {
            "cic": {"soft_cross_entropy": term or {}},
            "cs766": {"inverse_frequency": {}},
            "ccc": {"class_cross_entropy": {}},
        }.items():
            model = {"head": {"classes": "cic"}, "network": NETWORK, "losses": losses}
            params["methods"][name] = {"model": model, "readout": {"kind": "argmax"}}
        return validate_settings(params)

    return make


def write_histogram(settings: Settings, seed: int = 0) -> np.ndarray:
    random = np.random.default_rng(seed)
    cells = np.zeros((256, 256), np.int64)
    np.add.at(cells, tuple(np.clip(random.normal(128, 30, (2, 4000)), 40, 215).astype(int)), 1)
    facts = {name.rpartition(".")[2]: value for name, value in histogram_settings(settings).items()}
    write_table(histogram_table(cells), paths.HISTOGRAM, facts | {"pixels": int(cells.sum()), "images": 1})
    return cells


@pytest.mark.parametrize(("keep", "kept"), [("published", 313), ("reachable", 261)])
def test_classes_are_kept_as_the_space_says(settings: Callable[..., Settings], keep: str, kept: int) -> None:
    chosen = settings(keep=keep)
    cells = write_histogram(chosen)
    assert "529 classes, 261 reachable, " in prune_classes(chosen, VERSION, "cic")
    frame = pd.read_parquet(paths.space("cic"))
    assert frame["kept"].sum() == kept
    assert frame["count"].sum() == cells.sum()
    assert (keep == "published") == bool((frame["kept"] & ~frame["reachable"]).any())
    assert frame["kept"][frame["mapped_to"]].all()


@pytest.mark.parametrize(
    ("space", "says"),
    [
        ({"keep": "seen"}, r'spaces\.cic\.keep is "seen", it takes observed, reachable or published'),
        ({"keep": "published", "shift": 110}, r"spaces\.cic\.keep is 'published', it takes bin_size 10 and shift 115"),
        ({"keep": "reachable", "min_share": 0.1}, r"spaces\.cic\.min_share is taken with keep: observed"),
        ({"keep": "published", "min_count": 3}, r"spaces\.cic\.min_count is taken with keep: observed"),
    ],
)
def test_a_space_is_pruned_in_one_way(settings: Callable[..., Settings], space: dict[str, Any], says: str) -> None:
    with pytest.raises(UserError, match=says):
        settings(**space)


def test_the_soft_prior_is_that_of_the_method_s_own_term(settings: Callable[..., Settings]) -> None:
    chosen = settings({"neighbours": 4, "sigma": 7.0}, keep="published")
    cells = write_histogram(chosen)
    prune_classes(chosen, VERSION, "cic")
    assert prepare_method(chosen, VERSION, "cic") == "313 kept classes of space cic, with their soft prior"
    prepared = read_prepared("cic")
    assert isinstance(prepared.head, ClassHead)
    assert prepared.class_counts is None
    rows, columns = np.nonzero(cells)
    ab = np.stack([rows, columns], axis=1) - 128 + 0.5
    index, shares = soft_shares(ab, prepared.head.space.kept_centers, 4, 7.0)
    expected = np.zeros(313)
    for one, row in enumerate(index):
        expected[row] += shares[one] * cells[rows[one], columns[one]]
    assert prepared.soft_prior is not None
    np.testing.assert_allclose(prepared.soft_prior, expected / cells.sum(), atol=1e-12)
    assert [prepare_method(chosen, VERSION, name) for name in ("cs766", "ccc", "l2")] == [
        "313 kept classes of space cic, with their counts",
        "313 kept classes of space cic",
        "regresses ab, needs no classes",
    ]
    assert read_prepared("cs766").soft_prior is None
    assert read_prepared("ccc").describe_statistics() == [None, None, None]


def test_another_method_s_statistics_change_no_byte(settings: Callable[..., Settings]) -> None:
    """Another histogram is another prior; who weighs by the batch alone is not trained again."""
    found: dict[str, list[bytes]] = {"cic": [], "ccc": []}
    for seed in (0, 1):
        chosen = settings(keep="published")
        write_histogram(chosen, seed)
        prune_classes(chosen, VERSION, "cic")
        for name, files in found.items():
            prepare_method(chosen, VERSION, name)
            files.append(paths.method_classes(name).read_bytes())
    assert found["ccc"][0] == found["ccc"][1]
    assert found["cic"][0] != found["cic"][1]


def test_a_regression_is_handed_the_counts_of_a_and_b(
    settings: Callable[..., Settings], params: dict[str, Any]
) -> None:
    params["methods"]["shared_unet"] = {
        "model": {"head": {"regresses": "ab"}, "network": {"kind": "unet", "width": 8}, "losses": {"profile": {}}}
    }
    chosen = settings()
    cells = write_histogram(chosen)
    assert (
        prepare_method(chosen, VERSION, "shared_unet") == "regresses ab, needs no classes, with the counts of a and b"
    )
    found = read_prepared("shared_unet").axis_counts
    rows, columns = np.nonzero(cells)
    for axis, floors in enumerate((rows - 128, columns - 128)):
        expected = np.histogram(floors, np.linspace(-128, 128, 65), weights=cells[rows, columns])[0]
        np.testing.assert_array_equal(found[axis], expected)
    prepare_method(chosen, VERSION, "l2")
    assert read_prepared("l2").describe_statistics() == [None, None, None]
