"""Every metric: its name, direction, unit and what it needs. Light to import, so that tables can be laid out from it.

To add a metric per photograph: write `f(truth, result)` on uint8 batches in a module of this package, give it an entry
here, and call it in `pairs.score_pairs`. Tables, report and statistics follow the registry.
"""

from dataclasses import dataclass
from typing import Literal

Direction = Literal["higher", "lower", "one", ""]
Source = Literal["pixels", "classes", "network", "harmonize", "features"]


@dataclass(frozen=True)
class Metric:
    """What is known about a metric without computing it.

    Attributes:
        name: column of the rows, and metric of the summary.
        direction: "higher" or "lower" is better, nearer to "one" is better, or "" (no direction).
        unit: "" for a pure number.
        per: "image" (a value per photograph, then averaged) or "set" (one value).
        source: what it is computed from: "pixels" of both photographs, their "classes", the "network" (class scores at
            its output size), the "harmonize" stage, or a backbone's "features".
        about: definition in one line.
        version: raised when the definition changes; numbers of different versions are different quantities.
        weights: name of the weights it needs (`pipeline.machine.weight_files`), or None.
    """

    name: str
    direction: Direction
    unit: str
    per: Literal["image", "set"]
    source: Source
    about: str
    version: int = 1
    weights: str | None = None


ALEXNET, INCEPTION = "alexnet", "inception_v3"
"""Weights that metrics need, as `pipeline.machine.weight_files` names them."""

_IMAGE = (
    Metric("mse", "lower", "", "image", "pixels", "mean squared difference over RGB in [0, 1]"),
    Metric("psnr", "higher", "dB", "image", "pixels", "10 log10(1 / MSE); identical: inf, left out of means"),
    Metric("ssim", "higher", "", "image", "pixels", "structural similarity, Gaussian window 11, mean over RGB"),
    Metric("uiqi", "higher", "", "image", "pixels", "universal image quality index, 8 x 8 windows, mean over RGB"),
    Metric("ciede2000", "lower", "CIEDE2000", "image", "pixels", "mean CIEDE2000 difference over pixels"),
    Metric("ciede2000_p95", "lower", "CIEDE2000", "image", "pixels", "95th percentile of CIEDE2000 over pixels"),
    Metric("lpips", "lower", "", "image", "pixels", "learned perceptual distance v0.1, AlexNet", weights=ALEXNET),
    Metric("cf", "", "", "image", "pixels", "colorfulness of the result, Hasler & Suesstrunk 2003, signed opponents"),
    Metric("cf_abs", "", "", "image", "pixels", "colorfulness from absolute opponents, as some code computes it"),
    Metric("cf_difference", "lower", "", "image", "pixels", "|colorfulness of the result - that of the truth|"),
    Metric("cnr", "one", "", "image", "classes", "unique classes of the result / unique classes of the truth"),
    Metric("ccar", "", "%", "image", "classes", "unique classes of the result / kept classes"),
    Metric("active", "", "classes", "image", "classes", "unique classes of the result"),
    Metric("tar", "higher", "%", "image", "classes", "pixels whose class equals the truth's"),
    Metric("top1", "higher", "%", "image", "network", "positions whose most probable class is the truth's"),
    Metric("top5", "higher", "%", "image", "network", "positions whose true class is among the five most probable"),
    Metric("objects", "", "objects", "image", "harmonize", "objects harmonized"),
    Metric("pixels_changed", "", "pixel", "image", "harmonize", "pixels whose color harmonizing replaced"),
    Metric("edge_bleeding", "lower", "", "image", "harmonize", "ab distance to the object's mean at edges, truth = 1"),
)
_SET = (
    Metric("fid", "lower", "", "set", "features", "Frechet distance, Inception-v3 pool3", weights=INCEPTION),
    Metric("frechet_alexnet", "lower", "", "set", "features", "Frechet distance, AlexNet conv5 means", weights=ALEXNET),
    Metric("class_accuracy", "higher", "%", "set", "classes", "correct share of a class's pixels, mean over classes"),
    Metric("own_class_accuracy", "higher", "%", "set", "classes", "the same in the method's own space"),
    *(
        Metric(f"class_accuracy_band_{number:02d}", "higher", "%", "set", "classes", f"the same, tenth {number} of 10")
        for number in range(1, 11)
    ),
)
_OWN = tuple(
    Metric(f"own_{one.name}", one.direction, one.unit, "image", "classes", f"{one.about}, in the method's own space")
    for one in _IMAGE
    if one.source == "classes"
)

METRICS: dict[str, Metric] = {one.name: one for one in (*_IMAGE, *_OWN, *_SET)}
IMAGE_METRICS: tuple[str, ...] = tuple(one.name for one in (*_IMAGE, *_OWN))
"""Columns of the rows of `reports/images`, in order."""
SET_METRICS: tuple[str, ...] = tuple(one.name for one in _SET)
"""Metrics of `reports/sets`."""
