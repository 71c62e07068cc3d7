"""Real `dvc repro` in a temporary clone: fresh, no-op, changed parameter, killed half-way, experiments."""

import json
import os
import random
import shutil
import signal
import subprocess
import time

import pyarrow.parquet as pq
import pytest
import torch
from safetensors.torch import load_file

from tests.graph.clones import OUTSIDE, call, environment, make_clone, stages_run

METHODS = ("ccc_plus_plus_lite", "l2")
BASELINES = ("gray", "oracle")


def rows(folder):
    """Every row of every report table."""
    tables = sorted((folder / "reports").rglob("*.parquet"))
    return {str(path.relative_to(folder)): pq.read_table(path).to_pylist() for path in tables}


def without_nan(value):
    return json.loads(json.dumps(value, default=str))


def test_a_fresh_run_scores_every_method_and_both_baselines(clone):
    said = clone.with_name("first_run.txt").read_text(encoding="utf-8")
    expected = {"download@sample", "histogram", "classes@paper", "weights@paper", "segment@sample", "report", OUTSIDE}
    for method in METHODS:
        expected |= {f"{stage}@{method}" for stage in ("prepare", "train")}
        expected |= {f"{stage}@{method}-sample" for stage in ("predict", "harmonize", "evaluate")}
    for method in BASELINES:
        expected |= {f"{stage}@{method}-sample" for stage in ("baseline", "evaluate_baseline")}
    assert stages_run(said) == expected
    for stage in expected:
        name = stage.rpartition(":")[2]
        assert f"\n{name}: " in said, f"{name} did not say in a line what it did"
    for name in ("index.html", "summary.parquet", "metrics.json", "README.md"):
        assert (clone / "reports" / name).stat().st_size > 100
    summary = pq.read_table(clone / "reports/summary.parquet").to_pandas()
    assert set(summary["method"]) == {*METHODS, *BASELINES}


def test_floor_and_ceiling_stand_where_they_must(clone):
    summary = pq.read_table(clone / "reports/summary.parquet").to_pandas()
    raw = summary[(summary["variant"] == "raw") & (summary["space"] != "own")]
    table = raw.drop_duplicates(["method", "metric"]).pivot(index="method", columns="metric", values="value")
    for metric in ("psnr", "tar"):
        assert table[metric].idxmax() == "oracle"
    assert table["cnr"].idxmin() == "gray"


def test_a_second_run_does_nothing(clone):
    started = time.monotonic()
    said = call(clone, "dvc", "repro")
    assert stages_run(said) == {OUTSIDE}
    assert time.monotonic() - started < 30
    assert call(clone, "git", "status", "--porcelain") == ""


def test_what_dvc_shows(clone):
    assert "gray" in call(clone, "dvc", "metrics", "show")
    call(clone, "dvc", "metrics", "diff")
    call(clone, "dvc", "dag")
    assert "index.html" in call(clone, "dvc", "plots", "show", "-o", "plots-out")


def test_another_bin_size_reruns_classes_and_what_follows(clone, tmp_path):
    said = call(clone, "dvc", "exp", "run", "--temp", "-n", "wider", "-S", "spaces.paper.bin_size=10")
    ran = stages_run(said)
    assert {"classes@paper", "weights@paper", "train@ccc_plus_plus_lite", "evaluate@l2-sample", "report"} <= ran
    assert not ran & {"download@sample", "histogram", "segment@sample", "train@l2", "predict@l2-sample"}
    assert "wider" in call(clone, "dvc", "exp", "show", "--csv")
    call(clone, "dvc", "metrics", "diff", "HEAD", "wider")
    call(clone, "dvc", "exp", "run", "--temp", "-n", "both", "-S", "report.gallery=3", "-S", "report.bootstrap=100")
    said = call(clone, "huebench", "sweep")
    assert "spaces.paper.bin_size: 6, 10\n" in said
    assert "both is left out: it differs from HEAD in report.bootstrap, report.gallery" in said
    table = pq.read_table(clone / "by_hand/sweep.parquet").to_pandas()
    figures = json.loads((clone / "reports/metrics.json").read_text(encoding="utf-8"))["sample"]["oracle"]
    start = table[(table["experiment"] == "HEAD") & (table["method"] == "oracle")]
    assert dict(zip(start["metric"], start["figure"], strict=True)) == figures
    wider = table[(table["experiment"] == "wider") & (table["method"] == "oracle") & (table["metric"] == "psnr")]
    assert wider["figure"].item() < figures["psnr"]  # larger bins, lower ceiling
    shutil.rmtree(clone / "by_hand")


@pytest.mark.parametrize("seed", [1])
def test_killed_runs_complete_and_give_the_same_rows(clone, tmp_path, seed):
    other = make_clone(tmp_path / "other")
    draw = random.Random(seed)
    for _ in range(5):
        process = subprocess.Popen(
            ["dvc", "repro"], cwd=other, env=environment(other), start_new_session=True,
            stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
        )  # fmt: skip
        try:
            process.wait(draw.uniform(4, 22))
        except subprocess.TimeoutExpired:
            os.killpg(process.pid, signal.SIGKILL)
            process.wait()
    call(other, "dvc", "repro")
    assert without_nan(rows(other)) == without_nan(rows(clone))
    for method in METHODS:
        weights = [load_file(folder / "data/models" / method / "weights.safetensors") for folder in (clone, other)]
        assert weights[0].keys() == weights[1].keys()
        assert all(torch.equal(weights[0][name], weights[1][name]) for name in weights[0])


def test_a_wrong_setting_stops_before_anything_runs(clone):
    before = (clone / "params.yaml").read_text(encoding="utf-8")
    (clone / "params.yaml").write_text(before.replace("bin_size: 6", "bin_size: 0"), encoding="utf-8")
    try:
        done = subprocess.run(["huebench", "check"], cwd=clone, env=environment(clone), text=True, capture_output=True)
        assert (done.returncode, done.stdout) == (2, "")
        assert done.stderr == "huebench: params.yaml: spaces.paper.bin_size is 0, it takes at least 1\n"
    finally:
        (clone / "params.yaml").write_text(before, encoding="utf-8")
