"""An entry of `methods` in params.yaml (DESIGN section 4): `model`, what is trained, and `readout`, how it is read.

A change of `model` trains again; a change of `readout` predicts again and trains nothing.
"""

import json
from collections.abc import Mapping
from typing import Annotated, Any, ClassVar, Literal

from pydantic import Field, model_validator

from pipeline.settings.listed import KindOf, OptionsOf
from pipeline.settings.registries import DISCRIMINATORS, LOSSES, NETWORKS, READOUTS
from pipeline.settings.sections import Name, Section, Share

_OF_OLD = {
    "head": ("space",),
    "network": ("encoder", "pretrained", "decoder", "decoder_channels"),
    "model": ("losses", "train"),
    "readout": ("readout", "temperature"),
}
"""The keys that an entry had before it was two, by the part that takes them now."""


class HeadEntry(Section):
    """What a network predicts: the kept classes of a space, or ab itself.

    Attributes:
        classes: the space whose kept classes it predicts.
        regresses: ab, where it predicts no classes.
    """

    classes: Name | None = None
    regresses: Literal["ab"] | None = None

    @model_validator(mode="after")
    def _one_of_both(self) -> "HeadEntry":
        if (self.classes is None) == (self.regresses is None):
            there = "classes and regresses are both there" if self.classes else "classes is missing"
            raise ValueError(f"{there}, it takes classes: SPACE or regresses: ab")
        return self


class NetworkEntry(Section):
    """A network's settings; a class of `registries.NETWORKS` adds how it is built."""

    kind: str

    @property
    def has_semantic_head(self) -> bool:
        """Whether it says beside its scores what a photograph shows; few do."""
        return False


class LossTerm(Section):
    """One term of a method's loss; the terms are added, each times its weight. `registries.LOSSES` lists them.

    Attributes:
        needs: of "classes" (a class head), "class_counts" (pixels of each class in the reference set), "soft_prior"
            (the reference set's mean soft target), "axis_counts" (its pixels by value of a and of b), "teacher" (what a
            classifier sees in the photographs, and a semantic head to learn it).
        weight: factor on the term in the sum.
    """

    needs: ClassVar[frozenset[str]] = frozenset()

    weight: Annotated[float, Field(gt=0)] = 1.0


class DiscriminatorEntry(Section):
    """A discriminator's settings; a class of `registries.DISCRIMINATORS` adds how it is built."""

    kind: str


class AdversaryEntry(Section):
    """A discriminator that the network is trained against (SPEC R23, R24).

    Attributes:
        discriminator: of a kind in `DISCRIMINATORS`.
        loss: "cross_entropy" of logits, not saturating, or "least_squares".
        weight: of its term in the network's loss; 0 trains the discriminator and leaves the network alone.
        temperature: at which class scores become the colors that it sees; less starves gradients, 1 greys the colors.
        shown: the colors at the network's "output" size, or enlarged to its "input" size.
        start: share of the steps before it begins.
        learning_rate: of its Adam, constant.
        betas: of its Adam.
    """

    discriminator: Annotated[DiscriminatorEntry, KindOf(DISCRIMINATORS, default="patch")]
    loss: Literal["cross_entropy", "least_squares"] = "cross_entropy"
    weight: Annotated[float, Field(ge=0)] = 0.1
    temperature: Annotated[float, Field(gt=0)] = 0.38
    shown: Literal["output", "input"] = "output"
    start: Share = 0.4
    learning_rate: Annotated[float, Field(gt=0)] = 2e-4
    betas: Annotated[list[Annotated[float, Field(ge=0, lt=1)]], Field(min_length=2, max_length=2)] = Field([0.5, 0.999])


class ReadoutEntry(Section):
    """How class scores become colors; a class of `registries.READOUTS` adds the function."""

    kind: str


class ModelEntry(Section):
    """What is trained: a head, a network that ends in it, the loss, and what it changes of the section `train`.

    Attributes:
        head: what the network predicts.
        network: from lightness to what the head predicts.
        losses: the terms that are added, by name.
        adversary: a discriminator whose term is added to the loss; null for none.
        train: what differs from the section `train`.
    """

    head: HeadEntry
    network: Annotated[NetworkEntry, KindOf(NETWORKS, default="encoder_decoder")]
    losses: Annotated[dict[str, LossTerm], OptionsOf(LOSSES)]
    adversary: AdversaryEntry | None = None
    train: dict[str, Any] = Field({})

    @model_validator(mode="after")
    def _losses_fit_head(self) -> "ModelEntry":
        if not self.losses:
            raise ValueError(f"losses is empty, it takes at least one of {', '.join(LOSSES)}")
        for name, term in self.losses.items():
            if "classes" in term.needs and self.head.classes is None:
                raise ValueError(f"losses.{name} needs classes; write head: {{classes: SPACE}}")
        if self.network.has_semantic_head != ("teacher" in self.needs):
            there = "losses.semantic" if "teacher" in self.needs else "network.semantic_head"
            raise ValueError(f"{there} is there alone; write network: {{semantic_head: true}} and losses: {{semantic}}")
        return self

    @property
    def needs(self) -> frozenset[str]:
        """What the loss terms need of `prepare`, together."""
        return frozenset().union(*(term.needs for term in self.losses.values()))


class MethodEntry(Section):
    """A method: a model and a read-out. A regression has its own read-out and takes none.

    Attributes:
        model: what is trained; a change trains again.
        readout: how class scores become colors; a change predicts again and trains nothing.
    """

    model: ModelEntry
    readout: Annotated[ReadoutEntry, KindOf(READOUTS)] | None = None

    @model_validator(mode="before")
    @classmethod
    def _no_entry_of_old(cls, value: Any) -> Any:
        old = [key for key in value if key in _KEYS_OF_OLD] if isinstance(value, Mapping) else []
        if old and "model" not in value:
            raise ValueError(f"{old[0]} stands where older versions had it; write the entry as {_as_now(value)}")
        return value

    @model_validator(mode="after")
    def _readout_fits_head(self) -> "MethodEntry":
        if self.model.head.classes is None and self.readout is not None:
            raise ValueError("readout is taken with head: {classes: SPACE}; leave it out, a regression is its own")
        if self.model.head.classes is not None and self.readout is None:
            raise ValueError(f"readout is missing, it takes {{kind: {' or '.join(READOUTS)}}}")
        return self


_KEYS_OF_OLD = {key for keys in _OF_OLD.values() for key in keys}


def _as_now(old: Mapping[str, Any]) -> str:
    """An entry of older versions in today's form, as YAML in one line."""
    space = old.get("space")
    model: dict[str, Any] = {
        "head": {"classes": space} if space else {"regresses": "ab"},
        "network": {key.removeprefix("decoder_"): old[key] for key in _OF_OLD["network"] if key in old},
        **{key: old[key] for key in _OF_OLD["model"] if key in old},
    }
    entry: dict[str, Any] = {"model": model}
    if space:
        entry["readout"] = {"kind": old.get("readout", "argmax")}
        if entry["readout"]["kind"] == "annealed_mean" and "temperature" in old:
            entry["readout"]["temperature"] = old["temperature"]
    return json.dumps(entry).replace('"', "")
