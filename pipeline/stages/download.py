"""Stage `download`: a set entry of params.yaml -> `data/sets/<set>/`, a store."""

import time
from pathlib import Path

from pipeline.config import Settings
from pipeline.sets.archives import archive_folder
from pipeline.sets.building import build


def run(settings: Settings, set_name: str, out: Path) -> None:
    """Build the store of one set and say in one line what it holds.

    Args:
        settings: params.yaml.
        set_name: a key of `settings.sets`.
        out: the store's folder.

    Raises:
        UserError: if the set's source cannot be had, or too much of it is bad.
    """
    begun = time.monotonic()
    summary = build(set_name, settings.sets[set_name], out, archive_folder())
    print(f"download {set_name}: {summary}, {time.monotonic() - begun:.1f} s")
