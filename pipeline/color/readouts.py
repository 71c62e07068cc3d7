"""From class scores to (a, b): three ways to read a distribution over colours."""

from collections.abc import Callable

import torch

from pipeline.color.space import ColorSpace


def argmax(scores: torch.Tensor, space: ColorSpace, temperature: float) -> torch.Tensor:
    """The colour of the most probable class (CCC++ Eq. 17-18).

    Args:
        scores: float (N, Q, H, W), class scores before softmax.
        space: its kept classes are the Q classes.
        temperature: not used; the most probable class has no use for one.

    Returns:
        float32 (N, 2, H, W), (a, b) in CIELAB units: bin centres of the space.
    """
    return space.decode_kept(scores.argmax(dim=1)).permute(0, 3, 1, 2)


def expectation(scores: torch.Tensor, space: ColorSpace, temperature: float) -> torch.Tensor:
    """The mean colour of the distribution.

    Args:
        scores: float (N, Q, H, W), class scores before softmax.
        space: its kept classes are the Q classes.
        temperature: not used; `annealed_mean` has one.

    Returns:
        float32 (N, 2, H, W), (a, b) in CIELAB units.
    """
    return annealed_mean(scores, space, 1.0)


def annealed_mean(scores: torch.Tensor, space: ColorSpace, temperature: float) -> torch.Tensor:
    """The mean colour after sharpening the distribution (Zhang, Isola, Efros 2016, Eq. 5).

    Args:
        scores: float (N, Q, H, W), class scores before softmax.
        space: its kept classes are the Q classes.
        temperature: T > 0, 0.38 in the paper; 1 is the expectation, towards 0 it becomes the arg max.

    Returns:
        float32 (N, 2, H, W), (a, b) in CIELAB units.
    """
    share = torch.softmax(scores.float() / temperature, dim=1)
    centers = torch.from_numpy(space.kept_centers).to(scores.device)
    # no matrix product: on a GPU that would be one of ten-bit factors wherever training has allowed it
    return torch.stack([(share * axis[:, None, None]).sum(dim=1) for axis in centers.unbind(1)], dim=1)


READOUTS: dict[str, Callable[[torch.Tensor, ColorSpace, float], torch.Tensor]] = {
    "argmax": argmax,
    "expectation": expectation,
    "annealed_mean": annealed_mean,
}
