"""The registry as the tables of docs/metrics.md: `python -m pipeline.metrics.listing` prints them, a test compares."""

from typing import Literal

from pipeline.metrics.registry import METRICS, Metric

HEAD = "| name | definition | unit | range | better | defined in |\n|---|---|---|---|---|---|\n"
BETTER = {"higher": "higher", "lower": "lower", "one": "nearer to 1", "": "-"}


def metric_list(per: Literal["image", "set"]) -> str:
    """A Markdown table of the metrics of the registry, in its order.

    Args:
        per: "image" for those of a photograph, "set" for those of a set as a whole.

    Returns:
        Its lines, each with its end.
    """
    return HEAD + "".join(_line(metric) for metric in METRICS.values() if metric.per == per)


def _line(metric: Metric) -> str:
    cells = (
        f"`{metric.name}`",
        metric.about,
        metric.unit,
        metric.range,
        BETTER[metric.direction],
        metric.reference,
    )
    return "| " + " | ".join(cell.replace("|", "\\|") for cell in cells) + " |\n"


if __name__ == "__main__":
    print(metric_list("image"), metric_list("set"), sep="\n", end="")
