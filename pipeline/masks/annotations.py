"""The segmenter `masks`: objects that people drew, from annotation files in the format of COCO."""

import functools
import hashlib
import json
from collections import defaultdict
from pathlib import Path
from typing import Annotated, Any, ClassVar, Literal

import numpy as np
import numpy.typing as npt
from pycocotools import mask as coco
from pydantic import Field

from pipeline.errors import UserError
from pipeline.masks.rle import NotSegmented, Segment
from pipeline.masks.segmenter import Segmenter

DrawnOn = tuple[int, int, list[Any]]
"""Height, width and instances of a photograph, as the file has them."""


class DrawnMasks(Segmenter):
    """Objects that people drew.

    Attributes:
        annotations: a COCO annotation file, or a folder of them.
    """

    by_name: ClassVar[bool] = True

    kind: Literal["masks"] = "masks"
    annotations: Annotated[str, Field(min_length=1)]

    @property
    def annotated_in(self) -> str:
        """The annotation file or folder."""
        return self.annotations

    def decides(self) -> list[str]:
        """What the files hold."""
        return [hashlib.sha256(path.read_bytes()).hexdigest() for path in annotation_files(self.annotations)]

    def segment(self, grey: npt.NDArray[np.uint8], image_id: str) -> list[Segment]:
        """As `Segmenter.segment`; of the photograph only its size matters."""
        return annotated_segments(grey, image_id, self.annotations)


def annotation_files(path: str) -> list[Path]:
    """The annotation files that a setting names.

    Args:
        path: a JSON file, or a folder of them.

    Returns:
        The files, sorted by name.

    Raises:
        UserError: if there is none.
    """
    place = Path(path)
    files = sorted(place.glob("*.json")) if place.is_dir() else [place] if place.is_file() else []
    if not files:
        raise UserError(
            f"masks.segmenter.annotations is {path!r}, it takes a COCO annotation file (.json) or a folder of them"
        )
    return files


def annotated_segments(grey: npt.NDArray[np.uint8], image_id: str, annotations: str) -> list[Segment]:
    """The masks annotated for a photograph; crowds are left out, as they are no single object.

    Args:
        grey: uint8 (H, W); only its size matters.
        image_id: the annotations name it by `file_name`, with or without folder and suffix.
        annotations: a COCO annotation file or a folder of them.

    Returns:
        One segment per annotated instance, possibly none.

    Raises:
        NotSegmented: if the photograph is not in the annotations, or has another size there.
        UserError: if the annotations cannot be read.
    """
    known = _index(annotations)
    if (name := _known_name(image_id, known)) is None:
        raise NotSegmented("not_annotated", f"{annotations} has no photograph of that name")
    height, width, instances = known[name]
    if (height, width) != grey.shape:
        raise NotSegmented(
            "mask_size", f"its masks are {width} x {height}, the photograph is {grey.shape[1]} x {grey.shape[0]}"
        )
    return [_as_segment(instance, height, width) for instance in instances]


def _known_name(image_id: str, known: dict[str, Any]) -> str | None:
    last = image_id.rsplit("/", 1)[-1]
    return next((name for name in (image_id, last, last.rsplit(".", 1)[0]) if name in known), None)


def _as_segment(instance: Any, height: int, width: int) -> Segment:
    """Polygons, uncompressed or compressed run lengths: COCO writes all three."""
    if isinstance(instance, list):
        encoded = coco.merge(coco.frPyObjects(instance, height, width))
    elif isinstance(instance["counts"], list):
        encoded = coco.frPyObjects(instance, height, width)
    else:
        encoded = {"size": instance["size"], "counts": instance["counts"].encode("ascii")}
    if tuple(encoded["size"]) != (height, width):
        raise NotSegmented("mask_size", f"a mask is {encoded['size'][::-1]}, its photograph {[width, height]}")
    return Segment(encoded["counts"].decode("ascii"), height, width)


@functools.lru_cache(maxsize=2)
def _index(annotations: str) -> dict[str, DrawnOn]:
    """What is drawn on each photograph, by the name of its file, also without folder and suffix where that is clear."""
    full: dict[str, DrawnOn] = {}
    short: dict[str, list[DrawnOn]] = defaultdict(list)
    origin: dict[str, Path] = {}
    for path in annotation_files(annotations):
        for name, annotated in _read(path).items():
            if name in origin:
                raise UserError(
                    f"{origin[name]} and {path} both describe {name}; masks.segmenter.annotations takes one of them"
                )
            full[name], origin[name] = annotated, path
            for part in {Path(name).name, Path(name).stem} - {name}:
                short[part].append(annotated)
    return {name: several[0] for name, several in short.items() if len(several) == 1} | full


def _read(path: Path) -> dict[str, DrawnOn]:
    """The photographs of one file; none where it holds annotations of another kind only, such as COCO's captions."""
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
        drawn = [one for one in content["annotations"] if one.get("segmentation")]
        if content["annotations"] and not drawn:
            return {}
        instances = defaultdict(list)
        for one in drawn:
            if not one.get("iscrowd"):
                instances[one["image_id"]].append(one["segmentation"])
        return {
            image["file_name"]: (int(image["height"]), int(image["width"]), instances[image["id"]])
            for image in content["images"]
        }
    except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
        raise UserError(f"{path} is no COCO annotation file: {type(error).__name__} {error}") from None
