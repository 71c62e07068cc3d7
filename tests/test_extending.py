"""docs/extending.md, done literally: its modules, lines, tests and entries in a copy of the project."""

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any, NamedTuple

import pytest
from ruamel.yaml import YAML

ROOT = Path(__file__).parents[1]
PAGE = (ROOT / "docs/extending.md").read_text(encoding="utf-8")
PARTS = ("LOSSES", "READOUTS", "ENCODERS", "NETWORKS", "_IMAGE", "PROTOCOLS", "SETS", "SEGMENTERS")


class Block(NamedTuple):
    """A fenced block: its file, the list there that it is a line of ("" for a whole file), the text."""

    file: str
    within: str
    text: str


def blocks() -> list[Block]:
    fenced = re.findall(r"```(?:python|yaml)\n# (\S+?)(?:: (\w+))?\n(.*?)```", PAGE, re.DOTALL)
    assert len(fenced) == PAGE.count("```") // 2, "each block of the page begins with the name of its file"
    return [Block(*each) for each in fenced]


def with_line(registry: str, within: str, line: str) -> str:
    """A registry's source with one more line at the head of a list."""
    changed, times = re.subn(
        rf"^({within} = (?:Registry\(\s*\{{|\())", rf"\1\n{line.rstrip().rstrip(',')},", registry, flags=re.MULTILINE
    )
    assert times == 1, f"{within} is listed {times} times"
    return changed


def merge(into: dict[str, Any], values: dict[str, Any]) -> None:
    for key, value in values.items():
        if isinstance(value, dict) and isinstance(into.get(key), dict) and key != "segmenter":
            merge(into[key], value)
        else:
            into[key] = value


@pytest.fixture(scope="module")
def extended(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The project as it is after somebody did all that the page says."""
    copy = tmp_path_factory.mktemp("extended")
    shutil.copytree(ROOT / "pipeline", copy / "pipeline", ignore=shutil.ignore_patterns("__pycache__"))
    for name in ("params.yaml", "pyproject.toml"):
        shutil.copy(ROOT / name, copy)
    yaml = YAML()
    params = yaml.load(copy / "params.yaml")
    for block in blocks():
        path = copy / block.file
        if block.within:
            path.write_text(with_line(path.read_text(encoding="utf-8"), block.within, block.text), encoding="utf-8")
        elif block.file == "params.yaml":
            merge(params, YAML(typ="safe").load(block.text))
        else:
            assert not path.exists(), f"the page's {block.file} is there already"
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(block.text, encoding="utf-8")
    params["run"]["methods"] = list(params["methods"])
    yaml.dump(params, copy / "params.yaml")
    return copy


def run(folder: Path, *command: str) -> subprocess.CompletedProcess[str]:
    environment = os.environ | {"PYTHONPATH": str(folder), "HUEBENCH_DEVICE": "cpu", "HUEBENCH_WORKERS": "1"}
    return subprocess.run(
        [sys.executable, "-m", *command], cwd=folder, env=environment, capture_output=True, text=True, check=False
    )


def test_there_is_an_example_of_each_part():
    assert {block.within for block in blocks()} - {""} == set(PARTS)


def test_the_tests_of_the_page_pass(extended: Path):
    done = run(extended, "pytest", "-q", "-p", "no:cacheprovider", "tests")
    assert done.returncode == 0, done.stdout + done.stderr
    assert re.search(rf"^{len(PARTS)} passed", done.stdout, re.MULTILINE), done.stdout


def test_the_entries_of_the_page_are_settings(extended: Path):
    done = run(extended, "pipeline", "check")
    assert done.returncode == 0, done.stdout + done.stderr


def test_the_examples_keep_the_house_rules(extended: Path):
    modules = [block.file for block in blocks() if block.file.startswith("pipeline") and not block.within]
    for command in (("ruff", "check"), ("ruff", "format", "--check")):
        done = run(extended, *command, *modules)
        assert done.returncode == 0, done.stdout
    (extended / "docs").mkdir()
    shutil.copy(ROOT / "tests/test_architecture.py", extended / "tests")
    for name in ("docs/architecture.md", "README.md"):
        shutil.copy(ROOT / name, extended / name)
    done = run(extended, "pytest", "-q", "-p", "no:cacheprovider", "tests/test_architecture.py")
    assert done.returncode == 0, done.stdout
