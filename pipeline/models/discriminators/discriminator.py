"""What every discriminator offers in params.yaml: its settings, and how it is built. Loads no torch by itself."""

from abc import abstractmethod
from typing import TYPE_CHECKING

from pipeline.settings.method_entries import DiscriminatorEntry

if TYPE_CHECKING:
    from torch import nn


class Discriminator(DiscriminatorEntry):
    """The settings of a discriminator, and the discriminator."""

    @property
    @abstractmethod
    def least_side(self) -> int:
        """Side of the smallest input that gives a score."""

    @abstractmethod
    def build(self, inputs: int) -> "nn.Module":
        """Build it, its weights at random.

        Args:
            inputs: channels that it sees.

        Returns:
            On the CPU, in training mode: float (N, inputs, H, W) to scores (N, 1, h, w), more than 0 for real.
        """
