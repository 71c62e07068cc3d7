"""What is watched while a training runs: its losses, its speed, and the signals that tell it to stop."""

import math
import signal
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType
from typing import Any

import torch

from pipeline.errors import UserError
from pipeline.machine.devices import Processes
from pipeline.training.run import Row


class NotFinite(UserError):
    """The loss became infinite or no number; the state saved before it is kept."""


class Recent:
    """The steps since the last row of the curves: their losses, their photographs, the time they took.

    Args:
        image_ids: of the photographs that a batch names by position.
        losses: seen since the last row; added to and emptied in place.
        images: per step, over all processes.
    """

    def __init__(self, image_ids: list[str], losses: list[float], images: int) -> None:
        self.image_ids, self.losses, self.images = image_ids, losses, images
        self.unseen: list[tuple[int, torch.Tensor, list[int]]] = []
        self.steps, self.waited, self.began = 0, 0.0, time.perf_counter()

    def note(self, step: int, loss: torch.Tensor, indices: list[int], waited: float) -> None:
        """Remember a step without waiting for the device."""
        self.unseen.append((step, loss, indices))
        self.waited += waited
        self.steps += 1

    def look(self) -> dict[str, str]:
        """Read the losses not seen yet. Returns what the progress bar shows; raises `NotFinite`."""
        for step, loss, indices in self.unseen:
            value = float(loss)
            if not math.isfinite(value):
                names = ", ".join(sorted({self.image_ids[index] for index in indices}))
                raise NotFinite(f"the loss is {value} at step {step}; lower train.learning_rate; the batch: {names}")
            self.losses.append(value)
        self.unseen.clear()
        speed = self.steps * self.images / (time.perf_counter() - self.began)
        return {"loss": f"{self.losses[-1]:.4g}", "images/s": f"{speed:.0f}"}

    def row(self) -> Row:
        """The means since the last call, and begin anew."""
        self.look()
        passed = time.perf_counter() - self.began
        row = {
            "loss": sum(self.losses) / len(self.losses),
            "images_per_second": self.steps * self.images / passed,
            "waiting_share": self.waited / passed,
        }
        self.losses.clear()
        self.steps, self.waited, self.began = 0, 0.0, time.perf_counter()
        return row


@contextmanager
def caught_signals() -> Iterator[list[int]]:
    """Collect SIGTERM and Ctrl-C instead of dying of them; a second one kills as usual. Only in a main thread."""
    caught: list[int] = []
    if threading.current_thread() is not threading.main_thread():
        yield caught
        return

    def note(number: int, frame: FrameType | None) -> None:
        caught.append(number)
        signal.signal(number, usual[number])

    usual: dict[int, Any] = {int(number): signal.signal(number, note) for number in (signal.SIGTERM, signal.SIGINT)}
    try:
        yield caught
    finally:
        for number, handler in usual.items():
            signal.signal(number, handler)


def any_caught(caught: list[int], processes: Processes, device: torch.device) -> bool:
    """Whether any of the processes was told to stop, so that all of them stop after the same step."""
    if processes.size == 1:
        return bool(caught)
    return bool(processes.sum(torch.tensor(len(caught), device=device)).item())


def raise_caught(caught: list[int]) -> None:
    """Stop as the signal asked: KeyboardInterrupt for Ctrl-C, else exit with 128 + its number."""
    if signal.SIGINT in caught:
        raise KeyboardInterrupt
    raise SystemExit(128 + (caught[0] if caught else signal.SIGTERM))
