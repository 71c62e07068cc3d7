"""What prediction changes in a network for speed changes nothing that it says."""

import platform

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import nn
from torch.nn import functional

from pipeline.inference.predictor import ready_to_predict
from pipeline.machine.devices import one_thread, prefer_onednn
from pipeline.models.network import EncoderDecoderNetwork
from pipeline.models.upsampled_convolution import FoldedConvolution, UpsampledConvolution
from pipeline.settings.registries import DECODERS
from tests.models.test_network import FIVE_LEVELS, PAIRS, build_network


@settings(deadline=None, max_examples=60)
@given(
    batch=st.integers(1, 3),
    inputs=st.integers(1, 4),
    outputs=st.integers(1, 5),
    height=st.integers(1, 7),
    width=st.integers(1, 7),
    bias=st.booleans(),
    channels_last=st.booleans(),
    seed=st.integers(0, 2**32 - 1),
)
def test_folded_kernels_see_what_a_kernel_on_the_enlarged_input_sees(
    batch: int, inputs: int, outputs: int, height: int, width: int, bias: bool, channels_last: bool, seed: int
) -> None:
    generator = torch.Generator().manual_seed(seed)
    plain = UpsampledConvolution(inputs, outputs, bias)
    nn.init.normal_(plain.weight, generator=generator)
    x = torch.randn(batch, inputs, height, width, generator=generator)
    if channels_last:
        x = x.to(memory_format=torch.channels_last)
    with torch.no_grad():
        enlarged = functional.interpolate(x, scale_factor=2.0, mode="nearest")
        expected = functional.conv2d(enlarged.double(), plain.weight.double(), None, padding=1)
        if plain.bias is not None:
            expected += plain.bias[:, None, None]
        for convolution in (plain, FoldedConvolution(plain)):
            found = convolution(x)
            assert found.shape == (batch, outputs, 2 * height, 2 * width)
            torch.testing.assert_close(found.double(), expected, rtol=1e-5, atol=1e-5)


def test_by_hand() -> None:
    """One pixel, 3, becomes four; a corner sees it through four weights of the kernel, another four for each."""
    plain = UpsampledConvolution(1, 1, bias=False)
    with torch.no_grad():
        plain.weight.copy_(torch.tensor([[1.0, 2, 3], [4, 5, 6], [7, 8, 9]]))
        found = FoldedConvolution(plain)(torch.full((1, 1, 1, 1), 3.0))
    assert found[0, 0].tolist() == [
        [3 * (5 + 6 + 8 + 9), 3 * (4 + 5 + 7 + 8)],
        [3 * (2 + 3 + 5 + 6), 3 * (1 + 2 + 4 + 5)],
    ]


def network(encoder: str, decoder: str) -> EncoderDecoderNetwork:
    torch.manual_seed(0)
    return (
        build_network(encoder, decoder, [16] * DECODERS.facts(decoder)["channels"], 7)
        .eval()
        .to(memory_format=torch.channels_last)
    )  # type: ignore[call-overload,no-any-return]


def convolutions_off_onednn(module: nn.Module, x: torch.Tensor) -> int:
    with one_thread(), torch.inference_mode(), torch.profiler.profile() as profile:
        module(x)
    return sum("slow_conv" in event.name for event in profile.events() or [])


@pytest.mark.parametrize(("encoder", "decoder"), PAIRS)
def test_a_network_made_ready_says_the_same(encoder: str, decoder: str) -> None:
    ready, light = network(encoder, decoder), torch.rand(2, 1, 64, 96) * 100
    before = sum(isinstance(module, UpsampledConvolution) for module in ready.modules())
    assert before == (3 if decoder == "plain" else 0)
    with torch.inference_mode():
        expected = ready(light)
        ready_to_predict(ready)
        found = ready(light)
    assert sum(isinstance(module, FoldedConvolution) for module in ready.modules()) == before
    assert not any(module.training for module in ready.modules())
    torch.testing.assert_close(found, expected, rtol=1e-4, atol=1e-4 * float(expected.abs().max()))


@pytest.mark.parametrize("encoder", FIVE_LEVELS)
def test_onednn_changes_neither_weights_nor_gradients(encoder: str) -> None:
    plain, other = network(encoder, "skip"), network(encoder, "skip")
    prefer_onednn(other)
    light = torch.rand(2, 1, 64, 64, generator=torch.Generator().manual_seed(0)) * 100
    with one_thread():
        for each in (plain, other):
            each(light).square().mean().backward()
    assert list(plain.state_dict()) == list(other.state_dict())
    for (name, one), two in zip(plain.named_parameters(), other.parameters(), strict=True):
        assert torch.equal(one, two)
        assert one.grad is not None and two.grad is not None
        # of all elements together: an activation at the very kink of its ReLU may count here and not there
        assert (one.grad - two.grad).norm() <= 1e-3 * one.grad.norm(), name


ON_X86 = torch.backends.mkldnn.is_available() and platform.machine() in ("x86_64", "AMD64")


@pytest.mark.skipif(not ON_X86, reason="torch takes oneDNN as it is on this processor")
@pytest.mark.parametrize("encoder", FIVE_LEVELS)
def test_one_thread_computes_every_convolution_with_onednn(encoder: str) -> None:
    body, light = network(encoder, "plain").encoder, torch.rand(2, 1, 128, 128) * 100
    assert convolutions_off_onednn(body, light) > 0
    prefer_onednn(body)
    assert convolutions_off_onednn(body, light) == 0
