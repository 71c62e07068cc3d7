"""Table II against what is printed, and the notes on what cannot be met."""

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from pipeline.color.study import PAPER_BIN_SIZES, beside_printed, bin_size_study, rgb_deviation

PRINTED = Path(__file__).parents[2] / "pipeline" / "reporting" / "tables" / "published" / "ccc_plus_plus_bin_sizes.csv"


@pytest.fixture(scope="module")
def study() -> pd.DataFrame:
    cells = np.zeros((256, 256), np.int64)
    cells[100:156, 100:156] = 10
    cells[128, 200] = 1
    return bin_size_study(cells, lambda classes: 1000 + 9 * classes, min_share=1e-4)


@pytest.mark.parametrize(
    ("distance", "value"), [(1, 1.59), (3, 4.86), (4, 6.56), (5, 8.31), (6, 10.12), (7, 12.00), (2, 3.21)]
)
def test_deviations_are_those_of_the_specification(distance: float, value: float) -> None:
    assert rgb_deviation(50, distance) == pytest.approx(value, abs=0.005)


def test_rows_and_columns(study: pd.DataFrame) -> None:
    assert tuple(study["bin_size"]) == PAPER_BIN_SIZES
    assert study["total_classes"].tolist() == [2916, 1296, 729, 484, 324, 256]
    assert study["reachable_classes"].tolist() == [1493, 687, 395, 262, 187, 140]
    assert study["ab_max_dev"].tolist() == [2, 3, 4, 5, 6, 7]
    assert study["ab_avg_dev"].tolist() == [1, 1.5, 2, 2.5, 3, 3.5]
    assert (study["parameters"] == 1000 + 9 * study["kept_classes"]).all()
    assert (study["observed_classes"] == study["kept_classes"] + 1).all()  # the one pixel far from the others
    means = study[["rgb_max_dev_ab50", "rgb_max_dev_ab0", "rgb_max_dev_abm50"]].mean(axis=1)
    np.testing.assert_allclose(study["rgb_max_dev_avg"], means)


def test_printed_cells_are_met_or_explained(study: pd.DataFrame) -> None:
    cells = beside_printed(study, pd.read_csv(PRINTED))
    assert len(cells) == 6 * 12
    missed = cells[~cells["met"]]
    assert (missed["note"] != "").all()
    assert (cells[cells["met"]]["note"] == "").all()
    assert missed[missed["column"] == "total_classes"]["bin_size"].tolist() == [8]
    assert missed[missed["column"] == "rgb_max_dev_ab50"]["bin_size"].tolist() == [4]
    assert not missed["column"].isin(["ab_max_dev", "ab_avg_dev", "rgb_avg_dev_ab50"]).any()
    near_grey = cells[cells["column"].isin(["rgb_avg_dev_ab0", "rgb_max_dev_ab0"]) & ~cells["note"].str.contains("1.5")]
    assert (np.abs(near_grey["ours"] - near_grey["printed"]) < 0.1).all()  # what the note says


def test_a_table_with_other_bin_sizes_is_compared_where_it_can_be(study: pd.DataFrame) -> None:
    printed = pd.DataFrame({"bin_size": [6, 7], "total_classes": [1296, 1], "unknown": [1, 2]})
    cells = beside_printed(study, printed)
    assert cells[["bin_size", "column", "met"]].values.tolist() == [[6, "total_classes", True]]


def test_a_bin_size_that_keeps_nothing_has_no_network() -> None:
    cells = np.zeros((256, 256), np.int64)
    cells[132:140, 132:140] = 1
    study = bin_size_study(cells, lambda classes: classes, min_share=0.4, bin_sizes=(4, 14))
    assert study["kept_classes"].tolist() == [0, 1]
    assert np.isnan(study["parameters"][0])
    assert study["parameters"][1] == 1
