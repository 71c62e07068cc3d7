"""Every metric, listed once: what it is, which way is better, what computes it, how the report writes it.

To add a metric of a photograph: a module of this package with a measure, and an entry here. The columns of the rows,
the statistics, the columns of the page, `metrics.json` and `pipeline.metrics.NAME` follow; so do the tables of
docs/metrics.md, which `python -m pipeline.metrics.listing` prints. Light to import, so that tables can be laid out
from it.
"""

from dataclasses import dataclass, replace
from typing import Literal

Direction = Literal["higher", "lower", "one", ""]
Origin = Literal["pixels", "classes", "network", "harmonize", "features"]
Shown = Literal["headline", "core", "all", "chart"]

OWN = "own_"
"""Before the name of a metric: in the method's own class space, and not in that which all methods share."""
CLASS_BAND = "class_accuracy_band_"
"""Before the number of a tenth of the classes, 01 (the rarest) to 10."""
ALEXNET, INCEPTION, VGG16 = "alexnet", "inception_v3", "vgg16"
"""Weights that metrics need, as `pipeline.machine.weight_files` names them."""


@dataclass(frozen=True)
class Metric:
    """What is known about a metric without computing it.

    Attributes:
        name: column of the rows, and metric of the summary.
        label: head of its column on the page.
        direction: "higher" or "lower" is better, nearer to "one" is better, or "" (no direction).
        unit: "" for a pure number.
        decimals: as the report writes it; tables keep every digit.
        per: "image" (a value per photograph, then averaged) or "set" (one value).
        origin: what it is computed from: "pixels" of both photographs, their "classes", the "network" (class scores at
            its output size), the "harmonize" stage, or a backbone's "features".
        about: definition in one line.
        range: the values that it takes.
        reference: where it is defined: paper and equation, or SPEC number.
        measure: "module:function" of what computes it from two described batches (`pipeline.metrics.described`): of
            every metric per photograph from pixels or classes, and of no other. Several may name one measure.
        shown: in the "headline" (metrics.json, and all that follows), "core" (on the page at once), with "all" metrics,
            or drawn as a "chart" and no column.
        place: of its column among the others; None puts it behind those that have one, by name.
        version: raised when the definition changes; numbers of different versions are different quantities.
        weights: name of the weights it needs (`pipeline.machine.weight_files`), or None.
        own: computed in the method's own class space.

    Raises:
        ValueError: if it has a measure and takes none, or the other way round.
    """

    name: str
    label: str
    direction: Direction
    unit: str
    decimals: int
    per: Literal["image", "set"]
    origin: Origin
    about: str
    range: str = ""
    reference: str = ""
    measure: str = ""
    shown: Shown = "all"
    place: int | None = None
    version: int = 1
    weights: str | None = None
    own: bool = False

    def __post_init__(self) -> None:
        measured = self.per == "image" and self.origin in ("pixels", "classes")
        if measured != bool(self.measure):
            takes = "a measure" if measured else "no measure"
            raise ValueError(f"metric {self.name!r} has measure {self.measure!r}, it takes {takes}")


_ERRORS = "pipeline.metrics.pixels:measure_errors"
_STRUCTURE = "pipeline.metrics.structure:measure_structure"
_COLOR = "pipeline.metrics.color_difference:measure_color_difference"
_PERCEPTUAL = "pipeline.metrics.perceptual:measure_perceptual"
_PERCEPTUAL_VGG = "pipeline.metrics.perceptual_vgg:measure_perceptual_vgg"
_COLORFULNESS = "pipeline.metrics.colorfulness:measure_colorfulness"
_CLASSES = "pipeline.metrics.class_metrics:measure_classes"

_IMAGE = (
    Metric("mse", "MSE", "lower", "", 4, "image", "pixels", "mean squared difference over RGB in [0, 1]",
           "0..1", "CCC++ Eq. 22", _ERRORS, place=10),
    Metric("psnr", "PSNR", "higher", "dB", 2, "image", "pixels",
           "10 log10(1 / MSE); identical: inf, left out of means",
           "0..inf", "CCC++ Eq. 23", _ERRORS, "headline", 1),
    Metric("ssim", "SSIM", "higher", "", 3, "image", "pixels",
           "structural similarity, Gaussian window 11, mean over RGB",
           "-1..1", "Wang et al. 2004, Eq. 13; CCC++ Eq. 24", _STRUCTURE, "headline", 2),
    Metric("uiqi", "UIQI", "higher", "", 3, "image", "pixels",
           "universal image quality index, 8 x 8 windows, mean over RGB",
           "-1..1", "Wang & Bovik 2002; CCC++ Eq. 26", _STRUCTURE, place=11),
    Metric("ciede2000", "CIEDE2000", "lower", "CIEDE2000", 2, "image", "pixels",
           "mean CIEDE2000 difference over pixels", "0..", "Sharma, Wu, Dalal 2005", _COLOR, "core", 5),
    Metric("ciede2000_p95", "CIEDE2000 95th", "lower", "CIEDE2000", 2, "image", "pixels",
           "95th percentile of CIEDE2000 over pixels", "0..", "Sharma, Wu, Dalal 2005", _COLOR, place=12),
    Metric("lpips", "LPIPS", "lower", "", 3, "image", "pixels",
           "learned perceptual distance v0.1, AlexNet",
           "0..~1", "Zhang et al. 2018; CCC++ Eq. 25", _PERCEPTUAL, "headline", 3, weights=ALEXNET),
    Metric("lpips_vgg", "LPIPS VGG", "lower", "", 3, "image", "pixels",
           "learned perceptual distance v0.1, VGG-16",
           "0..~1", "Zhang et al. 2018", _PERCEPTUAL_VGG, place=24, weights=VGG16),
    Metric("cf", "CF", "", "", 1, "image", "pixels",
           "colorfulness of the result, Hasler & Suesstrunk 2003, signed opponents",
           "0..", "Hasler & Suesstrunk 2003", _COLORFULNESS, "headline", 9),
    Metric("cf_abs", "CF abs", "", "", 1, "image", "pixels",
           "colorfulness from absolute opponents, as some code computes it",
           "0..", "what some code computes", _COLORFULNESS, place=13),
    Metric("cf_difference", "CF difference", "lower", "", 1, "image", "pixels",
           "|colorfulness of the result - that of the truth|", "0..", "", _COLORFULNESS, place=14),
    Metric("cnr", "CNR", "one", "", 3, "image", "classes",
           "unique classes of the result / unique classes of the truth",
           "above 0", "CCC++ Eq. 19", _CLASSES, "headline", 6),
    Metric("ccar", "CCAR", "", "%", 2, "image", "classes", "unique classes of the result / kept classes",
           "0..100", "CCC++ Eq. 20, SPEC R8", _CLASSES, place=15),
    Metric("active", "Active", "", "classes", 1, "image", "classes", "unique classes of the result",
           "1..Q", "SPEC R8", _CLASSES, "core", 7),
    Metric("tar", "TAR", "higher", "%", 2, "image", "classes", "pixels whose class equals the truth's",
           "0..100", "CCC++ Eq. 21", _CLASSES, "headline", 8),
    Metric("top1", "Top-1", "higher", "%", 2, "image", "network",
           "positions whose most probable class is the truth's", "0..100", "needs class scores", place=16),
    Metric("top5", "Top-5", "higher", "%", 2, "image", "network",
           "positions whose true class is among the five most probable", "0..100", "needs class scores", place=17),
    Metric("objects", "Objects", "", "objects", 1, "image", "harmonize", "objects harmonized", "0..", place=20),
    Metric("pixels_changed", "Changed", "", "pixel", 0, "image", "harmonize",
           "pixels whose color harmonizing replaced", "0..", place=21),
    Metric("edge_bleeding", "Bleeding", "lower", "", 3, "image", "harmonize",
           "ab distance to the object's mean at edges, truth = 1", "0..", "SPEC section 7", place=22),
)  # fmt: skip
_SET = (
    Metric("fid", "FID", "lower", "", 2, "set", "features", "Frechet distance, Inception-v3 pool3",
           "0..", "Heusel et al. 2017; CCC++ Eq. 27", shown="headline", place=4, weights=INCEPTION),
    Metric("frechet_alexnet", "Fréchet AlexNet", "lower", "", 3, "set", "features",
           "Frechet distance, AlexNet conv5 means", "0..", "not FID, and never printed as FID",
           place=19, weights=ALEXNET),
    Metric("delta_cf", "ΔCF", "lower", "", 2, "set", "pixels",
           "|mean CF abs of the results - mean CF abs of the truths|: of means",
           "0..", "CT2; DDColor Table 1", place=23),
    Metric("class_accuracy", "Class accuracy", "higher", "%", 2, "set", "classes",
           "correct share of a class's pixels, mean over classes", "0..100", "SPEC section 8", place=18),
    Metric("own_class_accuracy", "own Class accuracy", "higher", "%", 2, "set", "classes",
           "the same in the method's own space", "0..100", "SPEC section 8", own=True),
    *(
        Metric(f"{CLASS_BAND}{number:02d}", f"class accuracy band {number:02d}", "higher", "%", 3, "set", "classes",
               f"the same, tenth {number} of 10", "0..100", "SPEC section 8", shown="chart")
        for number in range(1, 11)
    ),
)  # fmt: skip
_IN_OWN_SPACE = tuple(
    replace(
        metric,
        name=f"{OWN}{metric.name}",
        label=f"own {metric.label}",
        about=f"{metric.about}, in the method's own space",
        shown="all",
        place=None,
        own=True,
    )
    for metric in _IMAGE
    if metric.origin == "classes"
)

METRICS: dict[str, Metric] = {metric.name: metric for metric in (*_IMAGE, *_IN_OWN_SPACE, *_SET)}
"""Name to metric, in the order of tables."""


def image_metrics() -> tuple[str, ...]:
    """The metrics that a photograph has: names of the columns of `reports/images`, in order."""
    return tuple(metric.name for metric in METRICS.values() if metric.per == "image")


def headline_metrics() -> tuple[str, ...]:
    """The metrics of `metrics.json`, in the order of the page's columns."""
    shown = [metric for metric in METRICS.values() if metric.shown == "headline"]
    return tuple(metric.name for metric in sorted(shown, key=column_place))


def column_place(metric: Metric) -> tuple[bool, int, str]:
    """A key that sorts metrics as the page's columns: those with a place by it, then the others by name."""
    return metric.place is None, metric.place or 0, metric.name
