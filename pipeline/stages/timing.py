"""How long each stage took on this machine: shown on the page, kept outside the graph since it is no result."""

import json
import platform
from pathlib import Path

from pipeline.machine.files import write_text
from pipeline.stages import paths
from pipeline.stages.registry import STAGES


def record_seconds(stage: str, seconds: float, line: str) -> None:
    """Note a stage's duration.

    Args:
        stage: its name as in dvc.yaml, `train@l2` for one of a matrix.
        seconds: wall time.
        line: what the stage said it did.
    """
    folder = paths.CACHE / "timings"
    note = {"stage": stage, "seconds": round(seconds, 2), "line": line, "machine": platform.node()}
    write_text(folder / f"{stage}.json", json.dumps(note))


def read_seconds(folder: Path = paths.CACHE / "timings") -> dict[str, float]:
    """The last known duration of each stage on this machine.

    Args:
        folder: where they are kept.

    Returns:
        Wall seconds by stage name, in the order of the graph, those of a matrix by name; empty where nothing has run
        here, and without stages that the graph had once.
    """
    found = [json.loads(path.read_text(encoding="utf-8")) for path in sorted(folder.glob("*.json"))]
    seconds = {note["stage"]: note["seconds"] for note in found}
    return {name: seconds[name] for stage in STAGES for name in sorted(seconds) if name.split("@")[0] == stage}
