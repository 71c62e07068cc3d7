"""LPIPS and AlexNet's features against the lpips package, its own example and torchvision."""

import contextlib
import io
import os
import warnings
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from PIL import Image

from pipeline import metrics
from pipeline.machine.weight_files import MissingWeights, placed_weights
from pipeline.metrics import perceptual
from pipeline.metrics.perceptual import alexnet_layers, channel_weights, load_perceptual, perceptual_features
from pipeline.metrics.registry import ALEXNET

WEIGHTS = placed_weights(ALEXNET)
"""As a user places them; most machines have none."""
needs_alexnet = pytest.mark.skipif(WEIGHTS is None, reason="AlexNet's weights are not in HUEBENCH_WEIGHTS")
EXAMPLE = os.environ.get("LPIPS_EXAMPLE", "")
"""The folder `imgs` of a copy of the lpips repository."""
Pair = tuple[np.ndarray, np.ndarray]


def lpips_package(state: dict[str, torch.Tensor]) -> Any:
    """The lpips package's network with our AlexNet weights."""
    with warnings.catch_warnings(), contextlib.redirect_stdout(io.StringIO()):
        warnings.simplefilter("ignore")
        import lpips

        network = lpips.LPIPS(net="alex", pnet_rand=True, verbose=False)
    for name, parameter in network.net.named_parameters():
        parameter.data.copy_(state[name.split(".", 1)[1]])
    return network


@pytest.fixture
def random_weights(tmp_path: Path) -> Path:
    torch.manual_seed(0)
    path = tmp_path / "alexnet.pth"
    torch.save({f"features.{name}": value for name, value in alexnet_layers().state_dict().items()}, path)
    return path


def test_lpips_equals_the_package_whatever_the_backbone_weights(pairs: Pair, random_weights: Path) -> None:
    ours = load_perceptual(random_weights)
    theirs = lpips_package(ours.layers.state_dict())
    first, second = (torch.from_numpy(images).permute(0, 3, 1, 2) / 127.5 - 1 for images in pairs)
    with torch.no_grad():
        expected = theirs(first, second).flatten().numpy()
    assert expected.max() > 1e-4  # the untrained network tells the pairs apart
    assert metrics.lpips(*pairs, ours) == pytest.approx(expected, rel=1e-4, abs=1e-7)


@needs_alexnet
def test_lpips_with_the_published_weights_equals_the_package(pairs: Pair) -> None:
    assert WEIGHTS is not None
    ours = load_perceptual(WEIGHTS)
    theirs = lpips_package(ours.layers.state_dict())
    first, second = (torch.from_numpy(images).permute(0, 3, 1, 2) / 127.5 - 1 for images in pairs)
    with torch.no_grad():
        expected = theirs(first, second).flatten().numpy()
    assert metrics.lpips(*pairs, ours) == pytest.approx(expected, rel=1e-4, abs=1e-7)


@needs_alexnet
@pytest.mark.skipif(not EXAMPLE, reason="LPIPS_EXAMPLE names no copy of the folder imgs of the lpips repository")
def test_lpips_gives_the_numbers_of_its_own_example() -> None:
    assert WEIGHTS is not None
    network = load_perceptual(WEIGHTS)
    reference, first, second = (
        np.asarray(Image.open(Path(EXAMPLE, f"ex_{name}.png")).convert("RGB"))[None] for name in ("ref", "p0", "p1")
    )
    assert metrics.lpips(reference, first, network) == pytest.approx(0.7219, abs=5e-5)
    assert metrics.lpips(reference, second, network) == pytest.approx(0.1376, abs=5e-5)
    assert metrics.lpips(reference, reference, network) == 0.0


def test_lpips_batch_and_order_change_no_value(pairs: Pair, random_weights: Path) -> None:
    network = load_perceptual(random_weights)
    together = metrics.lpips(*pairs, network)
    alone = np.concatenate([metrics.lpips(t[None], r[None], network) for t, r in zip(*pairs, strict=True)])
    assert together == pytest.approx(alone, abs=1e-6)
    assert metrics.lpips(pairs[1], pairs[0], network) == pytest.approx(together, abs=1e-7)


@pytest.mark.parametrize("size", [(31, 31), (33, 62), (64, 95), (130, 47)])
def test_groups_change_no_bit_and_vectors_hold_every_activation(size: tuple[int, int], random_weights: Path) -> None:
    network = load_perceptual(random_weights)
    images = torch.randint(0, 256, (6, *size, 3), dtype=torch.uint8, generator=torch.Generator().manual_seed(1))
    whole = perceptual_features(network, images, together=4).packed
    for start, stop in ((0, 1), (1, 4), (2, 6)):
        assert torch.equal(perceptual_features(network, images[start:stop], together=4).packed, whole[start:stop])
    current, length = torch.zeros(1, 3, *size), 0
    for layer in network.layers:
        current = layer(current)
        length += current.numel() if isinstance(layer, torch.nn.ReLU) else 0
    assert whole.shape == (6, 256 + length)
    torch.testing.assert_close(perceptual_features(network, images).packed, whole, rtol=1e-4, atol=1e-6)


def test_lpips_of_tiny_photographs_is_undefined(random_weights: Path) -> None:
    network = load_perceptual(random_weights)
    tiny, small = (np.zeros((1, side, 40, 3), np.uint8) for side in (30, 31))
    assert np.isnan(metrics.lpips(tiny, tiny, network))
    assert metrics.lpips(small, small, network) == 0.0


def test_missing_alexnet_is_an_error_of_the_one_metric(pairs: Pair, monkeypatch: pytest.MonkeyPatch) -> None:
    def nowhere(name: str) -> Path:
        raise MissingWeights(f"{name} is not here")

    monkeypatch.setattr("pipeline.metrics.perceptual.resolve", nowhere)
    perceptual.loaded_once.cache_clear()
    with pytest.raises(MissingWeights):
        metrics.lpips(*pairs)


def test_channel_weights_are_the_published_ones() -> None:
    heads = channel_weights()
    assert [len(head) for head in heads] == [64, 192, 384, 256, 256]
    assert all((head >= 0).all() for head in heads)  # else a distance could be negative, and the root would be wrong


@needs_alexnet
def test_pooled_features_equal_torchvision(pairs: Pair) -> None:
    from torchvision.models import alexnet

    network = alexnet(weights=None).features[:12]
    assert WEIGHTS is not None
    stored = torch.load(WEIGHTS, weights_only=True)
    network.load_state_dict({name.removeprefix("features."): value for name, value in stored.items()})
    mean, deviation = torch.tensor([0.485, 0.456, 0.406]), torch.tensor([0.229, 0.224, 0.225])
    with torch.no_grad():
        expected = network(((torch.from_numpy(pairs[0]) / 255 - mean) / deviation).permute(0, 3, 1, 2)).mean(dim=(2, 3))
    ours = perceptual_features(load_perceptual(WEIGHTS), torch.from_numpy(pairs[0])).pooled
    assert ours.numpy() == pytest.approx(expected.numpy(), rel=1e-4, abs=1e-6)
