"""`train` on a Ray cluster: the same function in every worker, nothing else (DESIGN section 5)."""

import json
from pathlib import Path
from typing import Any

from pipeline.errors import UserError
from pipeline.machine.engine import start_ray
from pipeline.machine.files import write_bytes
from pipeline.storage.store import Store
from pipeline.training.loop import train


def train_on_ray(processes: int, **arguments: Any) -> dict[str, float]:
    """Train with one process per worker; store, out_dir, report_dir and cache_dir have to be on a disk that they share.

    Args:
        processes: how many; batch is what each of them takes. Each has a GPU of its own where the cluster has enough.
        **arguments: of `train`, by name.

    Returns:
        What `train` returns in the first worker.

    Raises:
        UserError: if Ray is not installed, or as `train` raises it in any worker.
    """
    gpus = start_ray().cluster_resources().get("GPU", 0) >= processes
    from ray.train import ScalingConfig, WorkerGroupError, get_context
    from ray.train.torch import TorchTrainer

    settings = _absolute(arguments)
    returned = settings["cache_dir"] / "returned.json"  # a Ray result carries figures only beside a checkpoint

    def work(settings: dict[str, Any]) -> None:
        values = train(**settings)
        if get_context().get_world_rank() == 0:
            write_bytes(returned, json.dumps(values).encode())

    scaling = ScalingConfig(num_workers=processes, use_gpu=gpus)
    try:
        TorchTrainer(work, train_loop_config=settings, scaling_config=scaling).fit()
    except WorkerGroupError as failed:
        for failure in failed.worker_failures.values():
            if isinstance(failure, UserError):
                raise failure from failed
        raise
    values: dict[str, float] = json.loads(returned.read_bytes())
    returned.unlink()
    return values


def _absolute(arguments: dict[str, Any]) -> dict[str, Any]:
    """The same places for a worker, which starts in a folder of its own."""
    places = {name: value.resolve() for name, value in arguments.items() if isinstance(value, Path)}
    return arguments | places | {"store": Store(arguments["store"].path.resolve())}
