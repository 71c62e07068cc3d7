"""The segmenter `sam` as params.yaml has it. Loads no torch by itself."""

from typing import Annotated, ClassVar, Literal

import numpy as np
import numpy.typing as npt
from pydantic import Field

from pipeline.masks.rle import Segment
from pipeline.masks.segmenter import Segmenter
from pipeline.settings.sections import Box, Point, Positive, Share, Whole


class SegmentAnything(Segmenter):
    """Segment Anything's automatic masks, or those for points and boxes (Kirillov et al., ICCV 2023).

    Attributes:
        model: whose checkpoint is resolved as every weight file is.
        points_per_side: of the grid of points that it is asked about.
        points_per_batch: at a time; lowered by itself where memory runs out, and changes no mask.
        predicted_iou: masks that the network itself rates lower are dropped.
        stability: masks that overlap less with themselves under another threshold are dropped.
        crop_layers: how often the photograph is also looked at in smaller crops.
        points: (x, y), px; one mask for each, in place of the automatic ones.
        boxes: (x0, y0, x1, y1), px; likewise.
    """

    alone: ClassVar[bool] = True

    kind: Literal["sam"] = "sam"
    model: Literal["vit_b", "vit_l", "vit_h"] = "vit_h"
    points_per_side: Positive = 32
    points_per_batch: Positive = 64
    predicted_iou: Share = 0.88
    stability: Share = 0.95
    crop_layers: Annotated[Whole, Field(ge=0, le=3)] = 0
    points: list[Point] = Field([])
    boxes: list[Box] = Field([])

    @property
    def weights(self) -> str:
        """The checkpoint."""
        return f"sam_{self.model}"

    def decides(self) -> object:
        """All but how many points fit into memory."""
        return self.model_dump(mode="json", exclude={"points_per_batch"})

    def segment(self, grey: npt.NDArray[np.uint8], image_id: str) -> list[Segment]:
        """As `Segmenter.segment`; the name is for messages."""
        from pipeline.masks.sam import segment_anything

        return segment_anything(grey, image_id, self)
