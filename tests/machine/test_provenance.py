"""The revision that rows carry."""

import subprocess
from pathlib import Path

import pytest

from pipeline.machine.provenance import git_revision


def git(*arguments: str) -> str:
    command = ["git", "-c", "user.name=test", "-c", "user.email=test@localhost", *arguments]
    return subprocess.run(command, capture_output=True, text=True, check=True).stdout.strip()


def test_locks_alone_are_no_dirt(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("GIT_CEILING_DIRECTORIES", str(tmp_path.parent))
    assert git_revision() == "unknown"
    git("init", "-q")
    assert git_revision() == "unknown"  # no commit yet
    files = [Path(name) for name in ("dvc.lock", "inside/dvc.lock", "inside/code.py", "params.yaml")]
    for file in files:
        file.parent.mkdir(exist_ok=True)
        file.write_text("first")
    git("add", "-A")
    git("commit", "-qm", "first")
    commit = git("rev-parse", "HEAD")[:12]
    assert git_revision() == commit
    for file in files[:2]:
        file.write_text("second")
    Path("untracked").write_text("nothing of this is in a commit")
    assert git_revision() == commit
    Path("inside/code.py").touch()  # another time, the same bytes
    assert git_revision() == commit
    monkeypatch.chdir(tmp_path / "inside")
    Path("code.py").write_text("other code")
    assert git_revision() == f"{commit}-dirty"
    git("commit", "-qam", "second")
    assert git_revision() == git("rev-parse", "HEAD")[:12] != commit
    git("rm", "-q", "code.py")
    assert git_revision().endswith("-dirty")
