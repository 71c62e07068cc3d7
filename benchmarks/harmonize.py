"""What harmonizing costs beside reading and writing its photographs, and the share of a SAM run outside SAM's network.

    python benchmarks/harmonize.py [--folder DIR] [--sam]

Processor time of one core. For each mode: from masks as run lengths and two decoded photographs to the harmonized one,
by decoding and encoding the same photographs as PNG, which the stage `harmonize` does with each as well. On the first
photographs of the set `sample` or of a folder, at 640 px, with some 60 superpixels each; all take turns, and the best
turn of each photograph counts.

With --sam (a minute or two on a CPU) also the time outside of the network by the time of the whole run: the weights are
random and the answers of the decoder are replaced by discs, because the noise that random weights answer has a hundred
times the run lengths of real masks.

The last line is one JSON list of {"name", "ratio", "target", "met"}.
"""

import argparse
import json
import math
import os
import time
from collections.abc import Callable, Iterator, Sequence
from functools import partial
from itertools import islice
from pathlib import Path
from typing import NamedTuple

os.environ.setdefault("OMP_NUM_THREADS", "1")

import numpy as np
import torch
from _figures import figure
from _photographs import add_folder, decoded
from skimage import data
from skimage.segmentation import slic as superpixels

from pipeline.color.lab import lab_to_rgb, lightness, rgb_to_lab
from pipeline.color.shades import grey_image
from pipeline.color.space import ColorSpace
from pipeline.images.decode import decode, encode_png
from pipeline.images.resizing import resize
from pipeline.masks.harmonization import MODES, harmonize
from pipeline.masks.objects import label_objects
from pipeline.masks.rle import Segment, segments_of_labels
from pipeline.masks.segment_anything import SegmentAnything
from pipeline.settings.sections import Harmonize

TARGET, NETWORK_TARGET = 1.0, 0.10
PHOTOGRAPHS, LONGER, TURNS = 6, 640, 4


class Task(NamedTuple):
    """A photograph, what bleeds of it, and its masks."""

    truth: np.ndarray
    colored: np.ndarray
    masks: list[Segment]


def tasks(folder: Path | None) -> Iterator[Task]:
    """The first photographs, their longer side scaled to 640 px."""
    for _, rgb in islice(decoded(folder), PHOTOGRAPHS):
        height, width = (round(side * LONGER / max(rgb.shape)) for side in rgb.shape[:2])
        truth = resize(rgb, (height, width))
        labels = superpixels(truth, n_segments=72, compactness=20, start_label=0)
        yield Task(truth, bleeding_image(truth), segments_of_labels(labels, (height, width))[:60])


def harmonized(task: Task, space: ColorSpace, settings: Harmonize) -> None:
    labels = label_objects(task.masks, *task.truth.shape[:2])
    harmonize(task.colored, task.truth, labels, space, settings)


def read_and_written(task: Task) -> None:
    decode(encode_png(task.colored))


def processor_seconds(works: Sequence[Callable[[], None]]) -> list[float]:
    """The best of several turns of each."""
    seconds = [math.inf] * len(works)
    for _ in range(TURNS):
        for place, work in enumerate(works):
            start = time.process_time()
            work()
            seconds[place] = min(seconds[place], time.process_time() - start)
    return seconds


def mode_figures(folder: Path | None) -> list[dict[str, object]]:
    """Every mode beside PNG, summed over the photographs."""
    space = ColorSpace(6)
    settings = [Harmonize.model_validate({"mode": mode}) for mode in MODES]
    sums = np.zeros(len(settings) + 1)
    for task in tasks(folder):
        works = [partial(harmonized, task, space, one) for one in settings]
        sums += processor_seconds([*works, partial(read_and_written, task)])
    ratios = dict(zip(MODES, sums[:-1] / sums[-1], strict=True))
    print("seconds by those of decoding and encoding as PNG: " + ", ".join(f"{m} {r:.2f}" for m, r in ratios.items()))
    return [figure(f"harmonize_{mode}_by_png", ratio, TARGET) for mode, ratio in ratios.items()]


def bleeding_image(truth: np.ndarray) -> np.ndarray:
    """The truth with its ab at 56 x 56: colour that bleeds."""
    ab = rgb_to_lab(resize(truth, (56, 56)))[..., 1:]
    rows, columns = (np.linspace(0, 55, each).round().astype(int) for each in truth.shape[:2])
    return lab_to_rgb(np.concatenate([lightness(truth)[..., None], ab[np.ix_(rows, columns)]], axis=-1))


def outside_the_network(points_per_side: int = 8) -> float:
    """Share of a run of ViT-B spent neither in the image encoder nor in the prompt encoder and mask decoder."""
    from segment_anything import sam_model_registry

    from pipeline.masks.sam import Loaded, run_network

    torch.manual_seed(0)
    network = sam_model_registry["vit_b"]().eval()
    inside = 0.0
    starts: list[float] = []

    def begin(*_: object) -> None:
        starts.append(time.process_time())

    def end(*_: object) -> None:
        nonlocal inside
        inside += time.process_time() - starts.pop()

    def as_discs(_: object, __: object, output: tuple[torch.Tensor, torch.Tensor]) -> tuple[torch.Tensor, torch.Tensor]:
        prompts = len(output[0])
        x, y = torch.rand(2, prompts, 3, 1, 1) * 256
        steps = torch.arange(256)
        distance = ((steps - x) ** 2 + (steps[:, None] - y) ** 2).sqrt()
        return 60 * torch.rand(prompts, 3, 1, 1) - distance, 0.8 + 0.2 * torch.rand(prompts, 3)

    for part in (network.image_encoder, network.prompt_encoder, network.mask_decoder):
        part.register_forward_pre_hook(begin)
        part.register_forward_hook(end)
    network.mask_decoder.register_forward_hook(as_discs)
    settings = SegmentAnything(model="vit_b", points_per_side=points_per_side)
    start = time.process_time()
    segments = run_network(Loaded(network), grey_image(resize(data.coffee(), (480, 640))), "coffee", settings)
    whole = time.process_time() - start
    print(
        f"sam vit_b, {points_per_side**2} points: {whole:.1f} s, {inside:.1f} s in the network, {len(segments)} masks"
    )
    return 1 - inside / whole


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--sam", action="store_true")
    add_folder(parser)
    options = parser.parse_args()
    torch.set_num_threads(1)
    figures = mode_figures(options.folder)
    if options.sam:
        figures.append(figure("sam_outside_network", outside_the_network(), NETWORK_TARGET))
    print(json.dumps(figures))


if __name__ == "__main__":
    main()
