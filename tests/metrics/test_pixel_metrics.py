"""The pixel metrics against scikit-image, torchmetrics, colour-science and numbers worked by hand."""

import hashlib
import warnings
from collections.abc import Callable

import numpy as np
import pytest
import torch
from skimage.color import deltaE_ciede2000, rgb2gray, rgb2lab
from skimage.metrics import mean_squared_error, peak_signal_noise_ratio, structural_similarity

from pipeline import metrics
from pipeline.metrics.color_difference import ciede2000_of_lab, lab_planes
from pipeline.metrics.pixels import psnr_of

Pair = tuple[np.ndarray, np.ndarray]
PER_IMAGE = ["mse", "psnr", "ssim", "uiqi", "ciede2000", "ciede2000_p95", "cf", "cf_abs", "cf_difference"]


def grey_of(image: np.ndarray) -> np.ndarray:
    """scikit-image's luminance, rounded, on three channels."""
    return np.repeat(np.round(255 * rgb2gray(image)).astype(np.uint8)[..., None], 3, axis=-1)


def each(function: Callable[[np.ndarray, np.ndarray], float], pairs: Pair) -> list[float]:
    return [function(truth, result) for truth, result in zip(*pairs, strict=True)]


def test_astronaut_against_its_grey_gives_the_known_numbers(astronaut: np.ndarray) -> None:
    grey = grey_of(astronaut)
    assert metrics.psnr(astronaut, grey) == pytest.approx(17.81246, abs=5e-6)
    assert metrics.ssim(astronaut, grey) == pytest.approx(0.903276, abs=2e-6)
    assert metrics.cf(astronaut, astronaut) == pytest.approx(72.605, abs=5e-4)
    assert metrics.cf_abs(astronaut, astronaut) == pytest.approx(71.373, abs=5e-4)
    assert metrics.cf(astronaut, grey) == 0.0
    assert metrics.cf_difference(astronaut, grey) == pytest.approx(72.605, abs=5e-4)


def test_mse_and_psnr_equal_scikit_image(pairs: Pair) -> None:
    assert metrics.mse(*pairs) == pytest.approx(
        each(lambda t, r: mean_squared_error(t / 255, r / 255), pairs), rel=1e-12
    )
    assert metrics.psnr(*pairs) == pytest.approx(each(peak_signal_noise_ratio, pairs), rel=1e-12)


def test_mse_by_hand(flat: Callable[..., np.ndarray]) -> None:
    assert metrics.mse(flat(0, 0, 0), flat(255, 255, 255)) == 1.0
    assert metrics.psnr(flat(0, 0, 0), flat(255, 255, 255)) == 0.0
    assert metrics.mse(flat(10, 10, 10), flat(10, 61, 10)) == pytest.approx(0.2**2 / 3)


def test_ssim_equals_scikit_image(pairs: Pair) -> None:
    expected = each(
        lambda t, r: structural_similarity(
            t, r, gaussian_weights=True, sigma=1.5, use_sample_covariance=False, channel_axis=-1
        ),
        pairs,
    )
    assert metrics.ssim(*pairs) == pytest.approx(expected, abs=2e-6)


def test_ssim_equals_torchmetrics(pairs: Pair) -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of the package's own imports
        from torchmetrics.functional.image import structural_similarity_index_measure

    truth, result = (torch.from_numpy(images).permute(0, 3, 1, 2).double() / 255 for images in pairs)
    _, windows = structural_similarity_index_measure(
        result, truth, data_range=1.0, reduction="none", return_full_image=True
    )
    inside = windows[..., 5:-5, 5:-5]  # torchmetrics averages over windows that hang over the mirrored border as well
    assert metrics.ssim(*pairs) == pytest.approx(inside.mean(dim=(1, 2, 3)).numpy(), abs=2e-6)


def test_ssim_of_flat_photographs_by_hand(flat: Callable[..., np.ndarray]) -> None:
    x, y, c1 = 100 / 255, 150 / 255, 0.01**2
    expected = (2 * x * y + c1) / (x * x + y * y + c1)
    assert metrics.ssim(flat(100, 100, 100), flat(150, 150, 150)) == pytest.approx(expected, abs=1e-6)


def plain_uiqi(truth: np.ndarray, result: np.ndarray) -> float:
    """Wang & Bovik's index window by window, as the paper writes it: Q = 4 s_xy x y / ((s_x2 + s_y2)(x2 + y2))."""
    scores = []
    for channel in range(3):
        windows = [
            np.lib.stride_tricks.sliding_window_view(image[..., channel].astype(float), (8, 8)).reshape(-1, 64)
            for image in (truth, result)
        ]
        for x, y in zip(*windows, strict=True):
            covariance = np.cov(x, y)
            variance, squares = covariance[0, 0] + covariance[1, 1], x.mean() ** 2 + y.mean() ** 2
            if variance == 0:
                scores.append(1.0 if squares == 0 else 2 * x.mean() * y.mean() / squares)
            else:
                scores.append(4 * covariance[0, 1] * x.mean() * y.mean() / (variance * squares))
    return float(np.mean(scores))


def test_uiqi_equals_the_formula_window_by_window(pairs: Pair) -> None:
    small = pairs[0][:, :20, :24], pairs[1][:, :20, :24]
    assert metrics.uiqi(*small) == pytest.approx(each(plain_uiqi, small), abs=1e-7)


def test_uiqi_equals_scikit_image_without_constants(pairs: Pair) -> None:
    """SSIM with K = 0 is UIQI; scikit-image takes odd windows only, and has 0 / 0 where a patch is flat."""
    textured = pairs[0][:3], pairs[1][:3]
    expected = each(lambda t, r: structural_similarity(t, r, win_size=7, K1=0, K2=0, channel_axis=-1), textured)
    assert metrics.uiqi(*textured, window=7) == pytest.approx(expected, abs=1e-7)


def test_uiqi_of_flat_patches(flat: Callable[..., np.ndarray]) -> None:
    assert metrics.uiqi(flat(90, 90, 90), flat(90, 90, 90)) == 1.0
    assert metrics.uiqi(flat(0, 0, 0), flat(0, 0, 0)) == 1.0
    assert metrics.uiqi(flat(0, 0, 0), flat(255, 255, 255)) == 0.0
    assert metrics.uiqi(flat(50, 50, 50), flat(100, 100, 100)) == pytest.approx(2 * 50 * 100 / (50**2 + 100**2))


def test_uiqi_tells_what_sewar_computes_instead(pairs: Pair) -> None:
    """sewar puts window means where the formula has window sums, so that its variances are 64 times too large."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        from sewar.full_ref import uqi

    ours, theirs = metrics.uiqi(*pairs), np.array(each(uqi, pairs))
    assert (np.abs(ours - theirs) > 0.01).any()

    def with_means(truth: np.ndarray, result: np.ndarray) -> float:
        from scipy.ndimage import uniform_filter

        scores = []
        for channel in range(3):
            x, y = (image[..., channel].astype(float) for image in (truth, result))
            mean_x, mean_y, xx, yy, xy = (uniform_filter(z, 8) for z in (x, y, x * x, y * y, x * y))
            squares = mean_x**2 + mean_y**2
            quality = 4 * (64 * xy - mean_x * mean_y) * mean_x * mean_y / ((64 * (xx + yy) - squares) * squares)
            scores.append(quality[4:-4, 4:-4].mean())
        return float(np.mean(scores))

    assert theirs[:3] == pytest.approx(each(with_means, (pairs[0][:3], pairs[1][:3])), abs=1e-12)


# Sharma, Wu, Dalal 2005, Table 1: pairs that tell implementations apart (hue across 0, opposite hues, no chroma).
SHARMA = [
    ((50, 2.6772, -79.7751), (50, 0, -82.7485), 2.0425),
    ((50, 3.1571, -77.2803), (50, 0, -82.7485), 2.8615),
    ((50, 2.8361, -74.0200), (50, 0, -82.7485), 3.4412),
    ((50, -1.3802, -84.2814), (50, 0, -82.7485), 1.0000),
    ((50, 0, 0), (50, -1, 2), 2.3669),
    ((50, 2.49, -0.001), (50, -2.49, 0.0009), 7.1792),
    ((50, 2.49, -0.001), (50, -2.49, 0.0011), 7.2195),
    ((50, -0.001, 2.49), (50, 0.0009, -2.49), 4.8045),
    ((50, -0.001, 2.49), (50, 0.0011, -2.49), 4.7461),
    ((50, 2.5, 0), (73, 25, -18), 27.1492),
    ((50, 2.5, 0), (61, -5, 29), 22.8977),
    ((50, 2.5, 0), (56, -27, -3), 31.9030),
    ((50, 2.5, 0), (58, 24, 15), 19.4535),
    ((60.2574, -34.0099, 36.2677), (60.4626, -34.1751, 39.4387), 1.2644),
    ((22.7233, 20.0904, -46.6940), (23.0331, 14.9730, -42.5619), 2.0373),
    ((6.7747, -0.2908, -2.4247), (5.8714, -0.0985, -2.2286), 0.6377),
    ((2.0776, 0.0795, -1.1350), (0.9033, -0.0636, -0.5514), 0.9082),
]


@pytest.mark.parametrize(("first", "second", "expected"), SHARMA)
def test_ciede2000_on_the_published_pairs(first: tuple, second: tuple, expected: float) -> None:
    one, other = (torch.tensor([color], dtype=torch.float64) for color in (first, second))
    assert ciede2000_of_lab(one, other).item() == pytest.approx(expected, abs=5e-5)
    assert ciede2000_of_lab(other, one).item() == pytest.approx(expected, abs=5e-5)


def test_ciede2000_equals_scikit_image(pairs: Pair) -> None:
    maps = [deltaE_ciede2000(rgb2lab(truth), rgb2lab(result)) for truth, result in zip(*pairs, strict=True)]
    assert metrics.ciede2000(*pairs) == pytest.approx([one.mean() for one in maps], abs=1e-5)
    assert metrics.ciede2000_p95(*pairs) == pytest.approx([np.percentile(one, 95) for one in maps], abs=1e-4)


@pytest.mark.parametrize("pixels", [1, 2, 20, 21, 41, 1000])
def test_percentile_is_numpy_s(pixels: int) -> None:
    """Between two places, exactly on one (21, 41), and with nothing above."""
    random = np.random.default_rng(pixels)
    truth, result = random.integers(0, 256, (2, 3, 1, pixels, 3), dtype=np.uint8)
    first, second = (lab_planes(torch.from_numpy(images)) for images in (truth, result))
    differences = ciede2000_of_lab(first, second).flatten(1).double().numpy()
    assert metrics.ciede2000_p95(truth, result) == pytest.approx(np.percentile(differences, 95, axis=1), abs=1e-5)


def test_lab_equals_colour_science(pairs: Pair) -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        import colour

    white = colour.xyY_to_xy([*colour.XYZ_to_xy([0.95047, 1.0, 1.08883]), 1.0])
    expected = colour.XYZ_to_Lab(colour.sRGB_to_XYZ(pairs[0][0] / 255), illuminant=white)
    ours = lab_planes(torch.from_numpy(pairs[0][:1]))[0].permute(1, 2, 0).numpy()
    # colour-science derives the matrix from the primaries; the digits that sRGB prints differ in the fourth place
    assert np.abs(ours - expected).max() < 0.05
    assert np.abs(ours - rgb2lab(pairs[0][0])).max() < 2e-4


@pytest.mark.parametrize("name", PER_IMAGE)
def test_identical_photographs(name: str, pairs: Pair) -> None:
    value = getattr(metrics, name)(pairs[0], pairs[0])
    best = {"psnr": np.inf, "ssim": 1.0, "uiqi": 1.0}
    if name in ("cf", "cf_abs"):
        assert (value > 0).all()
    else:
        assert value == pytest.approx(np.full(4, best.get(name, 0.0)), abs=1e-6)


@pytest.mark.parametrize("name", PER_IMAGE)
def test_batch_and_kind_of_array_change_no_value(name: str, pairs: Pair) -> None:
    function = getattr(metrics, name)
    together = function(*pairs)
    assert together.dtype == np.float64
    assert together.shape == (4,)
    alone = np.concatenate([function(truth[None], result[None]) for truth, result in zip(*pairs, strict=True)])
    assert together == pytest.approx(alone, abs=1e-6)
    assert function(*(torch.from_numpy(images) for images in pairs)) == pytest.approx(together, abs=0)


def test_strips_change_no_value(pairs: Pair, monkeypatch: pytest.MonkeyPatch) -> None:
    """Large photographs are walked in strips; here the strips are 16 rows high."""
    whole = {name: getattr(metrics, name)(*pairs) for name in PER_IMAGE}
    monkeypatch.setattr("pipeline.metrics.batches.STRIP_PIXELS", 1)
    for name, value in whole.items():
        assert getattr(metrics, name)(*pairs) == pytest.approx(value, abs=1e-6), name


def test_ssim_keeps_its_digits_where_photographs_are_bright_and_flat() -> None:
    random = np.random.default_rng(0)
    truth, result = (
        (250 + random.integers(0, 2, (1, 64, 64, 3))).astype(np.uint8),
        np.full((1, 64, 64, 3), 250, np.uint8),
    )
    expected = structural_similarity(
        truth[0], result[0], gaussian_weights=True, sigma=1.5, use_sample_covariance=False, channel_axis=-1
    )
    assert metrics.ssim(truth, result) == pytest.approx(expected, abs=1e-5)


@pytest.mark.parametrize(("name", "smallest"), [("ssim", 11), ("uiqi", 8)])
def test_windows_that_do_not_fit_give_nan(name: str, smallest: int, flat: Callable[..., np.ndarray]) -> None:
    function = getattr(metrics, name)
    assert function(flat(9, 9, 9, height=smallest), flat(9, 9, 9, height=smallest)) == 1.0
    small = flat(9, 9, 9, height=smallest - 1)
    assert np.isnan(function(small, small)).all()


def test_what_is_no_pair_of_photographs_is_refused(flat: Callable[..., np.ndarray]) -> None:
    nan = np.full((1, 16, 16, 3), np.nan)
    with pytest.raises(TypeError, match="float64, it takes uint8"):
        metrics.mse(flat(0, 0, 0), nan)
    with pytest.raises(ValueError, match="must be equal"):
        metrics.mse(flat(0, 0, 0), flat(0, 0, 0, height=17))
    with pytest.raises(ValueError, match=r"takes \(N, H, W, 3\)"):
        metrics.mse(flat(0, 0, 0)[0], flat(0, 0, 0)[0])
    with pytest.raises(ValueError, match="2 to 11"):
        metrics.uiqi(flat(0, 0, 0), flat(0, 0, 0), window=12)
    assert metrics.mse(flat(0, 0, 0)[:0], flat(0, 0, 0)[:0]).shape == (0,)


def test_psnr_has_the_same_bits_on_every_machine() -> None:
    errors = np.arange(1, 3000) / 65025 / 7
    found = psnr_of(errors)
    assert (np.abs(found + 10 * np.log10(errors)) <= 4 * np.spacing(found)).all()
    assert hashlib.sha256(found.tobytes()).hexdigest()[:16] == "e60dba048b5bec37"
    assert psnr_of(np.array([0.0, 1.0, 0.1])).tolist() == [np.inf, 0.0, 10.0]
