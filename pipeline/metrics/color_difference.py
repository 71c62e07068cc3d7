"""CIEDE2000, the color difference of CIE 142-2001, in the form of Sharma, Wu, Dalal 2005.

The hue angle is needed only inside trigonometric functions, so it is carried as a unit vector (cos h', sin h'): the
mean hue along the shorter arc is the direction of the vectors' sum, and the hue difference follows from their
difference. That saves most of the trigonometry and stays accurate in float32, where angles near 0 would lose digits.
"""

import math

import numpy as np
import numpy.typing as npt
import torch

from pipeline.color.tensors import tensor_lab
from pipeline.metrics.batches import ImageBatch, Values, as_pair, one_by_one, strips
from pipeline.metrics.described import Photographs

PERCENTILE = 95.0


def measure_color_difference(truth: Photographs, result: Photographs) -> dict[str, Values]:
    """CIEDE2000 of described batches, mean and 95th percentile; see `ciede2000` and `ciede2000_p95`.

    Args:
        truth: N photographs.
        result: as many, of the same size.

    Returns:
        "ciede2000" and "ciede2000_p95": float64 (N,).

    Raises:
        ValueError: if the shapes differ.
    """
    statistics = statistics_of_lab(truth.lab, result.lab)
    return {"ciede2000": statistics[:, 0], "ciede2000_p95": statistics[:, 1]}


def ciede2000(truth: ImageBatch, result: ImageBatch) -> Values:
    """Mean CIEDE2000 difference over a photograph's pixels.

    Args:
        truth: uint8 (N, H, W, 3).
        result: uint8 of the same shape.

    Returns:
        float64 (N,), at least 0, in CIEDE2000 units (about 1 is just noticeable); 0 for identical photographs.
    """
    return ciede2000_statistics(truth, result)[:, 0]


def ciede2000_p95(truth: ImageBatch, result: ImageBatch) -> Values:
    """95th percentile of the CIEDE2000 differences of a photograph's pixels (linear interpolation).

    Args:
        truth: uint8 (N, H, W, 3).
        result: uint8 of the same shape.

    Returns:
        float64 (N,), at least 0, in CIEDE2000 units.
    """
    return ciede2000_statistics(truth, result)[:, 1]


def ciede2000_statistics(truth: ImageBatch, result: ImageBatch) -> Values:
    """Mean and 95th percentile at once.

    Args:
        truth: uint8 (N, H, W, 3).
        result: uint8 of the same shape.

    Returns:
        float64 (N, 2).
    """
    first, second = as_pair(truth, result)
    return statistics_of_lab(lab_planes(first), lab_planes(second))


def statistics_of_lab(first: torch.Tensor, second: torch.Tensor) -> Values:
    """As `ciede2000_statistics`, of colors that are known already.

    Args:
        first: float32 (N, 3, H, W), as `lab_planes` gives it.
        second: float32 of the same shape.

    Returns:
        float64 (N, 2).

    Raises:
        ValueError: if the shapes differ.
    """
    if first.shape != second.shape:
        raise ValueError(f"colors have shapes {tuple(first.shape)} and {tuple(second.shape)}; they must be equal")
    statistics = np.empty((len(first), 2))
    for part in one_by_one(first):
        pieces = [
            ciede2000_of_lab(first[part, :, rows], second[part, :, rows]).flatten(1)
            for rows in strips(first.shape[2], first.shape[3], first.device)
        ]
        differences = torch.cat(pieces, dim=1).cpu().numpy()
        statistics[part, 0] = differences.mean(axis=1, dtype=np.float64)
        statistics[part, 1] = _percentile(differences)
    return statistics


def _percentile(values: npt.NDArray[np.float32]) -> npt.NDArray[np.float64]:
    """As `np.percentile` along the last axis, ten times as fast: one place is sought and not two."""
    place = PERCENTILE / 100 * (values.shape[-1] - 1)
    low = int(place)
    ordered = np.partition(values, low, axis=-1)
    below = ordered[..., low].astype(np.float64)
    return below if place == low else below + (place - low) * (ordered[..., low + 1 :].min(axis=-1) - below)


def lab_planes(images: torch.Tensor) -> torch.Tensor:
    """CIE L*a*b*, channels first, laid out for arithmetic on whole planes.

    Args:
        images: uint8 (n, H, W, 3).

    Returns:
        float32 (n, 3, H, W): L in [0, 100], a, b.
    """
    n, height, width, _ = images.shape
    lab = torch.empty((n, 3, height, width), device=images.device)
    for part in one_by_one(images):
        for rows in strips(height, width, images.device):
            lab[part, :, rows] = tensor_lab(images[part, rows], dim=1)
    return lab


def ciede2000_of_lab(first: torch.Tensor, second: torch.Tensor) -> torch.Tensor:
    """CIEDE2000 between colors in CIE L*a*b*, with kL = kC = kH = 1 (Sharma, Wu, Dalal 2005, Eq. 2-22).

    Args:
        first: float (n, 3, ...): L in [0, 100], a, b.
        second: float of the same shape and type.

    Returns:
        (n, ...) of the same type, at least 0.
    """
    light1, a1, b1 = first.unbind(1)
    light2, a2, b2 = second.unbind(1)
    stretch = 1.5 - 0.5 * _chroma_share((torch.hypot(a1, b1) + torch.hypot(a2, b2)) / 2)
    a1, a2 = a1 * stretch, a2 * stretch
    chroma1, chroma2 = torch.hypot(a1, b1), torch.hypot(a2, b2)
    mean_chroma = (chroma1 + chroma2) / 2

    # Unit vectors of the two hues; a color without chroma has the vector 0, and so leaves the mean hue to the other.
    smallest = torch.finfo(a1.dtype).tiny
    inverse1, inverse2 = 1 / chroma1.clamp_min(smallest), 1 / chroma2.clamp_min(smallest)
    cos1, sin1, cos2, sin2 = a1 * inverse1, b1 * inverse1, a2 * inverse2, b2 * inverse2
    turn = torch.copysign(torch.hypot(cos2 - cos1, sin2 - sin1), cos1 * sin2 - sin1 * cos2)  # 2 sin(dh' / 2)
    hue_difference = torch.sqrt(chroma1 * chroma2) * turn

    tone, rotation = _hue_terms(cos1 + cos2, sin1 + sin2)
    middle = ((light1 + light2) / 2 - 50) ** 2
    light = (light2 - light1) / (1 + 0.015 * middle / torch.sqrt(20 + middle))
    chroma = (chroma2 - chroma1) / (1 + 0.045 * mean_chroma)
    hue = hue_difference / (1 + 0.015 * mean_chroma * tone)
    turned = 2 * _chroma_share(mean_chroma) * rotation * chroma * hue
    return torch.sqrt((light * light + chroma * chroma + hue * hue - turned).clamp_min_(0))


def _chroma_share(chroma: torch.Tensor) -> torch.Tensor:
    """sqrt(C^7 / (C^7 + 25^7)), in [0, 1): how far a chroma lies in the range of saturated colors."""
    scaled = chroma / 25
    square = scaled * scaled
    power = square * square * square * scaled
    return torch.sqrt(power / (power + 1))


def _hue_terms(x: torch.Tensor, y: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
    """T (Eq. 15) and sin(2 delta theta) (Eq. 16) of the mean hue, given by a vector along it.

    cos and sin of the multiples of the angle come from those of the angle, by the addition theorems.
    """
    length = torch.hypot(x, y)
    # Opposite hues have no shorter arc; float noise decides, as it does in every implementation.
    inverse = 1 / length.clamp_min(torch.finfo(x.dtype).tiny)
    cos, sin = x * inverse, y * inverse
    cos2, sin2 = cos * cos - sin * sin, 2 * sin * cos
    cos3, sin3 = cos2 * cos - sin2 * sin, sin2 * cos + cos2 * sin
    cos4, sin4 = cos2 * cos2 - sin2 * sin2, 2 * sin2 * cos2
    tone = 1 + 0.24 * cos2
    for weight, phase, c, s in ((-0.17, 30.0, cos, sin), (0.32, -6.0, cos3, sin3), (-0.20, 63.0, cos4, sin4)):
        angle = math.radians(phase)  # cos(n h - phase)
        tone = tone + (weight * math.cos(angle)) * c + (weight * math.sin(angle)) * s
    degrees = torch.rad2deg(torch.atan2(y, x))
    degrees = degrees + 360 * (degrees < 0)
    width = (degrees - 275) / 25
    return tone, torch.sin(math.radians(60.0) * torch.exp(-width * width))
