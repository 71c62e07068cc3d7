import os
import subprocess
import sys
from pathlib import Path

import pytest
from click.testing import CliRunner
from ruamel.yaml import YAML

from pipeline.cli import main
from pipeline.stages import paths
from pipeline.stages.registry import STAGES

ROOT = Path(__file__).parents[2]


@pytest.fixture
def project(tmp_path, monkeypatch):
    for name in ("params.yaml", "presets"):
        (tmp_path / name).symlink_to(ROOT / name) if name == "presets" else (tmp_path / name).write_text(
            (ROOT / name).read_text(encoding="utf-8"), encoding="utf-8"
        )
    monkeypatch.chdir(tmp_path)
    return tmp_path


def call(*arguments):
    return CliRunner().invoke(main, arguments)


def test_every_command_of_the_graph_is_there_with_help():
    files = [ROOT / "dvc.yaml", ROOT / "pipeline/stages/dvc.yaml"]
    graphs = [YAML(typ="safe", pure=True).load(file.read_text(encoding="utf-8"))["stages"] for file in files]
    commands = {stage["cmd"].split()[1] for stages in graphs for stage in stages.values()}
    assert commands <= set(main.commands)
    assert commands == {*STAGES, "outside"}
    for command in main.commands:
        result = call(command, "--help")
        assert result.exit_code == 0
        assert "Usage:" in result.output


def test_the_command_line_loads_nothing_that_takes_long():
    slow = "{'numpy', 'pandas', 'pyarrow', 'pydantic', 'ruamel.yaml', 'torch'}"
    code = f"import sys, pipeline.cli; print(sorted({slow} & set(sys.modules)))"
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, text=True, capture_output=True, check=True)
    assert done.stdout == "[]\n"
    code = code.replace("pipeline.cli", "pipeline.cli, pipeline.stages.outside")  # runs at every dvc repro
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, text=True, capture_output=True, check=True)
    assert done.stdout == "[]\n"


def test_the_graph_names_the_same_places_as_the_code():
    text = (ROOT / "dvc.yaml").read_text(encoding="utf-8")
    for place in (
        paths.image_set("${item.set}"),
        paths.HISTOGRAM,
        paths.space("${item.space}"),
        paths.weights("${item.space}"),
        paths.weight_batches("${item.space}"),
        paths.method("${item.method}"),
        paths.model("${item.method}"),
        paths.training_report("${item.method}"),
        paths.predictions("${item.method}", "${item.set}"),
        paths.class_hits("${item.method}", "${item.set}"),
        paths.imported("${item.method}", "${item.set}"),
        paths.masks("${item.set}"),
        paths.harmonized("${item.method}", "${item.set}"),
        paths.harmonized_measures("${item.method}", "${item.set}"),
        paths.image_rows("${item.method}", "${item.set}"),
        paths.set_rows("${item.method}", "${item.set}"),
        paths.SUMMARY,
        paths.PAIRS,
    ):
        assert str(place) in text


@pytest.mark.parametrize("command", [["check"], ["download", "sample"], ["histogram"], ["train", "l2"], ["report"]])
def test_a_wrong_setting_stops_every_command_with_one_line_and_exit_code_2(project, command):
    text = (project / "params.yaml").read_text(encoding="utf-8").replace("bin_size: 6", "bin_size: 0")
    (project / "params.yaml").write_text(text, encoding="utf-8")
    before = sorted(path for path in project.rglob("*") if "presets" not in path.parts)
    result = call(*command)
    assert result.exit_code == 2
    assert result.stderr == "huebench: params.yaml: spaces.paper.bin_size is 0, it takes at least 1\n"
    assert sorted(path for path in project.rglob("*") if "presets" not in path.parts) == before


def test_a_name_that_is_not_defined_is_one_line(project):
    result = call("train", "cic")
    assert result.exit_code == 2
    assert result.stderr.startswith("huebench: 'cic' is not defined in params.yaml; methods has ccc_plus_plus")


def test_presets_are_listed_shown_and_written(project):
    listing = call("preset").output
    assert "places365" in listing and "sample" in listing
    before = (project / "params.yaml").read_text(encoding="utf-8")
    shown = call("preset", "places365", "--show").output
    assert (project / "params.yaml").read_text(encoding="utf-8") == before
    assert call("preset", "places365").exit_code == 0
    assert (project / "params.yaml").read_text(encoding="utf-8") == shown
    assert call("check").exit_code == 0
    failed = call("preset", "nothing")
    assert failed.exit_code == 2
    assert (project / "params.yaml").read_text(encoding="utf-8") == shown


def test_results_that_were_never_imported_are_named_before_anything_runs(project):
    text = (project / "params.yaml").read_text(encoding="utf-8").replace("imported: []", "imported: [DDColor]")
    (project / "params.yaml").write_text(text, encoding="utf-8")
    failed = call("check")
    assert failed.exit_code == 2
    assert "huebench import-results FOLDER --set sample --name DDColor makes them" in failed.stderr
    paths.imported("DDColor", "sample").mkdir(parents=True)
    assert call("check").exit_code == 0


@pytest.mark.parametrize(
    ("command", "says"),
    [
        (["harmonize", "gray", "sample"], "'gray' is not defined in params.yaml; methods has ccc_plus_plus"),
        (["harmonize", "l2", "nope"], "'nope' is not defined in params.yaml; sets has sample"),
        (["evaluate", "l2", "nope"], "'nope' is not defined in params.yaml; sets has sample"),
        (["baseline", "l2", "sample"], "'l2' is no baseline; there are gray and oracle"),
        (["evaluate_imported", "l2", "sample"], "'l2' is not named in run.imported, which has nothing"),
        (["turing", "score", "a.json"], "data/turing/key.json is not there, so there is no Turing test yet; run dvc"),
    ],
)
def test_a_wrong_name_or_order_is_one_line_with_its_remedy(project, command, says):
    result = call(*command)
    assert result.exit_code == 2
    assert result.stderr.startswith(f"huebench: {says}")
    assert result.stderr.count("\n") == 1


def test_what_the_machine_refuses_is_one_line(project, monkeypatch):
    (project / "params.yaml").unlink()
    (project / "params.yaml").mkdir()
    assert call("check").stderr == "huebench: params.yaml: Is a directory\n"

    def full(path, *arguments, **options):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(Path, "read_text", full)
    result = call("check")
    assert (result.exit_code, result.stderr) == (2, "huebench: No space left on device\n")


@pytest.mark.parametrize("group", [[], ["sets"], ["turing"]])
def test_every_summary_of_the_help_is_whole_on_80_columns(group):
    result = CliRunner().invoke(main, [*group, "--help"], terminal_width=80)
    assert "Commands:" in result.output
    assert "..." not in result.output.partition("Commands:")[2]
    assert max(map(len, result.output.splitlines())) <= 80


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (["nowhere.jpg", "--method", "l2"], "nowhere.jpg is not there"),
        (["params.yaml", "--method", "ddcolor"], "'ddcolor' is not defined in params.yaml; methods has ccc_plus_plus"),
    ],
)
def test_a_wrong_path_or_method_is_told_before_torch_is_loaded(project, arguments, says):
    code = "import sys; sys.modules['torch'] = None; from pipeline.cli import main; main()"
    command = [sys.executable, "-c", code, "colorize", *arguments, "-o", "out"]
    environment = os.environ | {"PYTHONPATH": str(ROOT)}
    done = subprocess.run(command, cwd=project, env=environment, text=True, capture_output=True)
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr.startswith(f"huebench: {says}")
