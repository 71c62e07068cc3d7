"""A project that can be joined: pushed to a remote, cloned, pulled, and there without computing."""

import shutil

import pyarrow.parquet as pq
import pytest

from tests.graph.clones import OUTSIDE, call, copy_clone, set_parameters, stages_run

IMPORTED = "by_hand/imported/Mine/sample"


@pytest.fixture(scope="module")
def pushed(clone, tmp_path_factory):
    """A project with results from elsewhere, run, committed and pushed to a folder."""
    folder = copy_clone(clone, tmp_path_factory.mktemp("remote") / "project")
    call(folder, "huebench", "sets", "export", "sample", "--split", "test", "elsewhere")
    said = call(folder, "huebench", "import-results", "elsewhere", "--set", "sample", "--name", "Mine")
    assert f"git add {IMPORTED}.dvc" in said
    shutil.rmtree(folder / "elsewhere")
    set_parameters(folder, {"run.imported": ["Mine"]})
    assert "evaluate_imported@Mine-sample" in stages_run(call(folder, "dvc", "repro"))
    call(folder, "dvc", "remote", "add", "--default", "storage", str(folder.with_name("storage")))
    call(folder, "git", "add", "-A")
    call(folder, "git", "commit", "-qm", "results from elsewhere")
    call(folder, "dvc", "push")
    return folder


def test_a_clone_pulls_everything_and_computes_nothing(pushed, tmp_path):
    other = tmp_path / "other"
    call(tmp_path, "git", "clone", "-q", str(pushed), str(other))
    assert not (other / IMPORTED).exists()
    call(other, "dvc", "pull")
    assert stages_run(call(other, "dvc", "repro")) == {OUTSIDE}
    assert call(other, "git", "status", "--porcelain") == ""
    for name in ("reports/index.html", "reports/summary.parquet", f"{IMPORTED}/index.parquet"):
        assert (other / name).read_bytes() == (pushed / name).read_bytes()


def test_clean_leaves_what_no_stage_can_make_again(pushed, tmp_path):
    folder = copy_clone(pushed, tmp_path / "project")
    before = pq.read_table(folder / "reports/images/Mine/sample.parquet")
    (folder / "by_hand/sweep.parquet").write_bytes(b"a table")
    call(folder, "make", "clean")
    assert not (folder / "reports").exists() and (folder / "by_hand/sweep.parquet").read_bytes() == b"a table"
    call(folder, "dvc", "checkout")
    assert stages_run(call(folder, "dvc", "repro")) == {OUTSIDE}
    assert pq.read_table(folder / "reports/images/Mine/sample.parquet").equals(before)


def test_outside_of_a_project_nothing_is_imported(clone, tmp_path):
    folder = copy_clone(clone, tmp_path / "project")
    call(folder, "huebench", "sets", "export", "sample", "--split", "test", "elsewhere")
    shutil.rmtree(folder / ".dvc")
    with pytest.raises(AssertionError, match="huebench: this is no DVC project, in which results are kept"):
        call(folder, "huebench", "import-results", "elsewhere", "--set", "sample", "--name", "Mine")
    assert not (folder / "by_hand").exists()
