"""Every part that params.yaml can name: one line each, from which settings, page and documentation follow.

An entry is text, "module:object", imported when it is asked for. So the command line starts without torch, and this
page can lie below the rooms that its entries stand in. What settings have to know of a part before anything is imported
stands beside it, as facts. To add a part, write its module and its line here; what a part
of each kind has to offer is said by its base class (docs/extending.md has an example of each).
"""

import importlib
from collections.abc import Iterator, Mapping
from typing import Any


class Registry(Mapping[str, Any]):
    """Parts of one kind by name, in the order in which they are listed and offered.

    Args:
        entries: name to "module:object", or to that and its facts, numbers by name.
    """

    def __init__(self, entries: Mapping[str, str | tuple[str, dict[str, int]]]) -> None:
        self._entries = {name: (one, {}) if isinstance(one, str) else one for name, one in entries.items()}

    def __getitem__(self, name: str) -> Any:
        module, _, inside = self._entries[name][0].partition(":")
        return getattr(importlib.import_module(module), inside)

    def facts(self, name: str) -> Mapping[str, int]:
        """What is known of a part without importing it; a test compares it with the part."""
        return self._entries[name][1]

    def __contains__(self, name: object) -> bool:  # the mapping's own would import the part
        return name in self._entries

    def __iter__(self) -> Iterator[str]:
        return iter(self._entries)

    def __len__(self) -> int:
        return len(self._entries)

    __eq__ = object.__eq__  # a registry is itself alone; its parts are not compared
    __hash__ = object.__hash__


NETWORKS = Registry(
    {
        "encoder_decoder": "pipeline.models.encoder_decoder:EncoderDecoder",
        "cic": "pipeline.models.cic:Cic",
        "siggraph17": "pipeline.models.siggraph17:Siggraph17",
        "unet": "pipeline.models.unet:Unet",
    }
)
"""Whole networks: settings that build one (`settings.method_entries.NetworkEntry`)."""

ENCODERS = Registry(
    {
        "densenet121": ("pipeline.models.encoders.densenet121:DenseNet121", {"levels": 5}),
        "efficientnet_lite0": ("pipeline.models.encoders.efficientnet_lite:EfficientNetLite0", {"levels": 5}),
        "vgg19": ("pipeline.models.encoders.vgg19:VGG19", {"levels": 16}),
    }
)
"""From lightness to features of so many levels (`models.interfaces.Encoder`)."""

ANY = 0
"""Levels that a decoder takes where it takes any number of them."""

DECODERS = Registry(
    {
        "plain": ("pipeline.models.decoders.plain:PlainDecoder", {"levels": 5, "channels": 3}),
        "skip": ("pipeline.models.decoders.skip:SkipDecoder", {"levels": 5, "channels": 3}),
        "hypercolumn": ("pipeline.models.decoders.hypercolumn:HypercolumnDecoder", {"levels": ANY, "channels": 1}),
    }
)
"""From features of so many levels to scores, so many numbers for its channels (`models.interfaces.Decoder`)."""

DISCRIMINATORS = Registry({"patch": "pipeline.models.discriminators.patch:Patch"})
"""From colors to scores of how real they look: settings that build one (`models.discriminators.discriminator`)."""

LOSSES = Registry(
    {
        "class_cross_entropy": "pipeline.losses.class_cross_entropy:ClassCrossEntropy",
        "inverse_frequency": "pipeline.losses.inverse_frequency:InverseFrequency",
        "soft_cross_entropy": "pipeline.losses.soft_cross_entropy:SoftCrossEntropy",
        "locality": "pipeline.losses.locality:Locality",
        "profile": "pipeline.losses.profile:Profile",
        "semantic": "pipeline.losses.semantic:Semantic",
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
