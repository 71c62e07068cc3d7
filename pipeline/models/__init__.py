"""Networks: an encoder of lightness, a decoder, nothing else. To add a part, write its module and one line here."""

from pipeline.models.decoders.skip import PlainDecoder, SkipDecoder
from pipeline.models.encoders.densenet121 import DenseNet121
from pipeline.models.encoders.efficientnet_lite import EfficientNetLite0
from pipeline.models.interfaces import Decoder, Encoder

ENCODERS: dict[str, type[Encoder]] = {"densenet121": DenseNet121, "efficientnet_lite0": EfficientNetLite0}
DECODERS: dict[str, type[Decoder]] = {"plain": PlainDecoder, "skip": SkipDecoder}
