"""The network of most methods: an encoder and a decoder under one roof."""

from torch import Tensor, nn

from pipeline.models.interfaces import ColorNetwork, Decoder, Encoder


class EncoderDecoderNetwork(ColorNetwork):
    """Scores of every output position from the features of an encoder.

    Args:
        encoder: sees lightness.
        decoder: sees the encoder's features.
    """

    def __init__(self, encoder: Encoder, decoder: Decoder) -> None:
        super().__init__()
        self.encoder = encoder
        self.decoder = decoder
        self.stride = decoder.stride

    def levels(self) -> list[list[nn.Module]]:
        """Those of the encoder."""
        return self.encoder.levels()

    def parameter_groups(self) -> dict[str, list[nn.Parameter]]:
        """Those of the encoder and those of the decoder."""
        return {"encoder": list(self.encoder.parameters()), "decoder": list(self.decoder.parameters())}

    def forward(self, light: Tensor) -> Tensor:
        """Scores of every output position.

        Args:
            light: float (N, 1, H, W), L in [0, 100]; H and W multiples of 32.

        Returns:
            float (N, outputs, H / stride, W / stride).
        """
        scores: Tensor = self.decoder(self.encoder(light))
        return scores
