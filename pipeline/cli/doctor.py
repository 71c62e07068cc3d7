"""What this machine and this project have for Huebench, and what each thing that is missing would give."""

import importlib.util
import os
import shutil
from collections.abc import Iterator
from importlib.metadata import version as installed_version
from pathlib import Path
from typing import NamedTuple

import click

from pipeline import __version__

GIVES = {
    "densenet121": "encoder densenet121 with pretrained: true",
    "vgg19": "encoder vgg19 with pretrained: true",
    "cic": "network {kind: cic, pretrained: true}",
    "siggraph17": "network {kind: siggraph17, pretrained: true}",
    "sam_vit_b": "masks.segmenter {kind: sam, model: vit_b}",
    "sam_vit_l": "masks.segmenter {kind: sam, model: vit_l}",
    "sam_vit_h": "masks.segmenter {kind: sam, model: vit_h}",
    "efficientnet_lite0": "encoder efficientnet_lite0 with pretrained: true, the default; losses.semantic",
}
"""What a weight file is for, beside metrics, which name theirs themselves."""
EXTRAS = {
    "ray": ("ray", "HUEBENCH_ENGINE=ray, a cluster for what local processes do, and training on it"),
    "heif": ("pillow_heif", "HEIC photographs, as telephones take them"),
}
"""Extras of pyproject.toml: the module that tells, and what it gives."""
LITTLE = 5e9
"""Bytes free below which a data set or a training may find the disk full."""


class Finding(NamedTuple):
    """A line of the doctor.

    Attributes:
        name: of the thing.
        state: "there", "missing" (all else works without it) or "wrong" (something will fail).
        text: what was found, or what it would give.
    """

    name: str
    state: str
    text: str


@click.command("doctor")
def doctor_command() -> None:
    """Say what is there and what is missing.

    Device, disk, cache, DVC, extras and weight files, and what each missing piece would give. Nothing is downloaded.
    The exit code is 1 where something will fail.
    """
    findings = [*_machine(), *_places(), *_dvc(), *_extras(), *_weight_files()]
    signs = {"there": "+", "missing": "-", "wrong": "!"}
    width = max(len(finding.name) for finding in findings)
    for finding in findings:
        click.echo(f"{signs[finding.state]} {finding.name:<{width}}  {finding.text}")
    click.echo("+ there   - missing: all else works   ! will fail")
    if any(finding.state == "wrong" for finding in findings):
        raise SystemExit(1)


def say_version(context: click.Context, parameter: click.Parameter, asked: bool) -> None:
    """The callback of `--version`: Huebench, torch, device and DVC; torch is loaded here and not for the help."""
    if not asked or context.resilient_parsing:
        return
    from pipeline.errors import UserError
    from pipeline.machine.devices import choose_device

    try:
        device = f"device {choose_device().type}"
    except UserError as error:
        device = str(error)
    click.echo(f"huebench {__version__}, torch {installed_version('torch')}, dvc {installed_version('dvc')}, {device}")
    context.exit()


def _machine() -> Iterator[Finding]:
    from pipeline.errors import UserError
    from pipeline.machine.devices import choose_device
    from pipeline.machine.engine import engine_name, worker_count
    from pipeline.machine.provenance import machine_in_words

    try:
        device = choose_device().type
        faster = "; a GPU (cuda, mps) trains and predicts many times faster" if device == "cpu" else ""
        yield Finding("device", "there", f"{device} ({machine_in_words()}){faster}")
    except UserError as error:
        yield Finding("device", "wrong", str(error))
    try:
        engine = engine_name()
        yield Finding("workers", "there", f"{worker_count()} processes, engine {engine}")
    except UserError as error:
        yield Finding("workers", "wrong", str(error))


def _places() -> Iterator[Finding]:
    from pipeline.machine.cache import cache_folder
    from pipeline.machine.files import format_bytes

    named = os.environ.get("HUEBENCH_WEIGHTS")
    if named is not None and not Path(named).is_dir():
        yield Finding("weights", "wrong", f"HUEBENCH_WEIGHTS is {named!r}, which is no folder")
    for name, path in (("disk", Path.cwd()), ("cache", cache_folder())):
        there = next(one for one in (path, *path.absolute().parents) if one.exists())
        free = shutil.disk_usage(there).free
        text = f"{path}, {format_bytes(free)} free"
        if not (there.is_dir() and os.access(there, os.W_OK)):
            yield Finding(name, "wrong", f"{path} cannot be written to")
        elif free < LITTLE:
            yield Finding(name, "wrong", f"{text}; a data set or a training may fill it")
        else:
            yield Finding(name, "there", text)


def _dvc() -> Iterator[Finding]:
    from dvc.exceptions import NotDvcRepoError
    from dvc.repo import Repo

    try:
        with Repo() as repo:
            remotes = dict(repo.config["remote"])
            kinds = ", ".join(repo.cache.local.cache_types)
    except NotDvcRepoError:
        yield Finding("dvc", "missing", "this is no DVC project: colorize and the graph need one, score does not")
        return
    yield Finding("dvc", "there", f"{installed_version('dvc')}, results are linked as: {kinds}")
    if remotes:
        yield Finding("remote", "there", ", ".join(f"{name} ({one['url']})" for name, one in remotes.items()))
    else:
        yield Finding("remote", "missing", "dvc remote add -d NAME URL gives results that others pull")


def _extras() -> Iterator[Finding]:
    for name, (module, gives) in EXTRAS.items():
        there = importlib.util.find_spec(module) is not None
        text = f"gives {gives}" if there else f"pip install -e '.[{name}]' gives {gives}"
        yield Finding(name, "there" if there else "missing", text)


def _weight_files() -> Iterator[Finding]:
    from pipeline.errors import UserError
    from pipeline.machine.weight_files import FILES, MissingWeights, resolve
    from pipeline.metrics.registry import METRICS

    for name, file in FILES.items():
        metrics = [metric.name for metric in METRICS.values() if metric.weights == name]
        gives = " and ".join(
            [*([GIVES[name]] if name in GIVES else []), *(["metrics " + ", ".join(metrics)] * bool(metrics))]
        )
        try:
            yield Finding(name, "there", f"{resolve(name, download=False)}, for {gives}")
        except MissingWeights:
            how = "fetched when it is needed" if file.url and not metrics else "placed by hand"
            yield Finding(name, "missing", f"{file.file} ({file.megabytes} MB, {how}) gives {gives}")
        except UserError as error:
            yield Finding(name, "wrong", str(error))
