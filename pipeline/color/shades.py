"""Colours with a given lightness: how "L never changes" (SPEC R7) is kept in 8-bit sRGB.

Joining a new (a, b) to an old L and rounding to 8 bits moves L, by a whole level and more where the colour lies outside
the gamut and is clipped. So colours are written by look-up instead. The *grey level* of a colour is the g whose grey
(g, g, g) is nearest to it in L. Of all 2^24 sRGB colours, one is noted for every grey level and every unit cell of
(a, b) that holds any. A colour taken from the table of the photograph's grey level has exactly that level: made grey
again, the result equals the photograph made grey, byte for byte.
"""

import functools
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from pipeline.color.lab import OFFSET, lab_table, lightness, rgb_index
from pipeline.color.space import ColorSpace
from pipeline.machine.cached_tables import cached_table

TABLE_VERSION = 1
LEVELS = 256
CELLS_PER_UNIT = 16
"""Cells per unit of L in the look-up of `grey_level`."""
LOWEST = np.array([-88, -109])
"""floor(a) and floor(b) of the table's first cell; over all 8-bit sRGB a is in [-86.2, 98.3], b in [-107.9, 94.5]."""
CELLS = np.array([188, 205])
"""Unit cells along a and b."""
NONE = np.int32(-1)
CHROMA_STEPS = np.linspace(1.0, 0.0, 33)
"""Where a level has no colour of the wanted chroma, these shares of it are tried in turn; 0 is the grey itself."""


@functools.cache
def level_lightness() -> npt.NDArray[np.float32]:
    """L of the 256 greys, float32 (256,), ascending, in [0, 100]."""
    greys = np.repeat(np.arange(LEVELS, dtype=np.uint8)[:, None], 3, axis=1)
    return lightness(greys)


@functools.cache
def _level_steps() -> tuple[npt.NDArray[np.uint8], npt.NDArray[np.float32]]:
    """For each cell of width 1 / CELLS_PER_UNIT of L the level at its start, and the L at which each level ends.

    Levels are at least a quarter of a unit apart, so a cell holds at most one end: one look-up and one comparison give
    the nearest level.
    """
    values = level_lightness()
    ends = ((values[1:] + values[:-1]) / 2).astype(np.float32)
    starts = np.arange(100 * CELLS_PER_UNIT + 1, dtype=np.float32) / CELLS_PER_UNIT
    return np.searchsorted(ends, starts, side="left").astype(np.uint8), np.append(ends, np.float32(np.inf))


def grey_level(light: npt.NDArray[np.float32]) -> npt.NDArray[np.uint8]:
    """The level of the grey nearest in L, ties to the darker one.

    Args:
        light: float32 (...), L in [0, 100], from `pipeline.color.lab.lightness`.

    Returns:
        uint8 (...).
    """
    first, ends = _level_steps()
    level = first[(light * np.float32(CELLS_PER_UNIT)).astype(np.int32).clip(max=100 * CELLS_PER_UNIT)]
    return level + (light > ends[level])


def grey_image(rgb: npt.NDArray[np.uint8]) -> npt.NDArray[np.uint8]:
    """A photograph without its colours.

    Args:
        rgb: uint8 (H, W, 3), sRGB.

    Returns:
        uint8 (H, W): the grey level of every pixel.
    """
    return grey_level(lightness(rgb))


def _build_table() -> npt.NDArray[np.int32]:
    """For each level and cell the colour nearest in L to the level's grey, ties to the lowest red, green, blue."""
    keys = np.full(LEVELS * CELLS.prod(), np.iinfo(np.uint64).max, np.uint64)
    green, blue = np.meshgrid(np.arange(256, dtype=np.uint8), np.arange(256, dtype=np.uint8), indexing="ij")
    for red in range(256):
        plane = np.stack([np.full_like(green, red), green, blue], axis=-1).reshape(-1, 3)
        light = lightness(plane)
        level = grey_level(light)
        off = np.abs(light - level_lightness()[level])
        key = (off * 1e6).astype(np.uint64) << np.uint64(24) | rgb_index(plane).astype(np.uint64)
        np.minimum.at(keys, _slot(level, unit_cells(plane)), key)
    found = keys != np.iinfo(np.uint64).max
    return np.where(found, (keys & np.uint64(0xFFFFFF)).astype(np.int32), NONE).astype(np.int32)


def unit_cells(rgb: npt.NDArray[np.uint8]) -> npt.NDArray[np.int32]:
    """The unit cell of (a, b) of each colour.

    Args:
        rgb: uint8 (..., 3), sRGB.

    Returns:
        int32 (..., 2): floor(a) and floor(b).
    """
    packed = lab_table()[rgb_index(rgb)]
    return np.stack([packed >> 8, packed & 0xFF], axis=-1).astype(np.int32) - OFFSET


def _slot(level: npt.NDArray[np.uint8], floors: npt.NDArray[np.int32]) -> npt.NDArray[np.int32]:
    """Index into the flat table; cells outside of it are moved to its border, which holds no colour."""
    place = np.clip(floors - LOWEST, 0, CELLS - 1)
    return ((level.astype(np.int32) * CELLS[0] + place[..., 0]) * CELLS[1] + place[..., 1]).astype(np.int32)


@functools.cache
def shade_table() -> npt.NDArray[np.int32]:
    """One colour for each grey level and unit cell of (a, b), red << 16 | green << 8 | blue, -1 where there is none.

    Built once (about four seconds) and kept in the machine's cache, see `cached_table`.

    Returns:
        int32 (256 * 188 * 205,), memory-mapped and read-only.
    """
    size = LEVELS * int(CELLS.prod())
    return cached_table(f"shades-{TABLE_VERSION}", (size,), np.dtype(np.int32), _build_table)


def _unpack(index: npt.NDArray[np.int32]) -> npt.NDArray[np.uint8]:
    return np.stack([index >> 16, index >> 8 & 0xFF, index & 0xFF], axis=-1).astype(np.uint8)


def colors_at_level(level: npt.NDArray[np.uint8], ab: npt.NDArray[np.floating]) -> npt.NDArray[np.uint8]:
    """The colour of a grey level whose (a, b) is nearest to the wanted one along its hue.

    Args:
        level: uint8 (N,), grey levels.
        ab: float (N, 2), in CIELAB units.

    Returns:
        uint8 (N, 3), sRGB, of exactly the grey level asked for. (a, b) is met to within its unit cell where the level
        has such a colour, else the chroma is lowered in steps of 1/32 until it has.
    """
    table = shade_table()
    packed = np.full(len(level), NONE, np.int32)
    missing = np.arange(len(level))
    for share in CHROMA_STEPS:
        floors = np.floor(ab[missing] * share).astype(np.int32)
        packed[missing] = table[_slot(level[missing], floors)]
        missing = missing[packed[missing] == NONE]
        if not len(missing):
            return _unpack(packed)
    packed[missing] = level[missing].astype(np.int32) * 0x010101
    return _unpack(packed)


class ClassShades(NamedTuple):
    """How each kept class looks at each grey level.

    Attributes:
        rgb: uint8 (256, Q, 3), the colour written for a kept class at a grey level; its grey level is exact.
        kept_index: int32 (256, Q), the kept index that `ColorSpace` gives that colour: the class itself wherever sRGB
        has
            it at that level, else a class of less chroma.
    """

    rgb: npt.NDArray[np.uint8]
    kept_index: npt.NDArray[np.int32]


@functools.lru_cache(maxsize=4)
def class_shades(space: ColorSpace) -> ClassShades:
    """The look-up table of a class space.

    Within a class the cell nearest to the bin centre is taken, ties in the order of a, then b.

    Args:
        space: the kept classes.

    Returns:
        The table, about 256 * Q * 7 bytes.
    """
    table = shade_table()
    levels = np.repeat(np.arange(LEVELS, dtype=np.uint8), space.kept_count)
    centers = np.tile(space.kept_centers, (LEVELS, 1))
    lower = np.floor(centers - space.bin_size / 2 + 0.25).astype(np.int32)
    packed = np.full(len(levels), NONE, np.int32)
    missing = np.arange(len(levels))
    for offset in _cells_from_center(space.bin_size):
        packed[missing] = table[_slot(levels[missing], lower[missing] + offset)]
        missing = missing[packed[missing] == NONE]
    rgb = _unpack(np.where(packed == NONE, 0, packed))
    rgb[missing] = colors_at_level(levels[missing], centers[missing])
    rgb = rgb.reshape(LEVELS, space.kept_count, 3)
    return ClassShades(rgb, space.to_kept(space.encode(rgb)))


def _cells_from_center(bin_size: int) -> npt.NDArray[np.int32]:
    """Offsets of a bin's unit cells, int32 (w^2, 2), the one nearest to the bin's centre first."""
    steps = np.arange(bin_size)
    offsets = np.stack(np.meshgrid(steps, steps, indexing="ij"), axis=-1).reshape(-1, 2)
    distance = ((offsets + 0.5 - bin_size / 2) ** 2).sum(axis=1)
    return offsets[np.argsort(distance, kind="stable")].astype(np.int32)
