"""Colour classes: the square grid over (a, b) and the kept classes in it (CCC++ Eq. 9-12)."""

import functools
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Self, TypeVar, cast

import numpy as np
import numpy.typing as npt

from pipeline.color.lab import OFFSET, lab_table, rgb_index

if TYPE_CHECKING:
    import torch

    Array = TypeVar("Array", npt.NDArray[Any], torch.Tensor)

CHUNK = 1 << 15
"""Pixels encoded at a time: index and cell stay in the processor's cache between the two look-ups."""


@dataclass(frozen=True, eq=False)
class ColorSpace:
    """A grid of colour classes, with or without pruning.

    Class ids are those of the full grid (Eq. 9), int32, in [0, grid^2). A *kept index* numbers the kept classes from
    0 to Q - 1 in the order of their class ids: it is what a network puts out.

    Two spaces are equal when they have the same grid and the same kept classes. A pickled space is its kept ids; what
    comes out of it is the process's one space of that kind, so that a worker builds its tables once.

    Attributes:
        bin_size: w, the side of a bin in CIELAB units, a positive whole number.
        shift: s, half the side of the grid; a and b are clipped to [-s, s).
        kept: int32 (Q,), the ids of the kept classes, ascending; None keeps every class.

    Raises:
        ValueError: if bin_size or shift is no positive whole number, or kept is empty, unsorted or outside the grid.
    """

    bin_size: int
    shift: int = 108
    kept: npt.NDArray[np.int32] = field(default=cast(npt.NDArray[np.int32], None))

    def __post_init__(self) -> None:
        for name in ("bin_size", "shift"):
            value = getattr(self, name)
            if not isinstance(value, int | np.integer) or isinstance(value, bool) or value < 1:
                raise ValueError(f"{name} is {value!r}, it takes a positive whole number")
        kept = np.arange(self.total) if self.kept is None else np.asarray(self.kept)
        if not len(kept) or kept.min() < 0 or kept.max() >= self.total or (np.diff(kept) <= 0).any():
            raise ValueError(f"kept takes ascending class ids in [0, {self.total}), at least one")
        kept = kept.astype(np.int32)
        kept.flags.writeable = False  # the hash and the tables stand on it
        for name, value in (("bin_size", int(self.bin_size)), ("shift", int(self.shift)), ("kept", kept)):
            object.__setattr__(self, name, value)

    @functools.cached_property
    def _key(self) -> tuple[int, int, bytes]:
        return self.bin_size, self.shift, self.kept.tobytes()

    def __eq__(self, other: object) -> bool:
        return self._key == other._key if isinstance(other, ColorSpace) else NotImplemented

    def __hash__(self) -> int:
        return hash(self._key)

    def __reduce__(self) -> tuple[Callable[[int, int, bytes], "ColorSpace"], tuple[int, int, bytes]]:
        return _the_space, self._key

    def to_json(self) -> dict[str, Any]:
        """The space as plain values, for files that describe what they were made for.

        Returns:
            bin_size and shift, whole numbers, and kept, a list of class ids.
        """
        return {"bin_size": self.bin_size, "shift": self.shift, "kept": self.kept.tolist()}

    @classmethod
    def from_json(cls, values: Mapping[str, Any]) -> Self:
        """The space that `to_json` described.

        Args:
            values: bin_size, shift and kept; others are left aside.

        Returns:
            A space equal to the one described.

        Raises:
            KeyError: if one is missing.
            ValueError: as the class itself.
        """
        return cls(values["bin_size"], values["shift"], np.asarray(values["kept"]))

    @property
    def grid(self) -> int:
        """n = ceil(2 s / w), the bins along each axis."""
        return -(-2 * self.shift // self.bin_size)

    @property
    def total(self) -> int:
        """n^2, the classes of the full grid."""
        return self.grid**2

    @property
    def kept_count(self) -> int:
        """Q, the number of kept classes."""
        return len(self.kept)

    def axis_bin(self, floors: npt.NDArray[np.integer]) -> npt.NDArray[np.int32]:
        """The bin along one axis of values rounded down.

        Args:
            floors: integer (...), floor(a) or floor(b).

        Returns:
            int32 (...) in [0, grid): floor((value + s) / w), the value clipped to [-s, s).
        """
        clipped = np.clip(floors.astype(np.int32), -self.shift, self.shift - 1)
        return (clipped + self.shift) // self.bin_size

    @functools.cached_property
    def _class_of_cell(self) -> npt.NDArray[np.int32]:
        """int32 (65536,): the class of each packed unit cell of `lab_table`."""
        bins = self.axis_bin(np.arange(256) - OFFSET)
        return (bins[:, None] * self.grid + bins).reshape(-1).astype(np.int32)

    def encode(self, rgb: "Array") -> "Array":
        """Class ids of 8-bit sRGB (Eq. 9), bit-equal to floor((ab + s) / w) on scikit-image's Lab.

        Args:
            rgb: uint8 (..., 3), a numpy array or a tensor on any device.

        Returns:
            int32 (...) for an array, int64 (...) on the same device for a tensor.
        """
        if isinstance(rgb, np.ndarray):
            flat = rgb.reshape(-1, 3)
            ids = np.empty(len(flat), np.int32)
            for start in range(0, len(flat), CHUNK):
                part = slice(start, start + CHUNK)
                # indices cannot lie outside the tables, so "clip" changes none and only spares the check
                cells = lab_table().take(rgb_index(flat[part]), mode="clip")
                self._class_of_cell.take(cells, out=ids[part], mode="clip")
            return ids.reshape(rgb.shape[:-1])
        from pipeline.color.tensors import lab_cells

        return _on_device(self, "_class_of_cell", rgb.device)[lab_cells(rgb)]

    def encode_ab(self, ab: "Array") -> "Array":
        """Class ids of (a, b) values (Eq. 9).

        Args:
            ab: float (..., 2) in CIELAB units, clipped to [-s, s).

        Returns:
            int32 (...) for an array, int64 (...) for a tensor.
        """
        if isinstance(ab, np.ndarray):
            bins = self.axis_bin(np.floor(ab))
            return bins[..., 0] * np.int32(self.grid) + bins[..., 1]
        bins = (ab.floor().long().clamp(-self.shift, self.shift - 1) + self.shift) // self.bin_size
        return bins[..., 0] * self.grid + bins[..., 1]

    def decode(self, ids: "Array") -> "Array":
        """Bin centres of class ids (Eq. 10-11).

        Args:
            ids: integer (...), class ids of the full grid.

        Returns:
            float32 (..., 2): (a, b) in CIELAB units.
        """
        return _look_up(self, "_centers", ids)

    def to_kept(self, ids: "Array") -> "Array":
        """The kept index that stands for each class: its own, or that of the nearest kept class (Eq. 12).

        Args:
            ids: integer (...), class ids of the full grid.

        Returns:
            int32 (...) for an array, int64 (...) for a tensor, in [0, Q).
        """
        return _look_up(self, "_kept_index", ids)

    def decode_kept(self, index: "Array") -> "Array":
        """Bin centres of kept indices.

        Args:
            index: integer (...) in [0, Q).

        Returns:
            float32 (..., 2): (a, b) in CIELAB units.
        """
        return _look_up(self, "kept_centers", index)

    @functools.cached_property
    def _centers(self) -> npt.NDArray[np.float32]:
        steps = np.arange(self.grid, dtype=np.float32) * self.bin_size - self.shift + self.bin_size / 2
        return np.stack(np.meshgrid(steps, steps, indexing="ij"), axis=-1).reshape(-1, 2).astype(np.float32)

    @functools.cached_property
    def kept_centers(self) -> npt.NDArray[np.float32]:
        """float32 (Q, 2): bin centres of the kept classes."""
        return self._centers[self.kept]

    @functools.cached_property
    def _kept_index(self) -> npt.NDArray[np.int32]:
        """int32 (n^2,): the nearest kept class of every class, Euclidean between bin centres, ties to the lower id.

        In units of a bin the coordinates are integers, so that ties are exact.
        """
        row, column = np.divmod(np.arange(self.total, dtype=np.int32), np.int32(self.grid))
        nearest = np.empty(self.total, np.int32)
        for first in range(0, self.total, self.grid):  # a row of the grid at a time: memory stays small at bin size 1
            part = slice(first, first + self.grid)
            across = (row[part, None] - row[self.kept]) ** 2
            nearest[part] = (across + (column[part, None] - column[self.kept]) ** 2).argmin(axis=1)
        return nearest


@functools.lru_cache(maxsize=8)
def _the_space(bin_size: int, shift: int, kept: bytes) -> ColorSpace:
    return ColorSpace(bin_size, shift, np.frombuffer(kept, np.int32))


def _look_up(space: ColorSpace, table: str, ids: "Array") -> "Array":
    if isinstance(ids, np.ndarray):
        return getattr(space, table)[ids]
    return _on_device(space, table, ids.device)[ids.long()]


@functools.lru_cache(maxsize=64)
def _on_device(space: ColorSpace, table: str, device: "torch.device") -> "torch.Tensor":
    import torch

    values = torch.from_numpy(getattr(space, table))
    return (values if values.is_floating_point() else values.long()).to(device)
