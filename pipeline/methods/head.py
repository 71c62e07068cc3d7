"""What a network predicts: the kept classes of a space, or ab itself. Nothing else tells the two apart."""

from abc import ABC, abstractmethod
from dataclasses import dataclass
from typing import Any, NamedTuple

import torch

from pipeline.color.constants import AB_SCALE
from pipeline.color.readouts import ClassReadout, mean_color
from pipeline.color.space import ColorSpace
from pipeline.color.tensors import tensor_lab
from pipeline.metrics.class_metrics import true_class_ranks


class Targets(NamedTuple):
    """The truth at the network's output positions.

    Attributes:
        ab: float32 (N, 2, h, w), (a, b) / AB_SCALE.
        classes: int64 (N, h, w), kept indices; None without classes.
    """

    ab: torch.Tensor
    classes: torch.Tensor | None


class Head(ABC):
    """What a network's scores mean.

    Attributes:
        space: the classes that are predicted; None for a regression.
    """

    space: ColorSpace | None

    @property
    @abstractmethod
    def outputs(self) -> int:
        """Channels of the scores."""

    @property
    @abstractmethod
    def learned(self) -> str:
        """What is predicted, in words."""

    def targets(self, truth: torch.Tensor) -> Targets:
        """What the network should have said.

        Args:
            truth: uint8 (N, h, w, 3), sRGB, the mean color of each output position (`inputs.true_colors`).

        Returns:
            The targets, on the same device.
        """
        return Targets(tensor_lab(truth, dim=1)[:, 1:] / AB_SCALE, self._classes(truth))

    def _classes(self, truth: torch.Tensor) -> torch.Tensor | None:
        return None if self.space is None else self.space.to_kept(self.space.encode(truth))

    @abstractmethod
    def expected_ab(self, scores: torch.Tensor, temperature: float = 1.0) -> torch.Tensor:
        """The expected color, differentiable: what losses over ab and a discriminator see.

        Args:
            scores: float (N, outputs, h, w).
            temperature: T > 0, of the softmax over class scores; a regression has none.

        Returns:
            float (N, 2, h, w), (a, b) / AB_SCALE.
        """

    @abstractmethod
    def colors(self, scores: torch.Tensor, readout: ClassReadout | None) -> torch.Tensor:
        """The colors that scores are read as.

        Args:
            scores: float (N, outputs, h, w).
            readout: the method's; None for a regression, which is its own.

        Returns:
            float32 (N, 2, h, w), (a, b) in CIELAB units.
        """

    def ranks(self, scores: torch.Tensor, truth: torch.Tensor) -> torch.Tensor | None:
        """The place of the true class among all by score: the one rule of top-1, top-5 and their like.

        Args:
            scores: float (N, outputs, h, w).
            truth: uint8 (N, h, w, 3), as for `targets`.

        Returns:
            int32 (N, h, w), from 1, as `metrics.class_metrics.true_class_ranks`; None without classes.
        """
        classes = self._classes(truth)
        return None if classes is None else true_class_ranks(scores, classes)

    @abstractmethod
    def describe(self) -> dict[str, Any]:
        """The head as JSON, from which `head_from` makes it again: what a file of weights says of it."""


@dataclass(frozen=True)
class ClassHead(Head):
    """The kept classes of a space.

    Attributes:
        space_name: a key of `spaces` in params.yaml.
        space: its kept classes are what the network tells apart.
    """

    space_name: str
    space: ColorSpace

    @property
    def outputs(self) -> int:
        """Q."""
        return self.space.kept_count

    @property
    def learned(self) -> str:
        """Such as "532 classes"."""
        return f"{self.outputs} classes"

    def expected_ab(self, scores: torch.Tensor, temperature: float = 1.0) -> torch.Tensor:
        """The mean of the class centers under the softmax."""
        return mean_color(scores, self.space, temperature) / AB_SCALE

    def colors(self, scores: torch.Tensor, readout: ClassReadout | None) -> torch.Tensor:
        """What the read-out makes of class scores."""
        assert readout is not None
        return readout.read(scores.float(), self.space)

    def describe(self) -> dict[str, Any]:
        """Name, bin size, shift and kept class ids of the space."""
        return {"classes": self.space_name, "space": self.space.to_json()}


@dataclass(frozen=True)
class AbHead(Head):
    """Regression: the network puts out ab / AB_SCALE itself."""

    space: None = None

    @property
    def outputs(self) -> int:
        """a and b."""
        return 2

    @property
    def learned(self) -> str:
        """The word ab."""
        return "ab"

    def expected_ab(self, scores: torch.Tensor, temperature: float = 1.0) -> torch.Tensor:
        """The scores as they are."""
        return scores

    def colors(self, scores: torch.Tensor, readout: ClassReadout | None) -> torch.Tensor:
        """The scores in CIELAB units."""
        return scores.float() * AB_SCALE

    def describe(self) -> dict[str, Any]:
        """That it regresses ab."""
        return {"regresses": "ab"}


def head_from(description: dict[str, Any]) -> Head:
    """Make a head again.

    Args:
        description: what `Head.describe` gave.

    Returns:
        An equal head.
    """
    if "classes" not in description:
        return AbHead()
    return ClassHead(description["classes"], ColorSpace.from_json(description["space"]))
