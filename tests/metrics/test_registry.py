"""The registry beside what it names."""

from pipeline.machine.weight_files import FILES
from pipeline.metrics.registry import METRICS


def test_weights_go_by_the_names_of_the_weight_files() -> None:
    assert {metric.weights for metric in METRICS.values()} - {None} == {"alexnet", "inception_v3"}
    assert {"alexnet", "inception_v3"} <= set(FILES)
