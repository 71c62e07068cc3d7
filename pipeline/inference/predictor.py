"""The one way from a photograph's L to its colors: for whole sets and for the user's own photographs alike."""

from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

import numpy as np
import numpy.typing as npt
import torch

from pipeline.color.joining import row_bands
from pipeline.color.lab import lightness, lightness16
from pipeline.color.readouts import ClassReadout
from pipeline.color.space import ColorSpace
from pipeline.color.upsampling import Grid
from pipeline.errors import UserError
from pipeline.images.decode import Decoded
from pipeline.machine.devices import mixed_precision, prefer_onednn
from pipeline.methods.checkpoint import load_model
from pipeline.methods.head import Head
from pipeline.methods.inputs import network_light, true_colors
from pipeline.metrics.class_metrics import share_within
from pipeline.models.interfaces import ColorNetwork
from pipeline.models.upsampled_convolution import fold_upsampling

HITS = (1, 5)
"""The k of the top-k accuracies that are kept of every photograph."""


@dataclass(frozen=True)
class Predictor:
    """A trained method, ready to color on its device.

    Attributes:
        network: in evaluation mode.
        head: what its scores mean.
        readout: how class scores become colors; None for a regression.
        size: side of the square that the network sees, px.
        device: where it computes.
    """

    network: ColorNetwork
    head: Head
    readout: ClassReadout | None
    size: int
    device: torch.device

    @property
    def cells(self) -> int:
        """Output positions in each direction."""
        return self.size // self.network.stride

    def see(self, light: Grid) -> Grid:
        """What the network is shown of a photograph.

        Args:
            light: float32 (H, W), L in [0, 100].

        Returns:
            float32 (size, size), L in [0, 100].
        """
        return network_light(light, self.size)

    def expect(self, rgb: npt.NDArray[np.uint8]) -> npt.NDArray[np.uint8]:
        """What the network should find in a photograph.

        Args:
            rgb: uint8 (H, W, 3), the photograph in color.

        Returns:
            uint8 (cells, cells, 3), sRGB.
        """
        return true_colors(rgb, self.cells)

    @torch.inference_mode()
    def predict(
        self, seen: Grid, truth: npt.NDArray[np.uint8] | None = None
    ) -> tuple[Grid, npt.NDArray[np.float64] | None]:
        """The colors of a batch, and how often the class scores hit the truth.

        Args:
            seen: float32 (N, size, size), as `see` gives them.
            truth: uint8 (N, cells, cells, 3), as `expect` gives them; None where there is none.

        Returns:
            float32 (N, 2, cells, cells), (a, b) in CIELAB units, and float64 (N, 2), top-1 and top-5 accuracy in
            percent, None without truth or classes. Where the network puts out a value that is not finite, all of the
            photograph's are nan: an arg max would make a color of it.
        """
        batch = torch.from_numpy(seen).unsqueeze(1).to(self.device)
        with mixed_precision(self.device, "auto"):
            scores = self.network(batch)
        scores = scores.float()
        grids = self.head.colors(scores, self.readout).cpu().numpy()
        broken = ~scores.sum((1, 2, 3)).isfinite().cpu().numpy()  # one value that is not finite makes the sum so
        grids[broken] = np.nan
        ranks = None if truth is None else self.head.ranks(scores, torch.from_numpy(truth).to(self.device))
        if ranks is None:
            return grids, None
        hits = np.stack([share_within(ranks, k) for k in HITS], axis=1)
        hits[broken] = np.nan
        return grids, hits

    def predict_one(self, light: Grid) -> Grid:
        """The colors of one photograph, or of a part of one.

        Args:
            light: float32 (H, W), L in [0, 100].

        Returns:
            float32 (2, cells, cells), (a, b) in CIELAB units.
        """
        return self.predict(self.see(light)[None])[0][0]


@dataclass(frozen=True)
class PredictorSettings:
    """Where a predictor comes from: small enough to be sent to every worker.

    Attributes:
        weights: a file of `checkpoint.save_model`.
        digest: SHA-256 of that file, so that a changed file is not taken for the old one.
        readout: how class scores become colors; None for a regression.
        size: side of the square that the network sees, px.
    """

    weights: Path
    digest: str
    readout: ClassReadout | None
    size: int


@lru_cache(maxsize=1)
def load_predictor(settings: PredictorSettings, device: torch.device) -> Predictor:
    """Read a trained method and make it ready on a device; once in a process.

    Args:
        settings: which.
        device: where it will compute.

    Returns:
        The predictor.

    Raises:
        UserError: if the file is missing, no model, or has changed meanwhile.
    """
    trained = load_model(settings.weights)
    if trained.digest != settings.digest:
        raise UserError(f"{settings.weights} changed while it was read; run dvc repro")
    trained.network.to(device, memory_format=torch.channels_last)  # type: ignore[call-overload]
    ready_to_predict(trained.network)
    return Predictor(trained.network, trained.head, settings.readout, settings.size, device)


def ready_to_predict(network: ColorNetwork) -> None:
    """Change a network on a CPU into one that says the same, up to rounding, and does it faster.

    Args:
        network: in evaluation mode, on its device; on a CPU it can no longer be trained, elsewhere it stays as it is.
    """
    if next(network.parameters()).device.type == "cpu":
        fold_upsampling(network)
        network.to(memory_format=torch.channels_last)
        prefer_onednn(network)


def oracle_grid(rgb: npt.NDArray[np.uint8], space: ColorSpace, cells: int) -> Grid:
    """The truth as a perfect classifier would give it: the kept class of each cell's mean color, decoded.

    Args:
        rgb: uint8 (H, W, 3), the photograph in color.
        space: its classes.
        cells: of the grid in each direction.

    Returns:
        float32 (2, cells, cells), (a, b) in CIELAB units.
    """
    return space.decode_kept(space.to_kept(space.encode(true_colors(rgb, cells)))).transpose(2, 0, 1)


def photograph_light(decoded: Decoded) -> Grid:
    """L of a photograph, at 16 bits where its file has them.

    Args:
        decoded: the photograph.

    Returns:
        float32 (H, W), in [0, 100].
    """
    if decoded.gray16 is not None:
        wide: Grid = lightness16()[decoded.gray16]
        return wide
    height, width = decoded.rgb.shape[:2]
    light = np.empty((height, width), np.float32)
    for rows in row_bands(height, width):
        light[rows] = lightness(decoded.rgb[rows])
    return light
