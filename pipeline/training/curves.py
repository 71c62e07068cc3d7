"""What a training shows while it runs: curves by DVCLive, scores on the validation part, strips of photographs."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import torch
from dvclive import Live
from torch import nn

from pipeline.color.lab import lab_to_rgb
from pipeline.color.space import ColorSpace
from pipeline.images.decode import encode_png, resize
from pipeline.inference.coloring import to_ab
from pipeline.losses.batch import Batch
from pipeline.machine.devices import Processes, mixed_precision
from pipeline.settings.sections import Method, Train
from pipeline.storage.store import Store
from pipeline.training.samples import count_classes, prepare
from pipeline.training.state import replace_file

Row = dict[str, float]
STRIP_PHOTOGRAPHS = 8


class Curves:
    """Numbers over steps in a folder that `dvc plots show` draws, one TSV file a curve.

    The rows are kept and written anew when a run continues: what an interrupted run had drawn after its last saved step
    would otherwise be there twice.

    Args:
        folder: for the curves; emptied first.
        rows: of the run so far, each with its `step`.
        silent: write nothing, for all processes but the first.
    """

    def __init__(self, folder: Path, rows: Sequence[Row], silent: bool = False) -> None:
        self.rows: list[Row] = []
        self.live = None if silent else Live(str(folder), save_dvc_exp=False, dvcyaml=None, report=None)
        if self.live is not None and self.live._dvc_repo is not None:
            self.live._dvc_repo.close()  # DVCLive opens its packs to name an experiment, and leaves them so
        for row in rows:
            self.add(row)

    def add(self, row: Row) -> None:
        """Add the numbers of one step; `step` says which."""
        self.rows.append(row)
        if self.live is not None:
            self.live.step = int(row["step"])
            for name, value in row.items():
                if name != "step":
                    self.live.log_metric(name, value)
            self.live.make_summary()

    def close(self) -> None:
        """Finish the files. The last values in JSON go: `dvc plots` reads the folder, and they are no curve."""
        if self.live is not None:
            self.live.end()
            Path(self.live.metrics_file).unlink(missing_ok=True)


def whole_photographs(store: Store, image_ids: Sequence[str], size: int) -> torch.Tensor:
    """Photographs squeezed to squares, as the network sees them in prediction.

    Args:
        store: where they are.
        image_ids: which.
        size: px.

    Returns:
        uint8 (N, size, size, 3), sRGB.
    """
    if not image_ids:
        return torch.empty((0, size, size, 3), dtype=torch.uint8)
    return torch.from_numpy(np.stack([resize(store.rgb(name), (size, size)) for name in image_ids]))


@torch.inference_mode()
def validate(
    network: nn.Module,
    losses: nn.Module,
    photographs: torch.Tensor,
    space: ColorSpace | None,
    train: Train,
    device: torch.device,
    processes: Processes,
) -> Row:
    """Scores on the validation part, the same for any number of processes up to rounding.

    Args:
        network: judged in evaluation mode and left in the mode it came in.
        losses: the method's loss.
        photographs: uint8 (N, size, size, 3); each process judges every n-th batch.
        space: the method's classes; None for a regression, which is judged by its loss alone.
        train: batch and precision are read.
        device: where the network is.
        processes: that share the work.

    Returns:
        `validation/loss`; with classes also top-1 and top-5 accuracy, their mean over the classes that occur, and the
        share of the kept classes that the arg max ever takes, all in [0, 1].
    """
    was_training = network.training
    network.eval()
    sums = torch.zeros(4, dtype=torch.float64, device=device)  # loss x images, images, top-1, top-5
    classes_count = 0 if space is None else space.kept_count
    tallies = torch.zeros((3, classes_count), dtype=torch.int64, device=device)  # occurs, right, predicted
    for rgb in photographs.split(train.batch)[processes.rank :: processes.size]:
        light, ab, classes = prepare(rgb.to(device), space)
        with mixed_precision(device, train.precision):
            output = network(light)
        counts = None if classes is None else count_classes(classes, classes_count)
        sums[0] += losses(output, Batch(light, ab, classes, counts)).double() * len(rgb)
        sums[1] += len(rgb)
        if classes is not None and counts is not None:
            best = output.topk(min(5, classes_count), dim=1).indices
            right = best == classes.unsqueeze(1)
            sums[2] += right[:, 0].double().mean() * len(rgb)
            sums[3] += right.any(1).double().mean() * len(rgb)
            tallies[0] += counts
            tallies[1] += count_classes(classes[right[:, 0]], classes_count)
            tallies[2] += count_classes(best[:, 0], classes_count)
    network.train(was_training)
    processes.sum(sums)
    processes.sum(tallies)
    loss, images, top1, top5 = sums.tolist()
    row = {"validation/loss": loss / images}
    if space is not None:
        occurs = tallies[0] > 0
        row["validation/top1"] = top1 / images
        row["validation/top5"] = top5 / images
        row["validation/class_mean_top1"] = float((tallies[1][occurs] / tallies[0][occurs]).mean())
        row["validation/classes_used"] = float((tallies[2] > 0).double().mean())
    return row


@torch.inference_mode()
def write_strip(
    path: Path,
    network: nn.Module,
    photographs: torch.Tensor,
    method: Method,
    space: ColorSpace | None,
    device: torch.device,
) -> None:
    """A picture with a row per photograph: grey, colorized, truth.

    Args:
        path: of the PNG.
        network: left in the mode it came in.
        photographs: uint8 (N, size, size, 3); the first `STRIP_PHOTOGRAPHS` are shown.
        method: read-out and temperature are read.
        space: its classes; None for a regression.
        device: where the network is.
    """
    was_training = network.training
    network.eval()
    shown = photographs[:STRIP_PHOTOGRAPHS]
    rows: list[Any] = []
    for rgb in shown.split(1):
        light, _, _ = prepare(rgb.to(device), space)
        ab = to_ab(network(light), method, space)
        ab = nn.functional.interpolate(ab, scale_factor=4.0, mode="bilinear", align_corners=False)
        lab = torch.cat([light, ab], dim=1)[0].permute(1, 2, 0).cpu().numpy()
        grey = lab * np.array([1.0, 0.0, 0.0], np.float32)
        rows.append(np.concatenate([lab_to_rgb(grey), lab_to_rgb(lab), rgb[0].numpy()], axis=1))
    network.train(was_training)
    replace_file(path, lambda partial: partial.write_bytes(encode_png(np.concatenate(rows, axis=0))))
