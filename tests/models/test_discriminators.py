"""Patch discriminators: their sizes, and how much of its input a score sees."""

import pytest
import torch
from torch import nn

from pipeline.models.discriminators.patch import Patch


def count(module: nn.Module) -> int:
    return sum(parameter.numel() for parameter in module.parameters())


@pytest.mark.parametrize(
    ("settings", "inputs", "parameters"),
    [
        (Patch(), 3, 136_385),
        (Patch(layers=3, norm="batch"), 3, 2_765_633),
        (Patch(layers=3, norm="batch"), 6, 2_768_705),
    ],
)
def test_parameters(settings: Patch, inputs: int, parameters: int) -> None:
    assert count(settings.build(inputs)) == parameters


@pytest.mark.parametrize(("layers", "field"), [(1, 16), (2, 34), (3, 70)])
def test_the_field_of_a_score_by_its_gradient(layers: int, field: int) -> None:
    torch.manual_seed(0)
    discriminator = Patch(layers=layers, channels=4).build(3).double()
    seen = torch.rand(1, 3, 160, 160, dtype=torch.float64, requires_grad=True)
    scores = discriminator(seen)
    scores[0, 0, scores.shape[2] // 2, scores.shape[3] // 2].backward()
    assert seen.grad is not None
    rows, columns = (seen.grad[0].abs().sum(0).sum(axis).nonzero().flatten() for axis in (1, 0))
    assert int(rows[-1] - rows[0] + 1) == int(columns[-1] - columns[0] + 1) == field


def test_scores_of_48_positions_are_22() -> None:
    assert Patch().build(3)(torch.zeros(2, 3, 48, 48)).shape == (2, 1, 22, 22)


@pytest.mark.parametrize("layers", [1, 2, 3])
def test_the_least_side_gives_one_score_and_less_gives_none(layers: int) -> None:
    settings = Patch(layers=layers, channels=2)
    assert settings.build(3)(torch.zeros(1, 3, settings.least_side, settings.least_side)).shape == (1, 1, 1, 1)
    with pytest.raises(RuntimeError):
        settings.build(3)(torch.zeros(1, 3, settings.least_side - 1, settings.least_side - 1))


def test_weights_at_random_are_those_of_pix2pix() -> None:
    torch.manual_seed(0)
    for part in Patch(layers=3, norm="batch").build(3):
        if isinstance(part, nn.Conv2d):
            assert float(part.weight.detach().std()) == pytest.approx(0.02, rel=0.05)
            assert part.bias is None or not part.bias.any()
        elif isinstance(part, nn.BatchNorm2d):
            assert float(part.weight.detach().mean()) == pytest.approx(1.0, abs=0.01)
            assert float(part.weight.detach().std()) == pytest.approx(0.02, rel=0.2)
