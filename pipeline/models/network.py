"""The network of most methods: an encoder and a decoder under one roof."""

from torch import Tensor, nn

from pipeline.models.interfaces import ColorNetwork, Decoder, Encoder
from pipeline.models.teacher import CATEGORIES


class EncoderDecoderNetwork(ColorNetwork):
    """Scores of every output position from the features of an encoder.

    Args:
        encoder: sees lightness.
        decoder: sees the encoder's features.
        semantic_head: whether a linear layer on the mean of the last features learns what a photograph shows.
    """

    def __init__(self, encoder: Encoder, decoder: Decoder, semantic_head: bool = False) -> None:
        super().__init__()
        self.encoder = encoder
        self.decoder = decoder
        self.stride = decoder.stride
        self.semantic_head = nn.Linear(encoder.channels[-1], CATEGORIES) if semantic_head else None

    def levels(self) -> list[list[nn.Module]]:
        """Those of the encoder."""
        return self.encoder.levels()

    def parameter_groups(self) -> dict[str, list[nn.Parameter]]:
        """Those of the encoder and those of the decoder, a semantic head among them."""
        decoder = list(self.decoder.parameters())
        if self.semantic_head is not None:
            decoder += list(self.semantic_head.parameters())
        return {"encoder": list(self.encoder.parameters()), "decoder": decoder}

    def forward(self, light: Tensor) -> Tensor:
        """Scores of every output position.

        Args:
            light: float (N, 1, H, W), L in [0, 100]; H and W multiples of 32.

        Returns:
            float (N, outputs, H / stride, W / stride).
        """
        features = self.encoder(light)
        if self.semantic_head is not None:
            self.semantic = self.semantic_head(features[-1].mean(dim=(2, 3)))
        scores: Tensor = self.decoder(features)
        return scores
