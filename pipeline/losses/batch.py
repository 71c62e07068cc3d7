"""What a loss term is given besides the network's output."""

from typing import NamedTuple

import torch


class Batch(NamedTuple):
    """One batch of training samples on the device.

    Attributes:
        light: float32 (N, 1, S, S), L in [0, 100], the network's input.
        ab: float32 (N, 2, S / 4, S / 4), true (a, b) over `AB_SCALE`, about [-1, 1].
        classes: int64 (N, S / 4, S / 4), true kept indices in [0, Q); None for a regression.
        counts: int64 (Q,), positions of each class over the whole step: all pieces, all processes; None as above.
    """

    light: torch.Tensor
    ab: torch.Tensor
    classes: torch.Tensor | None
    counts: torch.Tensor | None
