"""Training samples: crops of a store's photographs, as a network is shown them and with what it should find.

Which photograph a sample shows, its crop and its mirror image follow from the seed and the sample's number alone. So a
run that is resumed, or has other workers, or is spread over more processes, sees the same samples in the same batches.
"""

import functools
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import NamedTuple

import numpy as np
import numpy.typing as npt
import pandas as pd
import torch
from torch.utils.data import DataLoader, Dataset, Sampler

from pipeline.color.lab import lightness
from pipeline.errors import UserError
from pipeline.images.resizing import resize
from pipeline.methods.inputs import Box, network_light, true_colors
from pipeline.settings.sections import Train
from pipeline.storage.store import Store

ASPECTS = (3 / 4, 4 / 3)
"""Narrowest and widest crop, as width by height; every crop is then scaled to a square."""
RAM_BYTES = 1 << 30
"""Photographs are kept decoded, at the size that the crops need, when all of them fit into this."""


class Sample(NamedTuple):
    """One crop.

    Attributes:
        light: float32 (size, size), L in [0, 100] (`inputs.network_light`).
        truth: uint8 (cells, cells, 3), sRGB (`inputs.true_colors`).
        number: the photograph's position among those trained on.
    """

    light: npt.NDArray[np.float32]
    truth: npt.NDArray[np.uint8]
    number: int


class _Photograph(NamedTuple):
    """A photograph in memory: L, float32 (H, W), and sRGB, uint8 (H, W, 3)."""

    light: npt.NDArray[np.float32]
    rgb: npt.NDArray[np.uint8]


class TrainingSamples(Dataset[Sample]):
    """An endless sequence of crops, addressed by number.

    Samples 0 to n - 1 show every photograph once, in an order drawn from the seed; so do the next n, in another.

    Args:
        store: where the photographs are.
        image_ids: which of them are trained on.
        size: side of the square that the network sees, px.
        cells: output positions of the network in each direction.
        scale: smallest and largest share of the photograph's area that a crop shows.
        flip: whether every other sample, by chance, is mirrored.
        seed: of everything random here.
        keep: keep the decoded photographs in memory, for a single process that reads them all.
    """

    def __init__(
        self,
        store: Store,
        image_ids: Sequence[str],
        size: int,
        cells: int,
        scale: Sequence[float],
        flip: bool,
        seed: int,
        keep: bool = False,
    ) -> None:
        self.store, self.image_ids, self.size, self.cells = store, list(image_ids), size, cells
        self.scale, self.flip, self.seed = tuple(scale), flip, seed
        self.kept: dict[int, _Photograph] | None = {} if keep else None

    def __len__(self) -> int:
        return len(self.image_ids)

    def __getitem__(self, number: int) -> Sample:
        """One crop.

        Args:
            number: of the sample, from 0, without end.

        Returns:
            The crop and its truth.
        """
        epoch, place = divmod(number, len(self.image_ids))
        index = int(_order(self.seed, epoch, len(self.image_ids))[place])
        random = np.random.default_rng((self.seed, number))
        photograph = self._photograph(index)
        box = _crop_box(photograph.light.shape[0], photograph.light.shape[1], self.scale, random)
        light, truth = network_light(photograph.light, self.size, box), true_colors(photograph.rgb, self.cells, box)
        if self.flip and random.random() < 0.5:
            light, truth = np.ascontiguousarray(light[:, ::-1]), np.ascontiguousarray(truth[:, ::-1])
        return Sample(light, truth, index)

    def read_ahead(self, threads: int) -> None:
        """Decode what will be kept in memory, several photographs at a time; nothing where none is kept.

        Args:
            threads: decoders at a time.
        """
        if self.kept is not None:
            with ThreadPoolExecutor(threads) as pool:
                self.kept.update(enumerate(pool.map(self._read, range(len(self.image_ids)))))

    def _photograph(self, index: int) -> _Photograph:
        if self.kept is None:
            return self._read(index)
        if index not in self.kept:
            self.kept[index] = self._read(index)
        return self.kept[index]

    def _read(self, index: int) -> _Photograph:
        """The photograph, shrunk where even the smallest crop has more pixels than the network sees."""
        rgb = self.store.rgb(self.image_ids[index])
        light = lightness(rgb)
        height, width = light.shape
        factor = shrunk_side(self.size, self.scale[0]) / min(height, width)
        if factor >= 1:
            return _Photograph(light, rgb)
        size = round(height * factor), round(width * factor)
        return _Photograph(resize(light, size), resize(rgb, size))


def shrunk_side(size: int, smallest_share: float) -> int:
    """The shorter side, in px, at which the smallest crop of a square photograph is `size` px wide."""
    return int(np.ceil(size / np.sqrt(smallest_share)))


def fits_memory(rows: pd.DataFrame, size: int, smallest_share: float) -> bool:
    """Whether the shrunk photographs together stay below `RAM_BYTES`.

    Args:
        rows: of a store's index; width and height are read.
        size: side of a crop, px.
        smallest_share: of the area that a crop shows.
    """
    short = rows[["width", "height"]].min(axis=1)
    factor = (shrunk_side(size, smallest_share) / short).clip(upper=1.0)
    bytes_per_pixel = 7.0  # L in single precision, and sRGB
    return bool((bytes_per_pixel * rows["width"] * rows["height"] * factor**2).sum() <= RAM_BYTES)


@functools.lru_cache(maxsize=2)
def _order(seed: int, epoch: int, count: int) -> npt.NDArray[np.int64]:
    return np.random.default_rng((seed, 0, epoch)).permutation(count)


def _crop_box(height: int, width: int, scale: tuple[float, ...], random: np.random.Generator) -> Box:
    """A crop of random area and shape that lies inside: left, upper, right, lower in px, not rounded."""
    area = random.uniform(scale[0], scale[1]) * height * width
    aspect = np.exp(random.uniform(np.log(ASPECTS[0]), np.log(ASPECTS[1])))
    crop_width, crop_height = min(np.sqrt(area * aspect), width), min(np.sqrt(area / aspect), height)
    left, upper = random.uniform(0, width - crop_width), random.uniform(0, height - crop_height)
    return left, upper, left + crop_width, upper + crop_height


class SampleNumbers(Sampler[list[int]]):
    """The numbers of the samples of each step, from a step on: batches of all processes side by side.

    Args:
        first_step, steps: the steps counted from 0, the last one excluded.
        batch: samples of one process in a step.
        rank, processes: which process this is, of how many.
    """

    def __init__(self, first_step: int, steps: int, batch: int, rank: int = 0, processes: int = 1) -> None:
        self.steps, self.batch, self.rank, self.processes = range(first_step, steps), batch, rank, processes

    def __len__(self) -> int:
        return len(self.steps)

    def __iter__(self) -> Iterator[list[int]]:
        for step in self.steps:
            first = (step * self.processes + self.rank) * self.batch
            yield list(range(first, first + self.batch))


def collate(samples: Sequence[Sample]) -> tuple[torch.Tensor, torch.Tensor, list[int]]:
    """Stack samples.

    Args:
        samples: as `TrainingSamples` gives them.

    Returns:
        float32 (N, 1, size, size), uint8 (N, cells, cells, 3) and the photographs' positions.
    """
    light, truth = (np.stack([sample[part] for sample in samples]) for part in (0, 1))
    return torch.from_numpy(light).unsqueeze(1), torch.from_numpy(truth), [sample.number for sample in samples]


def load_batches(
    samples: TrainingSamples, numbers: SampleNumbers, workers: int, pin: bool
) -> Iterator[tuple[torch.Tensor, torch.Tensor, list[int]]]:
    """Batches in order, decoded ahead by worker processes.

    Args:
        samples: where they come from.
        numbers: which, batch by batch.
        workers: processes; 0 decodes in this one.
        pin: page-lock the batches, for copies to a GPU that do not wait.

    Returns:
        An iterator over `collate`'s results.
    """
    loader = DataLoader(
        samples,
        batch_sampler=numbers,
        num_workers=workers,
        collate_fn=collate,
        pin_memory=pin,
        prefetch_factor=4 if workers else None,
        multiprocessing_context="forkserver" if workers else None,
        generator=torch.Generator(),
    )
    return iter(loader)


def split_validation(image_ids: Sequence[str], settings: Train, seed: int) -> tuple[list[str], list[str]]:
    """Set photographs aside for validation.

    Args:
        image_ids: all that may be trained on.
        settings: `validation_share` of them is set aside, rounded to whole photographs; `patience` needs one.
        seed: of the draw.

    Returns:
        those trained on and those set aside, both sorted.

    Raises:
        UserError: if that leaves none to train on, or none for early stopping to watch.
    """
    ids, share = sorted(image_ids), settings.validation_share
    count = round(share * len(ids))
    if count == len(ids) or (settings.patience is not None and not count):
        purpose = "train.patience something to watch" if not count else "something to train on"
        raise UserError(
            f"train.validation_share is {share}, which sets {count} of {len(ids)} photographs aside; "
            f"it takes a share that leaves {purpose}"
        )
    aside = set(np.random.default_rng((seed, 1)).permutation(len(ids))[:count].tolist())
    return [name for i, name in enumerate(ids) if i not in aside], [ids[i] for i in sorted(aside)]
