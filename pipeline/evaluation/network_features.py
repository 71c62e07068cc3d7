"""The networks that metrics need: loaded once in a process, run over batches, the truth's answers kept between runs."""

import functools
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

import numpy as np
import numpy.typing as npt
import torch
from torch import nn

from pipeline.evaluation.feature_cache import FeatureCache, remembered
from pipeline.metrics.inception import inception_features, load_inception
from pipeline.metrics.perceptual import SMALLEST, Perceptual, PerceptualFeatures, load_perceptual, perceptual_features
from pipeline.metrics.perceptual_vgg import load_vgg, vgg_vectors
from pipeline.metrics.registry import ALEXNET, INCEPTION, VGG16

Features = npt.NDArray[np.float32]


class FoundWeights(NamedTuple):
    """A file of network weights, and a mark of its content for cache keys."""

    path: Path
    mark: str


@dataclass(frozen=True)
class Networks:
    """The networks at hand; None where the weights are missing.

    Attributes:
        perceptual: LPIPS on AlexNet.
        inception: Inception-v3 as FID uses it.
        vgg: LPIPS on VGG-16.
    """

    perceptual: Perceptual | None = None
    inception: nn.Module | None = None
    vgg: Perceptual | None = None


@dataclass(frozen=True)
class NetworkFeatures:
    """The part of a description that networks give; as in `Photographs`."""

    vectors: torch.Tensor | None
    features: dict[str, Features]
    vgg_vectors: torch.Tensor | None = None

    def of(self, rows: slice) -> "NetworkFeatures":
        """Those of some photographs of the batch."""
        vectors = None if self.vectors is None else self.vectors[rows]
        vgg = None if self.vgg_vectors is None else self.vgg_vectors[rows]
        return NetworkFeatures(vectors, {metric: values[rows] for metric, values in self.features.items()}, vgg)


@functools.lru_cache(maxsize=2)
def load_networks(weights: tuple[tuple[str, FoundWeights], ...], device: str) -> Networks:
    """Load the networks whose weights were found; once in a process."""
    found = dict(weights)
    return Networks(
        load_perceptual(found[ALEXNET].path, device) if ALEXNET in found else None,
        load_inception(found[INCEPTION].path, device) if INCEPTION in found else None,
        load_vgg(found[VGG16].path, device) if VGG16 in found else None,
    )


def network_features(images: torch.Tensor, networks: Networks, together: int = 1) -> NetworkFeatures:
    """Run the networks at hand over a batch.

    Args:
        images: uint8 (N, H, W, 3).
        networks: those at hand.
        together: as `perceptual_features` takes it.

    Returns:
        What they say; where a side is too small for AlexNet, vectors of nan.
    """
    return _answers(
        images, networks, lambda network, some: perceptual_features(network, some, together), inception_features
    )


def truth_features(
    images: torch.Tensor,
    hashes: Sequence[str],
    networks: Networks,
    weights: Mapping[str, FoundWeights],
    cache: FeatureCache | None,
    keep: bool,
    together: int = 1,
) -> NetworkFeatures:
    """As `network_features`, from the cache where it has them: a truth is compared with every method's results.

    Args:
        images: uint8 (N, H, W, 3).
        hashes: sha256 of each photograph's bytes.
        networks: those at hand.
        weights: of the networks at hand, by name.
        cache: where to look; None computes everything.
        keep: whether what was computed is kept.
        together: as `perceptual_features` takes it.

    Returns:
        What they say.
    """

    def memory(backbone: str, compute: Callable[[torch.Tensor], torch.Tensor]) -> torch.Tensor:
        key = f"{backbone}-{weights[backbone].mark}"
        return remembered(cache, key, images, hashes, compute, keep)

    def ask_alexnet(network: Perceptual, _: torch.Tensor) -> PerceptualFeatures:
        return PerceptualFeatures(memory(ALEXNET, lambda some: perceptual_features(network, some, together).packed))

    def ask_inception(network: nn.Module, _: torch.Tensor) -> torch.Tensor:
        return memory(INCEPTION, lambda some: inception_features(network, some))

    return _answers(images, networks, ask_alexnet, ask_inception)


def _answers(
    images: torch.Tensor,
    networks: Networks,
    ask_alexnet: Callable[[Perceptual, torch.Tensor], PerceptualFeatures],
    ask_inception: Callable[[nn.Module, torch.Tensor], torch.Tensor],
) -> NetworkFeatures:
    vectors: torch.Tensor | None = None
    features: dict[str, Features] = {}
    if networks.perceptual is not None and min(images.shape[1:3]) < SMALLEST:
        vectors = torch.full((len(images), 1), torch.nan, device=images.device)
    elif networks.perceptual is not None:
        found = ask_alexnet(networks.perceptual, images)
        vectors, features["frechet_alexnet"] = found.vectors, found.pooled.cpu().numpy()
    if networks.inception is not None:
        features["fid"] = ask_inception(networks.inception, images).cpu().numpy()
    # never kept between runs: 34 MB a photograph at 256 x 256
    return NetworkFeatures(vectors, features, None if networks.vgg is None else vgg_vectors(networks.vgg, images))
