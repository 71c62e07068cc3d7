"""The sections of params.yaml as typed models: every setting's name, type, range and default (DESIGN section 4)."""

import inspect
import re
from typing import Annotated, Literal

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, GetJsonSchemaHandler, model_validator
from pydantic.json_schema import JsonSchemaValue
from pydantic_core import CoreSchema


def _whole(value: object) -> object:
    return int(value) if isinstance(value, float) and value.is_integer() else value


Whole = Annotated[int, BeforeValidator(_whole)]
"""A whole number; 6.0 is 6 (DESIGN section 4)."""
Positive = Annotated[Whole, Field(ge=1)]
Share = Annotated[float, Field(ge=0, le=1)]
NAME = r"^[A-Za-z0-9][A-Za-z0-9_]*$"
Name = Annotated[str, Field(pattern=NAME)]
Point = Annotated[list[float], Field(min_length=2, max_length=2)]
Box = Annotated[list[float], Field(min_length=4, max_length=4)]
Resampling = Literal["bicubic", "bilinear", "box", "lanczos"]


class Section(BaseModel):
    """A part of params.yaml: immutable, strict about types, closed to unknown keys."""

    model_config = ConfigDict(extra="forbid", frozen=True, strict=True)

    @classmethod
    def __get_pydantic_json_schema__(cls, schema: CoreSchema, handler: GetJsonSchemaHandler) -> JsonSchemaValue:
        """The schema with what the docstring says of the section and of each of its settings."""
        made = handler(schema)
        section = handler.resolve_ref_schema(made)
        section["description"] = inspect.cleandoc(cls.__doc__ or "").partition("\n\nAttributes:")[0]
        described = {name: text for one in reversed(cls.__mro__) for name, text in _attributes(one).items()}
        for name, setting in section.get("properties", {}).items():
            if name in described:
                setting["description"] = described[name]
        return made


def _attributes(section: type) -> dict[str, str]:
    """What a docstring says under `Attributes:`, by name."""
    block = inspect.cleandoc(section.__doc__ or "").partition("\nAttributes:\n")[2].partition("\n\n")[0]
    entries = re.split(r"^    (?=\w+: )", block, flags=re.MULTILINE)[1:]
    pairs = (entry.partition(": ") for entry in entries)
    return {name: " ".join(text.split()) for name, _, text in pairs}


class Histogram(Section):
    """How the reference photographs are sampled before their colours are counted (SPEC section 3).

    Attributes:
        size: photographs are resized to size x size.
        resampling: how they are resized.
        smallest: photographs with a side below this many pixels count as tiny.
    """

    size: Positive = 56
    resampling: Resampling = "bicubic"
    smallest: Positive = 8


class Space(Section):
    """A space of colour classes and its pruning (SPEC sections 2 and 3).

    `keep` says which classes are kept: those that the reference set shows often enough (`observed`: `min_share`, or
    `min_count`), those that some 8-bit colour falls into (`reachable`), or the 313 of CIC (`published`; SPEC R13).

    Attributes:
        bin_size: width of a class in a and in b, in units of Lab.
        shift: the grid of classes begins at -shift in a and in b.
        min_share: share of the reference set's samples below which a class is pruned, with `keep: observed`.
        min_count: the same as a count of samples, in place of the share; null for the share.
        keep: which classes are kept.
    """

    bin_size: Annotated[Whole, Field(ge=1, le=256)]
    shift: Annotated[Whole, Field(ge=1, le=128)] = 108
    min_share: Annotated[float, Field(ge=0, lt=1)] = 4.5502e-6
    min_count: Annotated[Whole, Field(ge=0)] | None = None
    keep: Literal["observed", "reachable", "published"] = "observed"

    @model_validator(mode="after")
    def _pruned_in_one_way(self) -> "Space":
        for name in ("min_share", "min_count"):
            if self.keep != "observed" and name in self.model_fields_set:
                raise ValueError(f"{name} is taken with keep: observed; leave it out with keep: {self.keep}")
        if self.keep == "published" and (self.bin_size, self.shift) != (10, 115):
            raise ValueError(
                f"keep is 'published', it takes bin_size 10 and shift 115 (got {self.bin_size} and {self.shift})"
            )
        return self


class Weights(Section):
    """Class weights: the batches over which Eq. 15 is tabulated, and CIC's smoothing (SPEC sections 5 and 9).

    Attributes:
        batch: photographs in a batch over which Eq. 15 is tabulated.
        percents: values of p in Eq. 15 that are tabulated.
        smoothing_sigma: of the Gaussian over ab that smooths CIC's prior.
        uniform_share: share of the uniform distribution that CIC's prior is mixed with.
    """

    batch: Positive = 64
    percents: Annotated[list[Annotated[float, Field(gt=0, le=100)]], Field(min_length=1)] = [4, 7, 10, 13, 16]
    smoothing_sigma: Annotated[float, Field(gt=0)] = 5.0
    uniform_share: Share = 0.5


class Train(Section):
    """The training loop (SPEC section 6). A method may override any key under its own `train`.

    `frozen_levels` levels of the encoder, from the input on, keep their weights. `batch_norm: frozen` normalises by
    running statistics, which several processes need to give what one gives; `local` by those of the batch.

    Attributes:
        size: px of the square crop that the network sees.
        batch: photographs in a step, in each process.
        accumulate: pieces that a step is computed in, to save memory.
        steps: of the optimiser.
        learning_rate: of AdamW, at its highest.
        betas: of AdamW.
        weight_decay: of AdamW.
        warmup_steps: over which the learning rate rises from nothing.
        schedule: what the learning rate does after the warm-up.
        scale: smallest and largest share of the photograph's area that a crop covers.
        flip: whether half of the crops are mirrored.
        validation_share: share of the training photographs that are held out.
        validate_every: steps between validations.
        patience: validations without a lower loss after which training stops; null for never.
        save_every: steps between states from which a killed run continues.
        strip_every: steps between strips of pictures that show what is learnt.
        precision: of the network's numbers; `auto` takes bfloat16 where the device computes faster with it.
        compile: whether torch.compile is used.
        gradient_clip: norm at which gradients are cut; null for none.
        average_decay: of the moving average of weights that is kept in place of the last ones; null for none.
        frozen_levels: levels of the encoder, from the input on, that keep their weights.
        batch_norm: `local` normalises by the batch, `frozen` by running statistics.
    """

    size: Annotated[Whole, Field(ge=32, multiple_of=32)] = 224
    batch: Positive = 64
    accumulate: Positive = 1
    steps: Positive
    learning_rate: Annotated[float, Field(gt=0)] = 1e-4
    betas: Annotated[list[Annotated[float, Field(ge=0, lt=1)]], Field(min_length=2, max_length=2)] = [0.5, 0.999]
    weight_decay: Annotated[float, Field(ge=0)] = 0.0
    warmup_steps: Annotated[Whole, Field(ge=0)] = 0
    schedule: Literal["constant", "cosine"] = "constant"
    scale: Annotated[list[Annotated[float, Field(gt=0, le=1)]], Field(min_length=2, max_length=2)] = [0.35, 1.0]
    flip: bool = True
    validation_share: Annotated[float, Field(ge=0, lt=1)] = 0.1
    validate_every: Positive = 500
    patience: Positive | None = None
    save_every: Positive = 200
    strip_every: Positive = 1000
    precision: Literal["auto", "float32", "bfloat16"] = "auto"
    compile: bool = False
    gradient_clip: Annotated[float, Field(gt=0)] | None = None
    average_decay: Annotated[float, Field(gt=0, lt=1)] | None = None
    frozen_levels: Annotated[Whole, Field(ge=0, le=5)] = 0
    batch_norm: Literal["local", "frozen"] = "local"

    @model_validator(mode="after")
    def _values_fit_each_other(self) -> "Train":
        if self.scale[0] > self.scale[1]:
            raise ValueError(f"scale is {self.scale}, it takes the smaller share of the photograph first")
        if self.patience is not None and self.validation_share == 0:
            raise ValueError("validation_share is 0, it takes more where patience watches the validation loss")
        return self


class Predict(Section):
    """Prediction: the square size at which the network sees a photograph, and how its ab is brought to full size.

    Attributes:
        size: px of the square in which the network sees a photograph.
        batch: photographs that are predicted at a time; changes no value.
        upsample: how ab is brought to full size; `guided` follows the edges of L.
    """

    size: Annotated[Whole, Field(ge=32, multiple_of=32)] = 224
    batch: Positive = 8
    upsample: Literal["bilinear", "guided"] = "bilinear"


class Evaluate(Section):
    """Evaluation: photographs scored at a time; changes no value.

    Attributes:
        batch: photographs that are scored at a time.
    """

    batch: Positive = 8


class Report(Section):
    """The report: bootstrap draws for the intervals, photographs in the gallery.

    Attributes:
        bootstrap: draws for the intervals.
        gallery: photographs in the gallery.
    """

    bootstrap: Positive = 2000
    gallery: Positive = 60


class Select(Section):
    """Which objects are harmonized: the k largest, those under points (x, y), or those under boxes (x0, y0, x1, y1).

    Attributes:
        largest: so many of the largest objects.
        points: the objects under these points (x, y), px.
        boxes: the objects under these boxes (x0, y0, x1, y1), px.
    """

    largest: Positive | None = None
    points: list[Point] | None = None
    boxes: list[Box] | None = None

    @model_validator(mode="after")
    def _exactly_one(self) -> "Select":
        given = [name for name in type(self).model_fields if getattr(self, name) is not None]
        if len(given) != 1:
            found = f"{' and '.join(given)} are there" if given else "largest is missing"
            raise ValueError(f"{found}, it takes one of largest, points, boxes; or select: all")
        return self


class Harmonize(Section):
    """Object-selective colour harmonisation (SPEC section 7). `palette` is R7.

    `band` and `radius` are bounded by what `guided` can sum in 32 bits.

    `guided` is the default: on 95 photographs with drawn masks it alone lowered edge bleeding at no loss of PSNR and
    TAR whatever was harmonized. On the results of trained methods, whose colours are often wrong, `mode` lowers it most
    (0.62 to 0.18) and gains 0.2 dB; on nearly right colours it loses 2.5 dB (benchmarks/harmonize_modes.py).

    Attributes:
        mode: what an object's pixels get: colours of its palette, its most frequent class, or its own colours smoothed
            inside its edges.
        band: px on both sides of an object's edge that are treated.
        min_share: share of an object's pixels below which a class is none of its palette.
        radius: px of the filter of `guided`.
        select: which objects are harmonized.
    """

    mode: Literal["palette", "mode", "guided"] = "guided"
    band: Annotated[Whole, Field(ge=0, le=89)] = 3
    min_share: Share = 0.05
    radius: Annotated[Whole, Field(ge=1, le=90)] = 4
    select: Literal["all"] | Select = "all"
