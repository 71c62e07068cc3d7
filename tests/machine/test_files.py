"""Files that are there whole or not at all."""

from pathlib import Path
from typing import Any

import pytest

from pipeline.machine.files import format_bytes, write_bytes


def test_nothing_is_left_half_written(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "deep/er/a.bin"
    write_bytes(path, b"old")

    def fail(self: Path, data: bytes) -> int:
        with self.open("wb") as file:
            file.write(data[:1])
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(Path, "write_bytes", fail)
    with pytest.raises(OSError, match="No space"):
        write_bytes(path, b"new")
    assert [file.name for file in path.parent.iterdir()] == ["a.bin"]
    assert path.read_bytes() == b"old"


@pytest.mark.parametrize(
    ("count", "text"), [(0, "0 bytes"), (999, "999 bytes"), (1500, "1.5 kB"), (2e6, "2.0 MB"), (3.53e9, "3.5 GB")]
)
def test_bytes_for_people(count: Any, text: str) -> None:
    assert format_bytes(count) == text
