"""What can be scored on this machine as it is: every metric, what it needs, and whether that is here."""

from dataclasses import dataclass

from pipeline.evaluation.protocols import protocol_named
from pipeline.evaluation.scoring import find_weights
from pipeline.metrics.listing import BETTER
from pipeline.metrics.registry import CLASS_BAND, METRICS, Metric, headline_metrics
from pipeline.settings.registries import PROTOCOLS


@dataclass(frozen=True)
class AvailableMetric:
    """A metric as it stands here.

    Attributes:
        name: as in the rows; the bands of class accuracy are one entry.
        better: which way is better.
        unit: "" for a pure number.
        needs: what it needs beside photographs and results, "" for nothing.
        here: whether that is here; True where a run of the graph brings it.
        protocols: those of whose published figures it is the variant, apart from the project's own.
    """

    name: str
    better: str
    unit: str
    needs: str
    here: bool
    protocols: tuple[str, ...]

    def words(self) -> str:
        """All of it in a line."""
        better = {"-": "no direction", "nearer to 1": "nearer to 1 is better"}.get(
            self.better, f"{self.better} is better"
        )
        parts = [better, self.unit, f"needs {self.needs}" if self.needs else ""]
        parts.append("" if self.here else "MISSING here")
        parts.append(f"as in {', '.join(self.protocols)}" if self.protocols else "")
        return "; ".join(part for part in parts if part)


@dataclass(frozen=True)
class Available:
    """The metrics, and for each file of weights that is not here how to get it."""

    metrics: tuple[AvailableMetric, ...]
    remedies: tuple[str, ...]


def available_metrics() -> Available:
    """Look at every metric of the registry.

    Raises:
        UserError: if a weight file is here under its name and is damaged.
    """
    weights, missing = find_weights(download=False)
    ours = headline_metrics()
    protocols = [one for one in map(protocol_named, PROTOCOLS) if one.reports != ours]
    found = []
    for metric in METRICS.values():
        band = metric.name.startswith(CLASS_BAND)
        if band and not metric.name.endswith("01"):
            continue
        found.append(
            AvailableMetric(
                name=f"{CLASS_BAND}01 .. 10" if band else metric.name,
                better=BETTER[metric.direction],
                unit=metric.unit,
                needs="a reference set: dvc repro" if band else _needs(metric),
                here=metric.weights is None or metric.weights in weights,
                protocols=tuple(one.name for one in protocols if metric.name in one.reports),
            )
        )
    return Available(tuple(found), tuple(dict.fromkeys(missing.values())))


def _needs(metric: Metric) -> str:
    if metric.weights is not None:
        return f"the weights of {metric.weights}"
    if metric.own:
        return "a class space of the method's own: dvc repro"
    return {"network": "a network's class scores: dvc repro", "harmonize": "masks of objects: dvc repro"}.get(
        metric.origin, ""
    )
