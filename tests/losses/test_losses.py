"""Losses against numbers worked by hand, a plain loop over pixels, numpy, and finite differences."""

import math

import numpy as np
import pytest
import torch

from pipeline.color.constants import AB_SCALE
from pipeline.color.soft_encoding import nearby_classes, soft_shares
from pipeline.color.weighting import cic_weights, class_weights
from pipeline.losses.batch import Batch, NetworkOutput
from pipeline.losses.class_cross_entropy import ClassCrossEntropy
from pipeline.losses.inverse_frequency import InverseFrequency, frequency_weights
from pipeline.losses.locality import OFFSETS, Locality, neighbour_shares
from pipeline.losses.objective import weighted_sum
from pipeline.losses.profile import Profile, value_weights
from pipeline.losses.regression import L1, Huber
from pipeline.losses.semantic import Semantic
from pipeline.losses.soft_cross_entropy import SoftCrossEntropy, rebalancing_weights, soft_targets
from pipeline.losses.term import Term
from pipeline.settings.registries import LOSSES
from pipeline.storage.published_classes import cic_classes


def class_batch(classes: torch.Tensor, kept: int, counts: torch.Tensor | None = None) -> Batch:
    found = torch.bincount(classes.flatten(), minlength=kept)
    centers = 10.0 * torch.stack([torch.arange(kept), torch.arange(kept) % 3], dim=1)
    ab = centers[classes].permute(0, 3, 1, 2) / AB_SCALE
    prior = torch.arange(kept, dtype=torch.float64)
    found = found if counts is None else counts
    return Batch(torch.empty(0), ab, classes, found, torch.arange(kept), prior / prior.sum(), None, centers)


def ab_batch(ab: torch.Tensor) -> Batch:
    return Batch(torch.empty(0), ab)


def value(term: Term, scores: torch.Tensor, batch: Batch) -> torch.Tensor:
    """A term of what a network put out, ab being the scores themselves."""
    return term.loss(NetworkOutput(scores, lambda found: found), batch)


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
    loss = ClassCrossEntropy(balance=balance, percent=10, normalise=normalise)
    found = value(loss, torch.from_numpy(scores), class_batch(torch.from_numpy(classes), 4))
    assert float(found) == pytest.approx(total / classes.size, rel=1e-6)


@pytest.mark.parametrize("normalise", ["none", "mean_one"])
def test_pieces_of_a_step_average_to_the_whole(normalise: str) -> None:
    random = torch.Generator().manual_seed(2)
    scores = torch.randn(4, 6, 3, 3, generator=random)
    classes = torch.randint(0, 6, (4, 3, 3), generator=random) ** 2 % 6
    loss = ClassCrossEntropy(percent=10, normalise=normalise)
    counts = torch.bincount(classes.flatten(), minlength=6)
    whole = value(loss, scores, class_batch(classes, 6))
    pieces = [value(loss, scores[i : i + 1], class_batch(classes[i : i + 1], 6, counts)) for i in range(4)]
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
    for name, number in expected.items():
        term = LOSSES[name](**({"delta": 0.5} if name == "huber" else {}))
        found = value(term, torch.from_numpy(output), ab_batch(torch.from_numpy(truth)))
        assert float(found) == pytest.approx(number, rel=1e-9)


def test_logcosh_of_large_errors_does_not_overflow() -> None:
    far = value(LOSSES["logcosh"](), torch.full((1, 2, 1, 1), 500.0), ab_batch(torch.zeros(1, 2, 1, 1)))
    assert float(far) == pytest.approx(500 - math.log(2))


@pytest.mark.parametrize("name", [name for name in LOSSES if name != "semantic"])
def test_gradients_by_finite_differences(name: str) -> None:
    random = torch.Generator().manual_seed(4)
    if "classes" in LOSSES[name].needs:
        output = torch.randn(1, 5, 2, 3, generator=random, dtype=torch.float64, requires_grad=True)
        batch = class_batch(torch.randint(0, 5, (1, 2, 3), generator=random), 5)
    else:
        output = torch.randn(1, 2, 2, 3, generator=random, dtype=torch.float64, requires_grad=True)
        batch = ab_batch(torch.randn(1, 2, 2, 3, generator=random, dtype=torch.float64))
        light, counts = 100 * torch.rand(1, 1, 8, 12, generator=random, dtype=torch.float64), torch.arange(128)
        batch = batch._replace(light=light, axis_counts=counts.view(2, 64))
    assert torch.autograd.gradcheck(lambda x: value(LOSSES[name](), x, batch), (output,))


def test_terms_are_added_each_times_its_weight() -> None:
    output, batch = torch.full((1, 2, 1, 1), 2.0), ab_batch(torch.zeros(1, 2, 1, 1))
    both = weighted_sum((L1(weight=3.0), Huber(weight=0.5, delta=1.0)), NetworkOutput(output, lambda x: x), batch)
    assert float(both) == pytest.approx(3 * 2 + 0.5 * 1.5)


def test_half_precision_scores_are_summed_in_single() -> None:
    random = torch.Generator().manual_seed(5)
    scores = torch.randn(2, 300, 8, 8, generator=random).bfloat16()
    batch = class_batch(torch.randint(0, 300, (2, 8, 8), generator=random), 300)
    found = value(ClassCrossEntropy(), scores, batch)
    assert found.dtype == torch.float32
    assert float(found) == pytest.approx(float(value(ClassCrossEntropy(), scores.double(), batch)), rel=1e-5)


@pytest.mark.parametrize(
    ("exponent", "expected"),
    [(1.0, (0.370370, 3.703704, 33.333333)), (0.5, (0.781572, 2.471546, 7.414639)), (0.0, (1.0, 1.0, 1.0))],
)
def test_weights_by_frequency_worked_by_hand(exponent: float, expected: tuple[float, ...]) -> None:
    """f = (.9, .09, .01) of 997 pixels and one more for each of the three classes (SPEC R19)."""
    found = frequency_weights(torch.tensor([899, 89, 9]), exponent)
    assert found.tolist() == pytest.approx(expected, abs=1e-6)


def test_inverse_frequency_is_a_loop_over_pixels() -> None:
    random = np.random.default_rng(6)
    scores, classes = random.normal(size=(2, 3, 2, 4)), random.integers(0, 3, (2, 2, 4))
    counts = np.array([899, 89, 9])
    share = (counts + 1) / (counts.sum() + 3)
    weights = share**-0.5 / (share * share**-0.5).sum()
    total = 0.0
    for n, y, x in np.ndindex(classes.shape):
        truth = classes[n, y, x]
        total += weights[truth] * (math.log(sum(math.exp(s) for s in scores[n, :, y, x])) - scores[n, truth, y, x])
    batch = class_batch(torch.from_numpy(classes), 3)._replace(class_counts=torch.from_numpy(counts))
    found = value(InverseFrequency(exponent=0.5), torch.from_numpy(scores), batch)
    assert float(found) == pytest.approx(total / classes.size, rel=1e-9)


def soft_batch(ab: np.ndarray, centers: np.ndarray, prior: np.ndarray) -> Batch:
    """A batch of colors (N, h, w, 2), in CIELAB units."""
    scaled = torch.from_numpy(ab).permute(0, 3, 1, 2) / AB_SCALE
    return Batch(torch.empty(0), scaled, soft_prior=torch.from_numpy(prior), class_centers=torch.from_numpy(centers))


def test_soft_targets_are_those_of_the_statistics() -> None:
    random = np.random.default_rng(7)
    centers, ab = random.uniform(-100, 100, (60, 2)), random.uniform(-100, 100, (2, 3, 5, 2))
    index, shares = soft_targets(torch.from_numpy(ab).permute(0, 3, 1, 2), torch.from_numpy(centers), 10, 5.0)
    expected = soft_shares(ab.reshape(-1, 2), centers, 10, 5.0)
    np.testing.assert_array_equal(index.permute(0, 2, 3, 1).reshape(-1, 10), expected[0])
    np.testing.assert_allclose(shares.permute(0, 2, 3, 1).reshape(-1, 10), expected[1], rtol=1e-9, atol=1e-300)
    assert soft_targets(torch.zeros(1, 2, 1, 1), torch.zeros(4, 2), 10, 5.0)[0].shape == (1, 4, 1, 1)


@pytest.mark.parametrize("neighbours", [1, 5, 10])
def test_comparing_with_nearby_classes_alone_changes_no_bit_of_a_soft_target(neighbours: int) -> None:
    """Against all 313 at once, as the sources do; an accident of the grid among them, and cells' edges and corners."""
    random = np.random.default_rng(13)
    spread, edges = random.uniform(-128, 127.99, (9000, 2)), random.integers(-128, 128, (1000, 2)).astype(float)
    edges += random.uniform(1e-5, 2e-5, edges.shape)  # not equally near to two classes, of which either might be first
    published = cic_classes()[0].kept_centers.astype(float)
    for centers in (published, random.uniform(-110, 110, (40, 2))):
        for dtype in (torch.float64, torch.float32):
            ab = torch.from_numpy(np.concatenate([spread, edges]).reshape(10, 20, 50, 2)).to(dtype).permute(0, 3, 1, 2)
            index, shares = soft_targets(ab, torch.from_numpy(centers), neighbours, 5.0)
            a, b = ab.unsqueeze(-1).unbind(1)
            places = torch.from_numpy(centers).to(dtype)
            squared = (a - places[:, 0]).square() + (b - places[:, 1]).square()
            nearest, expected = squared.topk(neighbours + 1, dim=-1, largest=False)
            distances, expected = nearest[..., :-1], expected[..., :-1]
            assert torch.equal(shares.permute(0, 2, 3, 1), (distances / -50).softmax(-1))
            found = index.permute(0, 2, 3, 1)
            assert torch.equal(squared.gather(-1, found), distances)
            tied = (nearest.diff() == 0).any(-1)  # two classes equally near, but for rounding
            assert dtype == torch.float32 or not tied.any()
            assert torch.equal(found[~tied], expected[~tied])


def test_the_nearby_classes_of_a_cell_hold_the_nearest_of_every_point_in_it() -> None:
    centers = np.random.default_rng(14).uniform(-100, 100, (30, 2))
    table = nearby_classes(centers, 3)
    assert table.shape[0] == 65536 and table.shape[1] < 15
    for cell in ((128, 128), (0, 255), (70, 201)):
        points = np.stack(np.meshgrid(*(np.linspace(0, 1, 41) + place - 128 for place in cell)), -1).reshape(-1, 2)
        nearest = np.argsort(((points[:, None] - centers) ** 2).sum(2), axis=1)[:, :3]
        listed = table[256 * cell[0] + cell[1]]
        assert set(nearest.flat) <= set(listed.tolist())
        assert (np.diff(listed[listed < 30]) > 0).all() and (listed[(listed < 30).sum() :] == 30).all()


@pytest.mark.parametrize("uniform_share", [0.5, 1.0])
def test_soft_cross_entropy_is_torch_s_divergence_weighted_in_a_loop(uniform_share: float) -> None:
    random = np.random.default_rng(8)
    centers, ab = random.uniform(-60, 60, (20, 2)), random.uniform(-60, 60, (2, 3, 4, 2))
    ab[1, :2] = random.uniform(-4, 4, (2, 4, 2))  # part of a photograph without color counts, a whole one does not
    prior, scores = random.dirichlet(np.ones(20)), random.normal(size=(2, 20, 3, 4))
    weights, total = cic_weights(prior, uniform_share), 0.0
    for n, y, x in np.ndindex(2, 3, 4):
        index, shares = soft_shares(ab[n, y, x][None], centers, 6, 15.0)
        target = np.zeros(20)
        target[index[0]] = shares[0]
        logs = torch.log_softmax(torch.from_numpy(scores[n, :, y, x]), 0)
        divergence = torch.nn.KLDivLoss(reduction="sum")(logs, torch.from_numpy(target))
        total += weights[index[0, 0]] * float(divergence)
    term = SoftCrossEntropy(neighbours=6, sigma=15.0, uniform_share=uniform_share)
    batch = soft_batch(ab, centers, prior)
    assert float(value(term, torch.from_numpy(scores), batch)) == pytest.approx(total / 24, rel=1e-9)
    grey = batch._replace(ab=torch.cat([batch.ab[:1], torch.full((1, 2, 3, 4), 5.0 / AB_SCALE, dtype=torch.float64)]))
    alone = value(term, torch.from_numpy(scores[:1]), batch._replace(ab=batch.ab[:1]))
    assert float(value(term, torch.from_numpy(scores), grey)) == pytest.approx(float(alone) / 2, rel=1e-9)


def test_soft_cross_entropy_of_uniform_scores_worked_by_hand() -> None:
    """ln 313 less the entropy of the soft target of (3, -2), 1.437647; w of its nearest class (0, 0) is 0.096503."""
    space, prior = cic_classes()
    batch = soft_batch(np.array([[[[3.0, -2.0]]]]), space.kept_centers, prior)
    batch = batch._replace(ab=torch.cat([batch.ab, torch.full((1, 2, 1, 1), 40 / AB_SCALE, dtype=torch.float64)], 3))
    scores = torch.zeros(1, 313, 1, 2, dtype=torch.float64)
    only = batch._replace(ab=batch.ab[..., :1])
    assert float(value(SoftCrossEntropy(), scores[..., :1], only)) == 0.0  # |a|, |b| at most 5: grey
    first = value(SoftCrossEntropy(uniform_share=1.0), scores, batch) * 2
    second = value(SoftCrossEntropy(uniform_share=1.0), scores[..., 1:], batch._replace(ab=batch.ab[..., 1:]))
    assert float(first - second) == pytest.approx(5.746203 - 1.437647, abs=1e-6)
    first = value(SoftCrossEntropy(), scores, batch) * 2
    second = value(SoftCrossEntropy(), scores[..., 1:], batch._replace(ab=batch.ab[..., 1:]))
    assert float(first - second) == pytest.approx(0.096503 * (5.746203 - 1.437647), abs=1e-5)


def test_classes_that_the_reference_set_does_not_touch_are_not_counted_in_the_uniform_share() -> None:
    prior = torch.tensor([0.75, 0.25, 0.0], dtype=torch.float64)
    mixed = torch.tensor([0.625, 0.375, 0.25], dtype=torch.float64)
    expected = (1 / mixed) / (0.75 / 0.625 + 0.25 / 0.375)
    torch.testing.assert_close(rebalancing_weights(prior, 0.5), expected)
    assert rebalancing_weights(prior, 0.0).tolist() == pytest.approx([0.5 / 0.75, 0.5 / 0.25, 0.0])


def test_pieces_of_a_batch_of_soft_targets_average_to_the_whole() -> None:
    random = torch.Generator().manual_seed(9)
    scores, classes = torch.randn(4, 6, 3, 3, generator=random), torch.randint(0, 6, (4, 3, 3), generator=random)
    batch, term = class_batch(classes, 6), SoftCrossEntropy(neighbours=3)
    pieces = [value(term, scores[i : i + 1], batch._replace(ab=batch.ab[i : i + 1])) for i in range(4)]
    assert float(torch.stack(pieces).mean()) == pytest.approx(float(value(term, scores, batch)), rel=1e-6)


def test_locality_of_a_row_worked_by_hand() -> None:
    """L = (50, 50, 60), a = (0, 10, 20), b = 0: squares 100, 5.998515, 100 units^2 (SPEC R20)."""
    light = torch.tensor([50.0, 50, 60], dtype=torch.float64).view(1, 1, 1, 3).repeat_interleave(4, 3)
    light = light.repeat_interleave(4, 2)
    ab = torch.stack([torch.tensor([0.0, 10, 20]), torch.zeros(3)]).double().view(1, 2, 1, 3) / AB_SCALE
    batch = ab_batch(ab)._replace(light=light)
    assert float(value(Locality(), ab, batch)) * AB_SCALE**2 == pytest.approx(68.666172, abs=5e-7)
    shares = neighbour_shares(light, 1, 3, 10.0)[:, 0, 0, 0]
    left, right = OFFSETS.index((0, -1)), OFFSETS.index((0, 1))
    pulled = shares[left, 1] * 0 + shares[right, 1] * 20
    assert float(10 - pulled) ** 2 == pytest.approx(5.998515, abs=5e-7)
    assert shares[right, 0] == shares[left, 2] == 1  # the one neighbour that exists


def test_locality_is_a_loop_over_positions_and_their_neighbours() -> None:
    random = np.random.default_rng(10)
    light, ab = random.uniform(0, 100, (2, 1, 12, 16)), random.normal(size=(2, 2, 3, 4))
    level, total = light.reshape(2, 3, 4, 4, 4).mean(axis=(2, 4)), 0.0
    for n, y, x in np.ndindex(2, 3, 4):
        weights, mean = 0.0, np.zeros(2)
        for v, u in np.ndindex(3, 4):
            if max(abs(v - y), abs(u - x)) == 1:
                weight = math.exp(-((level[n, y, x] - level[n, v, u]) ** 2) / (2 * 7.0**2))
                weights, mean = weights + weight, mean + weight * ab[n, :, v, u]
        total += ((ab[n, :, y, x] - mean / weights) ** 2).sum()
    batch = ab_batch(torch.from_numpy(ab))._replace(light=torch.from_numpy(light))
    found = value(Locality(sigma=7.0), torch.from_numpy(ab), batch)
    assert float(found) == pytest.approx(total / 24, rel=1e-9)


def test_constant_color_costs_nothing_whatever_the_lightness() -> None:
    light = torch.zeros(1, 1, 16, 16)
    light[..., ::8] = 100.0  # far apart: every exponential underflows in single precision
    ab = torch.full((1, 2, 4, 4), 0.3)
    assert float(value(Locality(sigma=0.5), ab, ab_batch(ab)._replace(light=light))) == pytest.approx(0, abs=1e-12)


@pytest.mark.parametrize(
    ("normalise", "expected"),
    [
        ("none", (1.111111, 2.499999, 5.773493, 3162.277660)),
        ("mean_one", (0.754214, 1.696980, 3.919003, 2146.529841)),
    ],
)
def test_weights_of_values_worked_by_hand(normalise: str, expected: tuple[float, ...]) -> None:
    """h = (.81, .16, .03, 0); the mean over values is .9 + .4 + .173205 = 1.473205 (SPEC R36)."""
    counts = torch.tensor([[81, 16, 3, 0], [0, 3, 16, 81]])
    found = value_weights(counts, normalise)
    assert found[0].tolist() == pytest.approx(expected, rel=2e-6)
    assert found[1].flip(0).tolist() == found[0].tolist()


def test_weights_that_sum_to_one_leave_the_weighted_part_to_empty_bins() -> None:
    weights = value_weights(torch.tensor([[81, 16, 3, 0], [1, 1, 1, 1]]), "sum_to_one")
    assert float(weights.sum()) == pytest.approx(1)
    assert float(weights[0, 3]) > 0.99


@pytest.mark.parametrize("normalise", ["mean_one", "sum_to_one"])
def test_the_profile_loss_is_a_loop_over_positions_by_numpy_s_histogram(normalise: str) -> None:
    random = np.random.default_rng(11)
    reference = np.clip(random.normal(0, 25, (2, 5000)), -127, 127)
    edges = np.linspace(-128, 128, 65)
    counts = np.stack([np.histogram(values, edges)[0] for values in reference])
    shares = counts / 5000
    weights = 1 / np.sqrt(shares + 1e-7)
    weights /= (shares * weights).sum() / 2 if normalise == "mean_one" else weights.sum()
    truth, output = (np.clip(random.normal(0, 30, (2, 2, 3, 4)), -127.9, 127.9) for _ in range(2))
    total = 0.0
    for n, axis, y, x in np.ndindex(2, 2, 3, 4):
        squared = ((output[n, axis, y, x] - truth[n, axis, y, x]) / 128) ** 2
        place = np.digitize(truth[n, axis, y, x], edges) - 1
        total += 0.65 * squared + 0.35 * weights[axis, place] * squared
    batch = ab_batch(torch.from_numpy(truth / 128))._replace(axis_counts=torch.from_numpy(counts))
    found = value(Profile(normalise=normalise), torch.from_numpy(output / 128), batch)
    assert float(found) == pytest.approx(total / 48, rel=1e-9)


def test_guidance_is_torch_s_divergence_and_nought_where_the_student_agrees() -> None:
    random = torch.Generator().manual_seed(12)
    student, teacher = (torch.randn(3, 7, generator=random, dtype=torch.float64) for _ in range(2))
    shares = teacher.softmax(1)
    expected = sum(
        float(share * (share.log() - found.log()))
        for n in range(3)
        for share, found in zip(shares[n], student.softmax(1)[n], strict=True)
    )
    batch = Batch(torch.empty(0), torch.empty(0), teacher=shares)

    def divergence(scores: torch.Tensor) -> torch.Tensor:
        return Semantic().loss(NetworkOutput(torch.empty(0), lambda x: x, scores), batch)

    assert float(divergence(student)) == pytest.approx(expected / 3, rel=1e-9)
    assert float(divergence(teacher + 5)) == pytest.approx(0, abs=1e-12)
    assert torch.autograd.gradcheck(divergence, (student.requires_grad_(),))
