"""LPIPS on VGG against the lpips package, with the same random backbone: the real one is on few machines."""

import contextlib
import io
import warnings
from pathlib import Path

import numpy as np
import pytest
import torch
from torchvision.models import vgg16

from pipeline import metrics
from pipeline.metrics.perceptual_vgg import load_vgg, vgg_layers, vgg_vectors

Pair = tuple[np.ndarray, np.ndarray]


@pytest.fixture(scope="module")
def weights(tmp_path_factory: pytest.TempPathFactory) -> Path:
    torch.manual_seed(0)
    path = tmp_path_factory.mktemp("vgg") / "vgg16.pth"
    torch.save({f"features.{name}": value for name, value in vgg_layers().state_dict().items()}, path)
    return path


def test_the_layers_are_torchvisions() -> None:
    theirs = vgg16(weights=None).features.state_dict()
    ours = vgg_layers().state_dict()
    assert {name: value.shape for name, value in ours.items()} == {name: value.shape for name, value in theirs.items()}


def test_lpips_vgg_equals_the_package(pairs: Pair, weights: Path) -> None:
    ours = load_vgg(weights)
    with warnings.catch_warnings(), contextlib.redirect_stdout(io.StringIO()):
        warnings.simplefilter("ignore")
        import lpips

        theirs = lpips.LPIPS(net="vgg", pnet_rand=True, verbose=False)
    state = ours.layers.state_dict()
    for name, parameter in theirs.net.named_parameters():
        parameter.data.copy_(state[name.split(".", 1)[1]])
    first, second = (torch.from_numpy(images).permute(0, 3, 1, 2) / 127.5 - 1 for images in pairs)
    with torch.no_grad():
        expected = theirs(first, second).flatten().numpy()
    assert expected.max() > 1e-4  # the untrained network tells the pairs apart
    assert metrics.lpips_vgg(*pairs, ours) == pytest.approx(expected, rel=1e-4, abs=1e-7)


def test_a_vector_does_not_depend_on_the_batch(pairs: Pair, weights: Path) -> None:
    network, images = load_vgg(weights), torch.from_numpy(pairs[0])
    whole = vgg_vectors(network, images)
    assert torch.equal(whole[1], vgg_vectors(network, images[1:2])[0])


def test_a_photograph_too_small_has_no_value(weights: Path) -> None:
    tiny = np.zeros((1, 15, 40, 3), np.uint8)
    assert np.isnan(metrics.lpips_vgg(tiny, tiny, load_vgg(weights))).all()
