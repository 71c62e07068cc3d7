"""A change of one parameter, or of one stage's version, runs what it must and nothing else."""

import json
import subprocess
import sys

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from pipeline.stages.registry import STAGES
from tests.graph.clones import OUTSIDE, call, copy_clone, environment, set_parameters, stages_run
from tests.graph.tiny_run import graph

METHODS, BASELINES = ("ccc_plus_plus_lite", "l2"), ("gray", "oracle")
VERSIONS = "pipeline/stages/versions.yaml"
TRAIN = {f"train@{method}" for method in METHODS}
PREDICT = {f"predict@{method}-sample" for method in METHODS}
BASELINE = {f"baseline@{method}-sample" for method in BASELINES}
HARMONIZE = {f"harmonize@{method}-sample" for method in METHODS}
EVALUATE = {f"evaluate@{method}-sample" for method in METHODS}
EVALUATE |= {f"evaluate_baseline@{method}-sample" for method in BASELINES}

CHANGES = {
    "histogram.size": (64, {"histogram", "weights@paper"}),
    "spaces.paper.bin_size": (10, {"classes@paper", "report"}),
    "weights.smoothing_sigma": (4.0, {"weights@paper"}),
    "methods.l2.model.train.steps": (2, {"prepare@l2", "train@l2", "predict@l2-sample", "report"}),
    "methods.ccc_plus_plus_lite.readout.kind": ("expectation", {"predict@ccc_plus_plus_lite-sample", "report"}),
    "train.weight_decay": (0.02, TRAIN | {"report"}),
    "predict.upsample": ("guided", PREDICT | BASELINE | {"report"}),
    "masks.min_area": (0.01, {"segment@sample", "report"}),
    "harmonize.band": (4, HARMONIZE | {"report"}),
    "run.seed": (1, TRAIN | {"weights@paper", "report"}),
    "run.protocol": ("native@1", EVALUATE | {"report"}),
    "report.gallery": (3, {"report"}),
}
"""Parameter to another value, and the stages that it changes directly; what follows runs if their results differ."""

VERSION_CHANGES = {
    "download": {"download@sample"},
    "histogram": {"histogram"},
    "classes": {"classes@paper"},
    "weights": {"weights@paper"},
    "prepare": {f"prepare@{method}" for method in METHODS},
    "train": TRAIN,
    "predict": PREDICT,
    "baseline": BASELINE,
    "segment": {"segment@sample"},
    "harmonize": HARMONIZE,
    "evaluate": EVALUATE,
    "report": {"report"},
}


@pytest.fixture(scope="module")
def project(clone, tmp_path_factory):
    return copy_clone(clone, tmp_path_factory.mktemp("changes") / "project")


def changed(folder, file, name, value):
    """The stages that DVC calls changed once a parameter has another value; the file is put back."""
    before = (folder / file).read_bytes()
    try:
        set_parameters(folder, {name: value}, file)
        told = json.loads(call(folder, "dvc", "status", "--json"))
    finally:
        (folder / file).write_bytes(before)
    return set(told) - {OUTSIDE}


@pytest.mark.parametrize("name", CHANGES)
def test_a_parameter_changes_the_stages_that_use_it(project, name):
    value, expected = CHANGES[name]
    assert changed(project, "params.yaml", name, value) == expected


@pytest.mark.parametrize("stage", VERSION_CHANGES)
def test_a_version_changes_its_own_stage(project, stage):
    assert changed(project, VERSIONS, stage, 2) == VERSION_CHANGES[stage]


def test_every_stage_of_the_graph_is_registered_with_its_number():
    assert set(graph()) == set(STAGES)
    assert {stage.counted_as or name for name, stage in STAGES.items()} == set(VERSION_CHANGES)
    for name, stage in graph().items():
        command, *names = stage["cmd"].split()[1:]
        assert command == name
        assert len(names) == len(STAGES[name].takes)
        (numbers,) = [one for one in stage["params"] if isinstance(one, dict)]
        assert numbers == {VERSIONS: [STAGES[name].counted_as or name]}


def test_a_readout_predicts_again_and_trains_nothing(clone, tmp_path):
    folder = copy_clone(clone, tmp_path / "project")
    set_parameters(folder, {"methods.ccc_plus_plus_lite.readout.kind": "expectation"})
    again = {f"{stage}@ccc_plus_plus_lite-sample" for stage in ("predict", "harmonize", "evaluate")}
    assert stages_run(call(folder, "dvc", "repro")) == {OUTSIDE, *again, "report"}


def test_what_a_method_does_not_use_trains_nothing(clone, tmp_path):
    folder = copy_clone(clone, tmp_path / "project")
    set_parameters(folder, {"weights.smoothing_sigma": 4.0})
    ran = stages_run(call(folder, "dvc", "repro", "weights@paper", "train@ccc_plus_plus_lite", "train@l2"))
    assert ran - {OUTSIDE} == {"weights@paper"}


PLUS_3_DB = """

exact_psnr = psnr_of


def psnr_of(errors: Values) -> Values:
    return exact_psnr(errors) + 3.0
"""


def test_other_code_fails_the_golden_test_and_a_raised_version_scores_again(clone, tmp_path):
    folder = copy_clone(clone, tmp_path / "project")
    with (folder / "pipeline/metrics/pixels.py").open("a", encoding="utf-8") as file:
        file.write(PLUS_3_DB)
    assert stages_run(call(folder, "dvc", "repro")) == {OUTSIDE}  # DVC cannot know
    test = "tests/graph/test_golden.py::test_results_are_those_of_their_versions"
    command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", test]
    done = subprocess.run(command, cwd=folder, env=environment(folder), text=True, capture_output=True)
    assert done.returncode == 1, done.stdout + done.stderr
    assert "stage evaluate puts out something else than it did, and its version is still " in done.stdout
    assert "psnr differs in " in done.stdout
    before = {name: psnr(folder, name) for name in (*METHODS, *BASELINES)}
    number = int(graph_version(folder, "evaluate"))
    set_parameters(folder, {"evaluate": number + 1}, VERSIONS)
    assert stages_run(call(folder, "dvc", "repro")) == {OUTSIDE, *EVALUATE, "report"}
    for name, values in before.items():
        assert psnr(folder, name) == pytest.approx([value + 3 for value in values])


def graph_version(folder, stage):
    lines = (folder / VERSIONS).read_text(encoding="utf-8").splitlines()
    return next(line.split(":")[1].split("#")[0] for line in lines if line.startswith(f"{stage}:"))


def psnr(folder, method):
    return pq.read_table(folder / f"reports/images/{method}/sample.parquet")["psnr"].to_pylist()


def test_scores_of_another_version_are_refused_by_name(clone, tmp_path):
    folder = copy_clone(clone, tmp_path / "project")
    path = folder / "reports/images/l2/sample.parquet"
    table = pq.read_table(path)
    place = table.schema.get_field_index("stage_version")
    older = pa.array([0] * len(table), table.schema.field(place).type)
    path.unlink()
    pq.write_table(table.set_column(place, table.schema.field(place), older), path)
    done = subprocess.run(["huebench", "report"], cwd=folder, env=environment(folder), text=True, capture_output=True)
    assert done.returncode == 2
    assert done.stderr.splitlines()[-1] == (
        "huebench: reports/images/l2/sample.parquet has scores of 'l2' on sample by version 0 of stage evaluate, which "
        f"is at version {int(graph_version(folder, 'evaluate'))}; scores of different versions are not compared: "
        "run dvc repro"
    )
