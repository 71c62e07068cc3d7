"""The set `sample`: which photographs, which split, whose, and that no scene stands on both sides."""

import hashlib
from itertools import combinations
from pathlib import Path

import pytest

from pipeline.errors import UserError
from pipeline.sets import sample
from pipeline.sets.building import build_set
from pipeline.sets.sample import SampleSet
from pipeline.storage.store import Store


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory) -> Store:
    path = tmp_path_factory.mktemp("sample") / "store"
    build_set("sample", SampleSet(source="sample"), path, Path("unused"))
    return Store(path)


def test_46_photographs_by_split(store: Store) -> None:
    assert len(store) == 46
    assert (store.index["status"] == "ok").all()
    assert set(store.rows("test").index) == {
        "astronaut", "chelsea", "coffee", "rocket", "motorcycle_left", "china", "flower",
        "pexels-36030587", "pexels-3965508", "pexels-5604956", "pexels-6830376", "pexels-7247504",
        "pexels-6963783", "pexels-cup-of-couple-6963787",
    }  # fmt: skip
    assert len(store.rows("train")) == 32


def test_bytes_are_those_of_the_wheels(store: Store) -> None:
    skimage = pytest.importorskip("skimage")
    original = (Path(skimage.__path__[0]) / "data/astronaut.png").read_bytes()
    assert store.read("astronaut") == original
    for image_id, row in store.index.iterrows():
        assert hashlib.sha256(store.read(str(image_id))).hexdigest() == row["sha256"]


def test_pixels_are_those_of_scikit_image(store: Store) -> None:
    data = pytest.importorskip("skimage.data")
    assert (store.rgb("astronaut") == data.astronaut()).all()
    assert (store.rgb("chelsea") == data.chelsea()).all()


def test_every_photograph_is_credited(store: Store) -> None:
    assert (store.index["credit"].str.len() > 5).all()
    assert set(store.index["licence"]) == {
        "public domain",
        "CC0",
        "CC BY 2.0",
        "Pexels licence",
        "no licence stated; cite Scharstein et al., GCPR 2014",
    }
    assert store.index.loc["pexels-cup-of-couple-6963787", "credit"] == (
        "Cup of Couple on Pexels, https://www.pexels.com/photo/6963787/"
    )


def test_scenes_stand_on_one_side(store: Store) -> None:
    for scene in sample.SCENES:
        assert store.index.loc[list(scene), "split"].nunique() == 1


def test_what_was_moved_is_written_down() -> None:
    names = sorted(file.stem for file in sample._interior_files())
    plain = {name: "test" if position % 5 == 0 else "train" for position, name in enumerate(names, start=1)}
    splits = sample.interior_splits(names)
    moved = {name: splits[name] for name in names if splits[name] != plain[name]}
    assert moved == {"pexels-6963783": "test", "pexels-7303992": "train"}  # README, "The sample photographs"


def test_no_near_duplicates_across_the_sides(store: Store) -> None:
    """The statement in `sample.SCENES`: no pair of the 46 is nearer than 16 bits."""
    hashes = [int(value, 16) for value in store.index["perceptual_hash"]]
    distances = [(one ^ other).bit_count() for one, other in combinations(hashes, 2)]
    assert len(distances) == 1035
    assert min(distances) == 16


def test_other_bytes_in_a_wheel_are_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    wrong = sample.CLASSICS[0]._replace(sha256="0" * 64)
    with pytest.raises(UserError, match=r"astronaut\.png .* install the versions of constraints\.txt"):
        sample._classic_bytes(wrong)
    with pytest.raises(UserError, match="pip install"):
        sample._classic_bytes(sample.CLASSICS[0]._replace(file="no_such.png"))


def test_an_incomplete_wheel_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sample, "INTERIORS", 40)
    with pytest.raises(UserError, match="holds 39 photographs, it takes the 40"):
        list(SampleSet(source="sample").photographs(Path("unused")))
