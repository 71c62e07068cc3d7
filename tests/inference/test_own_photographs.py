"""`huebench colorize` without its command line: files in, files out, the rest left behind with a reason."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from click.testing import CliRunner
from PIL import Image, ImageCms, TiffImagePlugin
from ruamel.yaml import YAML
from skimage.color import rgb2lab

from pipeline.cli.colorize import harmonizer
from pipeline.color.lab import lightness
from pipeline.color.shades import grey_image
from pipeline.color.space import ColorSpace
from pipeline.errors import UserError
from pipeline.images.decode import decode, encode_png
from pipeline.inference.own_photographs import Options, Outcome, colorize_photographs
from pipeline.masks.superpixels import Felzenszwalb
from pipeline.settings.mask_entries import Masks
from pipeline.settings.sections import Harmonize
from tests.small_methods import told_predictor

Make = Callable[..., np.ndarray]
SMALL = Options()
LAB_TRANSFORM = ImageCms.buildTransform(ImageCms.createProfile("sRGB"), ImageCms.createProfile("LAB"), "RGB", "LAB")


def network(lights: np.ndarray) -> np.ndarray:
    """Everything orange."""
    grid = np.empty((len(lights), 2, 8, 8), np.float32)
    grid[:, 0], grid[:, 1] = 20, 40
    return grid


def run(sources: list[Path], out: Path, options: Options = SMALL) -> Outcome:
    return colorize_photographs(sources, out, told_predictor(network), options)


@pytest.fixture
def album(tmp_path: Path, photograph: Make) -> Path:
    root = tmp_path / "album"
    (root / "1950").mkdir(parents=True)
    grey = photograph(1)[..., 0]
    exif = Image.Exif()
    exif[0x0112], exif[0x010F] = 6, "a camera"
    Image.fromarray(grey).save(root / "1950/wedding.jpeg", exif=exif, quality=95)
    Image.fromarray(grey).save(root / "house.png")
    Image.fromarray(grey.astype(np.uint16) * 257).save(root / "scan.tiff")
    sepia = (grey[..., None] * np.array([1.0, 0.85, 0.65])).astype(np.uint8)
    Image.fromarray(sepia).save(root / "sepia.webp", lossless=True)
    (root / "broken.jpg").write_bytes((root / "1950/wedding.jpeg").read_bytes()[:900])
    (root / "notes.txt").write_text("not a photograph")
    return root


def test_a_folder_keeps_its_tree_and_loses_only_the_bad(album: Path, tmp_path: Path) -> None:
    out = tmp_path / "out"
    outcome = run([album], out)
    assert sorted(path.relative_to(out).as_posix() for path in outcome.written) == [
        "1950/wedding.jpg",
        "house.png",
        "scan.tif",
        "sepia.webp",
    ]
    assert sorted(path for path in out.rglob("*") if path.is_file()) == sorted(outcome.written)
    assert [(failure.path.name, failure.reason) for failure in outcome.failures] == [("broken.jpg", "truncated")]
    assert str(outcome) == "4 photographs colorized, 1 left behind (truncated 1)"


def test_results_have_the_photographs_own_lightness_and_size(album: Path, tmp_path: Path) -> None:
    run([album], tmp_path / "out")
    for source, result in (
        ("house.png", "house.png"),
        ("sepia.webp", "sepia.webp"),
        ("1950/wedding.jpeg", "1950/wedding.jpg"),
    ):
        before = decode((album / source).read_bytes()).rgb
        after = decode((tmp_path / "out" / result).read_bytes()).rgb
        assert after.shape == before.shape
        middle = (rgb2lab(before)[..., 0] > 30) & (rgb2lab(before)[..., 0] < 75)  # where orange lies in the gamut
        assert np.abs(rgb2lab(after)[..., 0] - rgb2lab(before)[..., 0])[middle].mean() < 1
        assert np.median(rgb2lab(after)[..., 2][middle]) == pytest.approx(40, abs=4)


def test_sepia_leaves_no_trace(album: Path, tmp_path: Path) -> None:
    run([album / "sepia.webp"], tmp_path / "out", Options(saturation=0))
    after = decode((tmp_path / "out/sepia.webp").read_bytes()).rgb
    assert np.abs(rgb2lab(after)[..., 1:]).mean() < 2


def test_exif_is_kept_and_upright(album: Path, tmp_path: Path) -> None:
    run([album / "1950/wedding.jpeg"], tmp_path / "out")
    with Image.open(tmp_path / "out/wedding.jpg") as result:
        assert result.getexif()[0x010F] == "a camera"
        assert result.getexif().get(0x0112, 1) == 1
        assert result.size == (48, 64)  # stored 64 x 48, lying on its side


def test_sixteen_bits_stay(album: Path, tmp_path: Path) -> None:
    tifffile = pytest.importorskip("tifffile")
    run([album / "scan.tiff"], tmp_path / "out")
    assert tifffile.imread(tmp_path / "out/scan.tif").dtype == np.uint16


@pytest.mark.parametrize(
    ("mode", "save"),
    [
        ("1", {"compression": "group4"}),
        ("1", {}),
        ("L", {"compression": "tiff_lzw"}),
        ("L", {"compression": "tiff_adobe_deflate", "tiffinfo": {317: 2}}),
        ("LA", {}),
        ("P", {}),
        ("RGB", {"compression": "jpeg"}),
        ("RGBA", {}),
        ("CMYK", {}),
        ("LAB", {}),
        ("YCbCr", {}),
    ],
)
@pytest.mark.parametrize("orientation", [1, 6])
def test_every_kind_of_tiff_gives_one_that_can_be_read(
    tmp_path: Path, photograph: Make, mode: str, save: dict[str, Any], orientation: int
) -> None:
    """The tags of the original tell how its own pixels lie; only what they tell of the photograph may travel."""
    tags = TiffImagePlugin.ImageFileDirectory_v2()
    tags[274], tags[315], tags[272] = orientation, "an artist", "a scanner"
    for tag, value in save.get("tiffinfo", {}).items():
        tags[tag] = value
    picture = (
        ImageCms.applyTransform(Image.fromarray(photograph(1)), LAB_TRANSFORM)
        if mode == "LAB"
        else Image.fromarray(photograph(1)).convert(mode)
    )
    picture.save(tmp_path / "a.tif", **save | {"tiffinfo": tags})
    assert len(run([tmp_path / "a.tif"], tmp_path / "out", Options(saturation=0.0)).written) == 1
    before = decode((tmp_path / "a.tif").read_bytes()).rgb
    after = decode((tmp_path / "out/a.tif").read_bytes()).rgb
    assert after.shape == before.shape
    assert np.abs(lightness(after) - lightness(before)).max() < 1.0
    assert np.abs(rgb2lab(after)[..., 1:]).max() < 1.0
    with Image.open(tmp_path / "out/a.tif") as result:
        assert (result.getexif()[315], result.getexif()[272]) == ("an artist", "a scanner")


@pytest.mark.parametrize("name", ["a.jpg", "a.png", "a.tif", "a.bmp", "deep.png", "deep.tif"])
def test_the_resolution_of_a_scan_is_kept(tmp_path: Path, photograph: Make, name: str) -> None:
    grey = photograph(1)[..., 0]
    pixels = grey.astype(np.uint16) * 257 if name.startswith("deep") else grey
    Image.fromarray(pixels).save(tmp_path / name, dpi=(600, 300))
    run([tmp_path / name], tmp_path / "out")
    with Image.open(tmp_path / "out" / name) as result:
        assert [float(one) for one in result.info["dpi"]] == pytest.approx([600, 300], abs=0.1)


def test_alpha_stays(tmp_path: Path, photograph: Make) -> None:
    rgba = np.dstack([photograph(1), photograph(2)[..., :1]])
    Image.fromarray(rgba).save(tmp_path / "a.png")
    run([tmp_path / "a.png"], tmp_path / "out")
    assert np.array_equal(decode((tmp_path / "out/a.png").read_bytes(), alpha="keep").alpha, rgba[..., 3])


def test_nothing_is_overwritten_without_force(album: Path, tmp_path: Path) -> None:
    out = tmp_path / "out"
    (out).mkdir()
    (out / "house.png").write_bytes(b"mine")
    outcome = run([album / "house.png"], out)
    assert [(failure.reason) for failure in outcome.failures] == ["exists"]
    assert (out / "house.png").read_bytes() == b"mine"
    assert run([album / "house.png"], out, Options(force=True)).written == [out / "house.png"]
    decode((out / "house.png").read_bytes())


def test_the_photograph_itself_is_never_replaced(album: Path) -> None:
    before = (album / "house.png").read_bytes()
    outcome = run([album / "house.png"], album, Options(force=True))
    assert [failure.reason for failure in outcome.failures] == ["is_original"]
    assert (album / "house.png").read_bytes() == before


def test_no_other_photograph_of_the_call_is_replaced(tmp_path: Path, photograph: Make) -> None:
    """a.jpeg would become a.jpg, and a.jpg is a photograph of its own."""
    for seed, name in enumerate(("a.jpeg", "a.jpg", "b.gif", "b.png")):
        Image.fromarray(photograph(seed)).save(tmp_path / name)
    before = {path: path.read_bytes() for path in tmp_path.iterdir()}
    outcome = run([tmp_path], tmp_path, Options(force=True))
    assert {failure.reason for failure in outcome.failures} == {"is_original"}
    assert {path: path.read_bytes() for path in tmp_path.iterdir()} == before


def test_results_inside_the_folder_are_no_photographs_of_it(tmp_path: Path, photograph: Make) -> None:
    (tmp_path / "a.png").write_bytes(encode_png(photograph(1)))
    for _ in range(2):
        outcome = run([tmp_path], tmp_path / "out", Options(force=True, compare=True))
        assert outcome.written == [tmp_path / "out/a.png"]
    assert sorted(path.name for path in (tmp_path / "out").iterdir()) == ["a-compare.png", "a.png"]


def test_two_photographs_of_one_name(tmp_path: Path, photograph: Make) -> None:
    for folder in ("a", "b"):
        (tmp_path / folder).mkdir()
        (tmp_path / folder / "x.png").write_bytes(encode_png(photograph(1)))
    outcome = run([tmp_path / "a/x.png", tmp_path / "b/x.png"], tmp_path / "out", Options(force=True))
    assert [failure.reason for failure in outcome.failures] == ["taken"]
    assert len(outcome.written) == 1


def test_compare_shows_both(album: Path, tmp_path: Path) -> None:
    run([album / "house.png"], tmp_path / "out", Options(compare=True))
    both = decode((tmp_path / "out/house-compare.png").read_bytes()).rgb
    result = decode((tmp_path / "out/house.png").read_bytes()).rgb
    width = result.shape[1]
    assert np.array_equal(both[:, width:], result)
    assert np.abs(both[:, :width, 0].astype(int) - decode((album / "house.png").read_bytes()).rgb[..., 0]).max() <= 1


@pytest.mark.filterwarnings("ignore:__array__ implementation:DeprecationWarning")  # pycocotools against numpy 2
def test_harmonized_photographs_have_the_grey_levels_of_their_originals(tmp_path: Path, photograph: Make) -> None:
    """Where harmonizing changed a pixel, it is written as harmonizing made it, not by way of Lab once more."""
    original = np.repeat(photograph(4, 96, 96)[..., :1], 3, axis=-1)
    Image.fromarray(original).save(tmp_path / "a.png")
    masks = Masks(segmenter=Felzenszwalb(size=96, scale=50.0, min_size=60), min_area=0.01)
    keep, given = harmonizer(masks, Harmonize(mode="mode"), ColorSpace(20)), []

    def noted(colored: np.ndarray, photo: np.ndarray) -> np.ndarray:
        given.append((colored, keep(colored, photo)))
        return given[-1][1]

    def waves(lights: np.ndarray) -> np.ndarray:
        return np.random.default_rng(0).uniform(-40, 40, (1, 2, 8, 8)).astype(np.float32)

    colorize_photographs([tmp_path / "a.png"], tmp_path / "out", told_predictor(waves), Options(harmonize=noted))
    ((colored, harmonized),) = given
    result = decode((tmp_path / "out/a.png").read_bytes()).rgb
    assert np.array_equal(result, harmonized)
    changed = (colored != harmonized).any(axis=-1)
    assert changed.mean() > 0.05
    assert np.array_equal(grey_image(result)[changed], original[..., 0][changed])


@pytest.mark.filterwarnings("ignore:__array__ implementation:DeprecationWarning")  # pycocotools against numpy 2
def test_harmonized_colors_keep_to_objects(tmp_path: Path) -> None:
    """A dark square on a light ground; the network paints the ground's red over the square's edge."""
    grey = np.full((288, 288), 200, np.uint8)
    grey[72:216, 72:216] = 70
    Image.fromarray(grey).save(tmp_path / "a.png")

    def bleeding(lights: np.ndarray) -> np.ndarray:
        grid = np.zeros((1, 2, 24, 24), np.float32)
        grid[:, 0] = 20
        grid[:, 0, 6:18, 6:18] = -20
        return grid

    masks = Masks(segmenter=Felzenszwalb(size=288, scale=200.0, sigma=0.8), min_area=0.01)
    predictor, keep = told_predictor(bleeding), Harmonize(mode="palette", radius=16)
    for out, options in (
        ("raw", Options(upsample="bilinear")),
        ("harmonized", Options(upsample="bilinear", harmonize=harmonizer(masks, keep, ColorSpace(6)))),
    ):
        colorize_photographs([tmp_path / "a.png"], tmp_path / out, predictor, options)
    square = (slice(72, 216), slice(72, 216))
    raw, kept = (
        rgb2lab(decode((tmp_path / out / "a.png").read_bytes()).rgb)[square][..., 1] for out in ("raw", "harmonized")
    )
    assert (raw > -15).mean() > 0.1  # the ground's red, and what lies between it and green
    assert (kept > -15).mean() < 0.8 * (raw > -15).mean()
    small = masks.model_copy(update={"max_megapixels": 0.001})
    too_large = Options(harmonize=harmonizer(small, keep, ColorSpace(6)))
    outcome = colorize_photographs([tmp_path / "a.png"], tmp_path / "third", predictor, too_large)
    assert [failure.reason for failure in outcome.failures] == ["too_large"]


def test_unreadable_and_unwritable_files_are_left_behind(
    album: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    blocked = tmp_path / "blocked"
    blocked.write_bytes(b"a file where a folder should be")
    outcome = run([album / "house.png"], blocked / "out")
    assert [failure.reason for failure in outcome.failures] == ["not_written"]
    usual = Path.read_bytes

    def forbidden(path: Path) -> bytes:
        if path.name == "house.png":
            raise PermissionError(13, "Permission denied")
        return usual(path)

    monkeypatch.setattr(Path, "read_bytes", forbidden)
    outcome = run([album / "house.png", album / "sepia.webp"], tmp_path / "out")
    assert [failure.reason for failure in outcome.failures] == ["not_read"]
    assert len(outcome.written) == 1


@pytest.mark.parametrize("source", ["nowhere.jpg", "."])
def test_nothing_to_do_is_said(tmp_path: Path, source: str) -> None:
    with pytest.raises(UserError, match="is not there" if source != "." else "no photograph in"):
        run([tmp_path / source], tmp_path / "out")


@pytest.mark.parametrize("saturation", [-1.0, float("nan"), float("inf")])
def test_a_saturation_that_is_none(album: Path, tmp_path: Path, saturation: float) -> None:
    with pytest.raises(UserError, match=f"--saturation is {saturation:g}, it takes a number of at least 0"):
        run([album], tmp_path / "out", Options(saturation=saturation))


def test_a_trained_method_from_the_command_line(
    album: Path, tmp_path: Path, params: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    """`huebench colorize` against the stage `predict`: the same network, the same photograph, the same colors."""
    import torch

    from pipeline.cli import main
    from pipeline.color.joining import join, spread_colors
    from pipeline.inference.predictor import PredictorSettings, load_predictor
    from pipeline.methods.build import starting_network
    from pipeline.methods.checkpoint import WEIGHTS, load_model, save_model
    from pipeline.methods.head import AbHead
    from pipeline.settings.params import validate_settings
    from pipeline.stages import paths
    from pipeline.storage.tables import METHOD, write_table

    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("HUEBENCH_DEVICE", "cpu")
    YAML().dump(params, tmp_path / "params.yaml")
    settings = validate_settings(params)
    model = settings.methods["l2"].model
    network = starting_network(model.network, 2, 0)
    save_model(paths.model("l2") / WEIGHTS, network, model, AbHead(), settings.train_of("l2"), 0)
    write_table(METHOD.empty_table(), paths.method_classes("l2"), {"space": None})
    done = CliRunner().invoke(main, ["colorize", str(album), "-o", "out", "--method", "l2", "--compare"])
    assert done.exit_code == 1  # one photograph of the album is broken
    assert done.output.splitlines()[-1] == "4 photographs colorized, 1 left behind (truncated 1)"
    light = lightness(decode((album / "house.png").read_bytes()).rgb)
    weights = paths.model("l2") / WEIGHTS
    told = PredictorSettings(weights, load_model(weights).digest, None, settings.predict.size)
    grid = load_predictor(told, torch.device("cpu")).predict_one(light)
    result = decode((tmp_path / "out/house.png").read_bytes()).rgb
    expected = join(light, spread_colors(light, grid, "guided"))
    assert np.array_equal(result, expected)
    again = CliRunner().invoke(main, ["colorize", str(album / "house.png"), "-o", "out", "--method", "l2"])
    assert again.exit_code == 1
    assert "exists" in again.output
    one = CliRunner().invoke(main, ["colorize", str(album / "house.png"), "-o", "one", "--method", "l2"])
    assert one.output.splitlines()[-1] == "1 photograph colorized"
    unknown = CliRunner().invoke(main, ["colorize", str(album), "-o", "out", "--method", "no_such"])
    assert unknown.exit_code == 2
    assert "no_such" in unknown.output
