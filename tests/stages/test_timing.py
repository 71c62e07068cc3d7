"""How long stages took: in the order of the graph, whatever ran last, and nothing of stages that are gone."""

from pathlib import Path

import pytest

from pipeline.stages.timing import read_seconds, record_seconds


def test_times_come_in_the_order_of_the_graph(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    assert read_seconds() == {}
    names = ["report", "evaluate_baseline@gray-sample", "train@l2", "compose@l2", "train@ccc", "evaluate@l2-sample"]
    for seconds, name in enumerate([*names, "download@sample"]):
        record_seconds(name, float(seconds), "done")
    record_seconds("train@l2", 9.5, "done again")
    expected = {"download@sample": 6.0, "train@ccc": 4.0, "train@l2": 9.5, "evaluate@l2-sample": 5.0}
    assert list(read_seconds().items()) == [
        *expected.items(),
        ("evaluate_baseline@gray-sample", 1.0),
        ("report", 0.0),
    ]
