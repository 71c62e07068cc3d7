"""Parts compose to the sizes of the paper, and frozen parts stay as they are."""

from itertools import product

import pytest
import torch
from torch import nn

from pipeline.models.encoder_decoder import EncoderDecoder
from pipeline.models.network import EncoderDecoderNetwork
from pipeline.settings.registries import ANY, DECODERS, ENCODERS

FIVE_LEVELS = [name for name in ENCODERS if ENCODERS.facts(name)["levels"] == 5]
PAIRS = [
    (encoder, decoder)
    for encoder, decoder in product(ENCODERS, DECODERS)
    if DECODERS.facts(decoder)["levels"] in (ANY, ENCODERS.facts(encoder)["levels"])
]
"""Those that settings accept."""


def build_network(encoder: str, decoder: str, channels: list[int], outputs: int) -> EncoderDecoderNetwork:
    entry = EncoderDecoder(encoder=encoder, pretrained=False, decoder=decoder, channels=channels)
    network = entry.build(outputs)
    assert isinstance(network, EncoderDecoderNetwork)
    return network


@pytest.mark.parametrize(("classes", "parameters"), [(215, 24_457_687), (532, 25_918_740)])
def test_the_papers_networks_have_24_and_25_9_million_parameters(classes: int, parameters: int) -> None:
    network = build_network("densenet121", "plain", [1024, 512, 512], classes)
    assert sum(tensor.numel() for tensor in network.parameters()) == parameters


def test_facts_of_the_registry_are_those_of_the_parts() -> None:
    for name in ENCODERS:
        encoder = ENCODERS[name]
        assert ENCODERS.facts(name)["levels"] == len(encoder.channels) == len(encoder.strides)
    for name in DECODERS:
        takes = DECODERS.facts(name)
        count = takes["levels"] or 7
        strides = [2 ** min(level, 5) for level in range(1, count + 1)]
        DECODERS[name]([8] * count, strides, [8] * takes["channels"], 5)


@pytest.mark.parametrize(("encoder", "decoder"), PAIRS)
def test_every_pair_gives_scores_at_a_quarter_of_the_input(encoder: str, decoder: str) -> None:
    network = build_network(encoder, decoder, [8] * DECODERS.facts(decoder)["channels"], 5).eval()
    with torch.no_grad():
        light = torch.rand(1, 1, 64, 96) * 100
        features = network.encoder(light)
        assert network(light).shape == (1, 5, 64 // network.stride, 96 // network.stride)
        assert network.stride == 4
    for level, channels, stride in zip(features, network.encoder.channels, network.encoder.strides, strict=True):
        assert level.shape == (1, channels, 64 // stride, 96 // stride)


def test_the_paper_s_encoder_ends_in_7_x_7_x_1024() -> None:
    with torch.no_grad():
        assert ENCODERS["densenet121"]().eval()(torch.zeros(1, 1, 224, 224))[-1].shape == (1, 1024, 7, 7)


@pytest.mark.parametrize("encoder", FIVE_LEVELS)
def test_every_parameter_is_in_one_group(encoder: str) -> None:
    network = build_network(encoder, "skip", [8, 8, 8], 5)
    grouped = [id(parameter) for group in network.parameter_groups().values() for parameter in group]
    assert sorted(grouped) == sorted(id(parameter) for parameter in network.parameters())


@pytest.mark.parametrize("encoder", FIVE_LEVELS)
def test_frozen_levels_neither_learn_nor_collect_statistics(encoder: str) -> None:
    torch.manual_seed(0)
    network = build_network(encoder, "skip", [8, 8, 8], 5)
    network.freeze(3, norms=False)
    network.train()
    before = {name: tensor.clone() for name, tensor in network.state_dict().items()}
    optimizer = torch.optim.SGD([p for p in network.parameters() if p.requires_grad], lr=0.1)
    network(torch.rand(2, 1, 64, 64) * 100).square().mean().backward()
    optimizer.step()
    frozen = {id(p) for level in network.encoder.levels()[:3] for module in level for p in module.parameters()}
    for name, parameter in network.named_parameters():
        changed = not torch.equal(parameter, before[name])
        assert changed == (id(parameter) not in frozen), name
    norms = [module for level in network.encoder.levels() for part in level for module in part.modules()]
    counted = [int(norm.num_batches_tracked) for norm in norms if isinstance(norm, nn.BatchNorm2d)]
    assert counted == sorted(counted)
    assert set(counted) == {0, 1}


def test_levels_hold_every_parameter_of_the_encoder() -> None:
    for encoder in (ENCODERS[name]() for name in ENCODERS):
        listed = [id(p) for level in encoder.levels() for module in level for p in module.parameters()]
        assert sorted(listed) == sorted(id(p) for p in encoder.parameters())


def test_frozen_norms_ignore_the_batch() -> None:
    network = build_network("efficientnet_lite0", "skip", [8, 8, 8], 5)
    network.freeze(0, norms=True)
    network.train()
    light = torch.rand(2, 1, 32, 32) * 100
    with torch.no_grad():
        torch.testing.assert_close(network(light)[:1], network(light[:1]), rtol=1e-4, atol=1e-5)
    assert all(p.requires_grad for p in network.parameters())
