"""The networks of Zhang et al. in the sizes and names of their published files."""

import pytest
import torch
from torch import Tensor, nn

from pipeline.errors import UserError
from pipeline.machine.weight_files import FILES
from pipeline.models.cic import Cic
from pipeline.models.interfaces import ColorNetwork
from pipeline.models.siggraph17 import Siggraph17
from pipeline.settings.registries import NETWORKS


def count(module: nn.Module) -> int:
    return sum(parameter.numel() for parameter in module.parameters())


@pytest.fixture(scope="module")
def cic() -> ColorNetwork:
    torch.manual_seed(0)
    return Cic(pretrained=False).build(313)


@pytest.fixture(scope="module")
def siggraph() -> dict[int, ColorNetwork]:
    torch.manual_seed(0)
    return {outputs: Siggraph17(pretrained=False).build(outputs) for outputs in (2, 529)}


def test_parameters_of_cic_block_by_block(cic: ColorNetwork) -> None:
    blocks = [count(getattr(cic, f"model{number}")) for number in range(1, 9)]
    assert blocks == [37_696, 221_696, 1_475_840, 5_900_800, 7_080_448, 7_080_448, 7_080_448, 3_358_009]
    assert count(cic) == 32_235_385
    assert count(cic) + 2 * 313 == 32_236_011  # the fixed decode, which is the head's here
    norms = sum(count(module) for module in cic.modules() if isinstance(module, nn.BatchNorm2d))
    assert count(cic) - norms == 32_230_393


def test_parameters_of_siggraph17(siggraph: dict[int, ColorNetwork]) -> None:
    assert {count(network) for network in siggraph.values()} == {34_187_027}


def test_output_sizes(cic: ColorNetwork, siggraph: dict[int, ColorNetwork]) -> None:
    with torch.no_grad():
        assert cic(torch.rand(1, 1, 176, 64) * 100).shape == (1, 313, 44, 16)
        assert cic.stride == siggraph[529].stride == 4
        light = torch.rand(1, 1, 64, 32) * 100
        assert siggraph[529](light).shape == (1, 529, 16, 8)
        found = siggraph[2](light)
    assert siggraph[2].stride == 1
    assert found.shape == (1, 2, 64, 32)
    assert found.abs().max() <= 110 / 128


def published_names(norms: list[str], convolutions: list[str]) -> set[str]:
    statistics = ("weight", "bias", "running_mean", "running_var", "num_batches_tracked")
    names = {f"{layer}.{part}" for layer in norms for part in statistics}
    return names | {f"{layer}.{part}" for layer in convolutions for part in ("weight", "bias")}


def test_layers_have_the_names_of_the_published_files(cic: ColorNetwork, siggraph: dict[int, ColorNetwork]) -> None:
    """A convolution, a ReLU, ..., a batch norm: their places in each block of the port."""
    shared = {1: (0, 2), 2: (0, 2), 3: (0, 2, 4), 4: (0, 2, 4), 5: (0, 2, 4), 6: (0, 2, 4), 7: (0, 2, 4)}
    convolutions = [f"model{block}.{place}" for block, places in shared.items() for place in places]
    norms = [f"model{block}.{places[-1] + 2}" for block, places in shared.items()]
    last = [f"model8.{place}" for place in (0, 2, 4, 6)]
    assert set(cic.state_dict()) == published_names(norms, convolutions + last)
    joins = ["model8up.0", "model3short8.0", "model8.1", "model8.3", "model9up.0", "model2short9.0", "model9.1"]
    joins += ["model10up.0", "model1short10.0", "model10.1", "model_class.0", "model_out.0"]
    expected = published_names([*norms, "model8.5", "model9.3"], convolutions + joins)
    assert set(siggraph[2].state_dict()) == expected


def test_published_weights_are_taken_over(cic: ColorNetwork, siggraph: dict[int, ColorNetwork]) -> None:
    torch.manual_seed(1)
    state: dict[str, Tensor] = {name: torch.rand_like(tensor.float()) for name, tensor in cic.state_dict().items()}
    fresh = Cic(pretrained=True).build(313, {**state, "model_out.weight": torch.zeros(2, 313, 1, 1)})
    assert all(torch.equal(tensor.float(), state[name].to(tensor.dtype)) for name, tensor in fresh.state_dict().items())
    other = siggraph[529].state_dict()
    for outputs in (2, 529):
        again = Siggraph17(pretrained=True).build(outputs, other)
        assert all(torch.equal(tensor, other[name]) for name, tensor in again.state_dict().items())
    with pytest.raises(UserError, match=r"cic tell 313 classes apart, this head has 261; .*keep: published"):
        Cic(pretrained=True).build(261, {**state, "model_out.weight": torch.zeros(2, 313, 1, 1)})
    with pytest.raises(UserError, match=r"siggraph17 tell 529 classes apart, this head has 313; .*regresses: ab"):
        Siggraph17(pretrained=True).build(313, other)
    with pytest.raises(RuntimeError, match=r"model7\.0\.weight"):
        Cic(pretrained=True).build(
            313, {name: state.get(name, torch.zeros(2, 313)) for name in [*state, "model_out.weight"] if name[5] != "7"}
        )


def test_files_carry_their_digest_in_their_name() -> None:
    for kind in (Cic, Siggraph17):
        settings = kind(pretrained=True)
        assert settings.weights is not None
        assert FILES[settings.weights].sha256 in FILES[settings.weights].file
        assert kind(pretrained=False).weights is None


@pytest.mark.parametrize(("kind", "outputs"), [("cic", 5), ("siggraph17", 5), ("siggraph17", 2)])
def test_they_train_where_they_are_read_and_freeze_level_by_level(kind: str, outputs: int) -> None:
    torch.manual_seed(0)
    network = NETWORKS[kind](pretrained=False).build(outputs)
    groups = network.parameter_groups()
    listed = [id(parameter) for group in groups.values() for parameter in group]
    assert sorted(listed) == sorted(id(parameter) for parameter in network.parameters())
    network.freeze(4, norms=False)
    network.train()
    still = {id(p) for number in range(1, 5) for p in getattr(network, f"model{number}").parameters()}
    network(torch.rand(2, 1, 32, 32) * 100).square().mean().backward()
    for name, parameter in network.named_parameters():
        assert (parameter.grad is not None) == parameter.requires_grad, name
        assert id(parameter) not in still or not parameter.requires_grad, name
    learning = [name for name, parameter in network.named_parameters() if parameter.requires_grad]
    assert {name.split(".")[0] for name in learning} >= {"model5", "model6", "model7", "model8"}
    before = {name: buffer.clone() for name, buffer in network.named_buffers()}
    with torch.no_grad():
        network(torch.rand(2, 1, 32, 32) * 100)
    collected = {
        name.split(".")[0] for name, buffer in network.named_buffers() if not torch.equal(buffer, before[name])
    }
    read = {"model5", "model6", "model7"} | ({"model8"} if kind == "siggraph17" else set())
    assert collected == read | ({"model9"} if kind == "siggraph17" and outputs == 2 else set())


def test_the_blocks_see_lightness_between_minus_and_plus_a_half(cic: ColorNetwork) -> None:
    seen: list[Tensor] = []
    hook = cic.get_submodule("model1").register_forward_hook(lambda _, inputs, output: seen.append(inputs[0]))
    with torch.no_grad():
        cic(torch.tensor([0.0, 50.0, 100.0]).view(3, 1, 1, 1).expand(3, 1, 32, 32))
    hook.remove()
    assert seen[0][:, 0, 0, 0].tolist() == [-0.5, 0.0, 0.5]
