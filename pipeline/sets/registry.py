"""The sources that a set may have. To add one: a model in `settings.py`, a module like `sample.py`, a line here."""

from typing import cast

from pipeline.sets import sample
from pipeline.sets.photographs import Source

SOURCES: dict[str, Source] = {
    "sample": cast(Source, sample),
}
"""Each source by the name that `sets.<name>.source` takes; every value is a module that meets `Source`."""
