"""A convolution of an enlarged input, and the same at the input's own size with less than half of the arithmetic.

Enlarged twice by nearest neighbours, a row x0 x1 ... reads x0 x0 x1 x1 ...; of the three pixels under a kernel's row
two are always the same one. At an even place they are x[i-1], x[i], x[i], at an odd one x[i], x[i], x[i+1], and so with
columns. Summing the kernel's weights accordingly leaves four kernels of 2 x 2 for the four kinds of places: 16
multiplications for four outputs where there were 36. Which of both is faster depends: to sum the weights costs as much
as a small photograph, and gradients gain nothing, so networks are trained with the first and predict with the second.
"""

import torch
from torch import nn
from torch.nn import functional


class UpsampledConvolution(nn.Conv2d):
    """A 3 x 3 convolution, padding 1, of an input enlarged twice by nearest neighbours.

    Args:
        inputs: channels.
        outputs: channels.
        bias: whether outputs have one.
    """

    def __init__(self, inputs: int, outputs: int, bias: bool = True) -> None:
        super().__init__(inputs, outputs, 3, padding=1, bias=bias)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """Float (N, inputs, H, W) to (N, outputs, 2 H, 2 W)."""
        return super().forward(functional.interpolate(x, scale_factor=2.0, mode="nearest"))


class FoldedConvolution(nn.Conv2d):
    """The same function without the enlarged input, up to rounding.

    Args:
        convolution: whose weights are taken as they are now.
    """

    def __init__(self, convolution: UpsampledConvolution) -> None:
        weight, bias = convolution.weight, convolution.bias
        outputs, inputs = weight.shape[:2]
        super().__init__(inputs, 4 * outputs, 2, padding=1, bias=bias is not None, device="meta")
        kernels = _folded(_folded(weight.detach(), 2), 4)  # (kind of column, kind of row, outputs, inputs, 2, 2)
        self.weight = nn.Parameter(kernels.transpose(0, 1).flatten(0, 2), requires_grad=False)
        self.bias = None if bias is None else nn.Parameter(bias.detach().repeat(4), requires_grad=False)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """Float (N, inputs, H, W) to (N, outputs, 2 H, 2 W), channels last in memory."""
        height, width = x.shape[2:]
        kinds = super().forward(x).permute(0, 2, 3, 1).unflatten(-1, (2, 2, -1))  # (N, H + 1, W + 1, 2, 2, outputs)
        rows = [
            torch.stack([kinds[:, i : i + height, j : j + width, i, j] for j in (0, 1)], dim=3)  # columns in turn
            for i in (0, 1)
        ]
        return torch.stack(rows, dim=2).flatten(3, 4).flatten(1, 2).permute(0, 3, 1, 2)


def _folded(weight: torch.Tensor, dim: int) -> torch.Tensor:
    """Three weights along an axis to two, for even and for odd places: (2, ..., 2, ...)."""
    first, middle, last = weight.unbind(dim)
    even, odd = torch.stack([first, middle + last], dim), torch.stack([first + middle, last], dim)
    return torch.stack([even, odd])


def fold_upsampling(network: nn.Module) -> None:
    """Put a `FoldedConvolution` in the place of every `UpsampledConvolution`.

    Args:
        network: its parts are exchanged in place, and it can no longer be trained.
    """
    for module in list(network.modules()):
        for name, child in module.named_children():
            if isinstance(child, UpsampledConvolution):
                setattr(module, name, FoldedConvolution(child).train(child.training))
