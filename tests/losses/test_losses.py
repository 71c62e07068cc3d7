"""Losses against numbers worked by hand, a plain loop over pixels, numpy, and finite differences."""

import math

import numpy as np
import pytest
import torch

from pipeline.color.weighting import class_weights
from pipeline.losses import LOSSES, WeightedSum
from pipeline.losses.batch import Batch
from pipeline.losses.class_cross_entropy import ClassCrossEntropy


def class_batch(classes: torch.Tensor, kept: int, counts: torch.Tensor | None = None) -> Batch:
    found = torch.bincount(classes.flatten(), minlength=kept)
    return Batch(torch.empty(0), torch.empty(0), classes, found if counts is None else counts)


def ab_batch(ab: torch.Tensor) -> Batch:
    return Batch(torch.empty(0), ab, None, None)


def test_weights_of_a_batch_worked_by_hand() -> None:
    """m = 200, p = 10: T = 20, m / T = 10; 200 -> 200/210, 50 -> 200/60, 5 and 0 -> 200/30 (SPEC R4)."""
    weights = class_weights(torch.tensor([200, 50, 5, 0]), percent=10, ratio_term=True)
    assert weights.tolist() == pytest.approx([200 / 210, 200 / 60, 200 / 30, 200 / 30])
    plain = class_weights(torch.tensor([200, 50, 5, 0]), percent=10, ratio_term=False)
    assert plain.tolist() == pytest.approx([1, 4, 10, 10])


@pytest.mark.parametrize("percent", [4, 10, 16])
@pytest.mark.parametrize("ratio_term", [True, False])
def test_weights_agree_with_the_table_that_the_weights_stage_writes(percent: float, ratio_term: bool) -> None:
    counts = np.random.default_rng(0).geometric(0.01, 50) - 1
    found = class_weights(torch.from_numpy(counts), percent, ratio_term)
    assert found.dtype == torch.float32
    np.testing.assert_allclose(found, class_weights(counts, percent, ratio_term), rtol=1e-5)


@pytest.mark.parametrize("balance", ["none", "batch"])
@pytest.mark.parametrize("normalise", ["none", "mean_one"])
def test_weighted_cross_entropy_is_a_loop_over_pixels(balance: str, normalise: str) -> None:
    random = np.random.default_rng(1)
    scores = random.normal(size=(2, 4, 3, 5))
    classes = random.choice(4, p=[0.7, 0.2, 0.1, 0.0], size=(2, 3, 5))
    counts = np.bincount(classes.ravel(), minlength=4)
    largest = counts.max()
    weights = [1.0] * 4
    if balance == "batch":
        weights = [largest / (max(count, 0.1 * largest) + 10) for count in counts]
        if normalise == "mean_one":
            mean = sum(weights[q] for q in classes.ravel()) / classes.size
            weights = [weight / mean for weight in weights]
    total = 0.0
    for n, y, x in np.ndindex(classes.shape):
        truth = classes[n, y, x]
        total += weights[truth] * (math.log(sum(math.exp(s) for s in scores[n, :, y, x])) - scores[n, truth, y, x])
    loss = ClassCrossEntropy(balance, 10, True, normalise)
    found = loss(torch.from_numpy(scores), class_batch(torch.from_numpy(classes), 4))
    assert float(found) == pytest.approx(total / classes.size, rel=1e-6)


@pytest.mark.parametrize("normalise", ["none", "mean_one"])
def test_pieces_of_a_step_average_to_the_whole(normalise: str) -> None:
    random = torch.Generator().manual_seed(2)
    scores = torch.randn(4, 6, 3, 3, generator=random)
    classes = torch.randint(0, 6, (4, 3, 3), generator=random) ** 2 % 6
    loss = ClassCrossEntropy("batch", 10, True, normalise)
    counts = torch.bincount(classes.flatten(), minlength=6)
    whole = loss(scores, class_batch(classes, 6))
    pieces = [loss(scores[i : i + 1], class_batch(classes[i : i + 1], 6, counts)) for i in range(4)]
    assert float(torch.stack(pieces).mean()) == pytest.approx(float(whole), rel=1e-6)


def test_regressions_by_numpy() -> None:
    random = np.random.default_rng(3)
    output, truth = random.normal(size=(2, 2, 3, 4)), random.normal(size=(2, 2, 3, 4))
    x = np.abs(output - truth)
    expected = {
        "l1": x.mean(),
        "l2": (x**2).mean(),
        "huber": np.where(x <= 0.5, x**2 / 2, 0.5 * (x - 0.25)).mean(),
        "logcosh": np.log(np.cosh(x)).mean(),
    }
    for name, value in expected.items():
        term = LOSSES[name](**({"delta": 0.5} if name == "huber" else {}))
        assert float(term(torch.from_numpy(output), ab_batch(torch.from_numpy(truth)))) == pytest.approx(
            value, rel=1e-9
        )


def test_logcosh_of_large_errors_does_not_overflow() -> None:
    far = LOSSES["logcosh"]()(torch.full((1, 2, 1, 1), 500.0), ab_batch(torch.zeros(1, 2, 1, 1)))
    assert float(far) == pytest.approx(500 - math.log(2))


@pytest.mark.parametrize("name", LOSSES)
def test_gradients_by_finite_differences(name: str) -> None:
    random = torch.Generator().manual_seed(4)
    if name == "class_cross_entropy":
        output = torch.randn(1, 5, 2, 3, generator=random, dtype=torch.float64, requires_grad=True)
        batch = class_batch(torch.randint(0, 5, (1, 2, 3), generator=random), 5)
    else:
        output = torch.randn(1, 2, 2, 3, generator=random, dtype=torch.float64, requires_grad=True)
        batch = ab_batch(torch.randn(1, 2, 2, 3, generator=random, dtype=torch.float64))
    assert torch.autograd.gradcheck(lambda x: LOSSES[name]()(x, batch), (output,))


def test_terms_are_added_each_times_its_weight() -> None:
    output, batch = torch.full((1, 2, 1, 1), 2.0), ab_batch(torch.zeros(1, 2, 1, 1))
    both = WeightedSum({"l1": {"weight": 3.0}, "huber": {"weight": 0.5, "delta": 1.0}})
    assert float(both(output, batch)) == pytest.approx(3 * 2 + 0.5 * 1.5)


def test_half_precision_scores_are_summed_in_single() -> None:
    random = torch.Generator().manual_seed(5)
    scores = torch.randn(2, 300, 8, 8, generator=random).bfloat16()
    batch = class_batch(torch.randint(0, 300, (2, 8, 8), generator=random), 300)
    found = ClassCrossEntropy()(scores, batch)
    assert found.dtype == torch.float32
    assert float(found) == pytest.approx(float(ClassCrossEntropy()(scores.double(), batch)), rel=1e-5)
