"""The stage `outside`: what it notes of files that are no part of the graph."""

import json
import os
from pathlib import Path
from typing import Any

import pytest
from ruamel.yaml import YAML

from pipeline.stages import paths
from pipeline.stages.outside import note_outside


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, params: dict[str, Any]) -> Path:
    """A folder with params.yaml, whose masks come from `sam`, and an empty folder of weights."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("HUEBENCH_WEIGHTS", str(tmp_path / "weights"))
    monkeypatch.setenv("TORCH_HOME", str(tmp_path / "hub"))
    (tmp_path / "weights").mkdir()
    write(params, {"kind": "sam", "model": "vit_b"})
    return tmp_path


def write(params: dict[str, Any], segmenter: dict[str, Any]) -> None:
    params["masks"]["segmenter"] = segmenter
    YAML().dump(params, Path("params.yaml"))


def noted() -> Any:
    note_outside()
    return json.loads(paths.OUTSIDE_MASKS.read_text(encoding="utf-8"))


def test_a_checkpoint_that_is_placed_or_replaced_is_noted(project: Path, params: dict[str, Any]) -> None:
    assert noted() == "not there"
    checkpoint = project / "weights/sam_vit_b_01ec64.pth"
    checkpoint.write_bytes(b"weights")
    first = noted()
    assert first["file"] == checkpoint.name
    assert noted() == first
    checkpoint.write_bytes(b"others!")
    os.utime(checkpoint, (0, 0))
    assert noted()["sha256"] != first["sha256"]
    write(params, {"kind": "slic"})
    assert noted() == {}


def test_the_same_notes_keep_their_bytes(project: Path) -> None:
    note_outside()
    before = {path: path.read_bytes() for path in paths.OUTSIDE.rglob("*.json")}
    assert before
    note_outside()
    assert {path: path.read_bytes() for path in paths.OUTSIDE.rglob("*.json")} == before
