"""Weight files: found by name in the right order, checked, fetched whole or not at all, missed in words."""

import hashlib
import subprocess
import sys
import time
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch

from pipeline.errors import UserError
from pipeline.machine import weight_files as pretrained
from pipeline.machine.weight_files import FILES, MissingWeights, load_weights, resolve
from tests.loopback import Site

CONTENT = np.random.default_rng(1).bytes(3_000_000)
DIGEST = hashlib.sha256(CONTENT).hexdigest()


@pytest.fixture(autouse=True)
def nothing_here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TORCH_HOME", str(tmp_path))
    monkeypatch.delenv("HUEBENCH_WEIGHTS", raising=False)


@pytest.fixture
def server(site: Site) -> str:
    """A server on this machine that has `net.pth`, and answers everything else with 404."""
    site.files["/net.pth"] = CONTENT
    return f"{site.base}/"


def add(monkeypatch: pytest.MonkeyPatch, url: str, file: str = "net.pth", digits: str = DIGEST[:8]) -> None:
    entry = replace(FILES["vgg19"], file=file, sha256=digits, url=url)
    monkeypatch.setitem(pretrained.FILES, "net", entry)


def test_the_wheel_s_weights_are_found_and_hold_tensors() -> None:
    assert resolve("efficientnet_lite0").name == FILES["efficientnet_lite0"].file
    assert all(isinstance(tensor, torch.Tensor) for tensor in load_weights("efficientnet_lite0").values())


def test_the_folder_of_the_environment_comes_first(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    add(monkeypatch, "http://127.0.0.1:9/")
    for folder in ("hub/checkpoints", "mine"):
        (tmp_path / folder).mkdir(parents=True)
        (tmp_path / folder / "net.pth").write_bytes(CONTENT)
    assert resolve("net") == tmp_path / "hub" / "checkpoints" / "net.pth"
    monkeypatch.setenv("HUEBENCH_WEIGHTS", str(tmp_path / "mine"))
    assert resolve("net") == tmp_path / "mine" / "net.pth"


def test_a_damaged_file_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    add(monkeypatch, "http://127.0.0.1:9/")
    monkeypatch.setenv("HUEBENCH_WEIGHTS", str(tmp_path))
    (tmp_path / "net.pth").write_bytes(CONTENT[:-1])
    with pytest.raises(UserError, match="is damaged: its SHA-256 begins with"):
        resolve("net")


def test_another_file_with_the_same_layers_is_accepted(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HUEBENCH_WEIGHTS", str(tmp_path))
    (tmp_path / "alexnet_features.pth").write_bytes(CONTENT)
    assert resolve("alexnet").name == "alexnet_features.pth"


def test_a_file_is_fetched_once_and_checked(server: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    add(monkeypatch, server)
    path = resolve("net")
    assert path.read_bytes() == CONTENT
    assert [found.name for found in path.parent.iterdir()] == ["net.pth"]
    add(monkeypatch, "http://127.0.0.1:9/")
    assert resolve("net") == path


def test_what_was_fetched_with_another_checksum_is_not_kept(
    server: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    add(monkeypatch, server, digits="00000000")
    with pytest.raises(UserError, match=r"gave another file than the published one; it was removed.* takes 00000000"):
        resolve("net")
    assert not list((tmp_path / "hub" / "checkpoints").iterdir())


@pytest.mark.parametrize("name", FILES)
def test_what_is_missing_is_said_with_source_size_and_remedy(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    weights = FILES[name]
    monkeypatch.setitem(pretrained.FILES, name, replace(weights, package=""))
    with pytest.raises(MissingWeights) as raised:
        resolve(name, download=False)
    message = str(raised.value)
    assert "\n" not in message
    for part in (weights.file, f"({weights.megabytes} MB)", "HUEBENCH_WEIGHTS", weights.url):
        assert part in message


def test_a_server_that_lacks_the_file_is_named(server: str, monkeypatch: pytest.MonkeyPatch) -> None:
    add(monkeypatch, server, file="other.pth")
    with pytest.raises(MissingWeights, match=r"could not be fetched .*404.*get other.pth from http"):
        resolve("net")


def test_a_cut_connection_is_continued_whatever_the_length(
    site: Site, server: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The length of a weight file is the server's to say: it is noted beside the part."""
    add(monkeypatch, server)
    part = tmp_path / "hub" / "checkpoints" / "net.pth.part"
    site.cut_after = [1_000_000, 0, 0]
    with pytest.raises(MissingWeights, match=r"could not be fetched \(.*1\.0 MB of 3\.0 MB are kept, run again"):
        resolve("net", pauses=(0.0,))
    assert part.read_bytes() == CONTENT[:1_000_000]
    part.write_bytes(CONTENT[:2_500_000])
    assert resolve("net").read_bytes() == CONTENT
    assert site.asked[-1] == "bytes=2500000-"
    assert [found.name for found in part.parent.iterdir()] == ["net.pth"]


RESOLVE = """
import sys
from dataclasses import replace
from pipeline.machine import weight_files
weight_files.FILES["net"] = replace(weight_files.FILES["vgg19"], file="net.pth", sha256=sys.argv[2], url=sys.argv[1])
print(weight_files.resolve("net"))
"""


def test_a_killed_download_of_weights_continues_from_its_last_byte(
    site: Site, server: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TORCH_HOME", str(tmp_path / "torch"))
    part, kept = tmp_path / "torch/hub/checkpoints/net.pth.part", [0]
    command = [sys.executable, "-c", RESOLVE, server, DIGEST[:8]]
    site.pause = 0.02
    for more in (1, 800_000):
        with subprocess.Popen(command, stderr=subprocess.DEVNULL, stdout=subprocess.DEVNULL) as process:
            while not part.exists() or part.stat().st_size < kept[-1] + more:
                assert process.poll() is None
                time.sleep(0.005)
            process.kill()
        kept.append(part.stat().st_size)
        assert part.read_bytes() == CONTENT[: kept[-1]]
    assert kept[-1] < len(CONTENT)
    site.pause = 0.0
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    assert Path(done.stdout.strip()).read_bytes() == CONTENT
    assert "3.0 MB" in done.stderr
    assert site.asked == [None, *(f"bytes={length}-" for length in kept[1:])]


def test_processes_that_need_the_same_file_fetch_it_once(
    site: Site, server: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As the ranks of a training do."""
    monkeypatch.setenv("TORCH_HOME", str(tmp_path / "torch"))
    site.pause = 0.05
    command = [sys.executable, "-c", RESOLVE, server, DIGEST[:8]]
    running = [subprocess.Popen(command, stderr=subprocess.DEVNULL) for _ in range(2)]
    assert [process.wait() for process in running] == [0, 0]
    assert site.asked == [None]
