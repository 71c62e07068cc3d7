"""Colors at full size: band by band as at once, 16 bits against scikit-image, tiles, and bounded memory."""

import numpy as np
import pytest
from PIL import Image
from skimage.color import rgb2lab

from pipeline.color import joining
from pipeline.color.joining import ColorsOf, join, spread_colors
from pipeline.color.lab import lightness
from pipeline.color.upsampling import ColorRows, Enlarger, color_lines
from pipeline.images.decode import Decoded
from pipeline.images.resizing import resize
from pipeline.inference.predictor import photograph_light
from pipeline.inference.tiles import tiled_grid
from tests.small_methods import told_predictor

RANDOM = np.random.default_rng(0)
GRID = (RANDOM.random((2, 7, 7), np.float32) - 0.5) * 80


def fixed(lights: np.ndarray) -> np.ndarray:
    """A network that always sees the same colors."""
    return np.repeat(GRID[None], len(lights), axis=0)


def light_of(height: int, width: int) -> np.ndarray:
    rows, columns = np.mgrid[0:height, 0:width]
    return (50 + 40 * np.sin(rows / 9) * np.cos(columns / 7)).astype(np.float32)


@pytest.mark.parametrize("size", [(7, 7), (8, 13), (50, 31), (200, 9), (3, 40), (5, 4)])
def test_rows_are_those_of_pillows_resize(size: tuple[int, int]) -> None:
    whole = np.stack(
        [np.asarray(Image.fromarray(plane).resize(size[::-1], Image.Resampling.BILINEAR)) for plane in GRID]
    )
    enlarger = Enlarger(GRID, *size)
    for start in range(0, size[0], 3):
        stop = min(start + 3, size[0])
        assert np.abs(enlarger.rows(start, stop) - whole[:, start:stop]).max() < 1e-4


def test_guided_colors_stop_at_an_edge() -> None:
    """A grid whose color step lies beside the step of L: guided upsampling moves it to the edge."""
    light = np.full((80, 80), 20, np.float32)
    light[:, 40:] = 80
    grid = np.zeros((2, 10, 10), np.float32)
    grid[0, :, 5:] = 60
    planes = {}
    for upsample in ("bilinear", "guided"):
        guide = light[4::8, 4::8]
        planes[upsample] = ColorRows(color_lines(guide, grid, upsample), 80, 80).ab(light, 0)[0]
    blurred, sharp = (np.abs(planes[name][:, 40] - planes[name][:, 39]).mean() for name in ("bilinear", "guided"))
    assert blurred < 10
    assert sharp > 30


@pytest.mark.parametrize("cells", [32, 56])
def test_guided_upsampling_is_nearer_to_real_photographs(cells: int) -> None:
    """Their own colors, averaged on a grid and brought back to full size: PSNR against bilinear."""
    data = pytest.importorskip("skimage.data")
    gains = []
    for rgb in (data.astronaut(), data.chelsea(), data.coffee()):
        light = lightness(rgb)
        small = rgb2lab(resize(rgb, (cells, cells), "box"))
        grid = np.ascontiguousarray(small[..., 1:].transpose(2, 0, 1), dtype=np.float32)
        errors = []
        for upsample in ("bilinear", "guided"):
            result = join(light, spread_colors(light, grid, upsample))
            errors.append(((result.astype(float) - rgb) ** 2).mean())
        gains.append(10 * np.log10(errors[0] / errors[1]))
    assert min(gains) > 0.3
    assert sum(gains) / 3 > 0.7


def test_bands_make_no_difference(monkeypatch: pytest.MonkeyPatch) -> None:
    light = light_of(97, 63)
    colors = spread_colors(light, GRID, "guided")
    whole = join(light, colors)
    monkeypatch.setattr(joining, "BAND_PIXELS", 500)
    assert np.array_equal(join(light, colors), whole)


def test_lightness_stays() -> None:
    light = light_of(40, 60)
    result = join(light, spread_colors(light, GRID, "guided"), saturation=0.3)
    assert np.abs(rgb2lab(result)[..., 0] - light).max() < 0.5


def test_saturation() -> None:
    light = light_of(40, 60)
    colors = spread_colors(light, GRID, "bilinear")
    grey = join(light, colors, saturation=0)
    assert (np.ptp(grey.astype(int), axis=-1) <= 1).all()
    half, full = (rgb2lab(join(light, colors, saturation=factor))[..., 1:] for factor in (0.25, 0.5))
    assert np.abs(full - 2 * half).mean() < 0.6


def test_sixteen_bit_lightness_survives_to_the_result() -> None:
    gray = np.arange(0, 65536, 7, dtype=np.uint16)[: 96 * 96].reshape(96, 96)
    decoded = Decoded(np.repeat((gray // 257).astype(np.uint8)[..., None], 3, axis=2), {}, gray16=gray)
    light = photograph_light(decoded)
    assert np.abs(light - rgb2lab(np.repeat(gray[..., None] / 65535, 3, axis=2))[..., 0]).max() < 1e-3
    wide = join(light, None, wide=True)
    assert wide.dtype == np.uint16
    assert np.abs(wide.astype(int) - gray[..., None]).max() <= 4
    assert len(np.unique(wide[..., 1])) > 9000
    eight = light_of(9, 9)
    assert join(eight, None).dtype == np.uint8


def test_eight_bit_lightness_is_the_tables() -> None:
    rgb = RANDOM.integers(0, 256, (33, 65, 3), dtype=np.uint8)
    assert np.array_equal(photograph_light(Decoded(rgb, {})), lightness(rgb))


def test_colors_of_a_picture() -> None:
    rgb = RANDOM.integers(0, 256, (6, 5, 3), dtype=np.uint8)
    ab = ColorsOf(rgb).ab(np.zeros((2, 5), np.float32), 3)
    assert np.abs(ab - np.moveaxis(rgb2lab(rgb)[3:5, :, 1:], -1, 0)).max() < 1e-3


@pytest.mark.parametrize("upright", [False, True])
def test_tiles_of_an_elongated_photograph(upright: bool) -> None:
    """A network that reports where it looks: across tiles the report stays that of the place in the photograph."""
    height, width = 64, 300
    light = np.repeat(np.linspace(0, 100, width, dtype=np.float32)[None], height, axis=0)
    light = light.T.copy() if upright else light
    seen = []

    def report(lights: np.ndarray) -> np.ndarray:
        seen.append(lights.shape)
        small = np.asarray(Image.fromarray(lights[0]).resize((8, 8), Image.Resampling.BOX))
        return np.stack([small, -small])[None]

    grid = tiled_grid(light, told_predictor(report))
    ab = spread_colors(light, grid, "bilinear").ab(light, 0)
    assert len(seen) >= 4
    assert set(seen) == {(1, 32, 32)}
    along = ab[0].mean(axis=1 if upright else 0)
    expected = light.mean(axis=1 if upright else 0)
    inside = slice(10, -10)
    assert np.abs(along - expected)[inside].max() < 3
    assert np.array_equal(ab[1], -ab[0])
    square = light_of(64, 66)
    predictor = told_predictor(fixed)
    assert np.array_equal(tiled_grid(square, predictor), predictor.predict_one(square))
    assert np.abs(predictor.predict_one(square) - GRID).max() < 1e-4
