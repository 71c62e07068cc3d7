"""A training run at its start: network, loss and optimiser, and what of them is saved."""

import copy
from dataclasses import dataclass, field
from typing import Any, NamedTuple

import numpy.typing as npt
import torch
from torch import nn
from torch.nn.parallel import DistributedDataParallel

from pipeline.losses.batch import Batch, NetworkOutput
from pipeline.losses.objective import weighted_sum
from pipeline.losses.term import Term
from pipeline.machine.devices import Processes, prefer_onednn
from pipeline.methods.build import Prepared, loss_terms, needed_teacher, starting_network
from pipeline.methods.head import Head
from pipeline.models.interfaces import ColorNetwork
from pipeline.settings.method_entries import MethodEntry
from pipeline.settings.sections import Train
from pipeline.training.adversary import Adversary

Row = dict[str, float]
"""Numbers of one step, each under the name of its curve, and `step`."""


class Objective(NamedTuple):
    """What a training minimises.

    Attributes:
        head: what the network's scores mean.
        terms: of the loss.
        class_counts, soft_prior, axis_counts: as in `Prepared`, on the device.
        class_centers: float32 (Q, 2), (a, b) of the head's classes, on the device; None for a regression.
        teacher: a classifier of grey photographs, on the device; None where no term needs it.
    """

    head: Head
    terms: tuple[Term, ...]
    class_counts: torch.Tensor | None = None
    soft_prior: torch.Tensor | None = None
    axis_counts: torch.Tensor | None = None
    class_centers: torch.Tensor | None = None
    teacher: nn.Module | None = None

    def batch(self, light: torch.Tensor, truth: torch.Tensor, together: Processes | None = None) -> Batch:
        """What the loss terms are given.

        Args:
            light: float32 (N, 1, S, S), L in [0, 100].
            truth: uint8 (N, h, w, 3), sRGB, the mean color of each output position.
            together: processes over which the classes of the batch are counted; None for this one alone.

        Returns:
            The batch, its classes counted as a whole: neither pieces nor processes change a weight.
        """
        targets = self.head.targets(truth)
        seen = None if self.teacher is None else self.teacher(light)
        if targets.classes is None:
            return Batch(light, targets.ab, axis_counts=self.axis_counts, teacher=seen)
        counts = count_classes(targets.classes, self.head.outputs)
        counts = counts if together is None else together.sum(counts)
        of_reference = self.class_counts, self.soft_prior, self.axis_counts
        return Batch(light, targets.ab, targets.classes, counts, *of_reference, self.class_centers, seen)

    def loss(self, scores: torch.Tensor, batch: Batch, semantic: torch.Tensor | None = None) -> torch.Tensor:
        """Float scalar from a network's scores (N, outputs, h, w), its batch, and `ColorNetwork.semantic`."""
        return weighted_sum(self.terms, NetworkOutput(scores, self.head.expected_ab, semantic), batch)


@dataclass
class Training:
    """What a run carries from step to step, and what is saved of it.

    Attributes:
        network: being trained, on its device.
        objective: what it minimises.
        optimizer: AdamW over what is not frozen, a group for each part of the network.
        adversary: the discriminator that it is trained against; None for none.
        average: the exponential moving average of the network's weights; None when off.
        step: steps done.
        rows: of the curves.
        unreported: losses of the steps since the last row.
        best: `loss`, `step` and `weights` of the best validation so far; empty without early stopping.
    """

    network: ColorNetwork
    objective: Objective
    optimizer: torch.optim.Optimizer
    adversary: Adversary | None
    average: ColorNetwork | None
    step: int = 0
    rows: list[Row] = field(default_factory=list)
    unreported: list[float] = field(default_factory=list)
    best: dict[str, Any] = field(default_factory=dict)

    @property
    def judged(self) -> ColorNetwork:
        """The network that is validated and shown: the average, where one is kept."""
        return self.average or self.network

    def state(self) -> dict[str, Any]:
        """Everything that the rest of the run depends on. The samples follow from the step, the rate from the step."""
        return {
            "network": self.network.state_dict(),
            "average": None if self.average is None else self.average.state_dict(),
            "optimizer": self.optimizer.state_dict(),
            "adversary": None if self.adversary is None else self.adversary.state(),
            "random": torch.get_rng_state(),
            "step": self.step,
            "rows": self.rows,
            "unreported": self.unreported,
            "best": self.best,
        }

    def restore(self, state: dict[str, Any]) -> None:
        """Continue from `state`."""
        self.network.load_state_dict(state["network"])
        if self.average is not None:
            self.average.load_state_dict(state["average"])
        self.optimizer.load_state_dict(state["optimizer"])
        if self.adversary is not None:
            self.adversary.restore(state["adversary"])
        torch.set_rng_state(state["random"])
        self.step, self.best = state["step"], state["best"]
        self.rows, self.unreported = state["rows"], state["unreported"]


def begin(entry: MethodEntry, prepared: Prepared, settings: Train, seed: int, device: torch.device) -> Training:
    """A training at step 0.

    Args:
        entry: the method.
        prepared: its head and statistics.
        settings: of the optimiser.
        seed: of the random weights.
        device: where it will run.

    Returns:
        Network, loss and optimiser, the network's random weights drawn from the seed alone.

    Raises:
        UserError: if pretrained weights are missing, or what an adversary is shown is too small for it.
    """
    network = starting_network(entry.model.network, prepared.head.outputs, seed)
    network.freeze(settings.frozen_levels, settings.batch_norm == "frozen")
    network = network.to(device, memory_format=torch.channels_last).train()  # type: ignore[call-overload]
    if not settings.compile:  # a compiler has ways of its own for kernels of one pixel
        prefer_onednn(network)
    trained = {
        name: [tensor for tensor in group if tensor.requires_grad] for name, group in network.parameter_groups().items()
    }
    optimizer = torch.optim.AdamW(
        [{"params": group, "name": name} for name, group in trained.items() if group],
        lr=settings.learning_rate,
        betas=(settings.betas[0], settings.betas[1]),
        weight_decay=settings.weight_decay,
        fused=device.type in ("cpu", "cuda"),
    )
    average = None if settings.average_decay is None else copy.deepcopy(network).requires_grad_(False).eval()
    space, teacher = prepared.head.space, needed_teacher(entry.model)

    def tensor(fact: npt.NDArray[Any] | None) -> torch.Tensor | None:
        return None if fact is None else torch.tensor(fact, device=device)

    objective = Objective(
        prepared.head,
        loss_terms(entry.model),
        tensor(prepared.class_counts),
        tensor(prepared.soft_prior),
        tensor(prepared.axis_counts),
        None if space is None else tensor(space.kept_centers),
        None if teacher is None else teacher.to(device),
    )
    cells = settings.size // network.stride
    opposed = entry.model.adversary
    adversary = None if opposed is None else Adversary(opposed, prepared.head, settings, seed, cells, device)
    return Training(network, objective, optimizer, adversary, average)


def wrap(network: ColorNetwork, settings: Train, processes: Processes) -> nn.Module:
    """The network as the loop calls it: compiled if so set, its gradients averaged over the processes."""
    learner: nn.Module = network
    if settings.compile:
        learner = torch.compile(learner)  # type: ignore[assignment]
    if processes.size > 1:
        learner = DistributedDataParallel(learner)
    return learner


def count_classes(classes: torch.Tensor, kept_count: int) -> torch.Tensor:
    """How many positions each class holds, without waiting for the device.

    Args:
        classes: int64 (...), kept indices in [0, kept_count).
        kept_count: Q.

    Returns:
        int64 (Q,), on the device of `classes`.
    """
    flat = classes.reshape(-1)
    return torch.zeros(kept_count, dtype=torch.int64, device=flat.device).scatter_add_(0, flat, torch.ones_like(flat))
