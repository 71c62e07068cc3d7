"""The network kind `siggraph17` as params.yaml has it: Zhang et al. 2017, coloring by itself. Loads no torch itself."""

from typing import TYPE_CHECKING, Literal

from pipeline.models.published_network import PublishedNetwork

if TYPE_CHECKING:
    from pipeline.models.interfaces import PublishedColorNetwork


class Siggraph17(PublishedNetwork):
    """The U-shaped network of 34 million parameters, without hints.

    A method with `head: {regresses: ab}` reads its ab head, at the input's full width, as its authors' demonstration
    does; one with `head: {classes: SPACE}` reads its class head, at a quarter of it. One head is trained at a time.

    Attributes:
        pretrained: whether it starts from the weights that its authors published, whose class head has 529 classes.
    """

    kind: Literal["siggraph17"] = "siggraph17"

    def empty(self, outputs: int) -> "PublishedColorNetwork":
        """As `PublishedNetwork.empty`."""
        from pipeline.models.hint_network import HintNetwork

        return HintNetwork(outputs)
