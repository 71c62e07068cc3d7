"""The network kind `encoder_decoder` as params.yaml has it: which encoder, which decoder. Loads no torch by itself."""

from collections.abc import Mapping
from typing import TYPE_CHECKING, Annotated, Literal

from pydantic import Field, model_validator

from pipeline.models.network_settings import NetworkSettings
from pipeline.settings.listed import OneOf
from pipeline.settings.registries import ANY, DECODERS, ENCODERS
from pipeline.settings.sections import Positive

if TYPE_CHECKING:
    import torch

    from pipeline.models.interfaces import ColorNetwork


class EncoderDecoder(NetworkSettings):
    """An encoder of lightness and a decoder of its features.

    Attributes:
        encoder: a name of `ENCODERS`.
        pretrained: whether the encoder starts from published ImageNet weights.
        decoder: a name of `DECODERS`.
        channels: of the decoder's own convolutions, the deepest first, as many as it takes; [1024, 512, 512] in CCC++
            (Table IV).
        semantic_head: whether it learns beside the colors what a photograph shows (`losses.semantic`).
    """

    kind: Literal["encoder_decoder"] = "encoder_decoder"
    encoder: Annotated[str, OneOf(ENCODERS)]
    pretrained: bool
    decoder: Annotated[str, OneOf(DECODERS)] = "plain"
    channels: list[Positive] = Field([1024, 512, 512])
    semantic_head: bool = False

    @model_validator(mode="after")
    def _parts_fit_each_other(self) -> "EncoderDecoder":
        takes, levels = DECODERS.facts(self.decoder), ENCODERS.facts(self.encoder)["levels"]
        if len(self.channels) != takes["channels"]:
            raise ValueError(
                f"channels is {self.channels}, it takes a list of {takes['channels']} with decoder: {self.decoder}"
            )
        if takes["levels"] not in (ANY, levels):
            fitting = [name for name in DECODERS if DECODERS.facts(name)["levels"] in (ANY, levels)]
            raise ValueError(
                f"decoder is {self.decoder!r}, it takes {', '.join(fitting)} with the {levels} levels of {self.encoder}"
            )
        return self

    @property
    def has_semantic_head(self) -> bool:
        """As it is set."""
        return self.semantic_head

    @property
    def weights(self) -> str | None:
        """That of the encoder."""
        return self.encoder if self.pretrained else None

    def build(self, outputs: int, weights: "Mapping[str, torch.Tensor] | None" = None) -> "ColorNetwork":
        """Compose encoder and decoder.

        Args:
            outputs: as for every network.
            weights: the encoder's ImageNet weights; the layers of its classifier are left aside.

        Returns:
            The network on the CPU, in training mode.

        Raises:
            RuntimeError: if the weights do not fit the encoder.
        """
        from pipeline.models.network import EncoderDecoderNetwork

        encoder = ENCODERS[self.encoder]()
        if weights is not None:
            encoder.load_pretrained(weights)
        decoder = DECODERS[self.decoder](encoder.channels, encoder.strides, self.channels, outputs)
        return EncoderDecoderNetwork(encoder, decoder, self.semantic_head)
