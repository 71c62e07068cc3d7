"""What every segmenter offers; `settings.registries.SEGMENTERS` lists them."""

from abc import abstractmethod
from typing import ClassVar, cast

import numpy as np
import numpy.typing as npt

from pipeline.masks.rle import Segment
from pipeline.settings.mask_entries import Masks, SegmenterEntry


class Segmenter(SegmenterEntry):
    """A segmenter: its settings, and a function of the grey photograph.

    It sees neither colours nor model nor classes, so its masks serve every method.

    Attributes:
        alone: whether one process has the whole machine, or the whole GPU, for it.
        by_name: whether its masks belong to a photograph's name rather than to its pixels.
    """

    alone: ClassVar[bool] = False
    by_name: ClassVar[bool] = False

    @property
    def weights(self) -> str | None:
        """The weight file that it needs, as `machine.weight_files` names it; None for none."""
        return None

    @property
    def annotated_in(self) -> str | None:
        """The file or folder beside the photographs that it reads; None for none."""
        return None

    def decides(self) -> object:
        """Everything of its settings, and of the files that it reads, that decides about masks; JSON's types."""
        return self.model_dump(mode="json")

    @abstractmethod
    def segment(self, grey: npt.NDArray[np.uint8], image_id: str) -> list[Segment]:
        """The masks of a photograph.

        Args:
            grey: uint8 (H, W), grey levels.
            image_id: the photograph's name.

        Returns:
            Masks of size (H, W), which may overlap.

        Raises:
            NotSegmented: for a photograph that has to go without masks.
            UserError: for what stops the whole run.
        """


def chosen_segmenter(masks: Masks) -> Segmenter:
    """The segmenter of the section `masks`."""
    return cast(Segmenter, masks.segmenter)
