"""Thumbnails: the pixels of Pillow's own decoding and resizing, whatever the file asks for on the way."""

import hashlib
import io
import pickle
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from PIL import Image, ImageOps

from pipeline.images.decode import decode
from pipeline.images.resizing import resize
from pipeline.storage.portions import View, photograph_bytes, portion, portions, thumbnails
from pipeline.storage.store import Store, StoreWriter


def encoded(image: Image.Image, **options: object) -> bytes:
    buffer = io.BytesIO()
    image.save(buffer, **options)
    return buffer.getvalue()


@pytest.fixture
def files(photograph: Callable[..., np.ndarray]) -> dict[str, bytes]:
    """Photographs that need a turn, a white ground, another mode, or nothing."""
    image = Image.fromarray(photograph(5, 50, 70))
    found = {"plain": encoded(image, format="JPEG"), "small": encoded(image.resize((20, 20)), format="PNG")}
    for orientation in range(1, 9):
        exif = Image.Exif()
        exif[0x0112] = orientation
        found[f"turned{orientation}"] = encoded(image, format="JPEG", exif=exif)
    alpha = Image.fromarray(np.tile(np.linspace(0, 255, 70).astype(np.uint8), (50, 1)))
    found["clear"] = encoded(Image.merge("RGBA", [*image.split(), alpha]), format="PNG")
    found["grey"] = encoded(image.convert("L"), format="PNG")
    found["palette"] = encoded(image.quantize(16), format="PNG")
    return found


@pytest.mark.parametrize("resampling", ["bicubic", "box"])
def test_thumbnails_are_what_pillow_gives(tmp_path: Path, files: dict[str, bytes], resampling: str) -> None:
    with StoreWriter(tmp_path / "set") as writer:
        for name, data in files.items():
            writer.add(name, data, split="train")
    store = Store(tmp_path / "set")
    tasks = portions(store.path, store.rows("train"), size=4)
    assert [len(task.shards) for task in tasks] == [4, 4, 4, 1]
    found = [thumbnail for task in tasks for thumbnail in thumbnails(task, View(20, resampling, 8))]
    for name, thumbnail in zip(sorted(files), found, strict=True):
        image = ImageOps.exif_transpose(Image.open(io.BytesIO(files[name])))
        if image.mode == "RGBA":
            image = Image.alpha_composite(Image.new("RGBA", image.size, "white"), image)
        expected = np.asarray(image.convert("RGB").resize((20, 20), Image.Resampling[resampling.upper()]))
        assert np.abs(thumbnail.astype(int) - expected).max() <= (1 if name == "clear" else 0), name


def test_decoding_to_a_size_is_decoding_and_resizing(files: dict[str, bytes]) -> None:
    for name, data in files.items():
        whole, sized = decode(data), decode(data, size=(33, 20), resampling="lanczos")
        np.testing.assert_array_equal(sized.rgb, resize(whole.rgb, (33, 20), "lanczos"), err_msg=name)
        assert sized.record == whole.record
        assert (whole.record["height"], whole.record["width"]) == whole.rgb.shape[:2]


def test_a_portion_carries_all_that_a_worker_needs(tmp_path: Path) -> None:
    """Where the bytes lie and the columns asked for: the index is not read again, and may be gone."""
    contents = {f"photo{number}": bytes([number]) * (1000 + number) for number in range(7)}
    with StoreWriter(tmp_path / "set", shard_bytes=3000) as writer:
        for name, data in contents.items():
            writer.add(name, data, split="test", label=name[-1])
    rows = Store(tmp_path / "set").rows("test")
    whole = portion(tmp_path / "set", rows, ("image_id", "sha256"))
    tasks = portions(tmp_path / "set", rows.drop(columns="image_id"), 3, ("image_id", "label"))
    (tmp_path / "set" / "index.parquet").unlink()
    assert [len(task) for task in tasks] == [3, 3, 1]
    assert [name for task in tasks for name in task.columns["image_id"]] == list(contents)
    assert [label for task in tasks for label in task.columns["label"]] == list("0123456")
    sent = pickle.loads(pickle.dumps(tasks))
    assert [data for task in sent for data in photograph_bytes(task)] == list(contents.values())
    assert list(photograph_bytes(whole, [5, 0])) == [contents["photo5"], contents["photo0"]]
    assert whole.columns["sha256"] == [hashlib.sha256(data).hexdigest() for data in contents.values()]
    assert portions(tmp_path / "set", rows[:0]) == []
