"""Read-outs against hand-worked distributions and scipy."""

import numpy as np
import pytest
import torch
from scipy.special import softmax

from pipeline.color.readouts import AnnealedMean, ArgMax, Expectation
from pipeline.color.space import ColorSpace

SPACE = ColorSpace(6, 108, np.array([600, 700, 777], np.int32))


def centers() -> np.ndarray:
    """Eq. 10-11 for the three classes, n = 36."""
    return np.array([[i // 36 * 6 - 108 + 3, i % 36 * 6 - 108 + 3] for i in (600, 700, 777)], float)


def test_argmax_takes_the_most_probable_class() -> None:
    scores = torch.tensor([0.1, 2.0, 1.9]).reshape(1, 3, 1, 1)
    assert ArgMax().read(scores, SPACE).flatten().tolist() == centers()[1].tolist()


@pytest.mark.parametrize(("readout", "temperature"), [(Expectation(), 1.0), (AnnealedMean(temperature=0.38), 0.38)])
def test_means_are_those_of_the_sharpened_distribution(readout: Expectation | AnnealedMean, temperature: float) -> None:
    scores = np.random.default_rng(0).normal(size=(2, 3, 4, 5))
    expected = np.moveaxis(softmax(scores / temperature, axis=1), 1, -1) @ centers()
    found = readout.read(torch.from_numpy(scores), SPACE).numpy()
    np.testing.assert_allclose(np.moveaxis(found, 1, -1), expected, rtol=1e-4, atol=1e-3)


def test_annealed_mean_tends_to_the_argmax() -> None:
    scores = torch.randn(1, 3, 6, 6, generator=torch.Generator().manual_seed(0))
    cold = AnnealedMean(temperature=1e-4).read(scores, SPACE)
    torch.testing.assert_close(cold, ArgMax().read(scores, SPACE), atol=0.5, rtol=0)
