"""Each published set from a small archive in its official layout, served over HTTP, into a store."""

import hashlib
import io
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from pydantic import TypeAdapter
from scipy.io import savemat

from pipeline.errors import UserError
from pipeline.images.decode import encode_png
from pipeline.sets.archives import Archive
from pipeline.sets.building import build_set
from pipeline.sets.published import parts_of_names
from pipeline.settings.registries import SETS
from pipeline.settings.set_entries import SetSettings
from pipeline.storage.store import Store
from tests.loopback import Site
from tests.sets.test_members import write_tar, write_zip

Files = Mapping[str, bytes]


def entry(**settings: Any) -> SetSettings:
    return TypeAdapter(SetSettings).validate_python(settings)


@pytest.fixture
def publish(site: Site, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[[str, str, bytes | Path], None]:
    """Put a file on the server, or in the folder where it has to be placed by hand, as an archive of a source."""

    def make(source: str, key: str, content: bytes | Path) -> None:
        data = content if isinstance(content, bytes) else content.read_bytes()
        published = SETS[source].ARCHIVES[key]
        kind = published.checksum.partition(":")[0]
        url = published.url and f"{site.base}/{published.file}"
        small = Archive(published.file, len(data), f"{kind}:{hashlib.new(kind, data).hexdigest()}", url, published.page)
        monkeypatch.setitem(SETS[source].ARCHIVES, key, small)
        if url:
            site.files[f"/{published.file}"] = data
        else:
            (tmp_path / "kept").mkdir(exist_ok=True)
            (tmp_path / "kept" / published.file).write_bytes(data)

    return make


@pytest.fixture
def pictures(photograph: Callable[..., np.ndarray]) -> Callable[[int], bytes]:
    return lambda seed: encode_png(photograph(seed, height=16, width=16))


def built(tmp_path: Path, **settings: Any) -> Store:
    build_set("it", entry(**settings), tmp_path / "store", tmp_path / "kept")
    return Store(tmp_path / "store")


def labels(store: Store) -> dict[str, str]:
    return dict(zip(store.index["image_id"], store.index["label"], strict=True))


def test_places365(tmp_path: Path, publish: Any, pictures: Callable[[int], bytes]) -> None:
    train = {
        f"data_256/{category}/0000000{n}.jpg": pictures(n) for n in (1, 2) for category in ("a/airfield", "b/bow/in")
    }
    publish("places365", "train", write_tar(tmp_path / "train.tar", train))
    store = built(tmp_path, source="places365", part="train", split="train")
    assert labels(store) == {
        "a-airfield-00000001": "a/airfield",
        "a-airfield-00000002": "a/airfield",
        "b-bow-in-00000001": "b/bow/in",
        "b-bow-in-00000002": "b/bow/in",
    }
    assert set(store.index["split"]) == {"train"}
    assert store.read("b-bow-in-00000002") == pictures(2)
    for part in ("val", "test"):
        files = {f"{part}_256/Places365_{part}_0000000{n}.jpg": pictures(n) for n in range(1, 7)}
        publish("places365", part, write_tar(tmp_path / f"{part}.tar", files))
    drawn = built(tmp_path, source="places365", part="val", split="test", sample=3)
    again = built(tmp_path, source="places365", part="val", split="test", sample=3)
    assert list(drawn.index["image_id"]) == list(again.index["image_id"])
    assert len(drawn) == 3
    assert len(built(tmp_path, source="places365", part="test", split="test")) == 6
    with pytest.raises(UserError, match="holds 6 photographs, sample takes 7"):
        built(tmp_path, source="places365", part="val", split="test", sample=7)


def test_ade20k(tmp_path: Path, publish: Any, pictures: Callable[[int], bytes]) -> None:
    root = "ADEChallengeData2016"
    files = {
        f"{root}/images/training/ADE_train_00000001.jpg": pictures(1),
        f"{root}/images/validation/ADE_val_00000001.jpg": pictures(2),
        f"{root}/images/validation/ADE_val_00000002.jpg": pictures(3),
        f"{root}/annotations/validation/ADE_val_00000001.png": pictures(4),
        f"{root}/sceneCategories.txt": b"ADE_train_00000001 attic\nADE_val_00000001 abbey\nADE_val_00000002 misc\n",
    }
    publish("ade20k", "all", write_zip(tmp_path / "ade.zip", files))
    store = built(tmp_path, source="ade20k", part="validation", split="test")
    assert labels(store) == {"ADE_val_00000001": "abbey", "ADE_val_00000002": "misc"}
    assert labels(built(tmp_path, source="ade20k", part="training", split="train")) == {"ADE_train_00000001": "attic"}


def test_celeba_by_its_partition(tmp_path: Path, publish: Any, pictures: Callable[[int], bytes]) -> None:
    photographs = {f"img_align_celeba/00000{n}.jpg": pictures(n) for n in range(1, 6)}
    with pytest.raises(UserError, match=rf"at {tmp_path}/kept/img_align_celeba\.zip and {tmp_path}/kept/list_eval_"):
        built(tmp_path, source="celeba", part="test", split="test")
    publish("celeba", "partition", b"000001.jpg 0\n000002.jpg 2\n000003.jpg 1\n000004.jpg 2\n000005.jpg 0\n")
    publish("celeba", "photographs", write_zip(tmp_path / "celeba.zip", photographs))
    for part, expected in (("train", ["000001", "000005"]), ("val", ["000003"]), ("test", ["000002", "000004"])):
        store = built(tmp_path, source="celeba", part=part, split="test")
        assert list(store.index["image_id"]) == expected


def test_coco2017(tmp_path: Path, publish: Any, pictures: Callable[[int], bytes]) -> None:
    for part in ("train", "val", "test"):
        files = {
            f"{part}2017/": b"",
            f"{part}2017/000000000139.jpg": pictures(1),
            f"{part}2017/000000000285.jpg": pictures(2),
        }
        publish("coco2017", part, write_zip(tmp_path / f"{part}.zip", files))
        store = built(tmp_path, source="coco2017", part=part, split="test")
        assert list(store.index["image_id"]) == ["000000000139", "000000000285"]


def test_flowers102(tmp_path: Path, publish: Any, pictures: Callable[[int], bytes]) -> None:
    files = {f"jpg/image_0000{n}.jpg": pictures(n) for n in range(1, 7)}
    publish("flowers102", "photographs", write_tar(tmp_path / "flowers.tgz", files, "w:gz"))
    for key, content in (
        ("labels", {"labels": np.array([[77, 77, 5, 5, 102, 1]], np.uint8)}),
        ("parts", {"trnid": [[1, 4]], "valid": [[2]], "tstid": [[3, 5, 6]]}),
    ):
        buffer = io.BytesIO()
        savemat(buffer, content)
        publish("flowers102", key, buffer.getvalue())
    store = built(tmp_path, source="flowers102", part="test", split="test")
    assert labels(store) == {"image_00003": "5", "image_00005": "102", "image_00006": "1"}
    assert labels(built(tmp_path, source="flowers102", part="train", split="train")) == {
        "image_00001": "77",
        "image_00004": "5",
    }


def test_imagenet_is_placed_by_hand(tmp_path: Path, publish: Any, pictures: Callable[[int], bytes]) -> None:
    with pytest.raises(UserError, match=rf"ILSVRC2012_img_val\.tar \(6\.7 GB\).*place it at {tmp_path}/kept/ILSVRC"):
        built(tmp_path, source="imagenet", split="test")
    files = {f"ILSVRC2012_val_0000000{n}.JPEG": pictures(n) for n in (1, 2)}
    publish("imagenet", "val", write_tar(tmp_path / "val.tar", files))
    store = built(tmp_path, source="imagenet", split="test")
    assert list(store.index["image_id"]) == ["ILSVRC2012_val_00000001", "ILSVRC2012_val_00000002"]


def test_tiny_imagenet(tmp_path: Path, publish: Any, pictures: Callable[[int], bytes]) -> None:
    root = "tiny-imagenet-200"
    files = {
        f"{root}/train/n01443537/images/n01443537_0.JPEG": pictures(1),
        f"{root}/train/n01443537/n01443537_boxes.txt": b"n01443537_0.JPEG\t0\t0\t9\t9\n",
        f"{root}/val/images/val_0.JPEG": pictures(2),
        f"{root}/val/val_annotations.txt": b"val_0.JPEG\tn03444034\t0\t32\t44\t62\n",
        f"{root}/test/images/test_0.JPEG": pictures(3),
    }
    publish("tiny_imagenet", "all", write_zip(tmp_path / "tiny.zip", files))
    for part, expected in (
        ("train", {"n01443537_0": "n01443537"}),
        ("val", {"val_0": "n03444034"}),
        ("test", {"test_0": ""}),
    ):
        assert labels(built(tmp_path, source="tiny_imagenet", part=part, split="test")) == expected


def test_div2k(tmp_path: Path, publish: Any, pictures: Callable[[int], bytes]) -> None:
    publish("div2k", "train", write_zip(tmp_path / "train.zip", {"DIV2K_train_HR/0001.png": pictures(1)}))
    publish("div2k", "val", write_zip(tmp_path / "val.zip", {"DIV2K_valid_HR/0801.png": pictures(2)}))
    assert list(built(tmp_path, source="div2k", part="train", split="train").index["image_id"]) == ["0001"]
    assert list(built(tmp_path, source="div2k", part="val", split="test").index["image_id"]) == ["0801"]


def test_cut_connection_is_continued_by_the_next_run(
    tmp_path: Path, publish: Any, site: Site, pictures: Callable[[int], bytes], monkeypatch: pytest.MonkeyPatch
) -> None:
    files = {f"DIV2K_valid_HR/080{n}.png": pictures(n) for n in range(5)}
    publish("div2k", "val", write_zip(tmp_path / "val.zip", files))
    monkeypatch.setattr("pipeline.machine.download.time.sleep", lambda seconds: None)
    site.cut_after = [700, *[0] * 4]
    with pytest.raises(UserError, match=r"700 bytes of .* are kept, run again to continue"):
        built(tmp_path, source="div2k", part="val", split="test")
    assert not (tmp_path / "store").exists()
    assert len(built(tmp_path, source="div2k", part="val", split="test")) == 5
    assert site.asked[-1] == "bytes=700-"


def test_bad_photographs_are_kept_as_rows_until_they_are_too_many(
    tmp_path: Path, publish: Any, pictures: Callable[[int], bytes]
) -> None:
    files = {f"DIV2K_valid_HR/08{n:02d}.png": pictures(n) for n in range(10)}
    files["DIV2K_valid_HR/0803.png"] = pictures(3)[:200]
    files["DIV2K_valid_HR/0805.png"] = b""
    publish("div2k", "val", write_zip(tmp_path / "val.zip", files))
    wanted = {"source": "div2k", "part": "val", "split": "test"}
    with pytest.raises(UserError, match=r"sets\.it: 2 of 10 files were refused \(empty 1, truncated 1\), and sets"):
        built(tmp_path, **wanted)
    assert not (tmp_path / "store").exists()
    store = built(tmp_path, **wanted, max_bad_share=0.2)
    assert store.index["status"].value_counts().to_dict() == {"ok": 8, "truncated": 1, "empty": 1}
    assert len(store.rows("test")) == 8


def test_an_older_store_survives_a_failure(tmp_path: Path, publish: Any, pictures: Callable[[int], bytes]) -> None:
    publish("div2k", "val", write_zip(tmp_path / "val.zip", {"DIV2K_valid_HR/0801.png": pictures(1)}))
    built(tmp_path, source="div2k", part="val", split="test")
    publish("div2k", "val", b"this is no archive")
    (tmp_path / "kept/DIV2K_valid_HR.zip").unlink()
    with pytest.raises(UserError, match="no archive"):
        built(tmp_path, source="div2k", part="val", split="test")
    assert list(Store(tmp_path / "store").index["image_id"]) == ["0801"]


@pytest.mark.parametrize("name", sorted(SETS))
def test_every_source_says_what_it_is(name: str) -> None:
    source = SETS[name]
    assert source.TITLE
    assert source.PAGE
    assert source.LICENCE
    for archive in source.ARCHIVES.values():
        kind, _, digest = archive.checksum.partition(":")
        assert len(digest) == 2 * hashlib.new(kind).digest_size
        assert archive.bytes > 0
        assert archive.url.endswith(archive.file) or not archive.url
        assert archive.page.startswith("http")


def test_the_first_photographs_by_name(tmp_path: Path, publish: Any, pictures: Callable[[int], bytes]) -> None:
    files = {f"ILSVRC2012_val_0000000{n}.JPEG": pictures(n) for n in (3, 1, 4, 2)}  # an archive has an order of its own
    publish("imagenet", "val", write_tar(tmp_path / "val.tar", files))
    store = built(tmp_path, source="imagenet", split="test", first=2)
    assert list(store.index["image_id"]) == ["ILSVRC2012_val_00000001", "ILSVRC2012_val_00000002"]
    with pytest.raises(UserError, match="holds 4 photographs, first takes 5 of them"):
        built(tmp_path, source="imagenet", split="test", first=5)


def test_a_list_names_the_photographs(tmp_path: Path, publish: Any, pictures: Callable[[int], bytes]) -> None:
    files = {f"ILSVRC2012_val_0000000{n}.JPEG": pictures(n) for n in (3, 1, 4, 2)}
    publish("imagenet", "val", write_tar(tmp_path / "val.tar", files))
    listed = tmp_path / "ctest.txt"
    listed.write_text("ILSVRC2012_val_00000004.JPEG\n\nILSVRC2012_val_00000002\r\n", encoding="utf-8")
    store = built(tmp_path, source="imagenet", split="test", list=str(listed))
    assert list(store.index["image_id"]) == ["ILSVRC2012_val_00000002", "ILSVRC2012_val_00000004"]
    for text, complaint in (
        (
            "ILSVRC2012_val_00000009\nn1\n",
            r"names 2 photographs that .*val\.tar has not in this part, .* 'ILSVRC2012_v",
        ),
        ("ILSVRC2012_val_00000001\nILSVRC2012_val_00000001.JPEG\n", "names 'ILSVRC2012_val_00000001' twice"),
        (" \n", "names no photograph"),
        ("\xff", "cannot be read"),
    ):
        listed.write_bytes(text.encode("latin-1"))
        with pytest.raises(UserError, match=complaint) as told:
            built(tmp_path, source="imagenet", split="test", list=str(listed))
        assert "\n" not in str(told.value)
    with pytest.raises(UserError, match=r"none\.txt cannot be read \(No such file or directory\); sets\.<name>\.list"):
        built(tmp_path, source="imagenet", split="test", list=str(tmp_path / "none.txt"))


def test_photographs_are_chosen_in_one_way() -> None:
    with pytest.raises(ValueError, match="first stands beside sample, it takes one of sample, first, list"):
        entry(source="imagenet", split="test", first=5, sample=5)
    with pytest.raises(ValueError, match="greater than or equal to 1"):
        entry(source="imagenet", split="test", first=0)


def test_photographs_are_told_by_parts_and_not_by_the_name_of_the_entry() -> None:
    assert entry(source="imagenet", split="test", first=5000).parts == "imagenet/val/first 5000"
    assert entry(source="coco2017", part="val", split="test").parts == "coco2017/val/all"
    assert entry(source="ade20k", part="validation", split="test", sample=7, seed=2).parts == (
        "ade20k/validation/sample 7 of seed 2"
    )
    names = [f"ILSVRC2012_val_{number:08d}" for number in range(1, 5001)]
    assert parts_of_names(names) == "imagenet/val/first 5000"
    assert parts_of_names(names[1:]) == parts_of_names(["a"]) == parts_of_names([]) == ""
    assert parts_of_names({f"ADE_val_{number:08d}" for number in range(1, 2001)}) == "ade20k/validation/all"
