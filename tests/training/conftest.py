"""A network, a class space and settings small enough to train in a second."""

from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
import pytest
import torch

from pipeline.color.space import ColorSpace
from pipeline.settings.sections import Method, Train

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


@pytest.fixture(autouse=True)
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


@pytest.fixture
def classifier() -> Callable[..., Method]:
    """A small method over classes; keywords change it."""

    def make(**changes: Any) -> Method:
        parts = {
            "space": "wide",
            "encoder": "efficientnet_lite0",
            "pretrained": True,
            "decoder": "skip",
            "decoder_channels": [16, 16, 16],
            "losses": {"class_cross_entropy": {}},
        }
        return Method.model_validate(parts | changes)

    return make


@pytest.fixture
def space() -> ColorSpace:
    """Bins of 20 units, all but the rarest kept."""
    return ColorSpace(20, 108, np.arange(0, 121, 2, dtype=np.int32))
