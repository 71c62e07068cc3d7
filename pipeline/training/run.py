"""A training run at its start: network, loss and optimiser, and what of them is saved."""

import copy
from dataclasses import dataclass, field
from typing import Any

import torch
from torch import nn
from torch.nn.parallel import DistributedDataParallel

from pipeline.color.space import ColorSpace
from pipeline.losses import WeightedSum
from pipeline.machine.devices import Processes, prefer_onednn
from pipeline.machine.weight_files import load_weights
from pipeline.models.network import Network, build_network
from pipeline.settings.sections import Method, Train
from pipeline.training.curves import Row


@dataclass
class Training:
    """What a run carries from step to step, and what is saved of it.

    Attributes:
        network: being trained, on its device.
        losses: the method's loss.
        optimizer: AdamW over what is not frozen.
        average: the exponential moving average of the network's weights; None when off.
        step: steps done.
        rows: of the curves.
        unreported: losses of the steps since the last row.
        best: `loss`, `step` and `weights` of the best validation so far; empty without early stopping.
    """

    network: Network
    losses: nn.Module
    optimizer: torch.optim.Optimizer
    average: Network | None
    step: int = 0
    rows: list[Row] = field(default_factory=list)
    unreported: list[float] = field(default_factory=list)
    best: dict[str, Any] = field(default_factory=dict)

    @property
    def judged(self) -> Network:
        """The network that is validated and shown: the average, where one is kept."""
        return self.average or self.network

    def state(self) -> dict[str, Any]:
        """Everything that the rest of the run depends on. The samples follow from the step, the rate from the step."""
        return {
            "network": self.network.state_dict(),
            "average": None if self.average is None else self.average.state_dict(),
            "optimizer": self.optimizer.state_dict(),
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
        torch.set_rng_state(state["random"])
        self.step, self.best = state["step"], state["best"]
        self.rows, self.unreported = state["rows"], state["unreported"]


def begin(method: Method, settings: Train, seed: int, space: ColorSpace | None, device: torch.device) -> Training:
    """A training at step 0.

    Args:
        method: the parts and the loss terms.
        settings: of the optimiser.
        seed: of the random weights.
        space: the classes; None for a regression.
        device: where it will run.

    Returns:
        Network, loss and optimiser, the network's random weights drawn from the seed alone.

    Raises:
        UserError: if pretrained weights are missing.
    """
    torch.manual_seed(seed)
    pretrained = load_weights(method.encoder) if method.pretrained else None
    outputs = 2 if space is None else space.kept_count
    network = build_network(method.encoder, method.decoder, method.decoder_channels, outputs, pretrained)
    network.freeze(settings.frozen_levels, settings.batch_norm == "frozen")
    network = network.to(device, memory_format=torch.channels_last).train()  # type: ignore[call-overload]
    if not settings.compile:  # a compiler has ways of its own for kernels of one pixel
        prefer_onednn(network)
    trained = [tensor for tensor in network.parameters() if tensor.requires_grad]
    optimizer = torch.optim.AdamW(
        trained,
        lr=settings.learning_rate,
        betas=(settings.betas[0], settings.betas[1]),
        weight_decay=settings.weight_decay,
        fused=device.type in ("cpu", "cuda"),
    )
    average = None if settings.average_decay is None else copy.deepcopy(network).requires_grad_(False).eval()
    losses = WeightedSum({name: term.model_dump() for name, term in method.losses.terms().items()})
    return Training(network, losses.to(device), optimizer, average)


def wrap(network: Network, settings: Train, processes: Processes) -> nn.Module:
    """The network as the loop calls it: compiled if so set, its gradients averaged over the processes."""
    learner: nn.Module = network
    if settings.compile:
        learner = torch.compile(learner)  # type: ignore[assignment]
    if processes.size > 1:
        learner = DistributedDataParallel(learner)
    return learner
