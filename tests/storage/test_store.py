import hashlib
import tarfile

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pipeline.errors import UserError
from pipeline.images.decode import encode_png
from pipeline.storage import store
from pipeline.storage.store import Store, StoreWriter, _tar_header


def test_photographs_come_back_as_they_went_in(make_store, photograph):
    store = make_store(5)
    assert len(store) == 5
    for number in range(5):
        np.testing.assert_array_equal(store.rgb(f"photo{number:02d}"), photograph(number))


@settings(max_examples=25, deadline=None)
@given(contents=st.lists(st.binary(max_size=3000), min_size=1, max_size=12), shard_bytes=st.integers(1, 9000))
def test_any_bytes_come_back_by_seek_and_by_tar(tmp_path_factory, contents, shard_bytes):
    path = tmp_path_factory.mktemp("store") / "set"
    with StoreWriter(path, shard_bytes) as writer:
        for number, data in enumerate(contents):
            writer.add(f"x.{number}", data, ".bin")
    store = Store(path)
    assert [store.read(f"x.{number}") for number in range(len(contents))] == contents
    assert list(store.index["sha256"].sort_index()) == [
        hashlib.sha256(contents[int(name[2:])]).hexdigest() for name in sorted(store.index.index)
    ]
    members = {}
    for shard in sorted(path.glob("images-*.tar")):
        with tarfile.open(shard) as tar:
            members |= {member.name: tar.extractfile(member).read() for member in tar}
    assert members == {f"x%2E{number}.bin": data for number, data in enumerate(contents)}


def test_a_store_s_bytes_depend_on_its_photographs_alone(make_store):
    first, second = make_store(3, "one"), make_store(3, "two")
    for name in ("images-00000.tar", "index.parquet"):
        assert (first.path / name).read_bytes() == (second.path / name).read_bytes()


@settings(max_examples=200, deadline=None)
@given(name=st.text(st.characters(exclude_characters="\0", exclude_categories=["Cs"]), min_size=1, max_size=120),
       length=st.one_of(st.integers(0, 10**6), st.integers(8**11 - 2, 8**11 + 2)))  # fmt: skip
def test_headers_are_those_of_tarfile(name, length):
    member = tarfile.TarInfo(name)
    member.size, member.mode = length, 0o644
    assert _tar_header(name, length) == member.tobuf(tarfile.PAX_FORMAT)


def test_the_index_is_in_order_and_whole_however_many_rows_are_packed_together(tmp_path, monkeypatch):
    monkeypatch.setattr(store, "ROWS_TOGETHER", 4)
    names = [f"{(7 * number) % 11:02d}" for number in range(11)]
    with StoreWriter(tmp_path / "set") as writer:
        for name in names:
            writer.add(name, name.encode(), split="train", is_grey=name == "03")
    written = Store(tmp_path / "set")
    assert list(written.index.index) == sorted(names)
    assert all(written.read(name) == name.encode() for name in names)
    assert list(written.index.index[written.index["is_grey"]]) == ["03"]


def test_long_and_non_ascii_names(tmp_path):
    names = ["x" * 300, "Straße-über", "a/b/c"]
    with StoreWriter(tmp_path / "set") as writer:
        for name in names:
            writer.add(name, name.encode())
    store = Store(tmp_path / "set")
    assert {name: store.read(name).decode() for name in names} == {name: name for name in names}
    assert list(store.index.index) == sorted(names)


def test_shards_stay_below_their_limit(tmp_path):
    with StoreWriter(tmp_path / "set", shard_bytes=20_000) as writer:
        for number in range(30):
            writer.add(f"n{number:02d}", bytes(1500))
    store = Store(tmp_path / "set")
    assert store.index["shard"].nunique() > 2
    assert all((store.path / shard).stat().st_size < 32_000 for shard in store.index["shard"].unique())


def test_a_killed_writer_leaves_the_older_store(make_store, tmp_path):
    older = make_store(2)
    with pytest.raises(RuntimeError), StoreWriter(older.path) as writer:
        writer.add("new", b"bytes")
        raise RuntimeError
    assert len(Store(older.path)) == 2
    assert [path.name for path in tmp_path.iterdir()] == ["set"]


def test_refused_photographs_keep_their_reason(tmp_path, photograph):
    with StoreWriter(tmp_path / "set") as writer:
        writer.add("good", encode_png(photograph(0)), split="test")
        writer.add("bad", None, split="test", status="truncated")
    store = Store(tmp_path / "set")
    assert list(store.rows("test").index) == ["good"]
    assert store.rows("test", usable=False).loc["bad", "status"] == "truncated"
    with pytest.raises(KeyError, match="truncated"):
        store.read("bad")


def test_names_are_unique_and_columns_known(tmp_path):
    with StoreWriter(tmp_path / "set") as writer:
        writer.add("one", b"1")
        with pytest.raises(ValueError, match="taken"):
            writer.add("one", b"2")
        with pytest.raises(ValueError, match="no column 'colour'"):
            writer.add("two", b"2", colour="red")


def test_what_is_no_store_or_is_damaged_says_so(tmp_path, make_store):
    with pytest.raises(UserError, match="is no image set"):
        Store(tmp_path / "nothing")
    store = make_store(2)
    shard = store.path / "images-00000.tar"
    shard.write_bytes(shard.read_bytes()[:700])
    with pytest.raises(UserError, match="shorter than its index says"):
        Store(store.path).read("photo01")
    shard.unlink()
    with pytest.raises(UserError, match="is missing"):
        Store(store.path).read("photo01")
