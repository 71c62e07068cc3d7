"""What each protocol compares, against the libraries of its papers; settings and documentation know the same ones."""

import pickle
from pathlib import Path

import cv2
import numpy as np
import pytest
from PIL import Image
from torchvision import transforms

from pipeline.errors import UserError
from pipeline.evaluation.protocols import (
    CIC_256,
    COLTRAN_FID5K,
    CT2_VAL5K,
    CTEST10K,
    DDCOLOR_256,
    NATIVE,
    NTIRE2019,
    protocol_list,
    protocol_named,
    refuse_other_grey,
)
from pipeline.metrics.registry import METRICS
from pipeline.settings.registries import PROTOCOLS

DOCUMENT = Path(__file__).parents[2] / "docs" / "metrics.md"
SHAPES = [(375, 500), (500, 375), (333, 500), (334, 501), (256, 256), (512, 512), (100, 77), (1200, 901)]


@pytest.fixture(params=SHAPES, ids=str)
def photograph(request: pytest.FixtureRequest) -> np.ndarray:
    return np.random.default_rng(0).integers(0, 256, (*request.param, 3), dtype=np.uint8)


def test_cic_is_pillows_bicubic(photograph: np.ndarray) -> None:
    expected = Image.fromarray(photograph).resize((256, 256), Image.Resampling.BICUBIC)
    assert np.array_equal(CIC_256.apply(photograph), np.asarray(expected))


def test_ct2_is_torchvisions_crop_and_resize(photograph: np.ndarray) -> None:
    steps = transforms.Compose([transforms.CenterCrop(min(photograph.shape[:2])), transforms.Resize(256)])
    assert np.array_equal(CT2_VAL5K.apply(photograph), np.asarray(steps(Image.fromarray(photograph))))


def test_ctest10k_is_torchvisions_resize(photograph: np.ndarray) -> None:
    expected = transforms.Resize((256, 256))(Image.fromarray(photograph))
    assert np.array_equal(CTEST10K.apply(photograph), np.asarray(expected))


def test_ddcolor_is_opencvs_resize(photograph: np.ndarray) -> None:
    assert np.array_equal(DDCOLOR_256.apply(photograph), cv2.resize(photograph, dsize=(256, 256)))


def test_coltran_is_the_area_of_the_center_square() -> None:
    """Against OpenCV's area filter of the square whose corner is rounded down, as resize_with_crop_or_pad has it."""
    photograph = np.random.default_rng(0).integers(0, 256, (515, 518, 3), dtype=np.uint8)
    square = photograph[:, 1:516].astype(np.float32)
    expected = cv2.resize(square, (256, 256), interpolation=cv2.INTER_AREA)
    assert np.abs(COLTRAN_FID5K.apply(photograph) - expected).max() < 0.5 + 1e-3


def test_nothing_is_resized_at_the_photographs_own_size(photograph: np.ndarray) -> None:
    assert NATIVE.apply(photograph) is photograph
    assert NTIRE2019.apply(photograph) is photograph


def test_protocols_differ_from_each_other() -> None:
    """No two names for one thing: on a photograph that is no square, all that resize give other pixels."""
    photograph = np.random.default_rng(0).integers(0, 256, (375, 500, 3), dtype=np.uint8)
    resized = [one.apply(photograph) for one in PROTOCOLS.values() if one.size is not None]
    assert len({pixels.tobytes() for pixels in resized}) == len(resized) == 5


def test_which_results_can_be_compared() -> None:
    photograph = (375, 500, 3)
    assert CT2_VAL5K.accepts(photograph, photograph) and CT2_VAL5K.accepts((256, 256, 3), photograph)
    assert COLTRAN_FID5K.accepts((512, 512, 3), photograph) and not CT2_VAL5K.accepts((512, 512, 3), photograph)
    assert not NATIVE.accepts((256, 256, 3), photograph) and not CIC_256.accepts((375, 499, 3), photograph)


def test_only_the_grey_of_the_graph_is_taken() -> None:
    refuse_other_grey(CIC_256)
    with pytest.raises(UserError, match=r"ntire2019@1, which gives methods luma, .* huebench score"):
        refuse_other_grey(NTIRE2019)


def test_protocols_are_found_by_name() -> None:
    names = ("cic-256@1", "native@1", "ct2-val5k@1", "ddcolor-256@1", "ctest10k@1", "coltran-fid5k@1", "ntire2019@1")
    assert [protocol_named(name) for name in names] == list(PROTOCOLS.values())
    with pytest.raises(UserError, match=r"protocol is 'cic-256', it takes one of"):
        protocol_named("cic-256")


@pytest.mark.parametrize("name", PROTOCOLS)
def test_a_protocol_goes_to_other_processes_and_names_metrics_that_there_are(name: str) -> None:
    protocol = protocol_named(name)
    photograph = np.random.default_rng(0).integers(0, 256, (40, 50, 3), dtype=np.uint8)
    assert np.array_equal(pickle.loads(pickle.dumps(protocol)).apply(photograph), protocol.apply(photograph))
    assert set(protocol.reports) <= set(METRICS)


def test_settings_and_documentation_know_the_same_protocols() -> None:
    assert [protocol.name for protocol in PROTOCOLS.values()] == list(PROTOCOLS)  # what params.yaml takes
    assert f"\n{protocol_list()}\n" in DOCUMENT.read_text(encoding="utf-8")
