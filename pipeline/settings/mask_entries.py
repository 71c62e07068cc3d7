"""The section `masks` of params.yaml: how objects are found in the grey photograph (SPEC section 7, R7)."""

import json
from collections.abc import Mapping
from typing import Annotated, Any

from pydantic import Field, model_validator

from pipeline.settings.listed import KindOf
from pipeline.settings.registries import SEGMENTERS
from pipeline.settings.sections import Section, Share


class SegmenterEntry(Section):
    """A segmenter's settings; a class of `registries.SEGMENTERS` adds how it finds masks."""

    kind: str


class Masks(Section):
    """How objects are found: by which segmenter, and which of its masks count.

    Attributes:
        segmenter: finds masks.
        min_area: masks that cover a smaller share of the photograph are dropped; a change segments nothing anew.
        max_megapixels: larger photographs go without masks.
    """

    segmenter: Annotated[SegmenterEntry, KindOf(SEGMENTERS)]
    min_area: Share = 0.002
    max_megapixels: Annotated[float, Field(gt=0)] = 40.0

    @model_validator(mode="before")
    @classmethod
    def _no_entry_of_old(cls, value: Any) -> Any:
        if isinstance(value, Mapping) and isinstance(kind := value.get("segmenter"), str):
            own = {"annotations": value.get("annotations")} if kind == "masks" else value.get(kind) or {}
            now = json.dumps({"kind": kind, **own}).replace('"', "")
            raise ValueError(f"segmenter stands as older versions had it; write segmenter: {now}")
        return value
