"""What a loss term is given: the network's output, and what belongs to the photographs behind it."""

from collections.abc import Callable
from functools import cached_property
from typing import NamedTuple

import torch


def at_least_single(values: torch.Tensor) -> torch.Tensor:
    """float32, or float64 where the values are: a mean of squares in bfloat16 has three digits.

    Args:
        values: float (...).

    Returns:
        The same values.
    """
    return values if values.dtype == torch.float64 else values.float()


class NetworkOutput:
    """What a network put out for a batch, as a head reads it.

    Args:
        scores: float (N, outputs, h, w).
        expected_ab: the head's differentiable way from scores to (a, b), float (N, 2, h, w), in units of the losses.
        semantic: float (N, categories), what the network's semantic head says, before softmax; None without one.

    Attributes:
        scores: float32 (or float64), class scores before softmax, or ab in units of the losses.
    """

    def __init__(
        self,
        scores: torch.Tensor,
        expected_ab: Callable[[torch.Tensor], torch.Tensor],
        semantic: torch.Tensor | None = None,
    ) -> None:
        self.scores = at_least_single(scores)
        self.semantic = None if semantic is None else at_least_single(semantic)
        self._expected_ab = expected_ab

    @cached_property
    def ab(self) -> torch.Tensor:
        """float (N, 2, h, w): the expected (a, b), in units of the losses, whatever the head; computed once."""
        return self._expected_ab(self.scores)


class Batch(NamedTuple):
    """One batch of training samples on the device.

    Attributes:
        light: float32 (N, 1, S, S), L in [0, 100], the network's input.
        ab: float32 (N, 2, h, w), true (a, b) over `color.constants.AB_SCALE`, about [-1, 1]: the unit of the losses.
        classes: int64 (N, h, w), true kept indices in [0, Q); None for a regression.
        counts: int64 (Q,), positions of each class over the whole step: all pieces, all processes; None as above.
        class_counts: int64 (Q,), pixels of each class in the reference set; None where no term needs them.
        soft_prior: float64 (Q,), the reference set's mean soft target; None where no term needs it.
        axis_counts: int64 (2, 64), the reference set's pixels by value of a and of b; None where no term needs them.
        class_centers: float32 (Q, 2), the classes' (a, b) in CIELAB units; None for a regression.
        teacher: float32 (N, categories), what a classifier sees, sums to 1; None where no term needs it.
    """

    light: torch.Tensor
    ab: torch.Tensor
    classes: torch.Tensor | None = None
    counts: torch.Tensor | None = None
    class_counts: torch.Tensor | None = None
    soft_prior: torch.Tensor | None = None
    axis_counts: torch.Tensor | None = None
    class_centers: torch.Tensor | None = None
    teacher: torch.Tensor | None = None

    def piece(self, positions: torch.Tensor) -> "Batch":
        """Some of its photographs; the counts stay those of the whole step.

        Args:
            positions: int64 (n,), which.

        Returns:
            A batch of n photographs.
        """
        classes = None if self.classes is None else self.classes[positions]
        teacher = None if self.teacher is None else self.teacher[positions]
        return self._replace(light=self.light[positions], ab=self.ab[positions], classes=classes, teacher=teacher)
