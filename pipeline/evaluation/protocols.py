"""Evaluation protocols: what of a photograph is compared, at which size. Named and versioned (DESIGN section 6).

Scores of different protocols are different quantities, so every row names its protocol, and rows of two protocols are
never compared. Changing what a protocol does means a new version under the same name; the old one stays.
"""

import functools
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Literal, NamedTuple

import numpy as np
import numpy.typing as npt

from pipeline.errors import UserError
from pipeline.images.other_filters import resize_area, resize_opencv_bilinear
from pipeline.images.resizing import resize
from pipeline.metrics.registry import headline_metrics
from pipeline.settings.registries import PROTOCOLS

Pixels = npt.NDArray[np.uint8]


class Filter(NamedTuple):
    """How pixels are brought to another size.

    Attributes:
        library: whose filter it is, as the library computes it.
        name: of the filter.
        antialiased: whether it grows with the factor, so that every pixel of the photograph counts.
        resize: uint8 (H, W, 3) and (height, width) to uint8 (height, width, 3).
    """

    library: str
    name: str
    antialiased: bool
    resize: Callable[[Pixels, tuple[int, int]], Pixels]

    def __str__(self) -> str:
        return f"{self.library} {self.name}, {'antialiased' if self.antialiased else 'not antialiased'}"


BICUBIC = Filter("Pillow", "bicubic", True, functools.partial(resize, resampling="bicubic"))
BILINEAR = Filter("Pillow", "bilinear", True, functools.partial(resize, resampling="bilinear"))
OPENCV_BILINEAR = Filter("OpenCV", "bilinear", False, resize_opencv_bilinear)
AREA = Filter("TensorFlow", "area", True, resize_area)


@dataclass(frozen=True, kw_only=True)
class Protocol:
    """How truth and result are brought to the size at which they are compared; both in the same way.

    Attributes:
        name: what rows say, with the version after "@".
        photographs: which ones its published figures are of.
        cut: the "whole" photograph, or its largest "center" square: torchvision's `CenterCrop`, which rounds half a
            pixel to even, or "center_floor", TensorFlow's `resize_with_crop_or_pad`, which rounds it down.
        size: side of the square it is resized to, in pixels; None keeps the size.
        filter: what resizes; None where nothing is resized.
        given: side of the square at which methods see the photograph, where it is not `size`: results of that size are
            accepted for photographs of any.
        grey: what methods are given: CIE "L", or "luma" 0.2989 R + 0.5870 G + 0.1140 B.
        truth: what results are compared with.
        reports: the metrics of the registry that the protocol's published figures are of, in their variant.
        elsewhere: what its published figures are of and is not computed here; "" for nothing.
    """

    name: str
    photographs: str = "any"
    cut: Literal["whole", "center", "center_floor"]
    size: int | None
    filter: Filter | None
    given: int | None = None
    grey: Literal["L", "luma"] = "L"
    truth: str = "the same photograph"
    reports: tuple[str, ...] = headline_metrics()
    elsewhere: str = ""

    @property
    def about(self) -> str:
        """What is compared, in a line for tables and the page."""
        if self.size is None:
            return "the photograph's own size"
        part = "whole photograph" if self.cut == "whole" else "largest center square"
        return f"{part} resized to {self.size} x {self.size}, {self.filter}"

    def apply(self, rgb: Pixels) -> Pixels:
        """Bring a photograph to the protocol's size.

        Args:
            rgb: uint8 (H, W, 3).

        Returns:
            uint8 (size, size, 3), or (H', W', 3) where the protocol has no size.
        """
        if self.cut != "whole":
            height, width = rgb.shape[:2]
            side = min(height, width)
            top, left = (self._begin(length - side) for length in (height, width))
            rgb = rgb[top : top + side, left : left + side]
        if self.size is None or self.filter is None:
            return rgb
        return self.filter.resize(rgb, (self.size, self.size))

    def accepts(self, result: tuple[int, ...], photograph: tuple[int, ...]) -> bool:
        """Say whether a result can be compared: it has the photograph's size, or that at which methods see or give it.

        Args:
            result: its shape, (H, W, 3).
            photograph: the truth's.
        """
        squares = [(side, side) for side in (self.size, self.given) if side is not None]
        return result[:2] in (photograph[:2], *squares)

    def _begin(self, rest: int) -> int:
        return round(rest / 2) if self.cut == "center" else rest // 2


CIC_256 = Protocol(name="cic-256@1", cut="whole", size=256, filter=BICUBIC)
NATIVE = Protocol(name="native@1", cut="whole", size=None, filter=None)
CT2_VAL5K = Protocol(
    name="ct2-val5k@1",
    photographs="ILSVRC2012_val_00000001 to 00005000",
    cut="center",
    size=256,
    filter=BILINEAR,
    reports=("cf_abs", "delta_cf", "psnr", "lpips_vgg"),
    elsewhere="FID with torchvision's Inception-v3; SSIM called with a data range of 225",
)
DDCOLOR_256 = Protocol(
    name="ddcolor-256@1",
    photographs="ImageNet val, 50,000; COCO-Stuff val, 5,000; ADE20K val, 2,000",
    cut="whole",
    size=256,
    filter=OPENCV_BILINEAR,
    reports=("cf_abs", "delta_cf", "psnr", "lpips_vgg"),
    elsewhere="FID with torchvision's Inception-v3; ColorFormer's script leaves out results of CF <= 1",
)
CTEST10K = Protocol(
    name="ctest10k@1",
    photographs="Larsson's list ctest10k, 10,000 of ImageNet val",
    cut="whole",
    size=256,
    filter=BILINEAR,
    reports=("fid",),
    elsewhere="FID against all 50,000 (Palette); iColoriT's 224 x 224",
)
COLTRAN_FID5K = Protocol(
    name="coltran-fid5k@1",
    photographs="the first 5,000 of ImageNet val in the order of TFDS",
    cut="center_floor",
    size=256,
    filter=AREA,
    given=512,
    truth="the same photograph; for the published FID 5,000 others, 10,000 to 15,000 of that order",
    reports=(),
    elsewhere="FID against other photographs, TF-GAN's Inception on x / 128 - 1",
)
NTIRE2019 = Protocol(
    name="ntire2019@1",
    photographs="DIV2K",
    cut="whole",
    size=None,
    filter=None,
    grey="luma",
    reports=("psnr", "ssim"),
)


def protocol_named(name: str) -> Protocol:
    """Look a protocol up.

    Args:
        name: with its version, such as "cic-256@1".

    Returns:
        The protocol.

    Raises:
        UserError: if there is none of this name.
    """
    if name not in PROTOCOLS:
        raise UserError(f"protocol is {name!r}, it takes one of {', '.join(PROTOCOLS)}")
    protocol: Protocol = PROTOCOLS[name]
    return protocol


def refuse_other_grey(protocol: Protocol) -> None:
    """Refuse a protocol whose methods are given another grey than the graph's are.

    Args:
        protocol: of the run.

    Raises:
        UserError: if it gives methods luma: every stage before this one takes CIE L.
    """
    if protocol.grey != "L":
        raise UserError(
            f"run.protocol is {protocol.name}, which gives methods {protocol.grey}, and the methods of the graph are "
            "given L; huebench score compares folders of results under it"
        )


def protocol_list() -> str:
    """A Markdown table of the protocols, in the order of the registry: what docs/metrics.md has.

    Returns:
        Its lines, each with its end.
    """
    heads = (
        *("protocol", "what is compared", "photographs of its figures", "grey", "truth"),
        *("metrics in its variant", "not here"),
    )
    lines = [f"| {' | '.join(heads)} |", "|---" * len(heads) + "|"]
    ours = headline_metrics()
    for one in (protocol_named(name) for name in PROTOCOLS):
        reports = "ours" if one.reports == ours else ", ".join(f"`{name}`" for name in one.reports) or "none"
        cells = (f"`{one.name}`", one.about, one.photographs, one.grey, one.truth, reports, one.elsewhere)
        lines.append(f"| {' | '.join(cells)} |")
    return "\n".join(lines) + "\n"


def one_protocol(names: Iterable[str]) -> str:
    """Refuse to bring scores of different protocols together.

    Args:
        names: the protocols of the rows at hand.

    Returns:
        The one they share.

    Raises:
        UserError: if there is more than one, or none.
    """
    found = sorted(set(names))
    if len(found) != 1:
        raise UserError(
            f"scores of {len(found)} protocols ({', '.join(found) or 'no rows'}) cannot be compared; "
            "score every method under one protocol (run.protocol, then dvc repro)"
        )
    return found[0]
