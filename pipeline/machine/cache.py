"""Where files are kept that belong to the machine and can be made again."""

import os
from pathlib import Path


def cache_folder() -> Path:
    """Where derived files that belong to the machine are kept: HUEBENCH_CACHE or ~/.cache/huebench."""
    chosen = os.environ.get("HUEBENCH_CACHE")
    return Path(chosen) if chosen else Path.home() / ".cache" / "huebench"
