"""Which mode of harmonisation should be the default? The one whose colours stop at edges and which spoils nothing.

    python benchmarks/harmonize_modes.py [--folder DIR --annotations FILE] [--predictions data/predictions/l2/coco]

Colour is made to bleed in known ways, or is what a method made of the photographs, and every mode is run on it. For
each: edge bleeding (SPEC 7; 1 is as sharp as the truth), PSNR and TAR of whole photographs, and of the pixels within 8
pixels of an edge. Means over photographs. By default on the test photographs of the set `sample`, at
640 px, with the objects that felzenszwalb finds; the choice itself was made on masks drawn by people, which a folder
with COCO annotations has (--annotations: a file, or a folder of them).

The last line is a JSON list of {"name", "ratio", "target", "met"}, for each kind of bleeding colour: what the default
mode leaves of the bleeding; TAR with it by TAR without it; its squared error by that of `palette`, which lowers
bleeding about as much; and, where people drew the masks, its squared error by that of the raw colours. What is
found in grey is not always an object, and then some error is the price of any mode.
"""

import argparse
import json
import time
from collections.abc import Callable, Iterator
from itertools import islice
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pandas as pd
from _figures import figure
from _photographs import add_folder, decoded
from scipy import ndimage

from pipeline.color.lab import lab_to_rgb, lightness, rgb_to_lab
from pipeline.color.shades import grey_image
from pipeline.color.space import ColorSpace
from pipeline.images.resizing import resize
from pipeline.masks.annotations import annotated_segments
from pipeline.masks.bleeding import edge_distance
from pipeline.masks.harmonization import MODES, harmonize
from pipeline.masks.objects import edge_pixels, label_objects
from pipeline.masks.rle import Segment
from pipeline.masks.superpixels import Felzenszwalb
from pipeline.settings.sections import Harmonize
from pipeline.storage.store import Store

RGB = npt.NDArray[np.uint8]
Source = Callable[[str, RGB, ColorSpace], RGB]
Segments = Callable[[npt.NDArray[np.uint8], str], list[Segment]]
NEAR_EDGE, LONGER = 8, 640


def joined(rgb: RGB, ab: npt.NDArray[np.floating]) -> RGB:
    return lab_to_rgb(np.concatenate([lightness(rgb)[..., None], ab.astype(np.float32)], axis=-1))


def oracle(name: str, rgb: RGB, space: ColorSpace, size: int = 56) -> RGB:
    """The truth's own classes at 56 x 56, upsampled bilinearly: the bleeding of any method of that output size."""
    coarse = space.decode_kept(space.to_kept(space.encode(resize(rgb, (size, size)))))
    height, width = rgb.shape[:2]
    rows = (np.arange(height) + 0.5) * size / height - 0.5
    columns = (np.arange(width) + 0.5) * size / width - 0.5
    grid = np.meshgrid(rows, columns, indexing="ij")
    planes = [ndimage.map_coordinates(coarse[..., each], grid, order=1, mode="nearest") for each in range(2)]
    return joined(rgb, np.stack(planes, axis=-1))


def blurred(name: str, rgb: RGB, space: ColorSpace) -> RGB:
    """The truth's ab under a Gaussian of 8 pixels: bleeding alone, classes exact elsewhere."""
    return joined(rgb, ndimage.gaussian_filter(rgb_to_lab(rgb)[..., 1:], (8, 8, 0), mode="nearest"))


def speckled(name: str, rgb: RGB, space: ColorSpace) -> RGB:
    """The oracle with one in ten of its 56 x 56 cells given the class of another cell: wrong colours as well."""
    random = np.random.default_rng(0)
    mixed = oracle(name, rgb, space)
    height, width = rgb.shape[:2]
    wrong = resize((random.random((56, 56)) < 0.1).astype(np.uint8) * 255, (height, width), "bilinear") > 127
    other = rgb_to_lab(mixed)[random.permutation(height)][:, random.permutation(width)][..., 1:]
    ab = np.where(wrong[..., None], ndimage.uniform_filter(other, (11, 11, 0)), rgb_to_lab(mixed)[..., 1:])
    return joined(rgb, ab)


def stored(path: Path) -> Source:
    """What a method of the graph made of the same photographs."""
    store = Store(path)
    return lambda name, rgb, space: store.rgb(name)


def scores(colored: RGB, truth: RGB, where: npt.NDArray[np.bool_], space: ColorSpace) -> tuple[float, float]:
    error = ((colored[where].astype(np.float64) - truth[where]) / 255) ** 2
    right = space.to_kept(space.encode(colored[where])) == space.to_kept(space.encode(truth[where]))
    return float(-10 * np.log10(max(error.mean(), 1e-10))), 100 * float(right.mean())


def photographs(folder: Path | None) -> Iterator[tuple[str, RGB]]:
    """Name and pixels: a folder's at their own size, for which masks were drawn; the set's at 640 px."""
    for name, rgb in decoded(folder, "test"):
        scale = 1.0 if folder is not None else LONGER / max(rgb.shape)
        yield name, rgb if scale >= 1 else resize(rgb, (round(rgb.shape[0] * scale), round(rgb.shape[1] * scale)))


def measure(
    found: Iterator[tuple[str, RGB]], segments: Segments, sources: dict[str, Source], variants: list[Harmonize]
) -> pd.DataFrame:
    space, rows = ColorSpace(6), []
    for name, truth in found:
        labels = label_objects(segments(grey_image(truth), name), *truth.shape[:2])
        if not labels.any():
            continue
        near = ndimage.binary_dilation(edge_pixels(labels), np.ones((3, 3)), NEAR_EDGE) & (labels > 0)
        true_distance = edge_distance(truth, labels, 3)
        if not true_distance > 1:  # a grey photograph has no colour that could bleed
            continue
        for source, bleed in sources.items():
            raw = bleed(name, truth, space)
            for variant in [None, *variants]:
                start = time.perf_counter()
                result = raw if variant is None else harmonize(raw, truth, labels, space, variant)
                seconds = time.perf_counter() - start
                psnr, tar = scores(result, truth, np.ones(labels.shape, bool), space)
                near_psnr, near_tar = scores(result, truth, near, space)
                rows.append(
                    {"source": source, "mode": _name(variant), "image": name}
                    | {"mse": float((((result.astype(np.float64) - truth) / 255) ** 2).mean())}
                    | {"bleeding": edge_distance(result, labels, 3) / true_distance}
                    | {"psnr": psnr, "tar": tar, "edge_psnr": near_psnr, "edge_tar": near_tar}
                    | {"changed": 100 * float((result != raw).any(axis=-1).mean()), "ms": 1000 * seconds}
                )
    return pd.DataFrame(rows)


def _name(variant: Harmonize | None) -> str:
    if variant is None:
        return "raw"
    return f"{variant.mode} band={variant.band} share={variant.min_share:g} radius={variant.radius}"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    add_folder(parser)
    parser.add_argument("--annotations", type=Path, help="COCO annotations of the folder's photographs")
    parser.add_argument("--images", type=int, default=100)
    parser.add_argument("--predictions", type=Path, action="append", default=[], help="stores of the graph")
    parser.add_argument("--sweep", action="store_true", help="bands, shares and radii of palette and guided")
    options = parser.parse_args()
    sources: dict[str, Source] = {"oracle": oracle, "blurred": blurred, "speckled": speckled}
    sources |= {path.parent.name: stored(path) for path in options.predictions}
    variants = [Harmonize(mode=mode, radius=4) for mode in MODES]
    variants.append(Harmonize(mode="palette", min_share=0.01, radius=4))
    if options.sweep:
        variants += [
            Harmonize(mode=mode, band=band, min_share=share, radius=radius)
            for mode in ("palette", "guided")
            for band in (3, 6, 10)
            for share in ((0.01, 0.03, 0.05, 0.1) if mode == "palette" else (0.05,))
            for radius in (8, 16)
        ]

    def segments(grey: npt.NDArray[np.uint8], name: str) -> list[Segment]:
        if options.annotations is not None:
            return annotated_segments(grey, name, str(options.annotations))
        return Felzenszwalb().segment(grey, name)

    table = measure(islice(photographs(options.folder), options.images), segments, sources, variants)
    means = table.drop(columns="image").groupby(["source", "mode"], sort=False).mean()
    print(means.round(3).to_string())
    print(f"{table['image'].nunique()} photographs")
    print(
        json.dumps([line for source in sources for line in of_default(source, means, options.annotations is not None)])
    )


def of_default(source: str, means: pd.DataFrame, drawn: bool) -> list[dict[str, object]]:
    """What the default mode does to colours of this source, beside raw colours and the mode `palette`."""
    default, raw = means.loc[source, _name(Harmonize())], means.loc[source, "raw"]
    palette = means.loc[source, _name(Harmonize(mode="palette"))]
    figures = [
        figure(f"{source}_bleeding_by_raw", default["bleeding"] / raw["bleeding"], 1.0),
        figure(f"{source}_tar_by_raw", default["tar"] / raw["tar"], 1.0, at_least=True),
        figure(f"{source}_squared_error_by_palette", default["mse"] / palette["mse"], 1.0),
    ]
    return figures + ([figure(f"{source}_squared_error_by_raw", default["mse"] / raw["mse"], 1.0)] if drawn else [])


if __name__ == "__main__":
    main()
