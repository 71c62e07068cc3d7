"""The network of Zhang et al. 2017 (user-guided colorization) in the layers and names of its published PyTorch port.

It takes L and, where a user gives any, hints of color; here it colors by itself, so that the hints are absent, as in
the port's own automatic mode. Two heads stand on it: class scores at a quarter of the input's width, and ab at its full
width. A method reads the one that its own head asks for; the other keeps its weights and is not computed.
"""

from collections.abc import Mapping

import torch
from torch import Tensor, nn

from pipeline.color.constants import AB_SCALE, LARGEST_AB
from pipeline.errors import UserError
from pipeline.models.dilated_network import normed_block, start_at_random
from pipeline.models.interfaces import PublishedColorNetwork

CLASSES = 529
"""Bins of the full grid of 10 units around multiples of 10, none left out."""


def _joined_block(channels: int, convolutions: int) -> nn.Sequential:
    """ReLU first, for its input is a sum of two convolutions."""
    return nn.Sequential(nn.ReLU(), *normed_block([channels] * (convolutions + 1)))


class HintNetwork(PublishedColorNetwork):
    """A U-shaped dilated network with three joins and two heads.

    Args:
        outputs: 2 reads the ab head, any other number the class head, which then has as many classes.
    """

    def __init__(self, outputs: int) -> None:
        super().__init__()
        self.reads_ab = outputs == 2
        self.stride = 1 if self.reads_ab else 4
        self.model1 = normed_block((4, 64, 64))
        self.model2 = normed_block((64, 128, 128))
        self.model3 = normed_block((128, 256, 256, 256))
        self.model4 = normed_block((256, 512, 512, 512))
        self.model5 = normed_block((512, 512, 512, 512), dilation=2)
        self.model6 = normed_block((512, 512, 512, 512), dilation=2)
        self.model7 = normed_block((512, 512, 512, 512))
        self.model8up = nn.Sequential(nn.ConvTranspose2d(512, 256, 4, stride=2, padding=1))
        self.model3short8 = nn.Sequential(nn.Conv2d(256, 256, 3, padding=1))
        self.model8 = _joined_block(256, 2)
        self.model9up = nn.Sequential(nn.ConvTranspose2d(256, 128, 4, stride=2, padding=1))
        self.model2short9 = nn.Sequential(nn.Conv2d(128, 128, 3, padding=1))
        self.model9 = _joined_block(128, 1)
        self.model10up = nn.Sequential(nn.ConvTranspose2d(128, 128, 4, stride=2, padding=1))
        self.model1short10 = nn.Sequential(nn.Conv2d(64, 128, 3, padding=1))
        self.model10 = nn.Sequential(nn.ReLU(), nn.Conv2d(128, 128, 3, padding=1), nn.LeakyReLU(0.2))
        self.model_class = nn.Sequential(nn.Conv2d(256, CLASSES if self.reads_ab else outputs, 1))
        self.model_out = nn.Sequential(nn.Conv2d(128, 2, 1), nn.Tanh())
        start_at_random(self)
        unread = [self.model_class] if self.reads_ab else self._towards_ab()
        for module in unread:
            module.requires_grad_(False)

    def load_published(self, state: Mapping[str, Tensor]) -> None:
        """Take over the weights of the published port (`colorizers.siggraph17`).

        Args:
            state: the file's tensors by their names there.

        Raises:
            UserError: if the class head is read and tells other classes apart than the file.
            RuntimeError: if a tensor is missing, left over or of another shape.
        """
        own = self.model_class[0].out_channels
        if own != CLASSES:
            raise UserError(
                f"the published weights of siggraph17 tell {CLASSES} classes apart, this head has {own}; "
                "take a space of {bin_size: 10, shift: 115, min_share: 0}, head: {regresses: ab}, or pretrained: false"
            )
        self.load_state_dict(dict(state))

    def levels(self) -> list[list[nn.Module]]:
        """The seven blocks before the first join."""
        return [[getattr(self, f"model{number}")] for number in range(1, 8)]

    def parameter_groups(self) -> dict[str, list[nn.Parameter]]:
        """Those of the seven blocks, and those of joins and heads."""
        features = [parameter for level in self.levels() for module in level for parameter in module.parameters()]
        known = {id(parameter) for parameter in features}
        return {"encoder": features, "decoder": [one for one in self.parameters() if id(one) not in known]}

    def _towards_ab(self) -> list[nn.Module]:
        """The layers that the class head does not need."""
        joins: list[nn.Module] = [self.model9up, self.model2short9, self.model9]
        return [*joins, self.model10up, self.model1short10, self.model10, self.model_out]

    def train(self, mode: bool = True) -> "HintNetwork":
        """Switch to training mode, except what `freeze` holds still and the layers that are not computed."""
        super().train(mode)
        for module in [] if self.reads_ab else self._towards_ab():
            module.eval()
        return self

    def forward(self, light: Tensor) -> Tensor:
        """What the method's head asks for.

        Args:
            light: float (N, 1, H, W), L in [0, 100]; H and W multiples of 8.

        Returns:
            float (N, outputs, H / 4, W / 4), class scores, or float (N, 2, H, W), (a, b) / `AB_SCALE`.
        """
        no_hints = light.new_zeros(len(light), 3, *light.shape[2:])
        first = self.model1(torch.cat([(light - 50) / 100, no_hints], dim=1))
        second = self.model2(first[:, :, ::2, ::2])
        third = self.model3(second[:, :, ::2, ::2])
        deep = self.model7(self.model6(self.model5(self.model4(third[:, :, ::2, ::2]))))
        eighth = self.model8(self.model8up(deep) + self.model3short8(third))
        if not self.reads_ab:
            scores: Tensor = self.model_class(eighth)
            return scores
        ninth = self.model9(self.model9up(eighth) + self.model2short9(second))
        tenth = self.model10(self.model10up(ninth) + self.model1short10(first))
        bounded: Tensor = self.model_out(tenth)
        return bounded * (LARGEST_AB / AB_SCALE)
