"""The commands of the README as they are printed there, in a clone with the tiny preset."""

import json

import pyarrow.parquet as pq
import pytest

from tests.graph.clones import ROOT, call, copy_clone

README = (ROOT / "README.md").read_text(encoding="utf-8")


def printed(start: str) -> str:
    """The one command line of the README that starts so, without what is said of it."""
    (line,) = [line.strip() for line in README.splitlines() if line.startswith(f"    {start}")]
    return line.partition("  #")[0]


@pytest.fixture(scope="module")
def project(clone, tmp_path_factory):
    return copy_clone(clone, tmp_path_factory.mktemp("readme") / "project")


def test_the_sweep_takes_every_experiment_of_the_queue_once(project):
    call(project, "bash", "-c", printed("dvc exp run --queue"))
    call(project, "dvc", "exp", "run", "--temp", "-n", "zzz", "-S", "spaces.paper.bin_size=10")
    said = call(project, "bash", "-c", printed("huebench sweep"))
    assert "spaces.paper.bin_size: 4, 6, 8, 10, 12, 14\n" in said
    assert said.count("it has the parameters of HEAD, which is a point already") == 1  # 6 is what params.yaml says
    assert "zzz is left out: " in said and " has spaces.paper.bin_size 10 as well" in said
    table = pq.read_table(project / "by_hand/sweep.parquet").to_pandas()
    oracle = table[(table["method"] == "oracle") & (table["metric"] == "psnr")]
    assert list(oracle["value"]) == ["4", "6", "8", "10", "12", "14"]
    assert oracle["figure"].is_monotonic_decreasing  # larger bins, lower ceiling
    figures = json.loads((project / "reports/metrics.json").read_text(encoding="utf-8"))["sample"]["oracle"]
    assert oracle["figure"].iloc[1] == figures["psnr"]
    assert 'id="sweep"' in (project / "reports/index.html").read_text(encoding="utf-8")
