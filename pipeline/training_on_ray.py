"""`train` on a Ray cluster: the same function in every worker, nothing else (DESIGN section 5)."""

from typing import Any

from pipeline.config import UserError
from pipeline.training import train


def train_on_ray(workers: int, gpus: bool, **arguments: Any) -> dict[str, float]:
    """Train with one process per worker; out_dir, report_dir and cache_dir have to be on a disk that all of them share.

    Args:
        workers: processes; batch is what each of them takes.
        gpus: whether each of them has a GPU of its own.
        **arguments: of `train`, by name.

    Returns:
        What `train` returns in the first worker.

    Raises:
        UserError: if Ray is not installed.
    """
    try:
        from ray.train import ScalingConfig, report
        from ray.train.torch import TorchTrainer
    except ImportError:
        raise UserError("HUEBENCH_ENGINE is 'ray', which is not installed; pip install 'huebench[ray]'") from None

    def work(settings: dict[str, Any]) -> None:
        report(train(**settings))

    scaling = ScalingConfig(num_workers=workers, use_gpu=gpus)
    result = TorchTrainer(work, train_loop_config=arguments, scaling_config=scaling).fit()
    return dict(result.metrics or {})
