"""Where a result comes from: revision, library versions, machine, settings."""

import hashlib
import json
import os
import platform
import subprocess
from importlib.metadata import version

from pydantic import BaseModel

LIBRARIES = ("numpy", "pandas", "pillow", "pyarrow", "scikit-image", "scipy", "torch", "torchvision")

LOCKS = ("dvc.lock",)


def git_revision() -> str:
    """The revision of the working tree.

    Returns:
        The commit, with `-dirty` behind it where tracked files differ from it; `unknown` outside a repository. DVC's
        locks do not count: they note what a run came to, which differs between kinds of processor.
    """
    try:
        commit = _git("rev-parse", "--short=12", "HEAD")
        changed = _git(
            "diff", "HEAD", "--name-only", "--", ":(top)", *(f":(top,exclude,glob)**/{one}" for one in LOCKS)
        )
    except (OSError, subprocess.CalledProcessError):
        return "unknown"
    return f"{commit}-dirty" if changed else commit


def _git(*arguments: str) -> str:
    return subprocess.run(["git", *arguments], capture_output=True, text=True, check=True).stdout.strip()


def library_versions() -> dict[str, str]:
    """The versions of Python and of the libraries that decide about results, by name."""
    return {"python": platform.python_version()} | {name: version(name) for name in LIBRARIES}


def machine_in_words() -> str:
    """Processor, cores, memory and accelerator in words."""
    import torch

    cores = os.cpu_count() or 1
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 1e9 if hasattr(os, "sysconf") else 0
    accelerator = torch.cuda.get_device_name() if torch.cuda.is_available() else "no GPU"
    return f"{platform.system()} {platform.machine()}, {cores} cores, {memory:.0f} GB, {accelerator}"


def fingerprint(*parts: object) -> str:
    """A short hash of settings, for the names of resume state and the rows of a report.

    Args:
        *parts: sections, strings, numbers, or containers of them.

    Returns:
        16 hexadecimal digits, the same for 6 and 6.0.
    """

    def plain(part: object) -> object:
        if isinstance(part, BaseModel):
            return part.model_dump(mode="json")
        return str(part)

    text = json.dumps(parts, default=plain, sort_keys=True)
    return hashlib.sha256(text.encode()).hexdigest()[:16]
