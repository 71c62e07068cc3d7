"""What is seen of a training while it runs: scores on photographs set aside, and strips of them."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import torch
from torch import nn

from pipeline.color.joining import join, spread_colors
from pipeline.color.lab import lightness
from pipeline.color.readouts import ClassReadout
from pipeline.images.decode import encode_png
from pipeline.images.resizing import resize
from pipeline.machine.devices import Processes, mixed_precision
from pipeline.machine.files import replace_file
from pipeline.methods.head import Head
from pipeline.methods.inputs import network_light, true_colors
from pipeline.metrics.class_metrics import share_within, true_class_ranks
from pipeline.models.interfaces import ColorNetwork
from pipeline.settings.sections import Train
from pipeline.storage.store import Store
from pipeline.training.run import Objective, Row, count_classes
from pipeline.training.samples import Sample, collate

STRIP_PHOTOGRAPHS = 8
"""Rows of a strip at most."""


def whole_photographs(store: Store, image_ids: Sequence[str], size: int, cells: int) -> list[Sample]:
    """Photographs as a network is shown them in prediction: whole, squeezed to a square.

    Args:
        store: where they are.
        image_ids: which.
        size: side of the square, px.
        cells: output positions of the network in each direction.

    Returns:
        A sample of each, in order.
    """
    samples = []
    for index, image_id in enumerate(image_ids):
        rgb = store.rgb(image_id)
        samples.append(Sample(network_light(lightness(rgb), size), true_colors(rgb, cells), index))
    return samples


@torch.inference_mode()
def validate(
    network: ColorNetwork,
    objective: Objective,
    samples: Sequence[Sample],
    train: Train,
    device: torch.device,
    processes: Processes,
) -> Row:
    """Scores on the validation part, the same for any number of processes up to rounding.

    Args:
        network: judged in evaluation mode and left in the mode it came in.
        objective: its loss and its head.
        samples: as `whole_photographs` gives them, at least one; each process judges every n-th batch.
        train: batch and precision are read.
        device: where the network is.
        processes: that share the work.

    Returns:
        `validation/loss`; with classes also top-1 and top-5 accuracy, their mean over the classes that occur, and the
        share of the kept classes that are ever the most probable one, all in percent.
    """
    was_training = network.training
    network.eval()
    head = objective.head
    sums = torch.zeros(4, dtype=torch.float64, device=device)  # loss x images, images, top-1, top-5
    tallies = torch.zeros((3, head.outputs), dtype=torch.int64, device=device)  # occurs, right, predicted
    for start in range(processes.rank * train.batch, len(samples), processes.size * train.batch):
        light, truth, _ = collate(samples[start : start + train.batch])
        batch = objective.batch(light.to(device), truth.to(device))
        with mixed_precision(device, train.precision):
            scores = network(batch.light)
        sums[0] += objective.loss(scores, batch, network.semantic).double() * len(light)
        sums[1] += len(light)
        if batch.classes is not None and batch.counts is not None:
            ranks = true_class_ranks(scores, batch.classes)
            sums[2] += float(share_within(ranks, 1).sum())
            sums[3] += float(share_within(ranks, 5).sum())
            tallies[0] += batch.counts
            tallies[1] += count_classes(batch.classes[ranks == 1], head.outputs)
            tallies[2] += count_classes(scores.argmax(dim=1), head.outputs)
    network.train(was_training)
    processes.sum(sums)
    processes.sum(tallies)
    loss, images, top1, top5 = sums.tolist()
    row = {"validation/loss": loss / images}
    if head.space is not None:
        occurs = tallies[0] > 0
        row["validation/top1"] = top1 / images
        row["validation/top5"] = top5 / images
        row["validation/class_mean_top1"] = 100 * float((tallies[1][occurs] / tallies[0][occurs]).mean())
        row["validation/classes_used"] = 100 * float((tallies[2] > 0).double().mean())
    return row


@torch.inference_mode()
def write_strip(
    path: Path,
    network: nn.Module,
    head: Head,
    readout: ClassReadout | None,
    samples: Sequence[Sample],
    device: torch.device,
) -> None:
    """A picture with a row per photograph: grey, colorized, and the truth at the network's output size.

    Args:
        path: of the PNG.
        network: left in the mode it came in.
        head: what its scores mean.
        readout: how class scores become colors; None for a regression.
        samples: as `whole_photographs` gives them; the first `STRIP_PHOTOGRAPHS` are shown.
        device: where the network is.
    """
    was_training = network.training
    network.eval()
    rows: list[Any] = []
    for sample in samples[:STRIP_PHOTOGRAPHS]:
        scores = network(torch.from_numpy(sample.light)[None, None].to(device)).float()
        grid: npt.NDArray[np.float32] = head.colors(scores, readout)[0].cpu().numpy()
        pictures = [join(sample.light, None), join(sample.light, spread_colors(sample.light, grid, "bilinear"))]
        rows.append(np.concatenate([*pictures, resize(sample.truth, sample.light.shape, "bilinear")], axis=1))
    network.train(was_training)
    replace_file(path, lambda partial: partial.write_bytes(encode_png(np.concatenate(rows, axis=0))))
