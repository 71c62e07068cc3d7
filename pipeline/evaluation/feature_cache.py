"""Network features of the truth, kept between runs by image hash x backbone x protocol (issue 5).

A truth is compared with every method's results, in runs of their own; its features are the same each time. They are
large (2.5 MB a photograph at 256 x 256) and five sixths of them zeros, which a ReLU leaves: a file holds the others and
where they are. As many are kept as the budget takes.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from zipfile import BadZipFile

import numpy as np
import numpy.typing as npt
import torch

from pipeline.machine.files import replaced

BYTES_PER_PIXEL = 8
"""Of AlexNet's features as they are kept; 7.7 on average for photographs."""


@dataclass(frozen=True)
class FeatureCache:
    """A folder of feature vectors.

    Attributes:
        folder: where; made when something is kept.
        protocol: name of the protocol under which the photographs were brought to size.
    """

    folder: Path
    protocol: str

    def _path(self, backbone: str, sha256: str) -> Path:
        return self.folder / backbone / self.protocol / sha256[:2] / f"{sha256}.npz"

    def get(self, backbone: str, sha256: str) -> npt.NDArray[np.float32] | None:
        """Look features up.

        Args:
            backbone: name of the network with a mark of its weights.
            sha256: of the photograph's bytes.

        Returns:
            float32 (K,), or None where they are not kept, or the file is damaged.
        """
        try:
            with np.load(self._path(backbone, sha256), allow_pickle=False) as stored:
                length, filled, values = int(stored["length"]), stored["filled"], stored["values"]
            features = np.zeros(length, np.float32)
            features[np.flatnonzero(np.unpackbits(filled, count=length).view(np.bool_))] = values
        except (OSError, ValueError, KeyError, EOFError, BadZipFile):
            return None
        return features

    def put(self, backbone: str, sha256: str, features: npt.NDArray[np.float32]) -> None:
        """Keep features; of two writers the last one wins, with the same bytes.

        Args:
            backbone: as in `get`.
            sha256: as in `get`.
            features: float32 (K,).
        """
        filled = features != 0
        values = np.compress(filled, features)
        with replaced(self._path(backbone, sha256)) as temporary, temporary.open("wb") as file:
            np.savez(file, length=np.int64(len(features)), filled=np.packbits(filled), values=values)

    def size(self) -> int:
        """Bytes kept so far, under every backbone and protocol."""
        return sum(path.stat().st_size for path in self.folder.rglob("*.npz")) if self.folder.is_dir() else 0


def remembered(
    cache: FeatureCache | None,
    backbone: str,
    images: torch.Tensor,
    hashes: Sequence[str],
    compute: Callable[[torch.Tensor], torch.Tensor],
    keep: bool,
) -> torch.Tensor:
    """Features of a batch: from the cache where it has them, computed where not.

    Args:
        cache: where to look; None computes everything.
        backbone: as in `FeatureCache.get`.
        images: uint8 (N, H, W, 3).
        hashes: sha256 of each photograph's bytes.
        compute: photographs (n, H, W, 3) to features (n, K).
        keep: whether what was computed is kept.

    Returns:
        float32 (N, K), on the device of `images`.
    """
    stored = [cache.get(backbone, sha256) if cache else None for sha256 in hashes]
    missing = [number for number, vector in enumerate(stored) if vector is None]
    if len(missing) == len(hashes) and not (cache and keep):
        return compute(images)
    if missing:
        fresh = compute(images[missing]).cpu().numpy()
        for number, vector in zip(missing, fresh, strict=True):
            stored[number] = vector
            if cache and keep:
                cache.put(backbone, hashes[number], vector)
    return torch.from_numpy(np.stack([vector for vector in stored if vector is not None])).to(images.device)
