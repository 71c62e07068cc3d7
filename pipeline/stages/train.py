"""Stage `train`: one method's network, from the train split of the train set."""

from typing import Any

from pipeline.errors import UserError
from pipeline.machine.engine import engine_name
from pipeline.settings.params import Settings
from pipeline.stages import paths
from pipeline.stages.prepare import read_prepared
from pipeline.stages.versions import StageVersion
from pipeline.storage.store import Store
from pipeline.training.loop import train


def train_method(settings: Settings, version: StageVersion, method: str, processes: int = 1) -> str:
    """Train a method, or continue a training that was stopped.

    Args:
        settings: params.yaml.
        version: of this stage's code.
        method: a key of `methods`.
        processes: on a Ray cluster; torchrun says by itself how many there are.

    Raises:
        UserError: if the set or the class table is missing, weights are not there, the loss is not finite, or several
            processes are wanted without Ray.
    """
    prepared = read_prepared(method)
    arguments: dict[str, Any] = {
        "entry": settings.methods[method],
        "prepared": prepared,
        "settings": settings.train_of(method),
        "seed": settings.run.seed,
        "store": Store(paths.image_set(settings.run.train)),
        "out_dir": paths.model(method),
        "report_dir": paths.training_report(method),
        "cache_dir": version.resume_folder(method),
    }
    if engine_name() == "ray":
        from pipeline.training.ray import train_on_ray

        last = train_on_ray(processes, **arguments)
    elif processes > 1:
        raise UserError(
            f"--processes is {processes}, which takes HUEBENCH_ENGINE=ray; "
            f"without Ray say torchrun --nproc-per-node {processes} -m pipeline train {method}"
        )
    else:
        last = train(**arguments)
    return (
        f"{last['photographs']:.0f} images, {prepared.head.learned}, {last['parameters'] / 1e6:.1f}M parameters, "
        f"{last['steps']:.0f} steps, loss {last['loss']:.3f}"
    )
