"""From class scores to (a, b): the ways to read a distribution over colors. Loads no torch by itself."""

from abc import abstractmethod
from typing import TYPE_CHECKING, Annotated, Literal

from pydantic import Field

from pipeline.settings.method_entries import ReadoutEntry

if TYPE_CHECKING:
    import torch

    from pipeline.color.space import ColorSpace


class ClassReadout(ReadoutEntry):
    """A read-out: its settings, and a function of class scores."""

    @abstractmethod
    def read(self, scores: "torch.Tensor", space: "ColorSpace") -> "torch.Tensor":
        """The colors that scores stand for.

        Args:
            scores: float (N, Q, h, w), class scores before softmax.
            space: its kept classes are the Q classes.

        Returns:
            float32 (N, 2, h, w), (a, b) in CIELAB units.
        """


class ArgMax(ClassReadout):
    """The color of the most probable class (CCC++ Eq. 17-18): bin centers of the space."""

    kind: Literal["argmax"] = "argmax"

    def read(self, scores: "torch.Tensor", space: "ColorSpace") -> "torch.Tensor":
        """As `ClassReadout.read`; of equal scores the lowest kept index wins."""
        return space.decode_kept(scores.argmax(dim=1)).permute(0, 3, 1, 2)


class Expectation(ClassReadout):
    """The mean color of the distribution."""

    kind: Literal["expectation"] = "expectation"

    def read(self, scores: "torch.Tensor", space: "ColorSpace") -> "torch.Tensor":
        """As `ClassReadout.read`, and differentiable."""
        return mean_color(scores, space, 1.0)


class AnnealedMean(ClassReadout):
    """The mean color after sharpening the distribution (Zhang, Isola, Efros 2016, Eq. 5).

    Attributes:
        temperature: T > 0, 0.38 in the paper; 1 is the expectation, towards 0 it becomes the arg max.
    """

    kind: Literal["annealed_mean"] = "annealed_mean"
    temperature: Annotated[float, Field(gt=0)] = 0.38

    def read(self, scores: "torch.Tensor", space: "ColorSpace") -> "torch.Tensor":
        """As `ClassReadout.read`, and differentiable."""
        return mean_color(scores, space, self.temperature)


def mean_color(scores: "torch.Tensor", space: "ColorSpace", temperature: float) -> "torch.Tensor":
    """The mean of the class centers under softmax(scores / T); differentiable.

    Args:
        scores: float (N, Q, h, w).
        space: its kept classes are the Q classes.
        temperature: T > 0.

    Returns:
        float32 (float64 for such scores) (N, 2, h, w), (a, b) in CIELAB units.
    """
    import torch

    exact = scores if scores.dtype == torch.float64 else scores.float()
    share = torch.softmax(exact / temperature, dim=1)
    centers = torch.from_numpy(space.kept_centers).to(scores.device, exact.dtype)
    # no matrix product: on a GPU that would be one of ten-bit factors wherever training has allowed it
    return torch.stack([(share * axis[:, None, None]).sum(dim=1) for axis in centers.unbind(1)], dim=1)
