"""Evaluation protocols: what of a photograph is compared, at which size. Named and versioned (DESIGN section 6).

Scores of different protocols are different quantities, so every row names its protocol, and rows of two protocols are
never compared. Changing what a protocol does means a new version under the same name; the old one stays.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Literal

import numpy as np
import numpy.typing as npt

from pipeline.errors import UserError
from pipeline.images.resizing import resize
from pipeline.settings.registries import PROTOCOLS


@dataclass(frozen=True)
class Protocol:
    """How truth and result are brought to the size at which they are compared; both in the same way.

    Attributes:
        name: what rows say, with the version after "@".
        crop: "whole" photograph, or its largest "center" square.
        size: side of the square it is resized to, in pixels; None keeps the size.
        resampling: the filter, antialiased (`pipeline.images.decode.resize`).
        about: one line for tables and the report.
    """

    name: str
    crop: Literal["whole", "center"]
    size: int | None
    resampling: str
    about: str

    def apply(self, rgb: npt.NDArray[np.uint8]) -> npt.NDArray[np.uint8]:
        """Bring a photograph to the protocol's size.

        Args:
            rgb: uint8 (H, W, 3).

        Returns:
            uint8 (size, size, 3), or (H', W', 3) where the protocol has no size.
        """
        if self.crop == "center":
            height, width = rgb.shape[:2]
            side = min(height, width)
            top, left = (height - side) // 2, (width - side) // 2
            rgb = rgb[top : top + side, left : left + side]
        return rgb if self.size is None else resize(rgb, (self.size, self.size), self.resampling)


CIC_256 = Protocol("cic-256@1", "whole", 256, "bicubic", "whole photograph resized to 256 x 256, as in CIC (2016)")
NATIVE = Protocol("native@1", "whole", None, "", "the photograph's own size")
DDCOLOR_VAL5K = Protocol("ddcolor-val5k@1", "center", 256, "bicubic", "largest center square resized to 256 x 256")


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
        raise UserError(f"run.protocol is {name!r}, it takes one of {', '.join(PROTOCOLS)}")
    protocol: Protocol = PROTOCOLS[name]
    return protocol


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
