"""LPIPS and the Frechet distances against the packages that define them, in float64 where they are formulas."""

import contextlib
import io
import warnings
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from PIL import Image
from scipy.linalg import sqrtm

from pipeline import metrics
from pipeline.evaluation.set_scores import SetState
from pipeline.metrics.frechet import FeatureMoments, frechet_distance
from pipeline.metrics.inception import inception_features, inception_network, load_inception
from pipeline.metrics.perceptual import alexnet_layers, channel_weights, load_perceptual, perceptual_features
from tests.conftest import SHARED

WEIGHTS = SHARED / "weights" / "alexnet_features.pth"
EXAMPLE = SHARED / "data" / "lpips-example"
needs_alexnet = pytest.mark.skipif(not WEIGHTS.exists(), reason="AlexNet's weights are not in ../shared/weights")
Pair = tuple[np.ndarray, np.ndarray]


def lpips_package(state: dict[str, torch.Tensor]) -> Any:
    """The lpips package's network with our AlexNet weights."""
    with warnings.catch_warnings(), contextlib.redirect_stdout(io.StringIO()):
        warnings.simplefilter("ignore")
        import lpips

        network = lpips.LPIPS(net="alex", pnet_rand=True, verbose=False)
    for name, parameter in network.net.named_parameters():
        parameter.data.copy_(state[name.split(".", 1)[1]])
    return network


@pytest.fixture
def random_weights(tmp_path: Path) -> Path:
    torch.manual_seed(0)
    path = tmp_path / "alexnet.pth"
    torch.save({f"features.{name}": value for name, value in alexnet_layers().state_dict().items()}, path)
    return path


def test_lpips_equals_the_package_whatever_the_backbone_weights(pairs: Pair, random_weights: Path) -> None:
    ours = load_perceptual(random_weights)
    theirs = lpips_package(ours.layers.state_dict())
    first, second = (torch.from_numpy(images).permute(0, 3, 1, 2) / 127.5 - 1 for images in pairs)
    with torch.no_grad():
        expected = theirs(first, second).flatten().numpy()
    assert expected.max() > 1e-4  # the untrained network tells the pairs apart
    assert metrics.lpips(*pairs, ours) == pytest.approx(expected, rel=1e-4, abs=1e-7)


@needs_alexnet
def test_lpips_gives_the_numbers_of_its_own_example() -> None:
    network = load_perceptual(WEIGHTS)
    reference, first, second = (
        np.asarray(Image.open(EXAMPLE / f"ex_{name}.png").convert("RGB"))[None] for name in ("ref", "p0", "p1")
    )
    assert metrics.lpips(reference, first, network) == pytest.approx(0.7219, abs=5e-5)
    assert metrics.lpips(reference, second, network) == pytest.approx(0.1376, abs=5e-5)
    assert metrics.lpips(reference, reference, network) == 0.0


def test_lpips_batch_and_order_change_no_value(pairs: Pair, random_weights: Path) -> None:
    network = load_perceptual(random_weights)
    together = metrics.lpips(*pairs, network)
    alone = np.concatenate([metrics.lpips(t[None], r[None], network) for t, r in zip(*pairs, strict=True)])
    assert together == pytest.approx(alone, abs=1e-6)
    assert metrics.lpips(pairs[1], pairs[0], network) == pytest.approx(together, abs=1e-7)


@pytest.mark.parametrize("size", [(31, 31), (33, 62), (64, 95), (130, 47)])
def test_groups_change_no_bit_and_vectors_hold_every_activation(size: tuple[int, int], random_weights: Path) -> None:
    network = load_perceptual(random_weights)
    images = torch.randint(0, 256, (6, *size, 3), dtype=torch.uint8, generator=torch.Generator().manual_seed(1))
    whole = perceptual_features(network, images, together=4).packed
    for start, stop in ((0, 1), (1, 4), (2, 6)):
        assert torch.equal(perceptual_features(network, images[start:stop], together=4).packed, whole[start:stop])
    current, length = torch.zeros(1, 3, *size), 0
    for layer in network.layers:
        current = layer(current)
        length += current.numel() if isinstance(layer, torch.nn.ReLU) else 0
    assert whole.shape == (6, 256 + length)
    torch.testing.assert_close(perceptual_features(network, images).packed, whole, rtol=1e-4, atol=1e-6)


def test_lpips_of_tiny_photographs_is_undefined(random_weights: Path) -> None:
    network = load_perceptual(random_weights)
    tiny, small = (np.zeros((1, side, 40, 3), np.uint8) for side in (30, 31))
    assert np.isnan(metrics.lpips(tiny, tiny, network))
    assert metrics.lpips(small, small, network) == 0.0


def test_missing_alexnet_is_an_error_of_the_one_metric(pairs: Pair, monkeypatch: pytest.MonkeyPatch) -> None:
    from pipeline.machine.weight_files import MissingWeights
    from pipeline.metrics import perceptual

    def nowhere(name: str) -> Path:
        raise MissingWeights(f"{name} is not here")

    monkeypatch.setattr("pipeline.machine.weight_files.resolve", nowhere)
    perceptual._resolved_network.cache_clear()
    with pytest.raises(MissingWeights):
        metrics.lpips(*pairs)


def test_channel_weights_are_the_published_ones() -> None:
    heads = channel_weights()
    assert [len(head) for head in heads] == [64, 192, 384, 256, 256]
    assert all((head >= 0).all() for head in heads)  # else a distance could be negative, and the root would be wrong


@needs_alexnet
def test_pooled_features_equal_torchvision(pairs: Pair) -> None:
    from torchvision.models import alexnet

    network = alexnet(weights=None).features[:12]
    stored = torch.load(WEIGHTS, weights_only=True)
    network.load_state_dict({name.removeprefix("features."): value for name, value in stored.items()})
    mean, deviation = torch.tensor([0.485, 0.456, 0.406]), torch.tensor([0.229, 0.224, 0.225])
    with torch.no_grad():
        expected = network(((torch.from_numpy(pairs[0]) / 255 - mean) / deviation).permute(0, 3, 1, 2)).mean(dim=(2, 3))
    ours = perceptual_features(load_perceptual(WEIGHTS), torch.from_numpy(pairs[0])).pooled
    assert ours.numpy() == pytest.approx(expected.numpy(), rel=1e-4, abs=1e-6)


def features(seed: int, count: int, size: int = 6) -> np.ndarray:
    random = np.random.default_rng(seed)
    return random.normal(size=(count, size)) @ random.normal(size=(size, size)) + random.normal(size=size)


def with_matrix_root(first: np.ndarray, second: np.ndarray) -> float:
    """The distance as it is written, with scipy's matrix square root."""
    covariance1, covariance2 = np.cov(first.T), np.cov(second.T)
    difference = first.mean(axis=0) - second.mean(axis=0)
    root = sqrtm(covariance1 @ covariance2).real
    return float(difference @ difference + np.trace(covariance1 + covariance2 - 2 * root))


def test_frechet_equals_the_formula_with_a_matrix_root() -> None:
    first, second = features(1, 200), features(2, 300)
    ours = frechet_distance(FeatureMoments.of(first), FeatureMoments.of(second))
    assert ours == pytest.approx(with_matrix_root(first, second), rel=1e-9)


def test_frechet_of_two_lines_by_hand() -> None:
    """In one dimension it is (m1 - m2)^2 + (s1 - s2)^2."""
    first, second = np.array([[0.0], [2.0]]), np.array([[5.0], [5.0], [11.0], [11.0]])
    deviation1, deviation2 = first.std(ddof=1), second.std(ddof=1)
    expected = (1 - 8) ** 2 + (deviation1 - deviation2) ** 2
    assert frechet_distance(FeatureMoments.of(first), FeatureMoments.of(second)) == pytest.approx(expected)


def test_frechet_with_fewer_photographs_than_features() -> None:
    """Covariances without full rank: no complex number, no negative distance, none at all between a set and itself."""
    first, second = features(3, 5, size=40), features(4, 7, size=40)
    one, other = FeatureMoments.of(first), FeatureMoments.of(second)
    assert frechet_distance(one, other) > 0
    assert frechet_distance(one, other) == pytest.approx(frechet_distance(other, one), rel=1e-6)
    assert frechet_distance(one, one) == pytest.approx(0, abs=1e-5 * one.covariance.trace())


def test_frechet_moments_add_up() -> None:
    whole = features(5, 100)
    other = FeatureMoments.of(features(6, 50))
    parts = [FeatureMoments.of(whole[:1]), FeatureMoments.of(whole[1:40]), FeatureMoments.of(whole[40:])]
    merged = parts[0] + parts[1] + parts[2]
    expected = frechet_distance(FeatureMoments.of(whole), other)
    assert frechet_distance(merged, other) == pytest.approx(expected, rel=1e-10)
    assert merged.covariance == pytest.approx(np.cov(whole.T), rel=1e-10)


def test_frechet_of_one_photograph_is_undefined() -> None:
    one, many = FeatureMoments.of(features(7, 1)), FeatureMoments.of(features(8, 10))
    assert np.isnan(frechet_distance(one, many))
    with pytest.raises(ValueError, match="must be equal"):
        frechet_distance(many, FeatureMoments.of(features(8, 10, size=5)))


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


@pytest.mark.parametrize("pieces", [(3, 1, 2), (1, 1, 1, 1, 1, 1), (6,), (5, 1)])
def test_moments_in_pieces_are_those_of_all(pieces: tuple[int, ...], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("pipeline.evaluation.set_scores.MOMENTS_OF", 3)
    truth, result = np.random.default_rng(0).normal(size=(2, 6, 5)).astype(np.float32)
    state, ends = SetState(), np.cumsum(pieces)[:-1]
    for batch in zip(np.split(truth, ends), np.split(result, ends), strict=True):
        state.add_features(("raw", "fid"), [batch])
    found = state.form_all_moments()["raw", "fid"]
    for moments, features in zip(found, (truth, result), strict=True):
        expected = FeatureMoments.of(features)
        assert moments.count == 6
        assert moments.total == pytest.approx(expected.total)
        assert moments.products == pytest.approx(expected.products)


def test_inception_pools_as_tensorflow_does(inception: torch.nn.Module) -> None:
    """Ones stay ones at the border: padding takes no part in the mean; the last block takes maxima instead."""
    ones = torch.ones(1, 1, 4, 4)
    assert (inception.Mixed_5b.pool(ones) == 1).all()
    assert (inception.Mixed_7b.pool(ones) == 1).all()
    ramp = torch.arange(16.0).reshape(1, 1, 4, 4)
    assert inception.Mixed_7c.pool(ramp)[0, 0, 0, 0] == 5
    assert inception.Mixed_7b.pool(ramp)[0, 0, 0, 0] == (0 + 1 + 4 + 5) / 4
