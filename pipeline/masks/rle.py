"""One mask, as every segmenter returns it: COCO run-length encoding (pycocotools) with the segmenter's own scores."""

import warnings
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt
from pycocotools import mask as coco


class NotSegmented(Exception):
    """A photograph that goes without masks; it keeps its raw colours and the run goes on.

    Attributes:
        status: what stands in the table: too_large, not_annotated, mask_size.
    """

    def __init__(self, status: str, detail: str) -> None:
        super().__init__(detail)
        self.status = status


class Segment(NamedTuple):
    """A mask of one object.

    Attributes:
        counts: COCO's compressed run lengths, column by column (the string of its JSON files).
        height: of the photograph, in pixels.
        width: of the photograph, in pixels.
        predicted_iou: the segmenter's own estimate of the mask's quality in [0, 1], None where it makes none.
        stability: overlap of the mask with itself under a shifted threshold in [0, 1] (Kirillov et al. 2023, appendix
        B),
            None where the segmenter does not measure it.
    """

    counts: str
    height: int
    width: int
    predicted_iou: float | None = None
    stability: float | None = None

    @property
    def area(self) -> int:
        """Pixels of the mask."""
        return int(coco.area(_as_coco(self)))

    @property
    def box(self) -> tuple[int, int, int, int]:
        """(x, y, width, height) of the smallest box around the mask, in pixels."""
        x, y, width, height = coco.toBbox(_as_coco(self))
        return int(x), int(y), int(width), int(height)


def _as_coco(segment: Segment) -> dict[str, object]:
    return {"size": [segment.height, segment.width], "counts": segment.counts.encode("ascii")}


def encode_mask(
    mask: npt.NDArray[np.bool_], predicted_iou: float | None = None, stability: float | None = None
) -> Segment:
    """Encode a mask.

    Args:
        mask: bool (H, W).
        predicted_iou: see `Segment`.
        stability: see `Segment`.

    Returns:
        The segment; `decode_mask` gives the same mask back.
    """
    encoded = coco.encode(np.asfortranarray(mask.astype(np.uint8)))
    height, width = mask.shape
    return Segment(encoded["counts"].decode("ascii"), height, width, predicted_iou, stability)


def decode_mask(segment: Segment) -> npt.NDArray[np.bool_]:
    """Decode a mask.

    Args:
        segment: its `counts` must hold exactly height * width pixels.

    Returns:
        bool (H, W), column-major, as COCO counts its runs.

    Raises:
        ValueError: if the counts do not fit the size, or are no run-length encoding.
    """
    with warnings.catch_warnings():  # pycocotools 2.0 still speaks NumPy 1's array protocol
        warnings.filterwarnings("ignore", "__array__ implementation", DeprecationWarning)
        return coco.decode(_as_coco(segment)).view(np.bool_)


def scale_nearest(plane: npt.NDArray[Any], size: tuple[int, int]) -> npt.NDArray[Any]:
    """Scale labels or a mask: each pixel takes the value at its place.

    Args:
        plane: any type, (h, w).
        size: (height, width) wanted.

    Returns:
        (height, width), of the same type.
    """
    if plane.shape == size:
        return plane
    rows, columns = ((2 * np.arange(new) + 1) * old // (2 * new) for new, old in zip(size, plane.shape, strict=True))
    return plane[np.ix_(rows, columns)]


def segments_of_labels(labels: npt.NDArray[np.integer], size: tuple[int, int]) -> list[Segment]:
    """The regions of a partition, each as one mask of the photograph's size.

    Args:
        labels: integer (h, w), one region per value; values below 0 belong to no region.
        size: (height, width) of the photograph, to which the partition is scaled.

    Returns:
        One segment per value, in the order of the values.
    """
    scaled = scale_nearest(labels, size)
    return [encode_mask(scaled == value) for value in np.unique(scaled) if value >= 0]
