"""Every part that params.yaml can name: one line each, from which settings, page and documentation follow.

An entry is text, "module:object", imported when it is asked for. So the command line starts without torch, and this
page can lie below the rooms that its entries stand in. To add a part, write its module and its line here; what a part
of each kind has to offer is said by its base class (docs/extending.md has an example of each).
"""

import importlib
from collections.abc import Iterator, Mapping
from typing import Any


class Registry(Mapping[str, Any]):
    """Parts of one kind by name, in the order in which they are listed and offered.

    Args:
        entries: name to "module:object".
    """

    def __init__(self, entries: Mapping[str, str]) -> None:
        self._entries = dict(entries)

    def __getitem__(self, name: str) -> Any:
        module, _, inside = self._entries[name].partition(":")
        return getattr(importlib.import_module(module), inside)

    def __contains__(self, name: object) -> bool:  # the mapping's own would import the part
        return name in self._entries

    def __iter__(self) -> Iterator[str]:
        return iter(self._entries)

    def __len__(self) -> int:
        return len(self._entries)

    __eq__ = object.__eq__  # a registry is itself alone; its parts are not compared
    __hash__ = object.__hash__


NETWORKS = Registry({"encoder_decoder": "pipeline.models.encoder_decoder:EncoderDecoder"})
"""Whole networks: settings that build one (`settings.method_entries.NetworkEntry`)."""

ENCODERS = Registry(
    {
        "densenet121": "pipeline.models.encoders.densenet121:DenseNet121",
        "efficientnet_lite0": "pipeline.models.encoders.efficientnet_lite:EfficientNetLite0",
    }
)
"""From lightness to features (`models.interfaces.Encoder`)."""

DECODERS = Registry(
    {
        "plain": "pipeline.models.decoders.plain:PlainDecoder",
        "skip": "pipeline.models.decoders.skip:SkipDecoder",
    }
)
"""From features to scores (`models.interfaces.Decoder`)."""

LOSSES = Registry(
    {
        "class_cross_entropy": "pipeline.losses.class_cross_entropy:ClassCrossEntropy",
        "inverse_frequency": "pipeline.losses.inverse_frequency:InverseFrequency",
        "l1": "pipeline.losses.regression:L1",
        "l2": "pipeline.losses.regression:L2",
        "huber": "pipeline.losses.regression:Huber",
        "logcosh": "pipeline.losses.regression:LogCosh",
    }
)
"""Loss terms: settings that are a function of output and batch (`losses.term.Term`)."""

READOUTS = Registry(
    {
        "argmax": "pipeline.color.readouts:ArgMax",
        "expectation": "pipeline.color.readouts:Expectation",
        "annealed_mean": "pipeline.color.readouts:AnnealedMean",
    }
)
"""From class scores to (a, b): settings that are a function of scores and centers (`color.readouts.ClassReadout`)."""

PROTOCOLS = Registry(
    {
        "cic-256@1": "pipeline.evaluation.protocols:CIC_256",
        "native@1": "pipeline.evaluation.protocols:NATIVE",
        "ct2-val5k@1": "pipeline.evaluation.protocols:CT2_VAL5K",
        "ddcolor-256@1": "pipeline.evaluation.protocols:DDCOLOR_256",
        "ctest10k@1": "pipeline.evaluation.protocols:CTEST10K",
        "coltran-fid5k@1": "pipeline.evaluation.protocols:COLTRAN_FID5K",
        "ntire2019@1": "pipeline.evaluation.protocols:NTIRE2019",
    }
)
"""Evaluation protocols (`evaluation.protocols.Protocol`)."""

SETS = Registry(
    {
        "sample": "pipeline.sets.sample:SampleSet",
        "folder": "pipeline.sets.folder:FolderSet",
        "places365": "pipeline.sets.places365:Places365",
        "ade20k": "pipeline.sets.ade20k:ADE20K",
        "celeba": "pipeline.sets.celeba:CelebA",
        "coco2017": "pipeline.sets.coco2017:COCO2017",
        "flowers102": "pipeline.sets.flowers102:Flowers102",
        "imagenet": "pipeline.sets.imagenet:ImageNet",
        "tiny_imagenet": "pipeline.sets.tiny_imagenet:TinyImageNet",
        "div2k": "pipeline.sets.div2k:DIV2K",
    }
)
"""Image sets, by what `sets.<name>.source` takes: settings that yield photographs (`sets.photographs.ImageSet`)."""

SEGMENTERS = Registry(
    {
        "felzenszwalb": "pipeline.masks.superpixels:Felzenszwalb",
        "slic": "pipeline.masks.superpixels:Slic",
        "sam": "pipeline.masks.segment_anything:SegmentAnything",
        "masks": "pipeline.masks.annotations:DrawnMasks",
    }
)
"""What finds objects in a grey photograph (`masks.segmenter.Segmenter`)."""
