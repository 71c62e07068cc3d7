"""The colorization network: encoder and decoder under one roof."""

from collections.abc import Mapping, Sequence

import torch
from torch import nn

from pipeline.models import DECODERS, ENCODERS
from pipeline.models.interfaces import Decoder, Encoder

OUTPUT_STRIDE = 4
"""Input pixels per output position in each direction: 224 x 224 gives 56 x 56."""
AB_SCALE = 128.0
"""Regression outputs are ab over this, so that they have the size the default initialisation expects."""


class Network(nn.Module):
    """Lightness in, scores out.

    Attributes:
        encoder: a module of `ENCODERS`.
        decoder: a module of `DECODERS`.
    """

    def __init__(self, encoder: Encoder, decoder: Decoder) -> None:
        super().__init__()
        self.encoder = encoder
        self.decoder = decoder
        self._still: list[nn.Module] = []

    def freeze(self, levels: int, norms: bool) -> None:
        """Leave parts as they are: no gradients, and batch norms that neither use nor collect a batch's statistics.

        Args:
            levels: of the encoder, counted from the input, 0 to 5.
            norms: whether all other batch norms keep their running statistics too (their scale and shift still learn).
        """
        self._still = [module for level in self.encoder.levels()[:levels] for module in level]
        for module in self._still:
            module.requires_grad_(False)
        if norms:
            self._still += [module for module in self.modules() if isinstance(module, nn.BatchNorm2d)]
        self.train(self.training)

    def train(self, mode: bool = True) -> "Network":
        """Switch to training mode, except what `freeze` holds still."""
        super().train(mode)
        for module in self._still:
            module.eval()
        return self

    def forward(self, light: torch.Tensor) -> torch.Tensor:
        """Scores of every output position.

        Args:
            light: float (N, 1, H, W), L in [0, 100]; H and W multiples of 32.

        Returns:
            float (N, outputs, H / 4, W / 4): class scores before softmax, or ab / AB_SCALE.
        """
        scores: torch.Tensor = self.decoder(self.encoder(light))
        return scores


def build_network(
    encoder: str,
    decoder: str,
    decoder_channels: Sequence[int],
    outputs: int,
    pretrained: Mapping[str, torch.Tensor] | None = None,
) -> Network:
    """Compose a network by names.

    Args:
        encoder: a key of `ENCODERS`.
        decoder: a key of `DECODERS`.
        decoder_channels: of the decoder's convolutions, as many as the decoder has levels.
        outputs: Q kept classes, or 2 for a regression of ab.
        pretrained: the encoder's ImageNet weights as published, or None to start from random ones.

    Returns:
        the network on the CPU, in training mode.

    Raises:
        ValueError: if the number of decoder channels does not fit the decoder.
    """
    part = DECODERS[decoder]
    if len(decoder_channels) != part.widths:
        raise ValueError(f"decoder_channels: {decoder} takes {part.widths} numbers, got {list(decoder_channels)}")
    body = ENCODERS[encoder]()
    if pretrained is not None:
        body.load_pretrained(pretrained)
    return Network(body, part(body.channels, decoder_channels, outputs))
