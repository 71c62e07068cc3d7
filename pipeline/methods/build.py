"""From an entry of params.yaml to the parts of a method: head, network, loss terms."""

from collections.abc import Mapping
from typing import Any, NamedTuple, cast

import numpy as np
import numpy.typing as npt
import torch

from pipeline.color.readouts import ClassReadout
from pipeline.losses.term import Term
from pipeline.machine.weight_files import load_weights
from pipeline.methods.head import Head
from pipeline.models.interfaces import ColorNetwork
from pipeline.models.network_settings import NetworkSettings
from pipeline.models.teacher import TEACHER_WEIGHTS, Teacher
from pipeline.settings.method_entries import MethodEntry, ModelEntry, NetworkEntry


class Prepared(NamedTuple):
    """What stage `prepare` found out for a method.

    Attributes:
        head: what its network predicts.
        class_counts: int64 (Q,), pixels of each class in the reference set; None where no loss term needs them.
        soft_prior: float64 (Q,), the reference set's mean soft target; None where no loss term needs it.
        axis_counts: int64 (2, 64), the reference set's pixels by value of a and of b; None where no loss term needs
            them.
    """

    head: Head
    class_counts: npt.NDArray[np.int64] | None = None
    soft_prior: npt.NDArray[np.float64] | None = None
    axis_counts: npt.NDArray[np.int64] | None = None

    def describe_statistics(self) -> list[list[Any] | None]:
        """The numbers that a training depends on beside its head, for its fingerprint."""
        statistics = (self.class_counts, self.soft_prior, self.axis_counts)
        return [None if one is None else one.tolist() for one in statistics]


def build_network(entry: NetworkEntry, outputs: int, weights: Mapping[str, torch.Tensor] | None = None) -> ColorNetwork:
    """The network of an entry.

    Args:
        entry: of a kind in `registries.NETWORKS`.
        outputs: channels of the scores (`Head.outputs`).
        weights: published weights that it starts from; None for random ones.

    Returns:
        The network on the CPU, in training mode.
    """
    return cast(NetworkSettings, entry).build(outputs, weights)


def starting_network(entry: NetworkEntry, outputs: int, seed: int) -> ColorNetwork:
    """The network at step 0: random weights drawn from the seed alone, published ones where the entry says so.

    Args:
        entry: of a kind in `registries.NETWORKS`.
        outputs: channels of the scores.
        seed: of the random weights.

    Returns:
        The network on the CPU, in training mode.

    Raises:
        MissingWeights: if published weights are nowhere to be found.
    """
    torch.manual_seed(seed)
    name = cast(NetworkSettings, entry).weights
    return build_network(entry, outputs, None if name is None else load_weights(name))


def needed_teacher(model: ModelEntry) -> Teacher | None:
    """The classifier that guides a network, where a loss term asks for one.

    Args:
        model: the entry.

    Returns:
        It, on the CPU; or None.

    Raises:
        MissingWeights, UserError: if its weights are nowhere, or without a head.
    """
    return Teacher(load_weights(TEACHER_WEIGHTS)) if "teacher" in model.needs else None


def loss_terms(model: ModelEntry) -> tuple[Term, ...]:
    """The loss terms of an entry, in the order of the registry."""
    return tuple(cast(Term, term) for term in model.losses.values())


def class_readout(entry: MethodEntry) -> ClassReadout | None:
    """How a method's class scores become colors; None for a regression."""
    return cast(ClassReadout | None, entry.readout)
