"""The opponent of a network that is trained to look real: a discriminator, its optimiser, and what it says (SPEC R23).

A step is pix2pix's: the network colors once, the discriminator learns to tell these colors from the true ones, then,
held still, it says how real it finds the same colors, and the network learns from that.
"""

from typing import Any, cast

import torch
from torch import Tensor
from torch.nn import functional

from pipeline.color.constants import AB_SCALE, LARGEST_AB
from pipeline.errors import UserError
from pipeline.losses.batch import Batch, at_least_single
from pipeline.machine.devices import Processes, mixed_precision
from pipeline.machine.progress import notice
from pipeline.methods.head import Head
from pipeline.models.discriminators.discriminator import Discriminator
from pipeline.settings.method_entries import AdversaryEntry
from pipeline.settings.sections import Train

WON_FOR = 10
"""Rows of the curves in a row in which the discriminator is never wrong: then it has won, and teaches nothing more."""


class Adversary:
    """A discriminator beside the network.

    Args:
        entry: how it is built, trained and heard.
        head: of the network, by which scores become colors.
        settings: of the training.
        seed: of its random weights; the network's are drawn as if there were none.
        cells: output positions of the network in each direction.
        device: where it computes.

    Raises:
        UserError: if what it is shown is too small for it.
    """

    def __init__(
        self, entry: AdversaryEntry, head: Head, settings: Train, seed: int, cells: int, device: torch.device
    ) -> None:
        self.entry, self.head, self.device, self.precision = entry, head, device, settings.precision
        self.first_step = round(entry.start * settings.steps)
        chosen = cast(Discriminator, entry.discriminator)
        side = cells if entry.shown == "output" else settings.size
        if side < chosen.least_side:
            raise UserError(
                f"model.adversary sees {side} x {side} positions, its discriminator takes {chosen.least_side} or more; "
                "raise train.size, write shown: input, or take fewer layers"
            )
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(seed)
            self.discriminator = chosen.build(3).to(device, memory_format=torch.channels_last).train()  # type: ignore[call-overload]
        betas = (entry.betas[0], entry.betas[1])
        self.optimizer = torch.optim.Adam(self.discriminator.parameters(), lr=entry.learning_rate, betas=betas)
        self.sums = torch.zeros(4, dtype=torch.float64, device=device)  # right on real, right on fake, both losses
        self.judged, self.steps, self.won = 0, 0, 0

    def play(self, scores: Tensor, batch: Batch, step: int, processes: Processes) -> Tensor:
        """A step of the discriminator, and then what it makes of the network's colors.

        Args:
            scores: float (N, outputs, h, w), of the network; gradients flow back through them.
            batch: behind them.
            step: of the training, from 0.
            processes: that share the step.

        Returns:
            float scalar, the term that the network's loss gets; 0 before the adversary's first step.
        """
        if step < self.first_step:
            return scores.new_zeros((), dtype=torch.float32)
        colors = self.head.expected_ab(at_least_single(scores), self.entry.temperature)
        real, fake = self._shown(batch.light, batch.ab), self._shown(batch.light, colors)

        self.discriminator.requires_grad_(True)
        on_real, on_fake = self._judge(real), self._judge(fake.detach())
        learned = (self._loss(on_real, 1.0) + self._loss(on_fake, 0.0)) / 2
        learned.backward()
        for parameter in self.discriminator.parameters() if processes.size > 1 else ():
            assert parameter.grad is not None
            processes.sum(parameter.grad).div_(processes.size)
        self.optimizer.step()
        self.optimizer.zero_grad(set_to_none=True)

        self.discriminator.requires_grad_(False)
        deceived = self._loss(self._judge(fake), 1.0)
        middle = 0.0 if self.entry.loss == "cross_entropy" else 0.5
        new = ((on_real > middle).sum(), (on_fake < middle).sum(), learned.detach(), deceived.detach())
        self.sums += torch.stack([value.double() for value in new])  # read when a row is written: no step waits for it
        self.judged += on_real.numel()
        self.steps += 1
        return self.entry.weight * deceived if self.entry.weight else torch.zeros_like(deceived)

    def row(self, processes: Processes) -> dict[str, float]:
        """What the curves get of the steps since the last call; says so when the discriminator has won.

        Args:
            processes: that share the steps.

        Returns:
            How often it was right of true and of the network's colors, in percent, both losses, and for how many rows
            it has never been wrong; empty where it had no step.
        """
        if not self.steps:
            return {}
        right_real, right_fake, learned, deceived = processes.sum(self.sums.clone()).tolist()
        judged, steps = self.judged * processes.size, self.steps * processes.size
        self.won = self.won + 1 if right_real == right_fake == judged else 0
        if self.won == WON_FOR and processes.rank == 0:
            notice(
                f"the discriminator has been right of everything for {WON_FOR} rows of the curves: the network learns "
                "nothing more from it; lower model.adversary.learning_rate or its channels"
            )
        self.sums.zero_()
        self.judged, self.steps = 0, 0
        return {
            "discriminator/right_on_real": 100 * right_real / judged,
            "discriminator/right_on_fake": 100 * right_fake / judged,
            "discriminator/loss": learned / steps,
            "discriminator/loss_of_network": deceived / steps,
            "discriminator/rows_won": float(self.won),
        }

    def state(self) -> dict[str, Any]:
        """Everything that the rest of its training depends on."""
        return {
            "discriminator": self.discriminator.state_dict(),
            "optimizer": self.optimizer.state_dict(),
            "sums": self.sums,
            "counts": [self.judged, self.steps, self.won],
        }

    def restore(self, state: dict[str, Any]) -> None:
        """Continue from `state`."""
        self.discriminator.load_state_dict(state["discriminator"])
        self.optimizer.load_state_dict(state["optimizer"])
        self.sums.copy_(state["sums"])
        self.judged, self.steps, self.won = state["counts"]

    def _shown(self, light: Tensor, ab: Tensor) -> Tensor:
        """(L / 50 - 1, a / 110, b / 110), float (N, 3, side, side), at the size of the output or of the input."""
        size = ab.shape[2:]
        if self.entry.shown == "output":
            light = functional.adaptive_avg_pool2d(light, (size[0], size[1]))
        else:
            ab = functional.interpolate(ab, light.shape[2:], mode="bilinear")
        return torch.cat([light / 50 - 1, ab * (AB_SCALE / LARGEST_AB)], dim=1)

    def _judge(self, seen: Tensor) -> Tensor:
        with mixed_precision(self.device, self.precision):
            scores: Tensor = self.discriminator(seen)
        return at_least_single(scores)

    def _loss(self, scores: Tensor, wanted: float) -> Tensor:
        """R24's cross-entropy of logits, or least squares (Mao et al. 2017), against all real or all made."""
        target = torch.full_like(scores, wanted)
        if self.entry.loss == "cross_entropy":
            return functional.binary_cross_entropy_with_logits(scores, target)
        return functional.mse_loss(scores, target)
