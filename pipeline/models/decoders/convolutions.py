"""What decoders are made of."""

from torch import nn


def normed_convolution(convolution: nn.Conv2d) -> nn.Sequential:
    """A convolution, batch norm and ReLU.

    Args:
        convolution: without bias, since the norm has one.

    Returns:
        The three in a row.
    """
    return nn.Sequential(convolution, nn.BatchNorm2d(convolution.out_channels), nn.ReLU(inplace=True))


def plain_convolution(inputs: int, outputs: int) -> nn.Sequential:
    """A 3 x 3 convolution with batch norm and ReLU that keeps the size.

    Args:
        inputs: channels.
        outputs: channels.

    Returns:
        The three in a row.
    """
    return normed_convolution(nn.Conv2d(inputs, outputs, 3, padding=1, bias=False))
