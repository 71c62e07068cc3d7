"""What metrics are computed from: a batch of photographs, and what belongs to it alone.

Colors, class maps and network features of a photograph do not depend on what it is compared with, so the truth's are
made once and serve every result. `evaluation.pair_scores.describe` makes them.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from typing import Self

import numpy as np
import numpy.typing as npt
import torch

from pipeline.metrics.batches import Values

ClassMaps = npt.NDArray[np.int32]
"""Kept indices, int32 (N, H, W), in [0, Q)."""


@dataclass(frozen=True)
class Photographs:
    """A batch of N photographs of one size.

    Attributes:
        images: uint8 (N, H, W, 3).
        colorfulness: float64 (N, 2), as `colorfulness.colorfulness` gives it.
        lab: float32 (N, 3, H, W), CIE L*a*b*, as `color_difference.lab_planes` gives it.
        classes: class maps in the space that all methods share, or in that which `in_own_space` chose.
        kept_count: Q of that space.
        own_classes: class maps in the method's own space; None without one.
        own_kept_count: Q of that space; 0 without one.
        vectors: float32 (N, K), LPIPS vectors; None without the network; nan where a side is too small for it.
        vgg_vectors: as `vectors`, of LPIPS on VGG.
        features: set metric -> float32 (N, D), the feature vectors of its Frechet distance.
    """

    images: torch.Tensor
    colorfulness: Values
    lab: torch.Tensor
    classes: ClassMaps
    kept_count: int
    own_classes: ClassMaps | None = None
    own_kept_count: int = 0
    vectors: torch.Tensor | None = None
    vgg_vectors: torch.Tensor | None = None
    features: dict[str, npt.NDArray[np.float32]] = field(default_factory=dict)

    def in_own_space(self) -> Self | None:
        """The same photographs with `classes` and `kept_count` of the method's own space; None without one."""
        if self.own_classes is None:
            return None
        return replace(self, classes=self.own_classes, kept_count=self.own_kept_count)


PairMeasure = Callable[[Photographs, Photographs], Mapping[str, Values]]
"""(truth, result) -> metric to float64 (N,): what `registry.Metric.measure` names."""
