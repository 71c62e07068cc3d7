"""LPIPS v0.1 on AlexNet, and AlexNet's own feature vector (Zhang et al. 2018; CCC++ Eq. 25).

LPIPS = sum over five layers of the mean over positions of sum_c w_c (f_c - g_c)^2, with f and g the layer's activations
scaled to unit length over channels and w_c >= 0 learned. So it is the squared Euclidean distance between two long
vectors, sqrt(w_c / positions) f_c, and such a vector belongs to one photograph: the truth's is computed once, whatever
it is compared with.
"""

import functools
import importlib.util
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import numpy as np
import torch
from torch import nn

from pipeline.machine.weight_files import resolve
from pipeline.metrics.batches import ImageBatch, Values, as_pair
from pipeline.metrics.described import Photographs
from pipeline.metrics.registry import ALEXNET

_CHANNELS = ((3, 64), (64, 192), (192, 384), (384, 256), (256, 256))
_RELUS = (1, 4, 7, 9, 11)
_POOLED = _CHANNELS[-1][1]
SMALLEST = 31
"""Photographs with a side below this leave AlexNet's last layers without a position."""
MEAN, DEVIATION = (0.485, 0.456, 0.406), (0.229, 0.224, 0.225)
"""ImageNet's channel statistics; LPIPS's own scaling, (2 x - 1 - shift) / scale, is the same to the last digit."""


@dataclass(frozen=True)
class Perceptual:
    """A loaded LPIPS network.

    Attributes:
        layers: the convolutional part of its backbone, up to the last ReLU.
        heads: five float32 (C,) tensors, the learned channel weights.
    """

    layers: nn.Sequential
    heads: tuple[torch.Tensor, ...]


@dataclass(frozen=True)
class PerceptualFeatures:
    """What LPIPS and the Frechet distance need of each photograph, in one row.

    Attributes:
        packed: float32 (N, 256 + K): `pooled`, then `vectors`.
    """

    packed: torch.Tensor

    @property
    def pooled(self) -> torch.Tensor:
        """The last layer's activations averaged over positions: float32 (N, 256), a view."""
        return self.packed[:, :_POOLED]

    @property
    def vectors(self) -> torch.Tensor:
        """Float32 (N, K), a view; the squared distance of two is their LPIPS."""
        return self.packed[:, _POOLED:]


def alexnet_layers() -> nn.Sequential:
    """AlexNet's convolutional part (Krizhevsky 2014) up to its last ReLU, numbered as in torchvision's `features`.

    Returns:
        Modules 0..11: (N, 3, H, W) -> (N, 256, h, w).
    """
    (c0, c1, c2, c3, c4) = _CHANNELS
    return nn.Sequential(
        nn.Conv2d(*c0, kernel_size=11, stride=4, padding=2),
        nn.ReLU(),
        nn.MaxPool2d(3, 2),
        nn.Conv2d(*c1, kernel_size=5, padding=2),
        nn.ReLU(),
        nn.MaxPool2d(3, 2),
        nn.Conv2d(*c2, kernel_size=3, padding=1),
        nn.ReLU(),
        nn.Conv2d(*c3, kernel_size=3, padding=1),
        nn.ReLU(),
        nn.Conv2d(*c4, kernel_size=3, padding=1),
        nn.ReLU(),
    )


def load_perceptual(weights: Path, device: torch.device | str = "cpu") -> Perceptual:
    """Load AlexNet from a file and LPIPS's channel weights from the `lpips` package.

    Args:
        weights: a state dict with torchvision's names (`features.0.weight`, ...); a classifier in it is left aside.
        device: where the network goes.

    Returns:
        The network, in evaluation mode.

    Raises:
        RuntimeError: if a weight is missing or has another shape.
    """
    return load_backbone(alexnet_layers(), channel_weights(), weights, device)


def load_backbone(
    layers: nn.Sequential, heads: tuple[torch.Tensor, ...], weights: Path, device: torch.device | str
) -> Perceptual:
    """Load the network that LPIPS stands on.

    Args:
        layers: numbered as in torchvision's `features`; filled in.
        heads: LPIPS's channel weights for it.
        weights: as for `load_perceptual`.
        device: where the network goes.

    Returns:
        The network, in evaluation mode.

    Raises:
        RuntimeError: if a weight is missing or has another shape.
    """
    stored = torch.load(weights, map_location="cpu", weights_only=True)
    prefix = "features."
    layers.load_state_dict({name.removeprefix(prefix): stored[name] for name in stored if name.startswith(prefix)})
    layers = layers.to(memory_format=torch.channels_last).to(device).eval().requires_grad_(False)
    return Perceptual(layers, tuple(head.to(device) for head in heads))


def channel_weights(backbone: Literal["alex", "vgg"] = "alex") -> tuple[torch.Tensor, ...]:
    """LPIPS v0.1's learned channel weights for a network, from the file inside the `lpips` package.

    Args:
        backbone: of which network, as the package calls it.

    Returns:
        Five float32 tensors, for AlexNet (64,), (192,), (384,), (256,), (256,), none negative.
    """
    package = importlib.util.find_spec("lpips")  # not imported: only its data file is wanted
    assert package is not None and package.origin is not None
    path = Path(package.origin).parent / "weights" / "v0.1" / f"{backbone}.pth"
    stored = torch.load(path, map_location="cpu", weights_only=True)
    return tuple(stored[f"lin{number}.model.1.weight"].flatten() for number in range(len(_CHANNELS)))


def perceptual_features(network: Perceptual, images: torch.Tensor, together: int = 1) -> PerceptualFeatures:
    """Run the network over photographs.

    On a CPU they go in groups, and the last one is filled up: the network always sees one shape, so that what a
    photograph gives has the same bits whatever it is batched with.

    Args:
        network: as `load_perceptual` gives it.
        images: uint8 (N, H, W, 3), sides of at least 31.
        together: photographs of a group on a CPU; four small ones are a quarter faster than one by one.

    Returns:
        Their vectors and pooled activations.
    """
    device = network.heads[0].device
    together = together if device.type == "cpu" else max(len(images), 1)
    count = -(-len(images) // together) * together
    filled = torch.cat([images, images[-1:].expand(count - len(images), -1, -1, -1)])
    features = PerceptualFeatures(torch.empty((count, _POOLED + _length(*images.shape[1:3])), device=device))
    for start in range(0, count, together):
        part = slice(start, start + together)
        _forward(network, filled[part], PerceptualFeatures(features.packed[part]))
    return PerceptualFeatures(features.packed[: len(images)])


def _length(height: int, width: int) -> int:
    """Of the vector of a photograph: channels times positions of the five layers, each size as its kernel leaves it."""
    length = 0
    for number, (_, channels) in enumerate(_CHANNELS):
        if number == 0:
            height, width = ((side + 2 * 2 - 11) // 4 + 1 for side in (height, width))
        elif number <= 2:
            height, width = ((side - 3) // 2 + 1 for side in (height, width))
        length += channels * height * width
    return length


@torch.inference_mode()
def _forward(network: Perceptual, images: torch.Tensor, features: PerceptualFeatures) -> None:
    """Run the network and fill in what it says."""
    current, start = scaled_input(images, network.heads[0].device), 0
    for number, layer in enumerate(network.layers):
        current = layer(current)
        if number in _RELUS:
            end = start + current[0].numel()
            weighted_positions(current, network.heads[_RELUS.index(number)], features.vectors[:, start:end])
            start = end
    assert start == features.vectors.shape[1]
    features.pooled.copy_(current.mean(dim=(2, 3)))


def scaled_input(images: torch.Tensor, device: torch.device) -> torch.Tensor:
    """Photographs as LPIPS's networks take them.

    Args:
        images: uint8 (N, H, W, 3).
        device: of the network.

    Returns:
        float32 (N, 3, H, W), channels last in memory, as the convolutions like it.
    """
    mean, deviation = (torch.tensor(values, device=device) for values in (MEAN, DEVIATION))
    return ((images.to(device).float() / 255 - mean) / deviation).permute(0, 3, 1, 2)


def weighted_positions(activations: torch.Tensor, head: torch.Tensor, out: torch.Tensor) -> None:
    """Scale a layer's activations so that squared distances are its part of LPIPS: sqrt(w_c / positions), unit length.

    Args:
        activations: float32 (N, C, h, w).
        head: float32 (C,), w_c.
        out: float32 (N, h w C), filled in.
    """
    positions = activations.permute(0, 2, 3, 1)
    length = torch.linalg.vector_norm(positions, dim=-1, keepdim=True) + 1e-10
    scale = (head / (positions.shape[1] * positions.shape[2])).sqrt()
    torch.mul(positions, scale, out=out.unflatten(1, positions.shape[1:])).div_(length)


def perceptual_distance(first: torch.Tensor, second: torch.Tensor) -> Values:
    """LPIPS from vectors.

    Args:
        first: float32 (N, K).
        second: float32 (N, K).

    Returns:
        float64 (N,), at least 0.
    """
    return (first - second).square_().sum(dim=1).cpu().double().numpy()


def measure_perceptual(truth: Photographs, result: Photographs) -> dict[str, Values]:
    """LPIPS of described batches; see `lpips`.

    Args:
        truth: N photographs with their vectors.
        result: as many, of the same size, with theirs.

    Returns:
        "lpips": float64 (N,).

    Raises:
        ValueError: if either was described without the network.
    """
    if truth.vectors is None or result.vectors is None:
        raise ValueError("LPIPS takes photographs that were described with AlexNet")
    return {"lpips": perceptual_distance(truth.vectors, result.vectors)}


def lpips(truth: ImageBatch, result: ImageBatch, network: Perceptual | None = None) -> Values:
    """LPIPS v0.1 with AlexNet.

    Args:
        truth: uint8 (N, H, W, 3).
        result: uint8 of the same shape.
        network: as `load_perceptual` gives it; None resolves the weights by name and keeps them for the next call.

    Returns:
        float64 (N,), at least 0, below about 1; 0 for identical photographs; nan where a side is below 31 pixels.

    Raises:
        MissingWeights: if `network` is None and AlexNet's weights are not on this machine.
    """
    first, second = as_pair(truth, result)
    if min(first.shape[1:3]) < SMALLEST:
        return np.full(len(first), np.nan)
    loaded = network or loaded_once(load_perceptual, ALEXNET)
    vectors = perceptual_features(loaded, torch.cat([first, second]), together=2).vectors
    return perceptual_distance(vectors[: len(first)], vectors[len(first) :])


@functools.cache
def loaded_once(load: Callable[[Path], Perceptual], weights: str) -> Perceptual:
    """A network whose weights are found by name, kept for the next call.

    Args:
        load: makes it from their file.
        weights: their name, as the registry of metrics has it.

    Raises:
        MissingWeights: if they are not on this machine.
    """
    return load(resolve(weights))
