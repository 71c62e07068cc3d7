"""Inception-v3: its size, its pools, and its weights from a file."""

from pathlib import Path

import numpy as np
import pytest
import torch

from pipeline.metrics.inception import inception_features, inception_network, load_inception

Pair = tuple[np.ndarray, np.ndarray]


@pytest.fixture(scope="module")
def inception() -> torch.nn.Module:
    torch.manual_seed(0)
    return inception_network()


def test_inception_has_the_published_shape(inception: torch.nn.Module, pairs: Pair) -> None:
    # Inception-v3 without its auxiliary head and without the classifier, which is not read
    parameters = sum(parameter.numel() for parameter in inception.parameters())
    assert parameters == 21_785_568
    answer = inception_features(inception, torch.from_numpy(pairs[0][:2]))
    assert answer.shape == (2, 2048)
    assert (answer >= 0).all()


def test_inception_is_the_same_from_a_file(pairs: Pair, tmp_path: Path) -> None:
    from torchvision.models import inception_v3

    torch.manual_seed(0)
    state = inception_v3(weights=None, init_weights=False, aux_logits=False, num_classes=1008).state_dict()
    torch.save(state, tmp_path / "inception.pth")
    images = torch.from_numpy(pairs[0][:2])
    expected = inception_features(inception_network(state), images)
    found = inception_features(load_inception(tmp_path / "inception.pth"), images)
    torch.testing.assert_close(found, expected, rtol=1e-4, atol=1e-5)


def test_inception_pools_as_tensorflow_does(inception: torch.nn.Module) -> None:
    """Ones stay ones at the border: padding takes no part in the mean; the last block takes maxima instead."""
    ones = torch.ones(1, 1, 4, 4)
    assert (inception.Mixed_5b.pool(ones) == 1).all()
    assert (inception.Mixed_7b.pool(ones) == 1).all()
    ramp = torch.arange(16.0).reshape(1, 1, 4, 4)
    assert inception.Mixed_7c.pool(ramp)[0, 0, 0, 0] == 5
    assert inception.Mixed_7b.pool(ramp)[0, 0, 0, 0] == (0 + 1 + 4 + 5) / 4
