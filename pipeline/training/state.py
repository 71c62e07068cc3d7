"""What a training run leaves on disk: the state it resumes from, and the weights it ends with."""

import hashlib
import json
import os
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import save_file
from torch import nn

from pipeline.color.space import ColorSpace
from pipeline.errors import UserError
from pipeline.machine.files import replaced
from pipeline.machine.provenance import git_revision, library_versions
from pipeline.models.network import Network, build_network
from pipeline.settings.sections import Method, Train

FORMAT = "huebench-model@1"
STATE = "state.pt"
WEIGHTS = "weights.safetensors"


def replace_file(path: Path, write: Callable[[Path], object]) -> None:
    """Write a file beside its place, flush it to the disk, and give it its name in one move.

    Args:
        path: the final place.
        write: is given the temporary path.
    """
    with replaced(path) as partial:
        write(partial)
        with partial.open("rb") as file:
            os.fsync(file.fileno())


def save_state(folder: Path, run: str, state: Mapping[str, Any]) -> None:
    """Save what a run resumes from.

    Args:
        folder: for resume state.
        run: fingerprint of everything the run depends on.
        state: tensors, numbers, strings, and lists and dicts of them.
    """
    replace_file(folder / STATE, lambda path: torch.save({"run": run, **state}, path))


def load_state(folder: Path, run: str) -> dict[str, Any] | None:
    """What an interrupted run of the same settings and photographs left.

    Args:
        folder: for resume state.
        run: fingerprint of everything the run depends on.

    Returns:
        what `save_state` was given, tensors on the CPU; None if there is none, or it belongs to another run.
    """
    path = folder / STATE
    if not path.is_file():
        return None
    state: dict[str, Any] = torch.load(path, map_location="cpu", weights_only=True)
    return state if state.pop("run") == run else None


def save_model(
    path: Path, network: nn.Module, method: Method, train: Train, space: ColorSpace | None, seed: int
) -> None:
    """Write final weights as safetensors, with all that is needed to use and to judge them in the header.

    Args:
        path: the file.
        network: the trained network.
        method: its parts.
        train: how it was trained.
        space: its classes; None for a regression.
        seed: of the run.
    """
    header = {
        "format": FORMAT,
        "method": method.model_dump_json(),
        "train": train.model_dump_json(),
        "space": json.dumps(None if space is None else space.to_json()),
        "seed": str(seed),
        "git_revision": git_revision(),
        "versions": json.dumps(library_versions()),
    }
    tensors = {name: tensor.detach().cpu().contiguous() for name, tensor in network.state_dict().items()}
    replace_file(path, lambda partial: save_file(tensors, partial, metadata=header))


@dataclass(frozen=True)
class Model:
    """A trained method, ready to predict.

    Attributes:
        network: in evaluation mode, on the CPU until it is moved.
        method: its settings.
        train: the training settings as they were, plain values.
        space: its classes; None for a regression.
        header: the file's metadata as text.
        digest: SHA-256 of the file.
    """

    network: Network
    method: Method
    train: Mapping[str, Any]
    space: ColorSpace | None
    header: Mapping[str, str]
    digest: str


def load_model(path: Path, method: Method | None = None, space: ColorSpace | None = None) -> Model:
    """Read final weights, and compare what they were made for with what is asked of them.

    Args:
        path: a file of `save_model`.
        method: the settings as they are now; None takes those in the file. Read-out and temperature may differ, they
            play no part in training.
        space: the class space as it is now; None takes that in the file.

    Returns:
        The model.

    Raises:
        UserError: if the file is missing or no model, or names what differs.
    """
    try:
        with safe_open(path, framework="pt", device="cpu") as file:
            header = file.metadata() or {}
            tensors = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118  (no mapping)
    except FileNotFoundError:
        raise UserError(f"{path} is missing: the method is not trained yet; run dvc repro") from None
    except (SafetensorError, OSError) as error:
        raise UserError(f"{path} is no safetensors file ({error}); train the method again") from None
    if header.get("format") != FORMAT:
        raise UserError(f"{path} has format {header.get('format')!r}, it takes {FORMAT!r}; train the method again")
    stored = Method.model_validate_json(header["method"])
    table = json.loads(header["space"])
    _refuse_differences(path, stored, table, method, space)
    own = None if table is None else ColorSpace.from_json(table)
    network = build_network(
        stored.encoder, stored.decoder, stored.decoder_channels, 2 if own is None else own.kept_count
    )
    try:
        network.load_state_dict(tensors)
    except RuntimeError as error:
        raise UserError(f"{path} does not fit its own settings: {' '.join(str(error).split())}") from None
    digest = hashlib.sha256(path.read_bytes()).hexdigest()
    return Model(network.eval(), method or stored, json.loads(header["train"]), own, header, digest)


def _refuse_differences(
    path: Path, stored: Method, table: Mapping[str, Any] | None, method: Method | None, space: ColorSpace | None
) -> None:
    differing = []
    if method is not None:
        for key in ("encoder", "decoder", "decoder_channels", "losses"):
            was, now = getattr(stored, key), getattr(method, key)
            if was != now:
                differing.append(f"{key} was {was}, now {now}")
    now_table = None if space is None else space.to_json()
    if now_table is not None and table is None:
        differing.append("it regresses ab and has no class space")
    elif now_table is not None and table is not None:
        differing += [
            f"{key} was {table[key]}, now {now_table[key]}"
            for key in ("bin_size", "shift")
            if table[key] != now_table[key]
        ]
        if table["kept"] != now_table["kept"]:
            differing.append(
                f"it was trained on {len(table['kept'])} kept classes, now there are {len(now_table['kept'])} or others"
            )
    if differing:
        raise UserError(f"{path} was trained for something else: {'; '.join(differing)}; run dvc repro")
