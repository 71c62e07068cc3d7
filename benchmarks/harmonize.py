"""Time of harmonising apart from segmenting, and the share of a SAM run that is not SAM's own network.

    python benchmarks/harmonize.py [--sam]

Processor time of one core, best of several runs. The last line is one JSON list of {"name", "ratio", "target", "met"}:
the ratio is milliseconds by the 50 ms that are the target, for each mode; and, with --sam (a minute or two on a CPU),
the time outside of the network by the time of the whole run. For that the weights are random and the answers of the
decoder are replaced by discs: the noise that random weights answer has a hundred times the run lengths of real masks.
"""

import argparse
import json
import os
import time

os.environ.setdefault("OMP_NUM_THREADS", "1")

import numpy as np
import torch
from _figures import figure
from skimage import data
from skimage.segmentation import slic as superpixels

from pipeline.color.lab import lab_to_rgb, lightness, rgb_to_lab
from pipeline.color.shades import grey_image
from pipeline.color.space import ColorSpace
from pipeline.images.decode import resize
from pipeline.masks.harmonization import MODES, harmonize
from pipeline.masks.objects import label_objects
from pipeline.masks.rle import segments_of_labels
from pipeline.settings.sections import Harmonize, Sam

TARGET_MS = 50.0
NETWORK_TARGET = 0.10


def harmonizing(mode: str, repeats: int = 20) -> float:
    """Milliseconds from masks as run lengths and two decoded images to the harmonized image."""
    truth = resize(data.coffee(), (480, 640))
    segments = segments_of_labels(superpixels(truth, n_segments=72, compactness=20, start_label=0), (480, 640))[:60]
    coarse = bleeding_image(truth)
    space, settings = ColorSpace(6), Harmonize.model_validate({"mode": mode})
    seconds = []
    for _ in range(repeats):
        start = time.process_time()
        harmonize(coarse, truth, label_objects(segments, 480, 640), space, settings)
        seconds.append(time.process_time() - start)
    print(f"{mode}: {len(segments)} masks, 640 x 480: {1000 * min(seconds):.1f} ms")
    return 1000 * min(seconds)


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
    settings = Sam(model="vit_b", points_per_side=points_per_side)
    start = time.process_time()
    segments = run_network(Loaded(network), grey_image(resize(data.coffee(), (480, 640))), "coffee", settings)
    whole = time.process_time() - start
    print(
        f"sam vit_b, {points_per_side**2} points: {whole:.1f} s, {inside:.1f} s in the network, {len(segments)} masks"
    )
    return 1 - inside / whole


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--sam", action="store_true")
    options = parser.parse_args()
    torch.set_num_threads(1)
    figures = [figure(f"harmonize_{mode}_by_50ms", harmonizing(mode) / TARGET_MS, 1.0) for mode in MODES]
    if options.sam:
        figures.append(figure("sam_outside_network", outside_the_network(), NETWORK_TARGET))
    print(json.dumps(figures))


if __name__ == "__main__":
    main()
