"""Official archives: where they are kept on this machine."""

import os
from pathlib import Path

from pipeline.color.lab import cache_folder


def archive_folder() -> Path:
    """Where archives are kept and looked for: HUEBENCH_ARCHIVES, or `archives` in the cache folder.

    Returns:
        The folder; it need not exist.
    """
    chosen = os.environ.get("HUEBENCH_ARCHIVES")
    return Path(chosen) if chosen else cache_folder() / "archives"
