"""The state that an interrupted training resumes from."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import torch

from pipeline.machine.files import replace_file

STATE = "state.pt"


def save_state(folder: Path, run: str, state: Mapping[str, Any]) -> None:
    """Save what a run resumes from.

    Args:
        folder: for resume state.
        run: fingerprint of everything the run depends on.
        state: tensors, numbers, strings, and lists and dicts of them.
    """
    replace_file(folder / STATE, lambda path: torch.save({"run": run, **state}, path))


def load_state(folder: Path, run: str) -> dict[str, Any] | None:
    """What an interrupted run of the same settings and photographs left.

    Args:
        folder: for resume state.
        run: fingerprint of everything the run depends on.

    Returns:
        what `save_state` was given, tensors on the CPU; None if there is none, or it belongs to another run.
    """
    path = folder / STATE
    if not path.is_file():
        return None
    state: dict[str, Any] = torch.load(path, map_location="cpu", weights_only=True)
    return state if state.pop("run") == run else None
