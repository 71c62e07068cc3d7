"""The file that a training ends with: final weights, and in its header all that is needed to use and to judge them."""

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import save_file
from torch import nn

from pipeline.errors import UserError
from pipeline.machine.files import replace_file
from pipeline.machine.provenance import git_revision, library_versions
from pipeline.methods.build import build_network
from pipeline.methods.head import Head, head_from
from pipeline.models.interfaces import ColorNetwork
from pipeline.settings.method_entries import ModelEntry
from pipeline.settings.sections import Train

FORMAT = "huebench-model@2"
HEADER = "huebench"
"""The one key of the file's metadata: safetensors writes several keys in an order that changes from run to run."""
WEIGHTS = "weights.safetensors"


@dataclass(frozen=True)
class TrainedModel:
    """A trained method.

    Attributes:
        network: in evaluation mode, on the CPU until it is moved.
        model: its entry as it was trained.
        head: what it predicts.
        header: the file's header, plain values: format, model, head, train, seed, git_revision, versions.
        digest: SHA-256 of the file.
    """

    network: ColorNetwork
    model: ModelEntry
    head: Head
    header: Mapping[str, Any]
    digest: str


def save_model(path: Path, network: nn.Module, model: ModelEntry, head: Head, train: Train, seed: int) -> None:
    """Write final weights as safetensors; two identical trainings give identical files.

    Args:
        path: the file.
        network: the trained network.
        model: its entry.
        head: what it predicts.
        train: how it was trained.
        seed: of the run.

    Raises:
        OSError: if the disk refuses.
    """
    header = {
        "format": FORMAT,
        "model": model.model_dump(mode="json"),
        "head": head.describe(),
        "train": train.model_dump(mode="json"),
        "seed": seed,
        "git_revision": git_revision(),
        "versions": library_versions(),
    }
    tensors = {name: tensor.detach().cpu().contiguous() for name, tensor in network.state_dict().items()}
    metadata = {HEADER: json.dumps(header, sort_keys=True)}
    replace_file(path, lambda partial: save_file(tensors, partial, metadata=metadata))


def load_model(path: Path, model: ModelEntry | None = None, head: Head | None = None) -> TrainedModel:
    """Read final weights, and compare what they were made for with what is asked of them.

    Args:
        path: a file of `save_model`.
        model: the entry as it is now; None takes that in the file. How it is trained further may differ.
        head: what is to be predicted now; None takes that in the file.

    Returns:
        The model.

    Raises:
        UserError: if the file is missing or no model, or names what differs.
    """
    header, tensors = _read(path)
    stored, own = ModelEntry.model_validate(header["model"]), head_from(header["head"])
    differing = [*_network_differences(stored, model), *_head_differences(own.describe(), head)]
    if differing:
        raise UserError(f"{path} was trained for something else: {'; '.join(differing)}; run dvc repro")
    network = build_network(stored.network, own.outputs)
    try:
        network.load_state_dict(tensors)
    except RuntimeError as error:
        raise UserError(f"{path} does not fit its own settings: {' '.join(str(error).split())}") from None
    return TrainedModel(network.eval(), stored, own, header, hashlib.sha256(path.read_bytes()).hexdigest())


def _read(path: Path) -> tuple[dict[str, Any], dict[str, torch.Tensor]]:
    try:
        with safe_open(path, framework="pt", device="cpu") as file:
            metadata = file.metadata() or {}
            tensors = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118  (no mapping)
    except FileNotFoundError:
        raise UserError(f"{path} is missing: the method is not trained yet; run dvc repro") from None
    except (SafetensorError, OSError) as error:
        raise UserError(f"{path} is no safetensors file ({error}); train the method again") from None
    header: dict[str, Any] = json.loads(metadata.get(HEADER, "{}"))
    if header.get("format") != FORMAT:
        found = header.get("format") or metadata.get("format")
        raise UserError(f"{path} has format {found!r}, it takes {FORMAT!r}; train the method again")
    return header, tensors


def _network_differences(stored: ModelEntry, model: ModelEntry | None) -> list[str]:
    if model is None:
        return []
    was, now = (
        one.network.model_dump()
        | {"losses": {name: term.model_dump() for name, term in one.losses.items()}}
        | {"adversary": one.model_dump()["adversary"]}
        for one in (stored, model)
    )
    return [f"{key} was {was.get(key)}, now {now.get(key)}" for key in was | now if was.get(key) != now.get(key)]


def _head_differences(was: Mapping[str, Any], head: Head | None) -> list[str]:
    if head is None:
        return []
    now = head.describe()
    if ("classes" in was) != ("classes" in now):
        kinds = ["classes" if "classes" in one else "ab" for one in (was, now)]
        return [f"it predicts {kinds[0]}, now {kinds[1]}"]
    if "classes" not in was:
        return []
    old, new = was["space"], now["space"]
    differing = [f"{key} was {old[key]}, now {new[key]}" for key in ("bin_size", "shift") if old[key] != new[key]]
    if old["kept"] != new["kept"]:
        differing.append(
            f"it was trained on {len(old['kept'])} kept classes, now there are {len(new['kept'])} or others"
        )
    return differing
