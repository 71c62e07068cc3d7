"""A grey photograph has to look to a network exactly as it did when the network was trained on RGB."""

import re

import numpy as np
import pytest
import torch
from efficientnet_lite_pytorch import EfficientNet
from skimage.color import rgb2lab
from torchvision.models import densenet121

from pipeline.color.constants import level_of_lightness
from pipeline.errors import UserError
from pipeline.machine.weight_files import load_weights, resolve
from pipeline.models.encoders.densenet121 import IMAGENET_DEVIATION, IMAGENET_MEAN, DenseNet121
from pipeline.models.encoders.efficientnet_lite import EfficientNetLite0
from pipeline.models.teacher import Teacher


@pytest.fixture
def grey() -> torch.Tensor:
    """Noise: uint8 (1, 3, 64, 64) with three equal channels."""
    plane = np.random.default_rng(0).integers(0, 256, (1, 1, 64, 64), np.uint8)
    return torch.from_numpy(plane).expand(1, 3, 64, 64)


def lightness_of(grey: torch.Tensor) -> torch.Tensor:
    return torch.from_numpy(rgb2lab(grey[0].permute(1, 2, 0).numpy())[None, None, ..., 0]).float()


def test_grey_level_inverts_lightness_of_every_grey() -> None:
    levels = np.arange(256, dtype=np.uint8)
    light = rgb2lab(np.stack([levels] * 3, axis=-1)[None])[0, :, 0]
    assert np.abs(level_of_lightness(torch.from_numpy(light)).numpy() * 255 - levels).max() < 1e-3


def test_efficientnet_sees_the_features_that_the_published_network_sees(grey: torch.Tensor) -> None:
    published = EfficientNet.from_name("efficientnet-lite0").eval()
    published.load_state_dict(torch.load(resolve("efficientnet_lite0"), weights_only=True))
    seen: dict[int, torch.Tensor] = {}
    for number, block in enumerate(published._blocks):
        block.register_forward_hook(lambda *_, number=number: seen.__setitem__(number, _[-1]))
    encoder = EfficientNetLite0().eval()
    encoder.load_pretrained(load_weights("efficientnet_lite0"))
    with torch.no_grad():
        published((grey.float() - 127) / 128)
        levels = encoder(lightness_of(grey))
    for level, block in zip(levels, (0, 2, 4, 10, 15), strict=True):
        torch.testing.assert_close(level, seen[block], rtol=1e-3, atol=1e-3 * float(seen[block].std()))


def test_densenet_sees_the_features_that_torchvision_sees(grey: torch.Tensor) -> None:
    torch.manual_seed(0)
    published = densenet121(weights=None).eval()
    old_names = {
        re.sub(r"(denselayer\d+\.(?:norm|conv))([12])", r"\1.\2", name): tensor
        for name, tensor in published.state_dict().items()
    }
    encoder = DenseNet121().eval()
    encoder.load_pretrained(old_names)
    mean, deviation = (torch.tensor(values)[:, None, None] for values in (IMAGENET_MEAN, IMAGENET_DEVIATION))
    with torch.no_grad():
        expected = torch.relu(published.features((grey.float() / 255 - mean) / deviation))
        first = published.features.conv0((grey.float() / 255 - mean) / deviation)
        light = lightness_of(grey)
        convolution = encoder.features.conv0
        torch.testing.assert_close(convolution(convolution.normalize(light)), first, rtol=1e-4, atol=1e-4)
        torch.testing.assert_close(encoder(light)[-1], expected, rtol=1e-3, atol=1e-3 * float(expected.std()))


def test_first_convolution_is_exact_at_the_border(grey: torch.Tensor) -> None:
    """A plain bias in place of the second kernel would be wrong wherever the kernel reaches over the edge."""
    encoder = DenseNet121()
    kernels = torch.randn(64, 3, 7, 7, generator=torch.Generator().manual_seed(0))
    convolution = encoder.features.conv0
    convolution.set_from_rgb(kernels)
    mean, deviation = (torch.tensor(values)[:, None, None] for values in (IMAGENET_MEAN, IMAGENET_DEVIATION))
    normalized = (grey.float() / 255 - mean) / deviation
    expected = torch.nn.functional.conv2d(normalized, kernels, stride=2, padding=3)
    with torch.no_grad():
        found = convolution(convolution.normalize(lightness_of(grey)))
    assert (found - expected)[..., 0, 0].abs().max() < 1e-3
    torch.testing.assert_close(found, expected, rtol=1e-3, atol=1e-3)


def test_weights_of_another_network_are_refused() -> None:
    with pytest.raises((RuntimeError, KeyError)):
        EfficientNetLite0().load_pretrained({"_conv_stem.weight": torch.zeros(32, 3, 3, 3)})
    state = load_weights("efficientnet_lite0")
    state["_blocks.3._bn2.extra"] = torch.zeros(1)
    with pytest.raises(RuntimeError, match="extra"):
        EfficientNetLite0().load_pretrained(state)


def test_the_teacher_says_what_the_published_classifier_says(grey: torch.Tensor) -> None:
    published = EfficientNet.from_name("efficientnet-lite0").eval()
    weights = load_weights("efficientnet_lite0")
    published.load_state_dict(weights)
    with torch.no_grad():
        expected = torch.softmax(published((grey.float() - 127) / 128), dim=1)
    found = Teacher(weights)(lightness_of(grey))
    assert not found.requires_grad
    torch.testing.assert_close(found, expected, rtol=1e-2, atol=1e-5)
    with pytest.raises(UserError, match="needs the head of EfficientNet-lite0, and its file has none"):
        Teacher({name: tensor for name, tensor in weights.items() if not name.startswith("_fc")})
