"""What every stage has around it: settings, version, clock, and the line that says what was done."""

import importlib
import time
from collections.abc import Callable
from typing import Any

from pipeline.errors import UserError
from pipeline.settings.params import BASELINES, Settings, known, load_settings
from pipeline.stages.registry import STAGES, Kind
from pipeline.stages.timing import record_seconds
from pipeline.stages.versions import stage_version

SECTIONS: dict[Kind, str] = {"set": "sets", "space": "spaces", "method": "methods"}


def run_stage(name: str, *names: str, **options: Any) -> None:
    """Validate the whole of params.yaml, run a stage, print in a line what it did, note how long it took.

    The stage's function is called with the settings, the stage's version (`versions.StageVersion`) and the names; it
    returns what was done, in a line. What the user can mend it raises as `UserError`, with the remedy, and leaves the
    older output as it was then.

    Args:
        name: a key of `STAGES`.
        *names: what the stage takes, in order.
        **options: handed on.

    Raises:
        UserError: if a setting or a name is wrong, or from the stage itself.
    """
    stage = STAGES[name]
    settings = load_settings()
    for kind, one in zip(stage.takes, names, strict=True):
        _refuse_unknown(settings, kind, one)
    module, _, function = stage.work.partition(":")
    work: Callable[..., str] = getattr(importlib.import_module(f"pipeline.stages.{module}"), function)
    started = time.perf_counter()
    line = work(settings, stage_version(stage.counted_as or name), *names, **options)
    seconds = time.perf_counter() - started
    full_name = f"{name}@{'-'.join(names)}" if names else name  # as DVC calls it
    print(f"{full_name}: {line}, {seconds:.1f} s", flush=True)
    record_seconds(full_name, seconds, line)


def _refuse_unknown(settings: Settings, kind: Kind, name: str) -> None:
    if kind in SECTIONS:
        known(settings, SECTIONS[kind], name)
    elif kind == "baseline" and name not in BASELINES:
        raise UserError(f"{name!r} is no baseline; there are {' and '.join(BASELINES)}")
    elif kind == "imported" and name not in settings.run.imported:
        raise UserError(
            f"{name!r} is not named in run.imported, which has {', '.join(settings.run.imported) or 'nothing'}"
        )
