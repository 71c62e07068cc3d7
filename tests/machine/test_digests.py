import hashlib
import os
from pathlib import Path

import pytest

from pipeline.machine.digests import file_digests


def test_digests_are_those_of_hashlib_and_follow_changes(tmp_path):
    files = [tmp_path / name for name in ("b", "a", "c")]
    for number, file in enumerate(files):
        file.write_bytes(bytes([number]) * 100_000)
    notes = tmp_path / "notes" / "digests.sqlite"
    for _ in range(2):
        expected = [hashlib.sha256(file.read_bytes()).hexdigest() for file in files]
        assert list(file_digests(files, notes)) == expected
        files[1].write_bytes(b"other")


@pytest.fixture
def read(monkeypatch):
    """The files that were opened."""
    seen, opened = [], Path.open

    def noted(path, *arguments, **options):
        seen.append(path)
        return opened(path, *arguments, **options)

    monkeypatch.setattr(Path, "open", noted)
    return seen


def test_a_file_is_read_once_as_long_as_it_is_the_same(tmp_path, read):
    file, notes = tmp_path / "file", tmp_path / "digests.sqlite"
    file.write_bytes(b"content")
    (first,) = file_digests([file], notes)
    read.clear()
    assert list(file_digests([file], notes)) == [first]
    assert not read
    os.utime(file, ns=(1, 1))
    assert list(file_digests([file], notes)) == [first]
    assert read == [file]


def test_what_was_read_before_a_failure_is_noted(tmp_path, read):
    file, notes = tmp_path / "file", tmp_path / "digests.sqlite"
    file.write_bytes(b"content")
    with pytest.raises(FileNotFoundError):
        list(file_digests([file, tmp_path / "missing"], notes))
    read.clear()
    assert len(list(file_digests([file], notes))) == 1
    assert not read
