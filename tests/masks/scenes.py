"""Small pictures with objects, made by rule, for the tests of harmonisation."""

import numpy as np

from pipeline.color.lab import lab_to_rgb


def photograph(height: int = 60, width: int = 80, seed: int = 0) -> tuple[np.ndarray, np.ndarray]:
    """A truth uint8 (H, W, 3) and labels int32 (H, W): three objects of two colours each on a textured ground, in all
    lightnesses from black to white, so that many colours lie outside the gamut."""
    random = np.random.default_rng(seed)
    light = np.linspace(2, 99, width)[None, :] + random.normal(0, 3, (height, width))
    labels = np.zeros((height, width), np.int32)
    labels[5:30, 5:50] = 1
    labels[35:58, 3:30] = 2
    labels[12:55, 55:77] = 3
    colors = np.array([[0, 0], [50, 40], [-40, 30], [10, -50]], float)
    ab = colors[labels] + np.where(random.random((height, width, 1)) < 0.3, [[8, -14]], [[0, 0]])
    return lab_to_rgb(np.dstack([light.clip(0, 100), ab])), labels


def bleeding(truth: np.ndarray, seed: int = 1) -> np.ndarray:
    """The truth with its ab blurred and speckled: what a colorization at a low resolution looks like."""
    from scipy import ndimage
    from skimage.color import rgb2lab

    lab = rgb2lab(truth)
    random = np.random.default_rng(seed)
    ab = ndimage.uniform_filter(lab[..., 1:], (9, 9, 0), mode="nearest")
    ab[random.random(truth.shape[:2]) < 0.05] += random.normal(0, 40, 2)
    return lab_to_rgb(np.dstack([lab[..., 0], ab]))
