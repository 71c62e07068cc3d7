"""What the graph costs: a no-op `dvc repro` against an empty graph, and time and memory of each stage of a whole run.

    python benchmarks/graph.py              # in a temporary clone, the default preset: about as long as `make repro`
    python benchmarks/graph.py --no-run     # the no-op alone, on a project whose graph is up to date

It is the graph of params.yaml that is measured, on the sets that it names. The last line is a JSON list of figures:
name, ratio, target, met.
"""

import json
import os
import shutil
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import click
import psutil
from _figures import figure
from ruamel.yaml import YAML

ROOT = Path(__file__).resolve().parents[1]
NO_OP_TARGET = 1.5
OUTSIDE = "data/outside"
MINUTES, GIGABYTES = 12.0, 6.0
ENVIRONMENT = os.environ | {"PATH": f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"}


def dvc(folder: Path, *arguments: str) -> str:
    done = subprocess.run(["dvc", *arguments], cwd=folder, env=ENVIRONMENT, text=True, capture_output=True, check=True)
    return done.stdout


def seconds_of_no_ops(folders: tuple[Path, ...], runs: int) -> list[float]:
    """The fastest no-op run of each, in turns: what else happens on the machine can only make one slower."""
    times = [float("inf")] * len(folders)
    for _ in range(runs):
        for place, folder in enumerate(folders):
            started = time.perf_counter()
            said = dvc(folder, "repro")
            times[place] = min(times[place], time.perf_counter() - started)
            ran = {line.split("'")[1] for line in said.splitlines() if line.startswith("Running stage")}
            assert ran <= {"pipeline/stages/dvc.yaml:outside"}, f"run dvc repro in {folder} first"
    return times


def empty_graph(folder: Path, project: Path, stages: list[str]) -> Path:
    """A project of the same size: as many stages with the same parameters, and a file of a line for each output."""
    folder.mkdir()
    subprocess.run(["git", "init", "-q"], cwd=folder, check=True)
    dvc(folder, "init", "-q")
    dvc(folder, "config", "core.analytics", "false")  # as in this project
    yaml = YAML(typ="safe", pure=True)
    locked = yaml.load((project / "dvc.lock").read_text(encoding="utf-8"))["stages"]
    copies = {}
    for number, stage in enumerate(locked[name] for name in stages):
        outs, deps = ([one["path"] for one in stage.get(key, [])] for key in ("outs", "deps"))
        copies[f"s{number}"] = {
            "cmd": [f"mkdir -p {Path(out).parent} && echo {number} > {out}" for out in outs],
            "params": [{file: list(values)} for file, values in stage["params"].items()],
            "deps": deps,
            "outs": outs,
        }
        for file in [*stage["params"], *(dep for dep in deps if dep.startswith(OUTSIDE))]:
            (folder / file).parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(project / file, folder / file)
    with (folder / "dvc.yaml").open("w", encoding="utf-8") as file:
        yaml.dump({"stages": copies}, file)
    dvc(folder, "repro", "-q")
    return folder


def clone(folder: Path) -> Path:
    subprocess.run(["git", "clone", "-q", str(ROOT), str(folder)], check=True)
    return folder


def measure(folder: Path, stage: str) -> tuple[float, float]:
    """Wall seconds and peak memory in GB of one stage, its worker processes included (proportional set size)."""
    started = time.perf_counter()
    process = psutil.Popen(
        ["dvc", "repro", "--quiet", "--single-item", stage], cwd=folder, env=ENVIRONMENT, stderr=subprocess.DEVNULL
    )
    peak = 0
    while process.poll() is None:
        total = 0
        for one in [process, *process.children(recursive=True)]:
            try:
                total += one.memory_full_info().pss
            except psutil.Error:
                continue
        peak = max(peak, total)
        time.sleep(0.1)
    assert process.returncode == 0, f"{stage} failed"
    return time.perf_counter() - started, peak / 1e9


@click.command(help=f"\b\n{__doc__}".replace("\n\n", "\n\n\b\n"))
@click.option("--no-run", is_flag=True, help="Leave out the whole run; take this project's own graph for the no-op.")
@click.option("--runs", default=5, show_default=True, help="No-op runs of which the fastest counts.")
def main(no_run: bool, runs: int) -> None:
    figures = []
    with tempfile.TemporaryDirectory() as scratch:
        project = ROOT if no_run else clone(Path(scratch) / "clone")
        stages = [line.split()[0] for line in dvc(project, "stage", "list").splitlines()]
        if not no_run:
            print(f"{'stage':<36} {'seconds':>8} {'peak GB':>8}")
            costs = []
            for stage in stages:
                costs.append(measure(project, stage))
                print(f"{stage:<36} {costs[-1][0]:8.1f} {costs[-1][1]:8.2f}", flush=True)
            minutes, peak = sum(cost[0] for cost in costs) / 60, max(cost[1] for cost in costs)
            print(f"{'all':<36} {minutes * 60:8.1f} {peak:8.2f}")
            for name, value, limit in (("run_minutes", minutes, MINUTES), ("peak_gigabytes", peak, GIGABYTES)):
                figures.append(figure(name, value / limit, 1.0))
        ours, plain = seconds_of_no_ops((project, empty_graph(Path(scratch) / "empty", project, stages)), runs)
        print(
            f"no-op of {len(stages)} stages: {ours:.2f} s, of a graph of the same size that does nothing: {plain:.2f} s"
        )
        figures.append(figure("no_op", ours / plain, NO_OP_TARGET))
    print(json.dumps(figures))


if __name__ == "__main__":
    main()
