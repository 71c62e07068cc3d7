"""What the downloader makes of servers and disks; archives and weight files have tests of their own on top of it."""

import hashlib
from pathlib import Path

import numpy as np
import pytest

from pipeline.errors import UserError
from pipeline.machine.checksums import checksum_of
from pipeline.machine.download import NotFetched, RemoteFile, fetch_file
from tests.loopback import Site

BODY = np.random.default_rng(0).bytes(300_000)


def remote(url: str, digits: str = "", kind: str = "sha256") -> RemoteFile:
    return RemoteFile(url, f"{kind}:{digits}", None, "ask a friend", "set PLACE to a larger disk")


def test_a_server_that_says_no_length_is_trusted_by_the_checksum(site: Site, tmp_path: Path) -> None:
    site.files["/a"], site.lengths = BODY, False
    digest = hashlib.md5(BODY).hexdigest()
    fetch_file(remote(f"{site.base}/a", digest[:6], "md5"), tmp_path / "a")
    assert (tmp_path / "a").read_bytes() == BODY
    assert checksum_of(tmp_path / "a", "md5") == digest
    with pytest.raises(UserError, match=r"another file than the published one.*md5 \w{16}\.\.\., it takes f00"):
        fetch_file(remote(f"{site.base}/a", "f00", "md5"), tmp_path / "b")
    assert [path.name for path in tmp_path.iterdir()] == ["a"]


def test_what_has_its_name_is_not_asked_for(tmp_path: Path) -> None:
    (tmp_path / "a").write_bytes(b"placed")
    fetch_file(remote("http://127.0.0.1:9/a", "0"), tmp_path / "a")
    assert (tmp_path / "a").read_bytes() == b"placed"


def test_without_a_network_nothing_is_waited_for(tmp_path: Path) -> None:
    with pytest.raises(NotFetched, match="0 bytes are kept"):
        fetch_file(remote("http://127.0.0.1:9/a"), tmp_path / "a", pauses=(3600.0,))


def test_a_server_that_ceases_to_answer_is_asked_again(site: Site, tmp_path: Path) -> None:
    site.files["/a"], site.cut_after, site.statuses = BODY, [0, 0, 7], []
    fetch_file(remote(f"{site.base}/a"), tmp_path / "a", pauses=(0.0, 0.0, 0.0))
    assert site.asked == [None, None, None, "bytes=7-"]


def test_too_small_a_disk_is_said_as_soon_as_the_length_is_known(
    site: Site, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    site.files["/a"] = BODY
    monkeypatch.setattr("pipeline.machine.download.shutil.disk_usage", lambda _: type("Usage", (), {"free": 1000}))
    with pytest.raises(
        UserError, match=r"has 1\.0 kB free, a takes 300\.0 kB more; free space or set PLACE to a larger"
    ):
        fetch_file(remote(f"{site.base}/a"), tmp_path / "a")
    assert not (tmp_path / "a.part").exists()


def test_a_place_that_cannot_be_written_is_a_line(tmp_path: Path) -> None:
    (tmp_path / "file").write_bytes(b"no folder")
    with pytest.raises(UserError, match=r"file cannot be written \(.*\); set PLACE to a larger disk$"):
        fetch_file(remote("http://127.0.0.1:9/a"), tmp_path / "file" / "a")
