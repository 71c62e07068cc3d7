"""A clone of the project with the tiny preset, and a way to call dvc in it."""

import os
import shutil
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path

import interior_photos
import pytest
import skimage
from PIL import Image
from ruamel.yaml import YAML

ROOT = Path(__file__).parents[2]
SIDE = 192
OUTSIDE = "pipeline/stages/dvc.yaml:outside"
"""The stage that runs every time."""
TINY = Path(__file__).parent / "tiny.yaml"
SKIMAGE = [Path(skimage.__file__).parent / "data" / name for name in ("astronaut.png", "coffee.png", "chelsea.png")]
BIN = Path(sys.executable).parent
ENVIRONMENT = os.environ | {
    "PATH": f"{BIN}{os.pathsep}{os.environ['PATH']}",
    "DVC_NO_ANALYTICS": "1",
    "GIT_AUTHOR_NAME": "test",
    "GIT_AUTHOR_EMAIL": "test@localhost",
    "GIT_COMMITTER_NAME": "test",
    "GIT_COMMITTER_EMAIL": "test@localhost",
}


def environment(folder: Path) -> dict[str, str]:
    """That of a command in a clone, which runs the clone's own code."""
    return ENVIRONMENT | {"PYTHONPATH": str(folder)}


def call(folder: Path, *command: str, **variables: str) -> str:
    """Run a command in a folder; its output, or an assertion with all of it."""
    done = subprocess.run(
        command, cwd=folder, env=environment(folder) | variables, text=True, capture_output=True, timeout=800
    )
    output = done.stdout + done.stderr
    assert done.returncode == 0, output
    return output


def make_clone(folder: Path) -> Path:
    """The working tree as git sees it (committed or not), in a repository of its own, with the tiny preset in force."""
    listed = call(ROOT, "git", "ls-files", "--cached", "--others", "--exclude-standard").splitlines()
    for name in listed:
        if (ROOT / name).is_file():
            (folder / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(ROOT / name, folder / name)
    shutil.copyfile(TINY, folder / "presets" / "tiny.yaml")
    shrink_photographs(folder / "photographs")
    for lock in (folder / "dvc.lock", folder / "pipeline/stages/dvc.lock"):
        lock.unlink(missing_ok=True)
    call(folder, "git", "init", "-q")
    call(folder, "huebench", "preset", "tiny")
    call(folder, "git", "add", "-A")
    call(folder, "git", "commit", "-qm", "clone")
    return folder


def copy_clone(clone: Path, folder: Path) -> Path:
    """A copy with everything that its graph has made, to be changed at will."""
    return Path(shutil.copytree(clone, folder, symlinks=True))


def set_parameters(folder: Path, values: Mapping[str, object], file: str = "params.yaml") -> None:
    """Change parameters, by their dotted names."""
    yaml = YAML()
    content = yaml.load((folder / file).read_text(encoding="utf-8"))
    for name, value in values.items():
        *sections, key = name.split(".")
        section = content
        for one in sections:
            section = section[one]
        section[key] = value
    with (folder / file).open("w", encoding="utf-8") as opened:
        yaml.dump(content, opened)


def shrink_photographs(folder: Path) -> None:
    """Copies of photographs of the set `sample`, at most SIDE px wide and high, split in two folders."""
    for number, path in enumerate([*interior_photos.get_all_photos()[:14], *SKIMAGE]):
        place = folder / ("test" if number % 4 == 3 else "train")
        place.mkdir(parents=True, exist_ok=True)
        with Image.open(path) as image:
            image.thumbnail((SIDE, SIDE))
            image.convert("RGB").save(place / f"{Path(path).stem}.png")


def stages_run(output: str) -> set[str]:
    """The stages that dvc says it ran."""
    return {line.split("'")[1] for line in output.splitlines() if line.startswith("Running stage")}


@pytest.fixture(scope="session")
def clone(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A clone in which the graph has run once, committed; `first_run.txt` holds what dvc said."""
    folder = make_clone(tmp_path_factory.mktemp("clone"))
    output = call(folder, "dvc", "repro")
    call(folder, "git", "add", "-A")
    call(folder, "git", "commit", "-qm", "run")
    folder.with_name("first_run.txt").write_text(output, encoding="utf-8")
    return folder
