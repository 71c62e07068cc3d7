"""Every benchmark starts on a user's machine: its help works, and it names no folder that only developers have."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

FOLDER = Path(__file__).parents[2] / "benchmarks"
BENCHMARKS = sorted(path.stem for path in FOLDER.glob("[!_]*.py"))
WITHOUT_PHOTOGRAPHS = {"graph"}


@pytest.mark.parametrize("name", BENCHMARKS)
def test_its_help_works(name: str) -> None:
    command = [sys.executable, str(FOLDER / f"{name}.py"), "--help"]
    done = subprocess.run(command, capture_output=True, text=True, check=False, env=os.environ | {"COLUMNS": "100"})
    assert done.returncode == 0, done.stderr
    assert ("--folder" in done.stdout) == (name not in WITHOUT_PHOTOGRAPHS)
    assert '"met"' in done.stdout or "target, met" in done.stdout  # it says what its last line holds


@pytest.mark.parametrize("path", sorted(FOLDER.glob("*.py")), ids=lambda path: path.stem)
def test_it_names_no_folder_of_developers(path: Path) -> None:
    text = path.read_text(encoding="utf-8")
    assert "shared" not in text
    assert "/work" not in text
