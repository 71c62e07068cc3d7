"""The network of Zhang, Isola, Efros 2016 in the layers and names of its published PyTorch port (SPEC section 9)."""

from collections.abc import Mapping, Sequence
from itertools import pairwise

from torch import Tensor, nn

from pipeline.errors import UserError
from pipeline.models.interfaces import PublishedColorNetwork

BLOCKS = (  # channels of the convolutions, stride of the last one, dilation
    ((1, 64, 64), 2, 1),
    ((64, 128, 128), 2, 1),
    ((128, 256, 256, 256), 2, 1),
    ((256, 512, 512, 512), 1, 1),
    ((512, 512, 512, 512), 1, 2),
    ((512, 512, 512, 512), 1, 2),
    ((512, 512, 512, 512), 1, 1),
)
DECODE = "model_out.weight"
"""The port's class centers over 110, which it never trains; here they are the head's."""


def normed_block(channels: Sequence[int], stride: int = 1, dilation: int = 1) -> nn.Sequential:
    """Convolutions of 3 x 3 with ReLU, and a batch norm after the last of them (R15: with scale and shift).

    Args:
        channels: of the input and of each convolution.
        stride: of the last convolution.
        dilation: of all of them.

    Returns:
        The layers in a row, numbered as in the published port.
    """
    layers: list[nn.Module] = []
    for number, (inputs, outputs) in enumerate(pairwise(channels), start=2):
        last = stride if number == len(channels) else 1
        layers += [nn.Conv2d(inputs, outputs, 3, last, padding=dilation, dilation=dilation), nn.ReLU(inplace=True)]
    return nn.Sequential(*layers, nn.BatchNorm2d(channels[-1]))


def start_at_random(network: nn.Module) -> None:
    """He initialisation with biases of 0, for the file that the source starts from cannot be had (R15).

    Args:
        network: whose convolutions, transposed ones too, are drawn anew in place.
    """
    for module in network.modules():
        if isinstance(module, nn.Conv2d | nn.ConvTranspose2d):
            nn.init.kaiming_normal_(module.weight, nonlinearity="relu")
            if module.bias is not None:
                nn.init.zeros_(module.bias)


class DilatedNetwork(PublishedColorNetwork):
    """Scores at a quarter of the input's width from a VGG-like network, two of whose blocks are dilated.

    Args:
        outputs: classes, 313 as published.
    """

    stride = 4

    def __init__(self, outputs: int) -> None:
        super().__init__()
        blocks = [normed_block(*block) for block in BLOCKS]
        self.model1, self.model2, self.model3, self.model4, self.model5, self.model6, self.model7 = blocks
        self.model8 = nn.Sequential(
            nn.ConvTranspose2d(512, 256, 4, stride=2, padding=1),
            nn.ReLU(inplace=True),
            nn.Conv2d(256, 256, 3, padding=1),
            nn.ReLU(inplace=True),
            nn.Conv2d(256, 256, 3, padding=1),
            nn.ReLU(inplace=True),
            nn.Conv2d(256, outputs, 1),
        )
        start_at_random(self)

    def load_published(self, state: Mapping[str, Tensor]) -> None:
        """Take over the weights of the published port (`colorizers.eccv16`).

        Args:
            state: the file's tensors by their names there; its fixed decode is left aside, the head has its own.

        Raises:
            UserError: if the network tells other classes apart than the file.
            RuntimeError: if a tensor is missing, left over or of another shape.
        """
        own = self.model8[-1].out_channels
        published = state[DECODE].shape[1]
        if published != own:
            raise UserError(
                f"the published weights of cic tell {published} classes apart, this head has {own}; "
                "take a space of {bin_size: 10, shift: 115, keep: published}, or pretrained: false"
            )
        self.load_state_dict({name: tensor for name, tensor in state.items() if name != DECODE})

    def levels(self) -> list[list[nn.Module]]:
        """The seven blocks before the transposed convolution."""
        return [[block] for block in self._blocks()]

    def parameter_groups(self) -> dict[str, list[nn.Parameter]]:
        """Those of the seven blocks, and those from the transposed convolution on."""
        features = [parameter for block in self._blocks() for parameter in block.parameters()]
        return {"encoder": features, "decoder": list(self.model8.parameters())}

    def _blocks(self) -> list[nn.Sequential]:
        return [self.model1, self.model2, self.model3, self.model4, self.model5, self.model6, self.model7]

    def forward(self, light: Tensor) -> Tensor:
        """Scores of every output position.

        Args:
            light: float (N, 1, H, W), L in [0, 100]; H and W multiples of 8.

        Returns:
            float (N, outputs, H / 4, W / 4).
        """
        x = (light - 50) / 100
        for block in self._blocks():
            x = block(x)
        scores: Tensor = self.model8(x)
        return scores
