"""Archives over HTTP: whole, cut, changed, wrong, missing, too large for the disk."""

import dataclasses
import hashlib
import json
import os
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest

from pipeline.errors import UserError
from pipeline.machine import download
from pipeline.sets import archives
from pipeline.sets.archives import Archive, fetch_archive
from tests.loopback import Site

BODY = np.random.default_rng(0).bytes(3_000_000)


@pytest.fixture
def archive(site: Site) -> Archive:
    site.files["/set.tar"] = BODY
    checksum = "sha256:" + hashlib.sha256(BODY).hexdigest()
    return Archive("set.tar", len(BODY), checksum, f"{site.base}/set.tar", "https://example.org/set")


def test_fetches_once_and_verifies_once(
    site: Site, archive: Archive, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    path = fetch_archive(archive, tmp_path / "kept")
    assert path.read_bytes() == BODY
    assert "3.0 MB of 3.0 MB" in capsys.readouterr().err
    monkeypatch.setattr(download.hashlib, "new", None)  # a second verification would fail
    assert fetch_archive(archive, tmp_path / "kept") == path
    assert len(site.asked) == 1
    assert sorted(file.name for file in path.parent.iterdir()) == ["set.tar", "set.tar.verified"]


def test_continues_within_one_run(site: Site, archive: Archive, tmp_path: Path) -> None:
    site.cut_after = [1_000_000, 700_000]
    assert fetch_archive(archive, tmp_path, pauses=(0.0,)).read_bytes() == BODY
    assert site.asked == [None, "bytes=1000000-", "bytes=1700000-"]


def test_continues_in_the_next_run(site: Site, archive: Archive, tmp_path: Path) -> None:
    site.cut_after = [1_000_000, 0]
    with pytest.raises(UserError, match=r"1\.0 MB of 3\.0 MB are kept, run again to continue"):
        fetch_archive(archive, tmp_path, pauses=(0.0,))
    assert fetch_archive(archive, tmp_path, pauses=()).read_bytes() == BODY
    assert site.asked[-1] == "bytes=1000000-"


FETCH = """
import json, sys
from pathlib import Path
from pipeline.sets.archives import Archive, fetch_archive
fetch_archive(Archive(**json.loads(sys.argv[1])), Path(sys.argv[2]))
"""


def test_a_killed_download_continues_from_its_last_byte(site: Site, archive: Archive, tmp_path: Path) -> None:
    part, kept = tmp_path / "set.tar.part", [0]
    command = [sys.executable, "-c", FETCH, json.dumps(dataclasses.asdict(archive)), str(tmp_path)]
    site.pause = 0.02
    for more in (1, 500_000, 1_000_000):
        with subprocess.Popen(command, stderr=subprocess.DEVNULL) as process:
            while not part.exists() or part.stat().st_size < kept[-1] + more:
                assert process.poll() is None
                time.sleep(0.005)
            process.kill()
        kept.append(part.stat().st_size)
        assert part.read_bytes() == BODY[: kept[-1]]
    assert kept[-1] < len(BODY)
    site.pause = 0.0
    assert fetch_archive(archive, tmp_path, pauses=()).read_bytes() == BODY
    assert site.asked == [None, *(f"bytes={length}-" for length in kept[1:])]


def test_a_changed_file_is_begun_anew(site: Site, archive: Archive, tmp_path: Path) -> None:
    site.files["/set.tar"] = BODY[::-1]
    site.cut_after = [1_000_000]
    with pytest.raises(UserError):
        fetch_archive(archive, tmp_path, pauses=())
    site.files["/set.tar"], site.version = BODY, '"2"'
    assert fetch_archive(archive, tmp_path, pauses=()).read_bytes() == BODY


def test_a_server_without_ranges(site: Site, archive: Archive, tmp_path: Path) -> None:
    site.ranges, site.cut_after = False, [1_000_000]
    assert fetch_archive(archive, tmp_path, pauses=(0.0,)).read_bytes() == BODY


def test_wrong_checksum_is_removed(site: Site, archive: Archive, tmp_path: Path) -> None:
    site.files["/set.tar"] = BODY[:-1] + b"?"
    with pytest.raises(UserError, match=r"another file than the published one; it was removed.*sha256") as error:
        fetch_archive(archive, tmp_path, pauses=())
    assert "\n" not in str(error.value)
    assert list(tmp_path.iterdir()) == []
    site.files["/set.tar"] = BODY
    assert fetch_archive(archive, tmp_path, pauses=()).read_bytes() == BODY


def test_wrong_length_is_refused_before_it_is_fetched(site: Site, archive: Archive, tmp_path: Path) -> None:
    site.files["/set.tar"] = BODY + b"more"
    with pytest.raises(UserError, match="3,000,004 bytes, the published file has 3,000,000"):
        fetch_archive(archive, tmp_path, pauses=())


@pytest.mark.parametrize("status", [404, 403, 410])
def test_missing_file(site: Site, archive: Archive, tmp_path: Path, status: int) -> None:
    site.statuses = [status]
    with pytest.raises(UserError, match=rf"answered {status}.*https://example.org/set.*{tmp_path}/set.tar$"):
        fetch_archive(archive, tmp_path, pauses=(0.0, 0.0))
    assert len(site.asked) == 1


def test_a_busy_server_is_asked_again(site: Site, archive: Archive, tmp_path: Path) -> None:
    site.statuses = [503, 429]
    assert fetch_archive(archive, tmp_path, pauses=(0.0, 0.0)).read_bytes() == BODY


def test_nobody_answers(tmp_path: Path) -> None:
    lost = Archive("a.tar", 5, "md5:0", "http://127.0.0.1:9/a.tar", "https://example.org")
    with pytest.raises(UserError, match="0 bytes of 5 bytes are kept"):
        fetch_archive(lost, tmp_path, pauses=())


def test_too_small_a_disk_is_said_before_anything_is_fetched(site: Site, archive: Archive, tmp_path: Path) -> None:
    vast = Archive(archive.file, 10**18, archive.checksum, archive.url, archive.page)
    with pytest.raises(UserError, match=r"free, set\.tar takes 1,000,000,000\.0 GB more"):
        fetch_archive(vast, tmp_path)
    assert site.asked == []


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="no /dev/full on this system")
def test_disk_full_while_fetching(archive: Archive, tmp_path: Path) -> None:
    (tmp_path / "set.tar.part").symlink_to("/dev/full")  # every write fails with ENOSPC, as on a full disk
    with pytest.raises(UserError, match=r"is full: 0 bytes of 3\.0 MB of set\.tar are kept"):
        fetch_archive(archive, tmp_path, pauses=())


def test_full_file_system_can_be_continued_elsewhere(
    archive: Archive, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    small = tmp_path / "small"
    small.mkdir()
    mount = ["mount", "-t", "tmpfs", "-o", "size=2m", "tmpfs", str(small)]
    if os.geteuid() or subprocess.run(mount, capture_output=True, check=False).returncode:
        pytest.skip("mounting a small file system takes root")
    free = type("Usage", (), {"free": 10**9})  # as if another process filled the disk after the check
    try:
        monkeypatch.setattr(download.shutil, "disk_usage", lambda path: free)
        with pytest.raises(UserError, match=r"is full: 2\.\d MB of 3\.0 MB"):
            fetch_archive(archive, small, pauses=())
        kept = (small / "set.tar.part").read_bytes()
        assert kept == BODY[: len(kept)]
    finally:
        subprocess.run(["umount", str(small)], check=True)
    (tmp_path / "set.tar.part").write_bytes(kept)
    assert fetch_archive(archive, tmp_path, pauses=()).read_bytes() == BODY


def test_log_in_says_which_file_goes_where(tmp_path: Path) -> None:
    closed = Archive("images.tar", 6_744_924_160, "md5:" + hashlib.md5(BODY).hexdigest(), "", "https://example.org/in")
    with pytest.raises(UserError, match=rf"6\.7 GB.*https://example.org/in and place it at {tmp_path}/images.tar$"):
        fetch_archive(closed, tmp_path)
    (tmp_path / "images.tar").write_bytes(BODY)
    assert fetch_archive(closed, tmp_path) == tmp_path / "images.tar"


def test_a_file_placed_by_hand_is_verified_and_never_removed(archive: Archive, tmp_path: Path) -> None:
    (tmp_path / "set.tar").write_bytes(BODY[:-1])
    with pytest.raises(UserError, match="is not the published file; remove it"):
        fetch_archive(archive, tmp_path)
    assert (tmp_path / "set.tar").exists()


def test_a_touched_file_is_verified_again(archive: Archive, tmp_path: Path) -> None:
    path = fetch_archive(archive, tmp_path)
    path.write_bytes(BODY[::-1])
    with pytest.raises(UserError, match="is not the published file"):
        fetch_archive(archive, tmp_path)


def test_folder_of_archives(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("HUEBENCH_ARCHIVES", str(tmp_path))
    assert archives.archive_folder() == tmp_path
