"""LPIPS v0.1 on VGG-16, which some papers print as LPIPS; `perceptual` has the one on AlexNet, and the definition."""

from pathlib import Path

import numpy as np
import torch
from torch import nn

from pipeline.metrics.batches import ImageBatch, Values, as_pair
from pipeline.metrics.described import Photographs
from pipeline.metrics.perceptual import (
    Perceptual,
    channel_weights,
    load_backbone,
    loaded_once,
    perceptual_distance,
    scaled_input,
    weighted_positions,
)
from pipeline.metrics.registry import VGG16

_BLOCKS = ((64, 64), (128, 128), (256, 256, 256), (512, 512, 512), (512, 512, 512))
SMALLEST_VGG = 16
"""Photographs with a side below this leave VGG's last block without a position."""


def vgg_layers() -> nn.Sequential:
    """VGG-16's convolutional part (Simonyan, Zisserman 2015) up to its last ReLU, numbered as torchvision's `features`.

    Returns:
        Modules 0..29: (N, 3, H, W) -> (N, 512, h, w).
    """
    layers: list[nn.Module] = []
    before = 3
    for block in _BLOCKS:
        for channels in block:
            layers += [nn.Conv2d(before, channels, 3, padding=1), nn.ReLU()]
            before = channels
        layers.append(nn.MaxPool2d(2))
    return nn.Sequential(*layers[:-1])


def load_vgg(weights: Path, device: torch.device | str = "cpu") -> Perceptual:
    """Load VGG-16 from a file and LPIPS's channel weights for it from the `lpips` package.

    Args:
        weights: a state dict with torchvision's names (`features.0.weight`, ...); a classifier in it is left aside.
        device: where the network goes.

    Returns:
        The network, in evaluation mode.

    Raises:
        RuntimeError: if a weight is missing or has another shape.
    """
    return load_backbone(vgg_layers(), channel_weights("vgg"), weights, device)


@torch.inference_mode()
def vgg_vectors(network: Perceptual, images: torch.Tensor) -> torch.Tensor:
    """Run the network over photographs, one at a time, so that a vector does not depend on what stands beside it.

    Args:
        network: as `load_vgg` gives it.
        images: uint8 (N, H, W, 3).

    Returns:
        float32 (N, K), the squared distance of two is their LPIPS; (N, 1) of nan where a side is below 16 px.
    """
    if min(images.shape[1:3]) < SMALLEST_VGG:
        return torch.full((len(images), 1), torch.nan, device=images.device)
    return torch.cat([_vector(network, image[None]) for image in images])


def _vector(network: Perceptual, image: torch.Tensor) -> torch.Tensor:
    current, parts = scaled_input(image, network.heads[0].device), []
    heads = iter(network.heads)
    for layer, following in zip(network.layers, [*list(network.layers)[1:], nn.MaxPool2d(2)], strict=True):
        current = layer(current)
        if isinstance(following, nn.MaxPool2d):  # the last ReLU of a block
            part = torch.empty((1, current[0].numel()), device=current.device)
            weighted_positions(current, next(heads), part)
            parts.append(part)
    return torch.cat(parts, dim=1)


def measure_perceptual_vgg(truth: Photographs, result: Photographs) -> dict[str, Values]:
    """LPIPS on VGG of described batches; see `lpips_vgg`.

    Args:
        truth: N photographs with their vectors.
        result: as many, of the same size, with theirs.

    Returns:
        "lpips_vgg": float64 (N,).

    Raises:
        ValueError: if either was described without the network.
    """
    if truth.vgg_vectors is None or result.vgg_vectors is None:
        raise ValueError("LPIPS on VGG takes photographs that were described with VGG-16")
    return {"lpips_vgg": perceptual_distance(truth.vgg_vectors, result.vgg_vectors)}


def lpips_vgg(truth: ImageBatch, result: ImageBatch, network: Perceptual | None = None) -> Values:
    """LPIPS v0.1 with VGG-16.

    Args:
        truth: uint8 (N, H, W, 3).
        result: uint8 of the same shape.
        network: as `load_vgg` gives it; None resolves the weights by name and keeps them for the next call.

    Returns:
        float64 (N,), at least 0; 0 for identical photographs; nan where a side is below 16 pixels.

    Raises:
        MissingWeights: if `network` is None and VGG-16's weights are not on this machine.
    """
    first, second = as_pair(truth, result)
    if min(first.shape[1:3]) < SMALLEST_VGG:
        return np.full(len(first), np.nan)
    loaded = network or loaded_once(load_vgg, VGG16)
    return perceptual_distance(vgg_vectors(loaded, first), vgg_vectors(loaded, second))
