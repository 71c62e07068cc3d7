"""What goes into a store comes out: any bytes, any names, any shard size, and through other readers of tar."""

import hashlib
import tarfile
import tempfile
from pathlib import Path

from hypothesis import given, settings
from hypothesis import strategies as st

from pipeline.storage.store import Store, StoreWriter

NAMES = st.text(
    st.characters(codec="utf-8", exclude_categories=("Cs", "Cc"), exclude_characters="\0/"), min_size=1, max_size=40
)


@settings(deadline=None, max_examples=40)
@given(st.dictionaries(NAMES, st.binary(max_size=3000), min_size=1, max_size=12), st.integers(512, 20_000))
def test_bytes_come_back(content: dict[str, bytes], shard_bytes: int) -> None:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "store"
        with StoreWriter(path, shard_bytes) as writer:
            for name, data in content.items():
                writer.add(name, data, ".png", split="test")
        store = Store(path)
        assert list(store.index["image_id"]) == sorted(content)
        for name, data in content.items():
            assert store.read(name) == data
            assert store.index.loc[name, "sha256"] == hashlib.sha256(data).hexdigest()
        read_by_tarfile = []
        for shard in sorted(path.glob("*.tar")):
            with tarfile.open(shard) as tar:
                for member in tar.getmembers():
                    file = tar.extractfile(member)
                    assert file is not None
                    read_by_tarfile.append(file.read())
        assert sorted(read_by_tarfile) == sorted(content.values())


@settings(deadline=None, max_examples=20)
@given(st.lists(st.binary(max_size=800), min_size=1, max_size=8))
def test_the_same_photographs_give_the_same_files(content: list[bytes]) -> None:
    written = []
    with tempfile.TemporaryDirectory() as folder:
        for name in ("first", "second"):
            with StoreWriter(Path(folder) / name, 2048) as writer:
                for number, data in enumerate(content):
                    writer.add(f"{number}", data)
            files = sorted((Path(folder) / name).iterdir())
            written.append([(file.name, file.read_bytes()) for file in files])
    assert written[0] == written[1]
