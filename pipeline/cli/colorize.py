"""What `huebench colorize` does: a trained method on the user's own photographs."""

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
import numpy.typing as npt

from pipeline.color.space import ColorSpace
from pipeline.inference.own_photographs import Harmonizer, LeftBehind, Options, Outcome, colorize_photographs
from pipeline.inference.predictor import PredictorSettings, load_predictor
from pipeline.machine.devices import choose_device
from pipeline.masks.harmonized_photographs import harmonize_photograph
from pipeline.masks.objects import PromptOutside
from pipeline.masks.rle import NotSegmented
from pipeline.methods.build import class_readout
from pipeline.methods.checkpoint import WEIGHTS, load_model
from pipeline.settings.mask_entries import Masks
from pipeline.settings.params import Settings, known
from pipeline.settings.sections import Harmonize
from pipeline.stages import paths
from pipeline.stages.prepare import read_prepared
from pipeline.storage.color_tables import read_space


def colorize(
    settings: Settings, method: str, sources: Sequence[Path], out: Path, options: Options, harmonized: bool = False
) -> Outcome:
    """Colorize photographs with a trained method of params.yaml.

    Args:
        settings: params.yaml; `predict.size` is the size at which the network sees a photograph.
        method: a key of `methods`.
        sources: photographs, and folders of them.
        out: the folder for results.
        options: how; their `harmonize` is filled in here.
        harmonized: keep colors inside objects, found and treated as `masks` and `harmonize` say.

    Returns:
        What was written and what was left behind.

    Raises:
        UserError: if the method is unknown or not trained, or the sources hold no photograph.
    """
    known(settings, "methods", method)
    entry, weights = settings.methods[method], paths.model(method) / WEIGHTS
    head = read_prepared(method).head
    digest = load_model(weights, entry.model, head).digest
    network = PredictorSettings(weights, digest, class_readout(entry), settings.predict.size)
    predictor = load_predictor(network, choose_device())
    if harmonized:
        space = head.space or read_space(paths.space(settings.run.report_space))
        options = replace(options, harmonize=harmonizer(settings.masks, settings.harmonize, space))
    return colorize_photographs(sources, out, predictor, options)


def harmonizer(masks: Masks, settings: Harmonize, space: ColorSpace) -> Harmonizer:
    """What keeps the colors of one photograph after another inside its objects.

    Args:
        masks: how objects are found.
        settings: how they are harmonized.
        space: the classes that colors are counted in.

    Returns:
        A function for `Options.harmonize`; what cannot be harmonized is left behind with its reason.
    """

    def keep_inside(colored: npt.NDArray[np.uint8], original: npt.NDArray[np.uint8]) -> npt.NDArray[np.uint8]:
        try:
            return harmonize_photograph(colored, original, masks, settings, space)
        except NotSegmented as fault:
            raise LeftBehind(fault.status, str(fault)) from fault
        except PromptOutside as fault:
            raise LeftBehind("prompt_outside", str(fault)) from fault

    return keep_inside
