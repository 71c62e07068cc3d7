"""The sources that a set may have. To add one: a model in `settings.py`, a module like `coco2017.py`, a line here."""

from typing import cast

from pipeline.sets import (
    ade20k,
    celeba,
    coco2017,
    div2k,
    flowers102,
    folder,
    imagenet,
    places365,
    sample,
    tiny_imagenet,
)
from pipeline.sets.photographs import Source

_MODULES = (sample, folder, places365, ade20k, celeba, coco2017, flowers102, imagenet, tiny_imagenet, div2k)
SOURCES: dict[str, Source] = {module.__name__.rpartition(".")[2]: cast(Source, module) for module in _MODULES}
"""Each source by the name that `sets.<name>.source` takes, which is that of its module; a module meets `Source`."""
