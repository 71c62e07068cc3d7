"""The predictor of profiles and the U-Net in the sizes of their readings (SPEC R33, R34)."""

import pytest
import torch

from pipeline.models.profile_predictor import ProfilePredictor
from pipeline.models.u_network import UNetwork
from pipeline.models.unet import Unet


def test_the_predictor_has_1_141_892_parameters() -> None:
    predictor = ProfilePredictor(4)
    assert sum(parameter.numel() for parameter in predictor.parameters()) == 1_141_892
    assert predictor(torch.zeros(3, 1, 64, 64)).shape == (3, 4)


def test_the_predictor_learns_what_lightness_shows() -> None:
    torch.manual_seed(0)
    predictor = ProfilePredictor(2)
    optimizer = torch.optim.Adam(predictor.parameters(), lr=1e-3)
    labels = torch.arange(16) % 2
    stripes = (torch.arange(64) % 8 < 4).float().expand(64, 64)
    light = 100 * torch.stack([stripes if label else stripes.T for label in labels.tolist()])[:, None]
    for _ in range(12):
        loss = torch.nn.functional.cross_entropy(predictor(light), labels)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
    assert torch.equal(predictor(light).argmax(1), labels)


@pytest.mark.parametrize("outputs", [2, 5])
def test_the_u_net_ends_at_a_quarter(outputs: int) -> None:
    network = Unet(width=4).build(outputs)
    assert isinstance(network, UNetwork)
    assert network(torch.rand(2, 1, 64, 96) * 100).shape == (2, outputs, 16, 24)
    assert network.stride == 4
    grouped = [id(parameter) for group in network.parameter_groups().values() for parameter in group]
    assert sorted(grouped) == sorted(id(parameter) for parameter in network.parameters())
    widths = [level[0][0].out_channels for level in network.down]
    assert widths == [4, 8, 16, 32, 64]
    assert Unet().width * 16 == 512


def test_the_u_net_s_joins_carry_edges() -> None:
    """Without skips no gradient of one position could reach a single input pixel so strongly: look at its footprint."""
    torch.manual_seed(0)
    network = Unet(width=4).build(2).eval()
    light = torch.rand(1, 1, 64, 64).mul(100).requires_grad_()
    network(light)[0, 0, 8, 8].backward()
    assert light.grad is not None
    near = light.grad[0, 0, 24:44, 24:44].abs().mean()
    assert near > 3 * light.grad[0, 0, :8, :8].abs().mean()
    network.freeze(2, norms=False)
    assert not any(parameter.requires_grad for level in network.down[:2] for parameter in level.parameters())
