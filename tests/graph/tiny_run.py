"""The run that golden results are taken from: every stage on twelve small photographs, in a process of its own.

Training differs between processors. So what follows it starts from weights made of seeded numbers, and what the network
makes of them is kept as PNG in golden/predict: where it is the same but for rounding, the stages after `predict` go on
from those very files.
"""

import functools
import json
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import skimage
from PIL import Image
from ruamel.yaml import YAML
from safetensors import safe_open
from safetensors.numpy import save_file

from pipeline.settings.params import load_settings
from pipeline.settings.presets import overlay_preset
from pipeline.stages import paths
from pipeline.stages.frame import run_stage
from pipeline.stages.registry import STAGES
from pipeline.storage.store import Store, StoreWriter
from pipeline.storage.tables import CLASS_HITS

ROOT = Path(__file__).parents[2]
GOLDEN = Path(__file__).parent / "golden"
HEIGHT, WIDTH = 72, 96
STRANGE_PIXELS = 0.005
"""Share of the pixels of a prediction that may differ by more than 2: two classes may be equally probable."""


class Step(NamedTuple):
    """A stage of the run, and the names that it is called with."""

    stage: str
    names: tuple[str, ...] = ()

    @property
    def counted_as(self) -> str:
        return STAGES[self.stage].counted_as or self.stage


def steps() -> list[Step]:
    """The whole tiny run in the order of the graph."""
    methods, baselines = ("ccc_plus_plus_lite", "l2"), ("gray", "oracle")
    listed = [
        Step("download", ("sample",)),
        Step("histogram"),
        Step("classes", ("paper",)),
        Step("weights", ("paper",)),
    ]
    listed += [Step("prepare", (one,)) for one in methods]
    listed += [Step("baseline", (one, "sample")) for one in baselines]
    listed += [Step("segment", ("sample",))]
    listed += [Step("evaluate_baseline", (one, "sample")) for one in baselines]
    for stage in ("train", "predict", "harmonize", "evaluate"):
        listed += [Step(stage, (one,) if stage == "train" else (one, "sample")) for one in methods]
    return [*listed, Step("report")]


UNTRAINED = {"download", "histogram", "classes", "weights", "prepare", "baseline", "segment", "evaluate_baseline"}
"""Stages whose results do not depend on training."""


@functools.cache
def graph() -> dict[str, Any]:
    """The stages of dvc.yaml."""
    return YAML(typ="safe", pure=True).load((ROOT / "dvc.yaml").read_text(encoding="utf-8"))["stages"]


@functools.cache
def places(step: Step, key: str) -> frozenset[str]:
    """Paths that dvc.yaml gives a step as `deps` or `outs`."""
    stage, run = graph()[step.stage], load_settings(ROOT / "params.yaml").run
    names = dict(zip(STAGES[step.stage].takes, step.names, strict=True))
    item = {"method" if kind in ("baseline", "imported") else kind: name for kind, name in names.items()}

    def fill(match: re.Match[str]) -> str:
        section, _, name = match[1].partition(".")
        return item[name] if section == "item" else str(getattr(run, name))

    return frozenset(re.sub(r"\$\{([^}]*)\}", fill, path) for path in stage.get(key, []))


def read_golden(key: str) -> dict[str, Any]:
    """The golden results of a version key; empty where there are none."""
    path = GOLDEN / f"{key}.json"
    return json.loads(path.read_text(encoding="utf-8")) if path.exists() else {}


def make_run(folder: Path, *options: str, **variables: str) -> None:
    """A run in a process of its own, on the processor, with no weights of metrics at hand."""
    make_project(folder)
    own = {"HUEBENCH_DEVICE": "cpu", "HUEBENCH_WORKERS": "1", "HUEBENCH_ENGINE": "local", "PYTHONPATH": str(ROOT)}
    own |= {"HUEBENCH_WEIGHTS": "", "TORCH_HOME": str(folder / "torch")}
    command = [sys.executable, "-m", "tests.graph.tiny_run", *options]
    done = subprocess.run(
        command, cwd=folder, env=os.environ | own | variables, text=True, capture_output=True, timeout=600
    )
    assert done.returncode == 0, done.stdout + done.stderr


def make_project(folder: Path) -> None:
    """params.yaml with the tiny preset, and twelve small photographs, bit for bit the same everywhere."""
    (folder / "presets").mkdir(parents=True)
    shutil.copyfile(ROOT / "params.yaml", folder / "params.yaml")
    shutil.copyfile(Path(__file__).parent / "tiny.yaml", folder / "presets/tiny.yaml")
    here = Path.cwd()
    os.chdir(folder)
    (folder / "params.yaml").write_text(overlay_preset("tiny"), encoding="utf-8")
    os.chdir(here)
    for name in ("astronaut", "coffee", "chelsea"):
        with Image.open(Path(skimage.__file__).parent / "data" / f"{name}.png") as image:
            whole = np.asarray(image.convert("RGB"))
        for number, (top, left) in enumerate([(0, 0), (0, 200), (140, 60), (140, 250)]):
            crop = whole[top : top + 2 * HEIGHT : 2, left : left + 2 * WIDTH : 2]
            if name == "coffee" and number == 0:
                crop = np.repeat(crop[..., 1:2], 3, axis=-1)
            path = folder / "photographs" / ("test" if number == 3 else "train") / f"{name}{number}.bmp"
            path.parent.mkdir(parents=True, exist_ok=True)
            Image.fromarray(crop).save(path)


def run_steps(only_untrained: bool = False) -> None:
    """Run the stages in the current folder, which `make_project` has made."""
    for step in steps():
        if only_untrained and step.stage not in UNTRAINED:
            continue
        run_stage(step.stage, *step.names)
        if step.stage == "train":
            replace_weights(paths.model(*step.names) / "weights.safetensors")
        if step.stage == "predict":
            replace_prediction(*step.names)


def replace_weights(path: Path) -> None:
    """Numbers from a seed in place of what training made of the weights."""
    with safe_open(path, framework="numpy") as file:
        metadata = file.metadata()
        tensors = {name: file.get_tensor(name) for name in sorted(file.keys())}
    random = np.random.default_rng(0)
    for name, tensor in tensors.items():
        noise = random.standard_normal(tensor.shape)
        if name.endswith("num_batches_tracked"):
            continue
        if tensor.ndim > 1:
            noise *= np.sqrt(2 / np.prod(tensor.shape[1:]))
        else:
            noise = 0.1 * noise + name.endswith(("weight", "running_var"))
        tensors[name] = np.abs(noise).astype(tensor.dtype) if "var" in name else noise.astype(tensor.dtype)
    save_file(tensors, path, metadata=metadata)


def replace_prediction(method: str, set_name: str) -> None:
    """Go on from the golden prediction where it is the same but for rounding."""
    golden = {path.stem: np.asarray(Image.open(path)) for path in sorted((GOLDEN / "predict").glob(f"{method}-*.png"))}
    place = paths.predictions(method, set_name)
    made = {f"{method}-{name}": Store(place).rgb(name) for name in Store(place).index.index}
    hits = read_golden("predict").get("results", {}).get(f"predict@{method}-{set_name}", {})
    if not golden or any(strange(golden.get(name), rgb) for name, rgb in made.items()):
        return
    with StoreWriter(place) as writer:
        for path in sorted((GOLDEN / "predict").glob(f"{method}-*.png")):
            name, (height, width) = path.stem.removeprefix(f"{method}-"), golden[path.stem].shape[:2]
            writer.add(name, path.read_bytes(), split="test", mode="RGB", width=width, height=height, status="ok")
    table = pq.read_table(paths.class_hits(method, set_name))
    columns = hits.get(str(paths.class_hits(method, set_name)), {})
    for name in ("top1", "top5"):
        if len(columns.get(name, ())) == len(table) > 0:
            table = table.set_column(
                table.schema.get_field_index(name), CLASS_HITS.field(name), pa.array(columns[name])
            )
    pq.write_table(table, paths.class_hits(method, set_name))


def strange(golden: np.ndarray | None, rgb: np.ndarray) -> bool:
    """Whether a prediction is another one than the golden one."""
    if golden is None or golden.shape != rgb.shape:
        return True
    return bool((np.abs(golden.astype(int) - rgb).max(axis=-1) > 2).mean() > STRANGE_PIXELS)


if __name__ == "__main__":
    run_steps("--untrained" in sys.argv)
