"""The network kind `cic` as params.yaml has it: Zhang, Isola, Efros 2016. Loads no torch by itself."""

from typing import TYPE_CHECKING, Literal

from pipeline.models.published_network import PublishedNetwork

if TYPE_CHECKING:
    from pipeline.models.interfaces import PublishedColorNetwork


class Cic(PublishedNetwork):
    """The dilated network of 32 million parameters.

    Attributes:
        pretrained: whether it starts from the weights that its authors published, which tell 313 classes apart.
    """

    kind: Literal["cic"] = "cic"

    def empty(self, outputs: int) -> "PublishedColorNetwork":
        """As `PublishedNetwork.empty`."""
        from pipeline.models.dilated_network import DilatedNetwork

        return DilatedNetwork(outputs)
