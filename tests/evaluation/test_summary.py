"""From rows to figures: means, what is left out, intervals, pairs, and what is refused."""

from typing import Any

import numpy as np
import pyarrow as pa
import pytest
from scipy import stats

from pipeline.errors import UserError
from pipeline.evaluation.schemas import PAIR_ROWS, SET_ROWS, SUMMARY_ROWS, image_rows_schema
from pipeline.evaluation.statistics import bootstrap_intervals
from pipeline.evaluation.summary import summarize
from pipeline.metrics.registry import METRICS
from pipeline.reporting.page.words import lede
from pipeline.reporting.tables.claims import paired_tests
from pipeline.reporting.tables.columns import metric_column
from pipeline.reporting.tables.leaderboard import boards

KINDS = {"gray": "floor", "ours": "trained", "theirs": "imported"}


def image_rows(method: str, columns: dict[str, list[float]], **facts: Any) -> pa.Table:
    count = len(next(iter(columns.values())))
    shared = {
        "set": "set",
        "method": method,
        "variant": "raw",
        "protocol": "cic-256@1",
        "space": "paper",
        "status": "ok",
    }
    return pa.Table.from_pylist(
        [
            shared
            | {"image_id": f"photo{number:02d}"}
            | {name: values[number] for name, values in columns.items()}
            | facts
            for number in range(count)
        ],
        schema=image_rows_schema(),
    )


def set_rows(method: str, *rows: dict[str, Any]) -> pa.Table:
    shared = {"set": "set", "method": method, "variant": "raw", "protocol": "cic-256@1", "space": "paper"}
    return pa.Table.from_pylist([shared | row for row in rows], schema=SET_ROWS)


def records(table: pa.Table) -> dict[tuple[str, str], dict[str, Any]]:
    return {(row["method"], row["metric"]): row for row in table.to_pylist()}


def test_means_and_what_is_left_out() -> None:
    psnr = [20.0, 22.0, np.inf, 24.0]
    summary, _ = summarize([image_rows("ours", {"psnr": psnr, "mse": [1.0, 2, 0, 3]})], [], KINDS)
    assert summary.schema.names == SUMMARY_ROWS.names
    row = records(summary)["ours", "psnr"]
    assert (row["value"], row["images"], row["left_out"]) == (22.0, 3, 1)
    assert row["low"] <= 22.0 <= row["high"]
    assert row["kind"] == "trained"
    assert row["status"] == "few_images"
    assert "identical" in row["reason"]
    assert records(summary)["ours", "mse"]["value"] == 1.5
    assert {name for _, name in records(summary)} == {"psnr", "mse"}


def test_enough_photographs_are_ok() -> None:
    summary, _ = summarize([image_rows("ours", {"ssim": list(np.linspace(0, 1, 30))})], [], KINDS)
    assert records(summary)["ours", "ssim"]["status"] == "ok"
    assert records(summary)["ours", "ssim"]["reason"] == ""


def test_a_metric_without_any_value_is_undefined() -> None:
    summary, _ = summarize([image_rows("ours", {"psnr": [np.inf, np.inf], "ssim": [np.nan, np.nan]})], [], KINDS)
    for name in ("psnr", "ssim"):
        assert records(summary)["ours", name]["status"] == "undefined"
        assert records(summary)["ours", name]["value"] is None


def test_set_metrics_and_missing_ones_are_passed_on() -> None:
    rows = set_rows(
        "ours",
        {"metric": "fid", "value": 12.5, "images": 3000, "status": "ok", "reason": ""},
        {"metric": "lpips", "value": None, "images": 0, "status": "missing", "reason": "no weights"},
        {"metric": "band_01_as_02", "value": 0.5, "images": 3, "status": "ok", "reason": ""},
    )
    found = records(summarize([image_rows("ours", {"ssim": [0.5, 0.6]})], [rows], KINDS)[0])
    assert found["ours", "fid"]["value"] == 12.5
    assert found["ours", "fid"]["low"] is None
    assert found["ours", "lpips"]["reason"] == "no weights"
    assert ("ours", "band_01_as_02") not in found  # a table of its own


def test_pairs_are_paired() -> None:
    random = np.random.default_rng(0)
    difficulty, gain = random.normal(20, 5, 40), random.normal(0.3, 0.2, 40)
    ours, theirs = list(difficulty + gain), list(difficulty)
    _, pairs = summarize([image_rows("ours", {"psnr": ours}), image_rows("theirs", {"psnr": theirs})], [], KINDS)
    assert pairs.schema.names == PAIR_ROWS.names
    (row,) = pairs.to_pylist()
    assert (row["method"], row["other"], row["images"]) == ("ours", "theirs", 40)
    assert row["difference"] == pytest.approx(gain.mean())
    assert 0 < row["low"] < row["difference"] < row["high"] < 0.6  # the spread of the photographs themselves is out
    assert row["p"] == pytest.approx(stats.wilcoxon(gain).pvalue)
    assert row["p_holm"] == row["p"]


def test_pairs_take_only_what_both_have() -> None:
    first = image_rows("ours", {"psnr": [20.0, np.inf, 24.0, 30.0]})
    second = image_rows("theirs", {"psnr": [19.0, 22.0, 22.0, 1.0]}).slice(0, 3)
    (row,) = summarize([first, second], [], KINDS)[1].to_pylist()
    assert row["images"] == 2
    assert row["difference"] == pytest.approx((1.0 + 2.0) / 2)


def test_holm_runs_over_the_pairs_of_one_metric() -> None:
    random = np.random.default_rng(1)
    base = random.normal(20, 1, 12)
    tables = [
        image_rows(name, {"psnr": list(base + shift * random.uniform(0.5, 1, 12)), "ssim": list(base)})
        for name, shift in (("gray", 0), ("ours", 1), ("theirs", 0.1))
    ]
    pairs = summarize(tables, [], KINDS)[1].to_pylist()
    psnr = sorted((row for row in pairs if row["metric"] == "psnr"), key=lambda row: row["p"])
    assert len(psnr) == 3
    assert psnr[0]["p_holm"] == pytest.approx(3 * psnr[0]["p"])
    assert all(row["p_holm"] == 1.0 for row in pairs if row["metric"] == "ssim")


def test_raw_and_harmonized_results_are_paired() -> None:
    """With each other and across methods, all in one family."""
    random = np.random.default_rng(2)
    base = random.normal(20, 5, 40)
    tables = [
        image_rows("ours", {"psnr": list(base)}),
        image_rows("ours", {"psnr": list(base + random.normal(0.1, 0.02, 40))}, variant="harmonized"),
        image_rows("theirs", {"psnr": list(base - random.normal(0.0, 0.5, 40))}),
    ]
    rows = summarize(tables, [], KINDS)[1].to_pylist()
    found = {(one["method"], one["variant"], one["other"], one["other_variant"]): one for one in rows}
    assert set(found) == {
        ("ours", "raw", "ours", "harmonized"),
        ("ours", "raw", "theirs", "raw"),
        ("ours", "harmonized", "theirs", "raw"),
    }
    own = found["ours", "raw", "ours", "harmonized"]
    assert own["high"] < 0 and own["p_holm"] == pytest.approx(3 * own["p"])


def test_a_metric_that_is_best_at_one_is_compared_by_its_distance() -> None:
    """Its mean is the difference of what the table ranks by, on one side of 1 and on both."""
    random = np.random.default_rng(3)
    below, near, above = (random.normal(mean, 0.2, 60) for mean in (0.6, 0.8, 1.5))
    tables = [image_rows(n, {"cnr": list(v)}) for n, v in (("ours", below), ("theirs", near), ("gray", above))]
    rows = {(one["method"], one["other"]): one for one in summarize(tables, [], KINDS)[1].to_pylist()}
    distance = {"ours": abs(below.mean() - 1), "theirs": abs(near.mean() - 1), "gray": abs(above.mean() - 1)}
    for (one, other), found in rows.items():
        assert found["difference"] == pytest.approx(distance[one] - distance[other], abs=1e-12)
    assert rows["ours", "theirs"]["p"] == pytest.approx(stats.wilcoxon(near - below).pvalue)
    assert rows["theirs", "gray"]["p"] == pytest.approx(stats.wilcoxon(1 - near - (above - 1)).pvalue)


NULL = {
    "psnr": (20, 3),
    "ssim": (0.9, 0.03),
    "lpips": (0.2, 0.05),
    "cnr": (0.8, 0.2),
    "tar": (5, 2),
    "ciede2000": (9, 2),
}


def experiment(random: np.random.Generator, methods: int, gain: float = 0.0) -> str:
    """The sentence at the head of the page of a run; `gain` is what the first method has more, in noise widths."""
    tables = []
    difficulty = {name: random.normal(mean, width, 40) for name, (mean, width) in NULL.items()}
    for number in range(methods):
        columns = {
            name: list(
                values + 0.5 * NULL[name][1] * (random.normal(size=40) + (gain if not number else 0) * SIGN[name])
            )
            for name, values in difficulty.items()
        }
        tables.append(image_rows(f"method{number}", columns))
    kinds = {f"method{number}": "trained" for number in range(methods)}
    found, pairs = summarize(tables, [], kinds, draws=100)
    return lede(boards(found.to_pandas(), tests=paired_tests(pairs.to_pandas())))


SIGN = {name: -1 if METRICS[name].direction == "lower" else 1 for name in NULL}


@pytest.mark.parametrize("methods", [2, 4])
def test_where_no_method_differs_a_headline_names_none(methods: int) -> None:
    """200 runs without a difference, six metrics each: at most 5 % name a leader. Two methods are the hardest case."""
    random = np.random.default_rng(16)
    texts = [experiment(random, methods).lower() for _ in range(200)]
    assert all("nobody leads on" in text for text in texts)
    wrong = sum(any("nobody leads" not in part for part in text.rstrip(".").split("; ")) for text in texts)
    assert wrong <= 10, wrong


def test_where_one_is_better_the_headline_says_so() -> None:
    random = np.random.default_rng(17)
    texts = [experiment(random, 3, gain=1.5) for _ in range(20)]
    assert all(text.startswith("method0 leads on PSNR") for text in texts)


def test_intervals_cover_what_they_claim() -> None:
    """Sets of 100 photographs drawn from one population: 95 % of the intervals, give or take 3, hold its mean."""
    random = np.random.default_rng(18)
    ends = [bootstrap_intervals(random.gamma(4.0, 1.0, (100, 1)), 500, 0) for _ in range(2000)]
    share = np.mean([low[0] <= 4.0 <= high[0] for low, high in ends])
    assert 0.92 <= share <= 0.98, share


def test_the_same_rows_give_the_same_tables() -> None:
    tables = [image_rows(name, {"psnr": [20.0, 21, 25, 22]}) for name in ("ours", "theirs")]
    assert summarize(tables, [], KINDS, seed=3) == summarize(tables, [], KINDS, seed=3)


def test_what_cannot_be_compared_is_refused() -> None:
    ours = image_rows("ours", {"psnr": [20.0, 21.0]})
    with pytest.raises(UserError, match=r"2 protocols \(cic-256@1, native@1\) cannot be compared"):
        summarize([ours, image_rows("theirs", {"psnr": [20.0]}, protocol="native@1")], [], KINDS)
    with pytest.raises(UserError, match=r"2 class spaces \(full, paper\)"):
        summarize([ours, image_rows("theirs", {"psnr": [20.0]}, space="full")], [], KINDS)
    with pytest.raises(UserError, match="are there twice"):
        summarize([ours, ours], [], KINDS)
    with pytest.raises(UserError, match="'stranger' has scores but is of no kind"):
        summarize([image_rows("stranger", {"psnr": [20.0]})], [], KINDS)
    with pytest.raises(UserError, match="no rows"):
        summarize([], [], KINDS)


def test_directions_are_those_of_the_definitions() -> None:
    lower = {"mse", "ciede2000", "ciede2000_p95", "lpips", "cf_difference", "fid", "frechet_alexnet", "edge_bleeding"}
    lower |= {"delta_cf", "lpips_vgg"}
    higher = {"psnr", "ssim", "uiqi", "tar", "top1", "top5", "class_accuracy"}
    higher |= {f"class_accuracy_band_{band:02d}" for band in range(1, 11)}
    one = {"cnr"}
    expected = dict.fromkeys(lower, "lower") | dict.fromkeys(higher, "higher") | dict.fromkeys(one, "one")
    for name in METRICS:
        assert metric_column(name).better == expected.get(name.removeprefix("own_"), ""), name


def test_what_needs_weights() -> None:
    assert {name for name, metric in METRICS.items() if metric.weights} == {
        "lpips",
        "lpips_vgg",
        "fid",
        "frechet_alexnet",
    }
