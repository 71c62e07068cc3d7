"""A discriminator of overlapping patches (pix2pix, Isola et al. 2017; SPEC R23). Loads no torch by itself."""

from typing import TYPE_CHECKING, Annotated, Literal

from pydantic import Field

from pipeline.models.discriminators.discriminator import Discriminator
from pipeline.settings.sections import Positive, Whole

if TYPE_CHECKING:
    from torch import nn

SPREAD = 0.02
"""Standard deviation of the weights at random (pix2pix)."""


class Patch(Discriminator):
    """Convolutions of 4 x 4, padding 1, with LeakyReLU 0.2: `layers` of stride 2, then two of stride 1.

    A score sees 16, 34 or 70 of its input's pixels in each direction with 1, 2 or 3 strided layers.

    Attributes:
        layers: of stride 2.
        channels: of the first layer; each next one has twice as many, at most eight times.
        norm: "none" looks at each photograph alone, so that neither batch nor processes matter; "batch" is pix2pix's,
            after all layers but the first and the last.
    """

    kind: Literal["patch"] = "patch"
    layers: Annotated[Whole, Field(ge=1, le=5)] = 1
    channels: Positive = 64
    norm: Literal["none", "batch"] = "none"

    @property
    def least_side(self) -> int:
        """Three positions after the strided layers; the last two convolutions take one each."""
        return 3 * 2**self.layers

    def build(self, inputs: int) -> "nn.Module":
        """As `Discriminator.build`; weights are drawn from N(0, 0.02), a norm's scale from N(1, 0.02)."""
        from torch import nn

        widths = [self.channels * min(2**layer, 8) for layer in range(self.layers + 1)]
        parts: list[nn.Module] = []
        for number, (before, width) in enumerate(zip([inputs, *widths], widths, strict=False)):
            normed = self.norm == "batch" and number > 0
            stride = 2 if number < self.layers else 1
            parts.append(nn.Conv2d(before, width, 4, stride, padding=1, bias=not normed))
            if normed:
                parts.append(nn.BatchNorm2d(width))
            parts.append(nn.LeakyReLU(0.2, inplace=True))
        parts.append(nn.Conv2d(widths[-1], 1, 4, padding=1))
        for part in parts:
            if isinstance(part, nn.Conv2d):
                nn.init.normal_(part.weight, 0.0, SPREAD)
                if part.bias is not None:
                    nn.init.zeros_(part.bias)
            elif isinstance(part, nn.BatchNorm2d):
                nn.init.normal_(part.weight, 1.0, SPREAD)
        return nn.Sequential(*parts)
