"""The curves against exact decimals and scikit-image; arrays and tensors; the same bits on every machine."""

import hashlib
from decimal import Decimal, localcontext
from fractions import Fraction

import numpy as np
import pytest
import torch
from skimage.color import lab2rgb, rgb2lab, rgb2xyz, xyz2rgb

from pipeline.color import constants
from pipeline.color.lab import LINEAR_VALUES, lightness16
from pipeline.color.study import rgb_deviation
from pipeline.color.weighting import cic_weights, class_weights, effective_classes, smoothed_prior

GOLDEN = {
    "linear": "a8e3cf9bc414d95b",
    "lightness16": "ac330548e97a94f1",
    "cic": "cd28367a35f05d31",
    "effective": "35117b857969f11e",
    "deviations": "86e5beb82515fc36",
}
"""Of the bits that every machine has to find."""
VALUES = np.concatenate([np.linspace(0, 1, 1001), 10.0 ** np.linspace(-6, 0.05, 200)])


def exact_power(values: np.ndarray, numerator: int, denominator: int) -> np.ndarray:
    """To 40 digits, then rounded to float64."""
    with localcontext() as context:
        context.prec = 40
        return np.array([float(Decimal(value) ** (Decimal(numerator) / denominator)) for value in values.tolist()])


def test_the_inverse_matrix_is_the_exact_one() -> None:
    """Its product with the matrix, in fractions, is 1 to within the rounding of its entries."""
    exact = [[Fraction(value) for value in row] for row in constants.RGB_TO_XYZ.tolist()]
    inverse = [[Fraction(value) for value in row] for row in constants.XYZ_TO_RGB.tolist()]
    for row in range(3):
        for column in range(3):
            found = sum(inverse[row][k] * exact[k][column] for k in range(3))
            assert abs(found - (row == column)) < 3e-16


def test_matrices_are_those_of_scikit_image() -> None:
    linear = np.eye(3)[None]  # 0 and 1 are the same in both curves
    np.testing.assert_array_equal(rgb2xyz(linear)[0], constants.RGB_TO_XYZ.T)
    inside = rgb2xyz(np.random.default_rng(0).random((50, 3)))
    ours = np.stack(constants.product(constants.XYZ_TO_RGB, tuple(inside.T)), axis=-1)
    np.testing.assert_allclose(constants.srgb_level(ours), xyz2rgb(inside), atol=1e-14)


@pytest.mark.parametrize(("numerator", "denominator"), [(1, 3), (12, 5), (5, 12)])
def test_powers_are_exact_to_a_few_last_digits(numerator: int, denominator: int) -> None:
    values = VALUES[VALUES > 1e-12]
    expected = exact_power(values, numerator, denominator)
    ours = constants._power(values, numerator, denominator)
    assert (np.abs(ours - expected) <= 4 * np.spacing(expected)).all()


def test_curves_by_their_definitions() -> None:
    level, share = VALUES.clip(max=1), VALUES
    linear = np.where(level > 0.04045, exact_power((level + 0.055) / 1.055, 12, 5), level / 12.92)
    np.testing.assert_allclose(constants.linear_light(level), linear, rtol=2e-15)
    coded = np.where(level > 0.0031308, 1.055 * exact_power(level, 5, 12) - 0.055, 12.92 * level)
    np.testing.assert_allclose(constants.srgb_level(level), coded, rtol=2e-15, atol=1e-16)
    curve = np.where(share > 0.008856, exact_power(share, 1, 3), 7.787 * share + 16 / 116)
    np.testing.assert_allclose(constants.lab_curve(share), curve, rtol=2e-15)
    assert constants.linear_light(np.array([0.0, 1.0])).tolist() == [0.0, 1.0]
    assert 116 * constants.lab_curve(np.array([0.0, 1.0])) - 16 == pytest.approx([0.0, 100.0], abs=0)


def test_curves_and_their_inverses() -> None:
    level = np.linspace(0, 1, 4096)
    np.testing.assert_allclose(constants.srgb_level(constants.linear_light(level)), level, atol=1e-6)
    np.testing.assert_allclose(constants.lab_curve_inverse(constants.lab_curve(level)), level, atol=1e-6)
    greys = np.repeat(level[:, None], 3, axis=1)
    np.testing.assert_allclose(constants.level_of_lightness(rgb2lab(greys)[:, 0]), level, atol=1e-5)
    lab = np.stack([level * 100, 0 * level, 0 * level], axis=-1)
    np.testing.assert_allclose(constants.level_of_lightness(level * 100), lab2rgb(lab).mean(axis=1), atol=2e-4)


@pytest.mark.parametrize(
    "curve", ["linear_light", "srgb_level", "lab_curve", "lab_curve_inverse", "level_of_lightness"]
)
def test_tensors_take_the_same_curves(curve: str) -> None:
    values = VALUES.clip(max=1) * (100 if curve == "level_of_lightness" else 1)
    ours = getattr(constants, curve)(torch.from_numpy(values).float())
    assert ours.dtype == torch.float32
    np.testing.assert_allclose(ours.numpy(), getattr(constants, curve)(values), rtol=2e-5, atol=1e-6)


def test_every_machine_finds_the_same_bits() -> None:
    """What tables and files are made of may not depend on a processor's powers or matrix products."""
    places = np.stack(np.meshgrid(np.arange(36), np.arange(36)), axis=-1).reshape(-1, 2) * 6.0 - 105
    prior = (np.arange(len(places)) + 1) / len(places) ** 2
    counts = np.arange(1, 400) ** 2
    classes = [effective_classes(class_weights(counts[:q], 10) * counts[:q]) for q in range(2, 399)]
    cic = cic_weights(smoothed_prior(prior, places, 5.0), 0.5)
    deviations = [rgb_deviation(anchor, distance) for anchor in (50.0, 0.0, -50.0) for distance in (1.0, 1.5, 3.5)]
    found = {
        "linear": LINEAR_VALUES,
        "lightness16": lightness16(),
        "cic": cic,
        "effective": np.array(classes),
        "deviations": np.array(deviations),
    }
    digests = {name: hashlib.sha256(values.tobytes()).hexdigest()[:16] for name, values in found.items()}
    assert digests == GOLDEN
