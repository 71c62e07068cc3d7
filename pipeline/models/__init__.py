"""Networks: an encoder of lightness, a decoder, nothing else. To add a part, write its module and one line here."""

from pipeline.models.decoders import PlainDecoder, SkipDecoder
from pipeline.models.densenet import DenseNet121
from pipeline.models.efficientnet_lite import EfficientNetLite0
from pipeline.models.parts import Decoder, Encoder

ENCODERS: dict[str, type[Encoder]] = {"densenet121": DenseNet121, "efficientnet_lite0": EfficientNetLite0}
DECODERS: dict[str, type[Decoder]] = {"plain": PlainDecoder, "skip": SkipDecoder}
