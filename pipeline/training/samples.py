"""Training samples: photographs of a store as uint8 crops, turned into lightness and targets on the device.

Which photograph a sample shows, its crop and its mirror image follow from the seed and the sample's number alone. So a
run that is resumed, or has other workers, or is spread over more processes, sees the same samples in the same batches.
"""

import functools
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import numpy.typing as npt
import pandas as pd
import torch
from PIL import Image
from torch.nn import functional
from torch.utils.data import DataLoader, Dataset, Sampler

from pipeline.color.space import ColorSpace
from pipeline.color.tensors import tensor_lab, tensor_lightness
from pipeline.errors import UserError
from pipeline.images.decode import resize
from pipeline.models.network import AB_SCALE, OUTPUT_STRIDE
from pipeline.settings.sections import Train
from pipeline.storage.store import Store

ASPECTS = (3 / 4, 4 / 3)
"""Narrowest and widest crop, as width by height; every crop is then scaled to a square."""
RAM_BYTES = 1 << 30
"""Photographs are kept decoded, at the size that the crops need, when all of them fit into this."""
NEAR_DUPLICATE_BITS = 6
"""Two photographs whose 64-bit perceptual hashes differ in at most this many bits count as the same picture."""

Sample = tuple[npt.NDArray[np.uint8], int]


class TrainingSamples(Dataset[Sample]):
    """An endless sequence of crops, addressed by number.

    Samples 0 to n - 1 show every photograph once, in an order drawn from the seed; so do the next n, in another.

    Args:
        store: where the photographs are.
        image_ids: which of them are trained on.
        size: side of the square crop, px.
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
        scale: Sequence[float],
        flip: bool,
        seed: int,
        keep: bool = False,
    ) -> None:
        self.store, self.image_ids, self.size = store, list(image_ids), size
        self.scale, self.flip, self.seed = tuple(scale), flip, seed
        self.kept: dict[int, npt.NDArray[np.uint8]] | None = {} if keep else None

    def __len__(self) -> int:
        return len(self.image_ids)

    def __getitem__(self, number: int) -> Sample:
        """One crop.

        Args:
            number: of the sample, from 0, without end.

        Returns:
            uint8 (size, size, 3) sRGB, and the photograph's position in `image_ids`.
        """
        epoch, place = divmod(number, len(self.image_ids))
        index = int(_order(self.seed, epoch, len(self.image_ids))[place])
        random = np.random.default_rng((self.seed, number))
        photograph = self._photograph(index)
        box = _crop_box(photograph.shape[0], photograph.shape[1], self.scale, random)
        image = Image.fromarray(photograph).resize((self.size, self.size), Image.Resampling.BICUBIC, box=box)
        if self.flip and random.random() < 0.5:
            image = image.transpose(Image.Transpose.FLIP_LEFT_RIGHT)
        return np.asarray(image), index

    def read_ahead(self, threads: int) -> None:
        """Decode what will be kept in memory, several photographs at a time; nothing where none is kept.

        Args:
            threads: decoders at a time.
        """
        if self.kept is not None:
            with ThreadPoolExecutor(threads) as pool:
                self.kept.update(enumerate(pool.map(self._read, range(len(self.image_ids)))))

    def _photograph(self, index: int) -> npt.NDArray[np.uint8]:
        if self.kept is None:
            return self._read(index)
        if index not in self.kept:
            self.kept[index] = self._read(index)
        return self.kept[index]

    def _read(self, index: int) -> npt.NDArray[np.uint8]:
        """The photograph, shrunk where even the smallest crop has more pixels than the network sees."""
        rgb = self.store.rgb(self.image_ids[index])
        height, width = rgb.shape[:2]
        factor = shrunk_side(self.size, self.scale[0]) / min(height, width)
        return rgb if factor >= 1 else resize(rgb, (round(height * factor), round(width * factor)))


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
    return bool((3.0 * rows["width"] * rows["height"] * factor**2).sum() <= RAM_BYTES)


@functools.lru_cache(maxsize=2)
def _order(seed: int, epoch: int, count: int) -> npt.NDArray[np.int64]:
    return np.random.default_rng((seed, 0, epoch)).permutation(count)


def _crop_box(
    height: int, width: int, scale: tuple[float, ...], random: np.random.Generator
) -> tuple[float, float, float, float]:
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


def collate(samples: Sequence[Sample]) -> tuple[torch.Tensor, list[int]]:
    """Stack samples.

    Args:
        samples: as `TrainingSamples` gives them.

    Returns:
        uint8 (N, size, size, 3) and the photographs' positions.
    """
    return torch.from_numpy(np.stack([image for image, _ in samples])), [index for _, index in samples]


def load_batches(
    samples: TrainingSamples, numbers: SampleNumbers, workers: int, pin: bool
) -> Iterator[tuple[torch.Tensor, list[int]]]:
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


def prepare(rgb: torch.Tensor, space: ColorSpace | None) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor | None]:
    """Network input and targets of a batch, made on its device.

    The truth of an output position is the mean colour of the input pixels it stands for, rounded to 8 bits, so that the
    exact table gives its class.

    Args:
        rgb: uint8 (N, S, S, 3), sRGB, S a multiple of 4.
        space: of the method; None for a regression.

    Returns:
        L (N, 1, S, S) float32 in [0, 100]; ab / AB_SCALE (N, 2, S / 4, S / 4) float32; kept indices (N, S / 4, S / 4)
        int64, or None for a regression.
    """
    light = tensor_lightness(rgb).unsqueeze(1)
    means = functional.avg_pool2d(rgb.permute(0, 3, 1, 2).float(), OUTPUT_STRIDE)
    small = means.round().to(torch.uint8).permute(0, 2, 3, 1).contiguous()
    ab = tensor_lab(small, dim=1)[:, 1:] / AB_SCALE
    return light, ab, None if space is None else space.to_kept(space.encode(small))


def count_classes(classes: torch.Tensor, kept_count: int) -> torch.Tensor:
    """How many positions each class holds, without waiting for the device.

    Args:
        classes: int64 (...), kept indices in [0, kept_count).
        kept_count: Q.

    Returns:
        int64 (Q,), on the device of `classes`.
    """
    flat = classes.reshape(-1)
    return torch.zeros(kept_count, dtype=torch.int64, device=flat.device).scatter_add_(0, flat, torch.ones_like(flat))


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


def refuse_leaks(train: pd.DataFrame, evaluated: pd.DataFrame) -> None:
    """Make sure that no photograph is both trained on and evaluated.

    Args:
        train: rows of a store's index; sha256 and perceptual_hash are read.
        evaluated: rows of the same or of another.

    Raises:
        UserError: if two have the same bytes, or perceptual hashes within `NEAR_DUPLICATE_BITS`; it names a pair.
    """
    shared = train.reset_index(drop=True).merge(
        evaluated.reset_index(drop=True), on="sha256", suffixes=("", "_evaluated")
    )
    if len(shared):
        first = shared.iloc[0]
        raise UserError(
            f"{len(shared)} photographs are both trained on and evaluated, first {first['image_id']!r} "
            f"(as {first['image_id_evaluated']!r}, the same bytes); give the sets different splits"
        )
    own, other = _hashes(train), _hashes(evaluated)
    for position, value in enumerate(own):
        close = np.flatnonzero(np.bitwise_count(other ^ value) <= NEAR_DUPLICATE_BITS)
        if len(close):
            mine = train[train["perceptual_hash"].notna()]["image_id"].iloc[position]
            theirs = evaluated[evaluated["perceptual_hash"].notna()]["image_id"].iloc[close[0]]
            raise UserError(f"{mine!r} is trained on and looks like {theirs!r}, which is evaluated; move one of them")


def _hashes(rows: pd.DataFrame) -> npt.NDArray[np.uint64]:
    return np.array([int(text, 16) for text in rows["perceptual_hash"].dropna()], np.uint64)
