"""A small network, class space and settings; predictors that see what a test tells them."""

from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
import pytest
import torch
from torch import nn

from pipeline.color.space import ColorSpace
from pipeline.inference.predictor import Predictor
from pipeline.methods.build import Prepared
from pipeline.methods.head import AB_SCALE, AbHead, ClassHead
from pipeline.settings.method_entries import MethodEntry
from pipeline.settings.sections import Train

SMALL: dict[str, Any] = {
    "size": 32,
    "batch": 4,
    "steps": 6,
    "learning_rate": 1e-3,
    "betas": [0.9, 0.999],
    "validation_share": 0.0,
    "validate_every": 3,
    "save_every": 2,
    "strip_every": 100,
    "precision": "float32",
}
NETWORK: dict[str, Any] = {
    "encoder": "efficientnet_lite0",
    "pretrained": True,
    "decoder": "skip",
    "channels": [16, 16, 16],
}


@pytest.fixture
def on_the_cpu(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """One thread and one worker: threads that wait for each other are slow where other work runs beside the tests."""
    monkeypatch.setenv("HUEBENCH_DEVICE", "cpu")
    monkeypatch.setenv("HUEBENCH_WORKERS", "1")
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)


@pytest.fixture
def small() -> Callable[..., Train]:
    """Settings of a short training; keywords change them."""
    return lambda **changes: Train.model_validate(SMALL | changes)


def small_method(
    readout: dict[str, Any] | None = None,
    losses: dict[str, Any] | None = None,
    adversary: dict[str, Any] | None = None,
    **network: Any,
) -> MethodEntry:
    """A small method over classes; keywords change its network."""
    model = {
        "head": {"classes": "wide"},
        "network": NETWORK | network,
        "losses": losses or {"class_cross_entropy": {}},
        "adversary": adversary,
    }
    return MethodEntry.model_validate({"model": model, "readout": readout or {"kind": "argmax"}})


def small_regression(**network: Any) -> MethodEntry:
    """The same network regressing ab by L2."""
    model = {"head": {"regresses": "ab"}, "network": NETWORK | network, "losses": {"l2": {}}}
    return MethodEntry.model_validate({"model": model})


@pytest.fixture
def classifier() -> Callable[..., MethodEntry]:
    """`small_method`."""
    return small_method


@pytest.fixture
def space() -> ColorSpace:
    """Bins of 20 units, all but the rarest kept."""
    return ColorSpace(20, 108, np.arange(0, 121, 2, dtype=np.int32))


@pytest.fixture
def prepared(space: ColorSpace) -> Prepared:
    """What stage `prepare` would say of `classifier`."""
    return Prepared(ClassHead("wide", space))


class Told(nn.Module):
    """A network that puts out what a function says.

    Args:
        tell: float32 (N, size, size), L in [0, 100], to (a, b), float32 (N, 2, cells, cells).
        stride: input pixels per cell.
    """

    def __init__(self, tell: Callable[[np.ndarray], np.ndarray], stride: int) -> None:
        super().__init__()
        self.tell, self.stride = tell, stride

    def forward(self, light: torch.Tensor) -> torch.Tensor:
        return torch.from_numpy(np.ascontiguousarray(self.tell(light[:, 0].numpy()))) / AB_SCALE


def told_predictor(tell: Callable[[np.ndarray], np.ndarray], size: int = 32, stride: int = 4) -> Predictor:
    """A predictor whose network is `Told`."""
    return Predictor(Told(tell, stride), AbHead(), None, size, torch.device("cpu"))  # type: ignore[arg-type]
