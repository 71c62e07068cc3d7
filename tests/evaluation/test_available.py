"""What can be scored here and now."""

from pathlib import Path

import pytest
import torch
from click.testing import CliRunner

from pipeline.cli import main
from pipeline.evaluation.available import available_metrics
from pipeline.metrics.perceptual import alexnet_layers
from pipeline.metrics.registry import CLASS_BAND, METRICS


@pytest.fixture(autouse=True)
def no_weights(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("HUEBENCH_WEIGHTS", str(tmp_path))
    monkeypatch.setenv("TORCH_HOME", str(tmp_path))


def test_weights_are_here_or_not(tmp_path: Path) -> None:
    found = {one.name: one for one in available_metrics().metrics}
    assert {name for name, one in found.items() if not one.here} == {"lpips", "lpips_vgg", "fid", "frechet_alexnet"}
    assert "MISSING here" in found["fid"].words() and len(available_metrics().remedies) == 3
    layers = {f"features.{name}": value for name, value in alexnet_layers().state_dict().items()}
    torch.save(layers, tmp_path / "alexnet_features.pth")
    found = {one.name: one for one in available_metrics().metrics}
    assert {name for name, one in found.items() if not one.here} == {"lpips_vgg", "fid"}
    assert found["lpips"].words() == "lower is better; needs the weights of alexnet"


def test_every_metric_is_there_once() -> None:
    names = [one.name for one in available_metrics().metrics]
    assert names[:-1] == [name for name in METRICS if not name.startswith(CLASS_BAND)]
    found = {one.name: one for one in available_metrics().metrics}
    assert found["psnr"].protocols == ("ct2-val5k@1", "ddcolor-256@1", "ntire2019@1")
    assert found["psnr"].words() == "higher is better; dB; as in ct2-val5k@1, ddcolor-256@1, ntire2019@1"
    assert found["delta_cf"].protocols == ("ct2-val5k@1", "ddcolor-256@1") and not found["cf"].protocols


def test_the_command_needs_no_project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    done = CliRunner().invoke(main, ["metrics"])
    assert done.exit_code == 0, done.output
    assert max(len(line) for line in done.output.splitlines() if "http" not in line) <= 80
    assert "class_accuracy_band_01 .. 10" in done.output and "HUEBENCH_WEIGHTS" in done.output
