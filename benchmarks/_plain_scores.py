"""The scores of a pair of photographs as a paper's code computes them: each by itself, from the usual packages."""

import contextlib
import io
import warnings
from pathlib import Path
from typing import Any

import numpy as np
import torch
from scipy.ndimage import uniform_filter
from skimage.color import deltaE_ciede2000, rgb2lab
from skimage.metrics import mean_squared_error, structural_similarity

BIN, SHIFT, SIDE = 6, 108, 36
"""Classes of 6 x 6 units over a, b in [-108, 108), none of them pruned."""


def lpips_package(weights: Path) -> Any:
    """The `lpips` package's own network, its AlexNet loaded from our file."""
    with warnings.catch_warnings(), contextlib.redirect_stdout(io.StringIO()):
        warnings.simplefilter("ignore")
        import lpips

        network = lpips.LPIPS(net="alex", pnet_rand=True, verbose=False)
    stored = torch.load(weights, map_location="cpu", weights_only=True)
    for name, parameter in network.net.named_parameters():
        parameter.data.copy_(stored[f"features.{name.split('.', 1)[1]}"])
    return network


def plain_pair(
    truth: np.ndarray, result: np.ndarray, lpips_network: Any
) -> tuple[dict[str, float], tuple[np.ndarray, np.ndarray]]:
    """Every score of one pair that `score_set` has in a row, and the classes of both."""
    error = mean_squared_error(truth / 255, result / 255)
    lab1, lab2 = rgb2lab(truth), rgb2lab(result)
    difference = deltaE_ciede2000(lab1, lab2)
    class1, class2 = plain_classes(lab1), plain_classes(lab2)
    shown1, shown2 = len(np.unique(class1)), len(np.unique(class2))
    values = {
        "mse": error,
        "psnr": 10 * np.log10(1 / error),
        "ssim": structural_similarity(
            truth, result, gaussian_weights=True, sigma=1.5, use_sample_covariance=False, channel_axis=-1
        ),
        "uiqi": np.mean([plain_uiqi(truth[..., c] * 1.0, result[..., c] * 1.0) for c in range(3)]),
        "ciede2000": difference.mean(),
        "ciede2000_p95": np.percentile(difference, 95),
        "cf": plain_colorfulness(*opponents(result)),
        "cf_abs": plain_colorfulness(*np.abs(opponents(result))),
        "cf_difference": abs(plain_colorfulness(*opponents(result)) - plain_colorfulness(*opponents(truth))),
        "cnr": shown2 / shown1,
        "ccar": 100 * shown2 / SIDE**2,
        "active": shown2,
        "tar": 100 * np.mean(class1 == class2),
    }
    if lpips_network is not None:
        with torch.no_grad():
            values["lpips"] = lpips_network(as_input(truth), as_input(result)).item()
    return {name: float(value) for name, value in values.items()}, (class1, class2)


def plain_classes(lab: np.ndarray) -> np.ndarray:
    """The class of every pixel."""
    places = np.floor((np.clip(lab[..., 1:], -SHIFT, SHIFT - 0.001) + SHIFT) / BIN)
    return (places @ [SIDE, 1]).astype(int)


def plain_uiqi(x: np.ndarray, y: np.ndarray) -> float:
    """Wang & Bovik's index with an 8 x 8 window."""
    mean_x, mean_y, xx, yy, xy = (uniform_filter(z, 8)[4:-3, 4:-3] for z in (x, y, x * x, y * y, x * y))
    variance, covariance = xx + yy - mean_x**2 - mean_y**2, xy - mean_x * mean_y
    flat = variance < 1e-9
    structure = np.where(flat, 1, 2 * covariance / np.where(flat, 1, variance))
    squares = mean_x**2 + mean_y**2
    return float(
        (structure * np.where(squares == 0, 1, 2 * mean_x * mean_y / np.where(squares == 0, 1, squares))).mean()
    )


def opponents(rgb: np.ndarray) -> np.ndarray:
    """Red less green and yellow less blue."""
    red, green, blue = rgb.astype(float).transpose(2, 0, 1)
    return np.stack([red - green, (red + green) / 2 - blue])


def plain_colorfulness(rg: np.ndarray, yb: np.ndarray) -> float:
    """Hasler & Suesstrunk's colorfulness."""
    return float(np.hypot(rg.std(), yb.std()) + 0.3 * np.hypot(rg.mean(), yb.mean()))


def as_input(rgb: np.ndarray) -> torch.Tensor:
    """As the `lpips` package takes it: (1, 3, H, W) in [-1, 1]."""
    return torch.from_numpy(rgb.copy()).permute(2, 0, 1)[None].float() / 127.5 - 1


def plain_features(rgb: np.ndarray, lpips_network: Any) -> np.ndarray:
    """AlexNet's last feature map, averaged over positions: what a Frechet distance on AlexNet is made from."""
    with torch.no_grad():
        layers = lpips_network.net(lpips_network.scaling_layer(as_input(rgb)))
        return layers.relu5.mean((2, 3))[0].double().numpy()


def plain_frechet(first: np.ndarray, second: np.ndarray) -> float:
    """The Frechet distance of two sets of features (N, D)."""
    covariances = [np.cov(features.T) for features in (first, second)]
    overlap = np.linalg.eigvals(covariances[0] @ covariances[1]).real.clip(min=0)
    difference = first.mean(0) - second.mean(0)
    return float(difference @ difference + sum(map(np.trace, covariances)) - 2 * np.sqrt(overlap).sum())


def plain_class_accuracy(classes: list[tuple[np.ndarray, np.ndarray]]) -> float:
    """Mean over the classes that the truth shows of the share of their pixels that the result gives the same class."""
    truth, result = (np.concatenate([pair[side].ravel() for pair in classes]) for side in (0, 1))
    pixels = np.bincount(truth, minlength=SIDE**2)
    right = np.bincount(truth[truth == result], minlength=SIDE**2)
    return float(100 * (right[pixels > 0] / pixels[pixels > 0]).mean())
