"""VGG-19 against torchvision; hypercolumns that are projected first against such that are concatenated first."""

import pytest
import torch
from torch import nn
from torch.nn import functional
from torchvision.models import vgg19
from torchvision.models.feature_extraction import create_feature_extractor

from pipeline.color.constants import level_of_lightness
from pipeline.models.decoders.hypercolumn import HypercolumnDecoder
from pipeline.models.encoders.densenet121 import IMAGENET_DEVIATION, IMAGENET_MEAN
from pipeline.models.encoders.vgg19 import VGG19
from pipeline.settings.registries import ENCODERS
from tests.models.test_network import build_network

RELUS = (1, 3, 6, 8, 11, 13, 15, 17, 20, 22, 24, 26, 29, 31, 33, 35)


@pytest.fixture(scope="module")
def published() -> nn.Module:
    torch.manual_seed(0)
    return vgg19(weights=None).eval()


def test_vgg19_sees_the_features_that_torchvision_s_sees(published: nn.Module) -> None:
    encoder = VGG19().eval()
    for layer in published.features:
        if isinstance(layer, nn.Conv2d):
            nn.init.normal_(layer.bias, std=0.1)
    encoder.load_pretrained(published.state_dict())
    light = 100 * torch.rand(2, 1, 48, 32)
    mean, deviation = (torch.tensor(values).view(1, 3, 1, 1) for values in (IMAGENET_MEAN, IMAGENET_DEVIATION))
    rgb = (level_of_lightness(light).expand(-1, 3, -1, -1) - mean) / deviation
    extractor = create_feature_extractor(published, [f"features.{number}" for number in RELUS])
    with torch.no_grad():
        found, expected = encoder(light), list(extractor(rgb).values())
    assert len(found) == 16
    for one, other in zip(found, expected, strict=True):
        torch.testing.assert_close(one, other, rtol=1e-4, atol=1e-4 * float(other.abs().max()))


def test_parameters(published: nn.Module) -> None:
    features = sum(parameter.numel() for parameter in published.features.parameters())
    own = sum(parameter.numel() for parameter in VGG19().parameters())
    assert features == 20_024_384
    assert own == features - 2 * 64 * 9  # the first convolution sees one channel where three are alike
    assert (sum(VGG19.channels), len(VGG19.channels)) == (5_504, 16)
    decoder = HypercolumnDecoder(VGG19.channels, VGG19.strides, [64], 2)
    assert sum(parameter.numel() for parameter in decoder.projections.parameters()) == 353_280


@pytest.mark.parametrize("name", ["vgg19", "efficientnet_lite0"])
def test_projecting_first_equals_resizing_first(name: str) -> None:
    torch.manual_seed(1)
    encoder = ENCODERS[name]
    decoder = HypercolumnDecoder(encoder.channels, encoder.strides, [64], 5)
    features = [
        torch.rand(2, channels, 64 // stride, 96 // stride)
        for channels, stride in zip(encoder.channels, encoder.strides, strict=True)
    ]
    resized = [
        functional.adaptive_avg_pool2d(level, (16, 24))
        if level.shape[2] >= 16
        else functional.interpolate(level, (16, 24), mode="bilinear")
        for level in features
    ]
    kernels = torch.cat([projection.weight for projection in decoder.projections], dim=1)
    biases = torch.stack([projection.bias for projection in decoder.projections]).sum(dim=0)
    with torch.no_grad():
        expected = functional.conv2d(torch.cat(resized, dim=1), kernels, biases)
        assert (decoder.hypercolumn(features) - expected).abs().max() < 1e-5


@pytest.mark.parametrize(("outputs", "bounded"), [(2, True), (5, False)])
def test_a_regression_is_bounded_and_scores_are_not(outputs: int, bounded: bool) -> None:
    network = build_network("efficientnet_lite0", "hypercolumn", [8], outputs).eval()
    with torch.no_grad():
        nn.init.constant_(network.decoder.scores.bias, 40.0)
        found = network(torch.rand(1, 1, 32, 32) * 100)
    assert found.shape == (1, outputs, 8, 8)
    assert bool((found <= 110 / 128).all()) == bounded


def test_frozen_vgg_levels_are_what_lies_between_poolings() -> None:
    levels = VGG19().levels()
    assert [sum(isinstance(module, nn.Conv2d) for module in level) for level in levels] == [2, 2, 4, 4, 4]
