"""Photographs and results that the tests of the metrics share."""

from collections.abc import Callable

import numpy as np
import pytest
from skimage import data

Images = np.ndarray


@pytest.fixture(scope="session")
def astronaut() -> Images:
    """uint8 (1, 512, 512, 3)."""
    return data.astronaut()[None]


@pytest.fixture(scope="session")
def pairs() -> tuple[Images, Images]:
    """Truths and results, uint8 (4, 96, 120, 3): faded, white-balanced, noisy, and all at once on a dark crop."""
    random = np.random.default_rng(7)
    astronaut, coffee = data.astronaut(), data.coffee()
    truth = np.stack(
        [astronaut[20:116, 180:300], coffee[100:196, 200:320], astronaut[300:396, 100:220], astronaut[400:496, 330:450]]
    ).astype(np.float64)
    truth[3] *= 0.2
    grey = truth.mean(axis=-1, keepdims=True)
    result = np.stack(
        [
            (truth[0] + grey[0]) / 2,
            truth[1] * [0.8, 1.0, 1.3],
            truth[2] + random.normal(0, 12, truth[2].shape),
            (truth[3] + grey[3]) / 2 * [1.4, 0.9, 1.0] + random.normal(0, 3, truth[3].shape),
        ]
    )
    return truth.round().astype(np.uint8), result.clip(0, 255).round().astype(np.uint8)


@pytest.fixture
def flat() -> Callable[..., Images]:
    """One flat photograph of a colour, uint8 (1, height, width, 3)."""

    def make(*color: int, height: int = 16, width: int = 16) -> Images:
        return np.broadcast_to(np.array(color, np.uint8), (1, height, width, 3)).copy()

    return make
