"""A metric that the registry names arrives everywhere, and one that nothing gives stops the run."""

from collections.abc import Callable, Mapping
from dataclasses import replace
from pathlib import Path

import numpy as np
import pyarrow.parquet as pq
import pytest
import torch

from pipeline.color.space import ColorSpace
from pipeline.evaluation.network_features import NetworkFeatures
from pipeline.evaluation.pair_scores import describe, score_pairs
from pipeline.evaluation.protocols import NATIVE
from pipeline.evaluation.scoring import ScoreSettings, score_set
from pipeline.evaluation.summary import summarize
from pipeline.images.decode import encode_png
from pipeline.metrics.batches import Values
from pipeline.metrics.described import Photographs
from pipeline.metrics.registry import ALEXNET, METRICS, Metric
from pipeline.reporting.tables.exports import headline_figures
from pipeline.reporting.tables.leaderboard import boards, read_summary
from pipeline.storage.store import Store, StoreWriter

SPACE, OWN = ColorSpace(6), ColorSpace(10)
NO_NETWORK = NetworkFeatures(None, {})
CALLS: list[str] = []


def measure_red(truth: Photographs, result: Photographs) -> Mapping[str, Values]:
    """How far the mean level of red is off, signed and not."""
    CALLS.append("red")
    off = (result.images[..., 0].double().mean(dim=(1, 2)) - truth.images[..., 0].double().mean(dim=(1, 2))).numpy()
    return {"red": np.abs(off), "red_signed": off}


def measure_own_count(truth: Photographs, result: Photographs) -> Mapping[str, Values]:
    """Q of the space that it is called in, for every photograph."""
    return {"count": np.full(len(result.images), float(result.kept_count))}


HERE = "tests.evaluation.test_pair_scores"
RED = Metric(
    "red", "Red", "lower", "", 2, "image", "pixels", "made up", measure=f"{HERE}:measure_red", shown="headline"
)


def described(pairs: tuple[np.ndarray, np.ndarray], own: ColorSpace | None = None) -> list[Photographs]:
    return [describe(images, NO_NETWORK, SPACE, own) for images in pairs]


def test_a_new_metric_arrives_in_rows_summary_and_page(
    make_store: Callable[..., Store], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HUEBENCH_WORKERS", "1")
    monkeypatch.setenv("HUEBENCH_WEIGHTS", str(tmp_path))
    monkeypatch.setenv("TORCH_HOME", str(tmp_path))
    monkeypatch.setitem(METRICS, "red", RED)
    truth = make_store(3)
    with StoreWriter(tmp_path / "raw") as writer:
        for image_id in truth.index.index:
            writer.add(image_id, encode_png(truth.rgb(image_id) // 2 + 9), split="test")
    raw = Store(tmp_path / "raw")
    rows, sets = score_set(truth, {"raw": raw}, NATIVE, SPACE, None, ScoreSettings("set", "ours", "full"))
    expected = [abs(raw.rgb(name)[..., 0].mean() - truth.rgb(name)[..., 0].mean()) for name in truth.index.index]
    assert rows["red"].to_pylist() == pytest.approx(expected)
    summary, _ = summarize([rows], [sets], {"ours": "trained"})
    (figure,) = [row["value"] for row in summary.to_pylist() if row["metric"] == "red"]
    assert figure == pytest.approx(np.mean(expected))
    pq.write_table(summary, tmp_path / "summary.parquet")
    (board,) = boards(read_summary(tmp_path / "summary.parquet"))
    (column,) = [column for column in board.columns if column.name == "red"]
    assert (column.label, column.better, column.core, column.text(figure)) == ("Red", "lower", True, f"{figure:.2f}")
    assert headline_figures([board])["set"]["ours"]["red"] == round(figure, 2)


def test_each_measure_is_called_once(pairs: tuple[np.ndarray, np.ndarray], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(METRICS, "red", RED)
    monkeypatch.setitem(METRICS, "red_signed", replace(RED, name="red_signed"))
    CALLS.clear()
    values = score_pairs(*described(pairs))
    assert CALLS == ["red"]
    assert np.array_equal(np.abs(values["red_signed"]), values["red"])


def test_a_metric_that_nothing_gives_stops_the_run(
    pairs: tuple[np.ndarray, np.ndarray], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(METRICS, "blue", replace(RED, name="blue"))
    with pytest.raises(LookupError, match=r"measure_red gives red, red_signed, and metric 'blue' names it for 'blue'"):
        score_pairs(*described(pairs))
    monkeypatch.setitem(METRICS, "blue", replace(RED, name="blue", measure=f"{HERE}:measure_blue"))
    with pytest.raises(AttributeError, match="measure_blue"):
        score_pairs(*described(pairs))


def test_a_measure_that_gives_one_value_for_all_stops_the_run(
    pairs: tuple[np.ndarray, np.ndarray], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(f"{HERE}.measure_red", lambda truth, result: {"red": np.zeros(1)})
    monkeypatch.setitem(METRICS, "red", RED)
    with pytest.raises(LookupError, match=r"'red' in the shape \(1,\), it takes one value for each of 4"):
        score_pairs(*described(pairs))


def test_a_set_metric_that_nothing_computes_stops_the_run(
    make_store: Callable[..., Store], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HUEBENCH_WORKERS", "1")
    monkeypatch.setenv("HUEBENCH_WEIGHTS", str(tmp_path))
    monkeypatch.setenv("TORCH_HOME", str(tmp_path))
    monkeypatch.setitem(METRICS, "spread", Metric("spread", "Spread", "lower", "", 2, "set", "classes", "made up"))
    truth = make_store(2)
    with pytest.raises(LookupError, match="has the set metric 'spread', and nothing computes it"):
        score_set(truth, {"raw": truth}, NATIVE, SPACE, None, ScoreSettings("set", "ours", "full"))


def test_own_metrics_are_measured_in_the_own_space(
    pairs: tuple[np.ndarray, np.ndarray], monkeypatch: pytest.MonkeyPatch
) -> None:
    count = Metric("count", "Q", "", "", 0, "image", "classes", "made up", measure=f"{HERE}:measure_own_count")
    monkeypatch.setitem(METRICS, "count", count)
    monkeypatch.setitem(METRICS, "own_count", replace(count, name="own_count", own=True))
    values = score_pairs(*described(pairs, OWN))
    assert set(values["count"]) == {SPACE.kept_count}
    assert set(values["own_count"]) == {OWN.kept_count}
    assert not [name for name in score_pairs(*described(pairs)) if name.startswith("own_")]


def test_metrics_of_a_network_take_part_with_its_weights(pairs: tuple[np.ndarray, np.ndarray]) -> None:
    sides = described(pairs)
    assert "lpips" not in score_pairs(*sides)
    with pytest.raises(ValueError, match="described with AlexNet"):
        score_pairs(*sides, weights={ALEXNET})
    vectors = [torch.full((4, 2), level) for level in (0.0, 0.5)]
    first, second = (replace(side, vectors=vector) for side, vector in zip(sides, vectors, strict=True))
    assert score_pairs(first, second, weights={ALEXNET})["lpips"].tolist() == [0.5] * 4


def test_shapes_have_to_be_equal(pairs: tuple[np.ndarray, np.ndarray]) -> None:
    first, second = described((pairs[0], pairs[1][:, :-1]))
    with pytest.raises(ValueError, match="must be equal"):
        score_pairs(first, second)
