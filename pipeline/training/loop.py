"""The training loop: every method, any device, one process or many. Read `train` from top to bottom."""

import math
import shutil
import time
from contextlib import nullcontext
from pathlib import Path

import torch
from torch import nn
from torch.nn.parallel import DistributedDataParallel

from pipeline.errors import UserError
from pipeline.machine.devices import Processes, choose_device, mixed_precision, process_group
from pipeline.machine.engine import worker_count
from pipeline.machine.progress import progress
from pipeline.machine.provenance import fingerprint
from pipeline.methods.build import Prepared, class_readout
from pipeline.methods.checkpoint import WEIGHTS, save_model
from pipeline.models.interfaces import ColorNetwork
from pipeline.settings.method_entries import MethodEntry
from pipeline.settings.sections import Train
from pipeline.storage.store import Store
from pipeline.training.curves import Curves
from pipeline.training.run import Training, begin, wrap
from pipeline.training.samples import SampleNumbers, TrainingSamples, fits_memory, load_batches, split_validation
from pipeline.training.state import STATE, load_state, save_state
from pipeline.training.validation import validate, whole_photographs, write_strip
from pipeline.training.watch import Recent, any_caught, caught_signals, raise_caught

LOOK_EVERY = 10
"""Steps between two looks at the loss: on a GPU each look waits for the device, among processes for the slowest."""
MOST_ROWS = 1000
"""Rows of the training curves at most; a long run draws every so many steps only."""
STRIPS = "strips"


def train(
    entry: MethodEntry,
    prepared: Prepared,
    settings: Train,
    seed: int,
    store: Store,
    out_dir: Path,
    report_dir: Path,
    cache_dir: Path,
) -> dict[str, float]:
    """Train a method on the color photographs of a store, continuing where an interrupted run of the same stopped.

    Args:
        entry: the method; its read-out colors the strips alone.
        prepared: its head, and the statistics that its loss terms need.
        settings: of the loop (`Settings.train_of`).
        seed: of weights, validation part and samples.
        store: photographs of split `train` are read, but grey ones: they would teach that there is no color.
        out_dir: gets `weights.safetensors`.
        report_dir: gets DVCLive curves and `strips/*.png`.
        cache_dir: holds the resume state while the run lasts.

    Returns:
        `steps`, `photographs`, `parameters` (trained ones) and the last value of every curve.

    Raises:
        NotFinite: if the loss is not finite; it names the photographs of the batches in question.
        KeyboardInterrupt, SystemExit: after Ctrl-C or SIGTERM, when the state has been saved.
        UserError: if the store has no photograph to train on or to watch, or pretrained weights are missing.
    """
    device = choose_device()
    with process_group(device) as processes, caught_signals() as caught:
        rows = store.rows("train")
        rows = rows[~rows["is_grey"].eq(True)]
        if rows.empty:
            raise UserError(f"{store.path} has no color photograph of split train; run.train takes a set that has")
        trained, held_out = split_validation(rows["image_id"].tolist(), settings, seed)
        statistics = prepared.describe_statistics()
        facts = (entry.model, prepared.head.describe(), statistics, settings, seed, processes.size)
        run = fingerprint(*facts, rows["sha256"].tolist())
        training = begin(entry, prepared, settings, seed, device)
        state = load_state(cache_dir, run)
        if state is None:
            shutil.rmtree(cache_dir / STRIPS, ignore_errors=True)
        else:
            training.restore(state)

        cells = settings.size // training.network.stride
        validation = whole_photographs(store, held_out, settings.size, cells)
        shown = validation or whole_photographs(store, trained[:4], settings.size, cells)
        curves = Curves(report_dir, training.rows, silent=processes.rank > 0)
        training.rows = curves.rows
        keep = device.type == "cpu" and fits_memory(rows, settings.size, settings.scale[0])
        samples = TrainingSamples(store, trained, settings.size, cells, settings.scale, settings.flip, seed, keep)
        samples.read_ahead(worker_count())
        numbers = SampleNumbers(training.step, settings.steps, settings.batch, processes.rank, processes.size)
        batches = load_batches(samples, numbers, 0 if keep else worker_count(), pin=device.type == "cuda")
        learner = wrap(training.network, settings, processes)
        recent = Recent(samples.image_ids, training.unreported, settings.batch * processes.size)
        look_every = 1 if device.type == "cpu" and processes.size == 1 else LOOK_EVERY
        row_every = max(LOOK_EVERY, settings.steps // MOST_ROWS)

        bar = progress(range(training.step, settings.steps), f"train on {device.type}", unit="step", rate=False)
        for step in bar:
            asked = time.perf_counter()
            light, truth, indices = next(batches)
            waited = time.perf_counter() - asked
            rate = set_learning_rate(training.optimizer, settings, step)
            sample = light.to(device, non_blocking=True), truth.to(device, non_blocking=True)
            loss = gradient_step(learner, training, *sample, settings, processes)
            if training.average is not None and settings.average_decay is not None:
                follow(training.average, training.network, settings.average_decay, step)
            training.step = done = step + 1
            last = done == settings.steps
            recent.note(step, loss, indices, waited)

            saves = not last and done % settings.save_every == 0
            if done % look_every == 0 or saves or last:
                bar.set_postfix(recent.look(), refresh=False)
            stopped = done % look_every == 0 and any_caught(caught, processes, device)
            if done % row_every == 0 or last:
                duel = {} if training.adversary is None else training.adversary.row(processes)
                curves.add({"step": done, "learning_rate": rate, **recent.row(), **duel})
            if validation and (done % settings.validate_every == 0 or last):
                row = validate(training.judged, training.objective, validation, settings, device, processes)
                curves.add({"step": done, **row})
                if settings.patience is not None:
                    last = keep_best(training, row["validation/loss"], settings) or last
            if processes.rank == 0 and (done % settings.strip_every == 0 or last):
                strip = cache_dir / STRIPS / f"step-{done:07d}.png"
                write_strip(strip, training.judged, prepared.head, class_readout(entry), shown, device)
                shutil.copytree(strip.parent, report_dir / STRIPS, dirs_exist_ok=True)
            if processes.rank == 0 and not last and (saves or stopped):
                save_state(cache_dir, run, training.state())
            if stopped and not last:
                raise_caught(caught)
            if last and done < settings.steps:
                break

        if processes.rank == 0:
            final = training.judged
            if training.best:
                final.load_state_dict(training.best["weights"])
            save_model(out_dir / WEIGHTS, final, entry.model, prepared.head, settings, seed)
            (cache_dir / STATE).unlink(missing_ok=True)
            shutil.rmtree(cache_dir / STRIPS)
        curves.close()
        parameters = sum(tensor.numel() for tensor in training.network.parameters() if tensor.requires_grad)
        values = {name: value for row in curves.rows for name, value in row.items() if name != "step"}
        return {"steps": training.step, "photographs": len(trained), "parameters": parameters, **values}


def set_learning_rate(optimizer: torch.optim.Optimizer, settings: Train, step: int) -> float:
    """Linear warm-up, then constant or a half cosine down to 0: a function of the step alone. Returns the rate."""
    rate = settings.learning_rate
    if step < settings.warmup_steps:
        rate *= (step + 1) / settings.warmup_steps
    elif settings.schedule == "cosine":
        rate *= 0.5 * (
            1 + math.cos(math.pi * (step - settings.warmup_steps) / (settings.steps - settings.warmup_steps))
        )
    for group in optimizer.param_groups:
        group["lr"] = rate
    return rate


def gradient_step(
    learner: nn.Module,
    training: Training,
    light: torch.Tensor,
    truth: torch.Tensor,
    settings: Train,
    processes: Processes,
) -> torch.Tensor:
    """One step of the optimiser; an adversary takes its own before it says what it makes of the same colors.

    Args:
        learner: the network as `wrap` made it.
        training: loss and optimiser are read; the network changes.
        light: float32 (batch, 1, size, size), L in [0, 100], on the device.
        truth: uint8 (batch, cells, cells, 3), sRGB, on the device.
        settings: accumulate, precision and gradient_clip are read.
        processes: that share the step.

    Returns:
        float scalar on the device, this process's loss before the step.
    """
    whole = training.objective.batch(light, truth, processes)
    total = torch.zeros((), device=light.device)
    pieces = torch.arange(len(light), device=light.device).chunk(settings.accumulate)
    for number, piece in enumerate(pieces):
        batch = whole.piece(piece)
        waits = number + 1 < len(pieces)
        with learner.no_sync() if isinstance(learner, DistributedDataParallel) and waits else nullcontext():
            with mixed_precision(light.device, settings.precision):
                scores = learner(batch.light)
            loss = training.objective.loss(scores, batch, training.network.semantic) * (len(piece) / len(light))
            if training.adversary is not None:
                loss = loss + training.adversary.play(scores, batch, training.step, processes)
            loss.backward()
        total += loss.detach()
    if settings.gradient_clip is not None:
        nn.utils.clip_grad_norm_(training.network.parameters(), settings.gradient_clip)
    training.optimizer.step()
    training.optimizer.zero_grad(set_to_none=True)
    return total


@torch.no_grad()
def follow(average: ColorNetwork, network: ColorNetwork, decay: float, step: int) -> None:
    """Move the average of the weights towards the network; faster in the first steps, which have little to average."""
    share = 1 - min(decay, (1 + step) / (10 + step))
    torch._foreach_lerp_(list(average.parameters()), list(network.parameters()), share)
    for mine, theirs in zip(average.buffers(), network.buffers(), strict=True):
        mine.copy_(theirs)


def keep_best(training: Training, loss: float, settings: Train) -> bool:
    """Remember the weights of the best validation. Returns whether it is too long ago, which ends the run."""
    if not training.best or loss < training.best["loss"]:
        weights = {name: tensor.detach().cpu().clone() for name, tensor in training.judged.state_dict().items()}
        training.best = {"loss": loss, "step": training.step, "weights": weights}
    assert settings.patience is not None
    return training.step - training.best["step"] >= settings.patience * settings.validate_every
