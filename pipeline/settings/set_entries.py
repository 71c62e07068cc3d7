"""What every entry of `sets` in params.yaml takes, whatever its source; the rest stands in the source's own module.

An entry names a source and how much of it is taken; its key is the set's name, so one source may stand under
several names (Places365 val as reference, train as training set).
"""

from typing import Annotated

from pydantic import Field

from pipeline.settings.listed import KindOf
from pipeline.settings.registries import SETS
from pipeline.settings.sections import Positive, Section, Share


class SetEntry(Section):
    """An entry of `sets`.

    Attributes:
        max_bad_share: the stage fails when a larger share of the set's files is refused by the decoder.
        grey_chroma: a photograph is grey when its mean chroma in Lab is below this (`is_grey` in the index); grey
            photographs are no reference for colours: histogram and weights leave them out.
        max_pixels: larger photographs are refused with the reason `too_many_pixels`.
        source: a name of `registries.SETS`, whose class this is.
    """

    max_bad_share: Share = 0.01
    grey_chroma: Annotated[float, Field(ge=0)] = 2.0
    max_pixels: Positive = 2**27
    source: str


SetSettings = Annotated[SetEntry, KindOf(SETS, "source")]
