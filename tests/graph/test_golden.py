"""A result that changed without its stage's version is found; so is a version without new golden results."""

import json

import pytest

from pipeline.stages.versions import VERSIONS, stage_version
from tests.graph import golden
from tests.graph.golden import UNTRAINED, places, problems, results, steps, versions_behind
from tests.graph.tiny_run import graph, make_run


@pytest.fixture(scope="module")
def run(tmp_path_factory):
    folder = tmp_path_factory.mktemp("golden") / "run"
    make_run(folder)
    return folder, results(folder)


def test_results_are_those_of_their_versions(run):
    assert not (told := problems(*run)), "\n\n".join(told.values())


def test_every_stage_has_golden_results(run):
    assert set(run[1]) == {step.counted_as for step in steps()}
    assert {step.stage for step in steps()} == set(graph()) - {"evaluate_imported"}
    for found in run[1].values():
        for step, files in found.items():
            assert files, f"{step} is compared in nothing"


def test_versions_behind_follow_the_graph():
    assert set(versions_behind("segment")) == {"download", "segment"}
    assert set(versions_behind("classes")) == {"classes", "download", "histogram"}
    assert set(versions_behind("baseline")) == {"baseline", "classes", "download", "histogram"}
    assert "report" not in versions_behind("evaluate")
    assert set(versions_behind("report")) == {step.counted_as for step in steps()}


def nudged(found, key, file, column):
    """The results with one value of a float column a little larger."""
    copy = json.loads(json.dumps(found))
    held = next(files[file] for files in copy[key].values() if file in files)
    held[column][0] += 3.0
    return copy


def test_a_changed_result_is_blamed_on_the_first_stage_that_changed(run):
    folder, found = run
    changed = nudged(found, "evaluate", "reports/images/gray/sample.parquet", "psnr")
    changed = nudged(changed, "report", "reports/summary.parquet", "value")
    told = problems(folder, changed)
    assert list(told) == ["evaluate"]
    still = f"its version is still {stage_version('evaluate', VERSIONS).number}"
    assert f"stage evaluate puts out something else than it did, and {still}" in told["evaluate"]
    assert "reports/images/gray/sample.parquet: psnr differs in 1 of 3 values, the first was " in told["evaluate"]
    assert "raise evaluate in pipeline/stages/versions.yaml" in told["evaluate"]
    with pytest.raises(SystemExit, match=still):
        list(golden.write(folder, changed))


def test_a_raised_version_demands_golden_results_of_what_follows(run, monkeypatch, tmp_path):
    folder, found = run
    raised = golden.VERSIONS.read_text(encoding="utf-8").replace("harmonize: 1", "harmonize: 2")
    (tmp_path / "versions.yaml").write_text(raised, encoding="utf-8")
    monkeypatch.setattr(golden, "VERSIONS", tmp_path / "versions.yaml")
    told = problems(folder, found)
    assert set(told) == {"harmonize", "evaluate", "report"}
    assert all("run python -m tests.graph.golden --write" in text for text in told.values())


def test_another_processor_gives_the_same_up_to_training(run, tmp_path):
    folder, _ = run
    make_run(tmp_path / "haswell", "--untrained", OPENBLAS_CORETYPE="Haswell")
    files = {
        path.relative_to(folder)
        for step in steps()
        if step.stage in UNTRAINED
        for place in places(step, "outs")
        for path in [folder / place, *(folder / place).rglob("*")]
        if path.is_file()
    }
    assert len(files) > 15
    other = {file for file in files if (folder / file).read_bytes() != (tmp_path / "haswell" / file).read_bytes()}
    assert not other
