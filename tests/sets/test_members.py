"""Archives that mean harm, archives that are broken, and draws that stay the same."""

import io
import tarfile
import zipfile
from pathlib import Path

import pytest

from pipeline.errors import UserError
from pipeline.sets.members import archive_members, draw, read_member


def write_tar(path: Path, files: dict[str, bytes], mode: str = "w") -> Path:
    with tarfile.open(path, mode) as tar:
        for name, data in files.items():
            info = tarfile.TarInfo(name)
            info.size = len(data)
            tar.addfile(info, io.BytesIO(data))
    return path


def write_zip(path: Path, files: dict[str, bytes]) -> Path:
    with zipfile.ZipFile(path, "w") as archive:
        for name, data in files.items():
            archive.writestr(name, data)
    return path


FILES = {"set/a.jpg": b"first", "./set/b.jpg": b"second", "set/deeper/c.jpg": b""}


@pytest.mark.parametrize("kind", ["tar", "tgz", "txz", "zip"])
def test_reads_every_regular_file_in_order(tmp_path: Path, kind: str) -> None:
    path = tmp_path / f"archive.{kind}"
    if kind == "zip":
        write_zip(path, FILES)
    else:
        write_tar(path, FILES, {"tar": "w", "tgz": "w:gz", "txz": "w:xz"}[kind])
    found = [(member.name, member.length, member.read()) for member in archive_members(path)]
    assert found == [("set/a.jpg", 5, b"first"), ("set/b.jpg", 6, b"second"), ("set/deeper/c.jpg", 0, b"")]
    assert read_member(path, "set/b.jpg") == b"second"
    with pytest.raises(UserError, match=r"no member set/d\.jpg"):
        read_member(path, "set/d.jpg")


@pytest.mark.parametrize("name", ["../a.jpg", "set/../../a.jpg", "/etc/a.jpg", "..\\a.jpg", "C:\\a.jpg", "\\a.jpg"])
@pytest.mark.parametrize("kind", ["tar", "zip"])
def test_names_that_point_outside(tmp_path: Path, name: str, kind: str) -> None:
    write = write_tar if kind == "tar" else write_zip
    path = write(tmp_path / "archive", {name: b"x"})
    with pytest.raises(UserError, match="points out of it"):
        list(archive_members(path))


@pytest.mark.parametrize("kind", [tarfile.SYMTYPE, tarfile.LNKTYPE, tarfile.CHRTYPE, tarfile.BLKTYPE, tarfile.FIFOTYPE])
def test_links_and_devices_in_tar(tmp_path: Path, kind: bytes) -> None:
    path = tmp_path / "archive.tar"
    with tarfile.open(path, "w") as tar:
        info = tarfile.TarInfo("set/a.jpg")
        info.type, info.linkname = kind, "/etc/passwd"
        tar.addfile(info)
    with pytest.raises(UserError, match="no regular file"):
        list(archive_members(path))


def test_link_in_zip(tmp_path: Path) -> None:
    path = tmp_path / "archive.zip"
    with zipfile.ZipFile(path, "w") as archive:
        info = zipfile.ZipInfo("set/a.jpg")
        info.external_attr = 0o120777 << 16
        archive.writestr(info, "/etc/passwd")
    with pytest.raises(UserError, match="no regular file"):
        list(archive_members(path))


@pytest.mark.parametrize("kind", ["tar", "tgz", "zip"])
def test_damaged_archives(tmp_path: Path, kind: str) -> None:
    files = {f"set/{number}.jpg": bytes([number]) * 5000 for number in range(20)}
    path = tmp_path / f"archive.{kind}"
    if kind == "zip":
        write_zip(path, files)
    else:
        write_tar(path, files, "w:gz" if kind == "tgz" else "w")
    data = path.read_bytes()
    path.write_bytes(data[: len(data) * 2 // 3])
    with pytest.raises(UserError, match="damaged or no archive"):
        [member.read() for member in archive_members(path)]


def test_flipped_byte_in_zip_is_noticed(tmp_path: Path) -> None:
    path = write_zip(tmp_path / "archive.zip", {"a.jpg": b"picture" * 50})
    data = bytearray(path.read_bytes())
    data[60] ^= 1
    path.write_bytes(bytes(data))
    with pytest.raises(UserError, match="CRC"):
        [member.read() for member in archive_members(path)]


def test_no_archive(tmp_path: Path) -> None:
    path = tmp_path / "page.html"
    path.write_bytes(b"<html>please log in</html>" * 50)
    with pytest.raises(UserError, match="damaged or no archive"):
        list(archive_members(path))


def test_a_draw_is_the_same_everywhere() -> None:
    names = [f"photo{number:03d}" for number in range(200)]
    taken = draw(names, 20, seed=0)
    assert taken == draw(reversed(names), 20, seed=0) == sorted(set(taken))
    assert set(taken) < set(draw(names, 40, seed=0))
    assert taken != draw(names, 20, seed=1)
    assert draw(names[:3], 20, seed=0) == names[:3]
    assert (len(taken), taken[:3]) == (20, ["photo019", "photo022", "photo025"])  # published: never to change


def test_a_draw_favours_no_end_of_the_alphabet() -> None:
    names = [f"{number:05d}" for number in range(10_000)]
    positions = [int(name) for name in draw(names, 2_000, seed=3)]
    assert abs(sum(positions) / len(positions) - 4999.5) < 4 * 2887 / 2_000**0.5
