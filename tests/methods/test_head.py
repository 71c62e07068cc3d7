"""Targets against scikit-image, colors by hand, and the way back from a description."""

import json

import numpy as np
import pytest
import torch
from skimage.color import rgb2lab

from pipeline.color.readouts import AnnealedMean, ArgMax
from pipeline.color.space import ColorSpace
from pipeline.methods.head import AB_SCALE, AbHead, ClassHead, head_from
from pipeline.training.run import count_classes

SPACE = ColorSpace(10, 108, np.arange(3, 484, 5, dtype=np.int32))
HEAD = ClassHead("wide", SPACE)


def test_targets_are_those_of_scikit_image() -> None:
    truth = np.random.default_rng(0).integers(0, 256, (2, 4, 4, 3), np.uint8)
    targets = HEAD.targets(torch.from_numpy(truth))
    ab = rgb2lab(truth)[..., 1:]
    assert np.abs(targets.ab.permute(0, 2, 3, 1).numpy() * AB_SCALE - ab).max() < 1e-3
    ids = np.floor((ab + 108) / 10).astype(int) @ [22, 1]
    assert targets.classes is not None
    assert np.array_equal(SPACE.kept[targets.classes.numpy()], SPACE.kept[SPACE.to_kept(ids)])
    assert AbHead().targets(torch.from_numpy(truth)).classes is None


def test_classes_are_counted() -> None:
    assert count_classes(torch.tensor([[0, 3], [3, 1]]), 5).tolist() == [1, 1, 0, 2, 0]


def test_a_regression_is_its_own_readout() -> None:
    scores = torch.randn(2, 2, 3, 4, generator=torch.Generator().manual_seed(0))
    assert torch.equal(AbHead().colors(scores, None), scores * AB_SCALE)
    assert torch.equal(AbHead().expected_ab(scores), scores)
    assert AbHead().ranks(scores, torch.zeros(2, 3, 4, 3, dtype=torch.uint8)) is None


def test_the_expected_ab_is_the_mean_of_the_centers_and_differentiable() -> None:
    scores = torch.randn(1, HEAD.outputs, 2, 2, generator=torch.Generator().manual_seed(0), dtype=torch.float64)
    share = torch.softmax(scores, 1)[0].permute(1, 2, 0).numpy()
    found = HEAD.expected_ab(scores)[0].permute(1, 2, 0).numpy()
    np.testing.assert_allclose(found * AB_SCALE, share @ SPACE.kept_centers.astype(float), rtol=1e-6)
    assert torch.autograd.gradcheck(HEAD.expected_ab, (scores.requires_grad_(),))


@pytest.mark.parametrize("readout", [ArgMax(), AnnealedMean(temperature=1e-4)])
def test_a_certain_network_has_its_class_s_color(readout: ArgMax | AnnealedMean) -> None:
    scores = torch.zeros(1, HEAD.outputs, 1, 1)
    scores[0, 7] = 5.0
    assert HEAD.colors(scores, readout)[0, :, 0, 0].tolist() == pytest.approx(SPACE.kept_centers[7].tolist())


def test_ties_rank_the_true_class_last() -> None:
    truth = torch.zeros(1, 2, 2, 3, dtype=torch.uint8)
    ranks = HEAD.ranks(torch.zeros(1, HEAD.outputs, 2, 2), truth)
    assert ranks is not None
    assert set(ranks.flatten().tolist()) == {HEAD.outputs}


@pytest.mark.parametrize("head", [HEAD, AbHead()])
def test_a_description_makes_the_head_again(head: ClassHead | AbHead) -> None:
    again = head_from(json.loads(json.dumps(head.describe())))
    assert again.describe() == head.describe()
    assert (again.outputs, again.learned) == (head.outputs, head.learned)
