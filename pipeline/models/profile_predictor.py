"""Which color profile a photograph has, from its lightness alone (Robles and Budach; SPEC R33)."""

from torch import Tensor, nn

SIDE = 64
"""Of the square that it sees, px."""
CHANNELS = (32, 64, 128)


class ProfilePredictor(nn.Module):
    """Three convolutions of 3 x 3 with ReLU and max pooling, then two dense layers.

    Args:
        profiles: how many there are.
    """

    def __init__(self, profiles: int) -> None:
        super().__init__()
        layers: list[nn.Module] = []
        inputs = 1
        for channels in CHANNELS:
            layers += [nn.Conv2d(inputs, channels, 3, padding=1), nn.ReLU(inplace=True), nn.MaxPool2d(2)]
            inputs = channels
        side = SIDE // 2 ** len(CHANNELS)
        self.features = nn.Sequential(*layers, nn.Flatten())
        self.scores = nn.Sequential(nn.Linear(inputs * side**2, 128), nn.ReLU(inplace=True), nn.Linear(128, profiles))

    def forward(self, light: Tensor) -> Tensor:
        """Scores before softmax.

        Args:
            light: float (N, 1, 64, 64), L in [0, 100].

        Returns:
            float (N, profiles).
        """
        scores: Tensor = self.scores(self.features(light / 50 - 1))
        return scores
