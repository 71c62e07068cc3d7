"""Not a stage of the graph: `huebench colorize`, a trained method on the user's own photographs."""

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from pipeline.errors import UserError
from pipeline.inference.coloring import network_grids
from pipeline.inference.own_photographs import Objects, Options, Outcome, colorize_photographs
from pipeline.inference.whole_sets import ready_to_predict
from pipeline.machine.devices import choose_device
from pipeline.settings.params import Settings
from pipeline.stages import paths
from pipeline.stages.prepare import method_space
from pipeline.storage.color_tables import read_space
from pipeline.training.state import WEIGHTS, load_model


def run(
    settings: Settings, method: str, sources: Sequence[Path], out: Path, options: Options, harmonized: bool = False
) -> Outcome:
    """Colorize photographs with a trained method of params.yaml.

    Args:
        settings: params.yaml; `predict.size` is the size at which the network sees a photograph.
        method: a key of `methods`.
        sources: photographs, and folders of them.
        out: the folder for results.
        options: how; their `size` and `objects` are filled in here.
        harmonized: keep colors inside objects, found and treated as `masks` and `harmonize` say.

    Returns:
        What was written and what was left behind.

    Raises:
        UserError: if the method is unknown or not trained, or the sources hold no photograph.
    """
    if method not in settings.methods:
        raise UserError(f"{method!r} is no method of params.yaml; methods has {', '.join(settings.methods)}")
    composed = method_space(method)
    space = composed[1] if composed else None
    model = load_model(paths.model(method) / WEIGHTS, settings.methods[method], space)
    model.network.to(choose_device())
    ready_to_predict(model.network)
    options = replace(options, size=settings.predict.size)
    if harmonized:
        classes = space or read_space(paths.space(settings.run.report_space))
        options = replace(options, objects=Objects(settings.masks, settings.harmonize, classes))
    return colorize_photographs(sources, out, lambda lights: network_grids(model, lights), options)
