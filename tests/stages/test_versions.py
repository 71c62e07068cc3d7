"""Versions of stages: read, written into what a stage makes, and state of older code left alone."""

import logging

import pytest

from pipeline.errors import UserError
from pipeline.stages.registry import STAGES
from pipeline.stages.versions import StageVersion, stage_version


@pytest.fixture(autouse=True)
def folder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)


def test_every_stage_has_a_number():
    for name, stage in STAGES.items():
        version = stage_version(stage.counted_as or name)
        assert version.number >= 1
        assert version.facts() == {"stage": stage.counted_as or name, "stage_version": version.number}


@pytest.mark.parametrize("content", ["train: 0\n", "train: one\n", "train: 1.5\n", "predict: 1\n"])
def test_a_number_that_is_none_is_one_line(tmp_path, content):
    path = tmp_path / "versions.yaml"
    path.write_text(content, encoding="utf-8")
    with pytest.raises(UserError, match=r"versions\.yaml: train is .*, it takes a whole number of at least 1"):
        stage_version("train", path)


def test_state_of_older_code_is_not_continued_silently(caplog):
    older = StageVersion("train", 2).resume_folder("l2")
    newer = StageVersion("train", 11).resume_folder("l2")
    other = StageVersion("predict", 2).resume_folder("l2", "sample")
    for place in (older, newer, other):
        place.mkdir(parents=True)
        (place / "state").write_text("kept", encoding="utf-8")
    with caplog.at_level(logging.WARNING):
        current = StageVersion("train", 3).resume_folder("l2")
    assert not current.exists()
    assert not older.exists()
    assert (newer / "state").exists()  # that of a branch that is ahead
    assert (other / "state").exists()
    assert caplog.messages == [".cache/train/version-2 is state of older code of stage train: removed, begun anew"]
    caplog.clear()
    assert StageVersion("train", 3).resume_folder("l2") == current
    assert not caplog.messages
