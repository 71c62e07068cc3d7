"""The segmenter `sam`: Segment Anything (Kirillov et al., ICCV 2023) by its authors' package, on the grey
photograph."""

import functools
import logging
import pickle
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

import numpy as np
import numpy.typing as npt
import torch
from segment_anything import SamAutomaticMaskGenerator, SamPredictor, sam_model_registry
from segment_anything.modeling import Sam as Network
from segment_anything.utils.amg import calculate_stability_score
from segment_anything.utils.transforms import ResizeLongestSide

from pipeline.errors import UserError
from pipeline.machine.devices import choose_device
from pipeline.masks.rle import NotSegmented, Segment, decode_mask, encode_mask, scale_nearest
from pipeline.masks.superpixels import reduced

STABILITY_OFFSET = 1.0
"""By how much the threshold of the logits is moved to measure stability; the package's default."""
WIDTHS = {768: "vit_b", 1024: "vit_l", 1280: "vit_h"}
"""Channels of the image encoder, by which a checkpoint's model type is told."""

log = logging.getLogger(__name__)


class SamSettings(Protocol):
    """What is read of `segment_anything.SegmentAnything`; its attributes are explained there."""

    @property
    def model(self) -> str:
        """Vit_b, vit_l or vit_h."""

    @property
    def points_per_side(self) -> int:
        """Of the grid."""

    @property
    def points_per_batch(self) -> int:
        """At a time."""

    @property
    def predicted_iou(self) -> float:
        """Share."""

    @property
    def stability(self) -> float:
        """Share."""

    @property
    def crop_layers(self) -> int:
        """0 for none."""

    @property
    def points(self) -> list[list[float]]:
        """(x, y), px."""

    @property
    def boxes(self) -> list[list[float]]:
        """(x0, y0, x1, y1), px."""


@dataclass
class Loaded:
    """A network ready to run.

    Attributes:
        network: in evaluation mode, on its device.
        points_per_batch: points that have fitted into memory at once; None until a run had to lower it.
    """

    network: Network
    points_per_batch: int | None = None


class _Coordinates(ResizeLongestSide):
    """The package's scaling of prompts in float32; its float64 does not exist on Apple GPUs."""

    def apply_coords(self, coords: npt.NDArray[Any], original_size: tuple[int, ...]) -> npt.NDArray[np.float32]:
        return super().apply_coords(coords, original_size).astype(np.float32)


class Bfloat16Encoder(torch.nn.Module):
    """The image encoder, nearly all of the network's work, in bfloat16; its output and the rest stay float32.

    Args:
        encoder: SAM's image encoder.
    """

    def __init__(self, encoder: torch.nn.Module) -> None:
        super().__init__()
        self.encoder = encoder
        self.img_size = encoder.img_size

    def forward(self, image: torch.Tensor) -> torch.Tensor:
        """Embed an image, float32 (B, 3, S, S), as float32 (B, C, S / 16, S / 16)."""
        with torch.autocast(image.device.type, torch.bfloat16):
            return self.encoder(image).float()


def segment_anything(grey: npt.NDArray[np.uint8], image_id: str, settings: SamSettings) -> list[Segment]:
    """The masks that SAM finds by itself, or those for the points and boxes of the settings.

    Args:
        grey: uint8 (H, W), given to the network as three equal channels.
        image_id: for messages.
        settings: the section `masks.segmenter`.

    Returns:
        Masks with predicted IoU and stability; they may overlap.

    Raises:
        NotSegmented: if a point or a box lies outside the photograph.
        UserError: if the checkpoint is missing or unfit, or not even one point at a time fits into memory.
    """
    return run_network(load_network(settings.model), grey, image_id, settings)


@functools.lru_cache(maxsize=1)
def load_network(model: str) -> Loaded:
    """Build a network and load its checkpoint, once per process.

    Args:
        model: vit_b, vit_l or vit_h.

    Returns:
        The network on the device that HUEBENCH_DEVICE names; its image encoder in bfloat16 on a CUDA GPU that has it.

    Raises:
        UserError: if the checkpoint is missing, has another hash, or belongs to another model.
    """
    from pipeline.machine.weight_files import resolve

    network = sam_model_registry[model]()
    load_checkpoint(network, resolve(f"sam_{model}"), model)
    device = choose_device()
    network = network.eval().to(device)
    if device.type == "cuda" and torch.cuda.is_bf16_supported():
        network.image_encoder = Bfloat16Encoder(network.image_encoder)
    return Loaded(network)


def load_checkpoint(network: Network, path: Path, model: str) -> None:
    """Load weights into a network, all of them and no others.

    Args:
        network: built for `model`.
        path: a state dictionary as the SAM authors publish it.
        model: the name, for messages.

    Raises:
        UserError: if the file is no such dictionary, or belongs to another model.
    """
    try:
        state = torch.load(path, map_location="cpu", weights_only=True)
    except (pickle.UnpicklingError, RuntimeError, EOFError, OSError) as error:
        raise UserError(f"{path} is no SAM checkpoint: {' '.join(str(error).split())[:200]}") from None
    try:
        network.load_state_dict(state, strict=True)
    except (RuntimeError, TypeError, AttributeError):
        raise UserError(
            f"{path} is {_told_model(state)}, masks.segmenter.model is {model}; use a checkpoint of that model"
        ) from None


def _told_model(state: object) -> str:
    """What a checkpoint looks like, by the width of its image encoder."""
    weight = state.get("image_encoder.pos_embed") if isinstance(state, dict) else None
    if not isinstance(weight, torch.Tensor):
        return "no checkpoint of SAM"
    return f"a checkpoint of {WIDTHS.get(weight.shape[-1], f'width {weight.shape[-1]}')}"


def run_network(loaded: Loaded, grey: npt.NDArray[np.uint8], image_id: str, settings: SamSettings) -> list[Segment]:
    """Segment one photograph with a loaded network; see `segment_anything`.

    The photograph is scaled down to the network's input size first, where it is larger: the network sees no more of it,
    and the masks of a batch, which the package makes at the size it is given, stay within memory.
    """
    small = reduced(grey, loaded.network.image_encoder.img_size)
    rgb = np.repeat(small[..., None], 3, axis=-1)
    if settings.points or settings.boxes:
        return _prompted(loaded.network, rgb, grey.shape, settings)
    records = _automatic(loaded, rgb, image_id, settings)
    return [
        _at_full_size(
            Segment(record["segmentation"]["counts"], *small.shape),
            grey.shape,
            record["predicted_iou"],
            record["stability_score"],
        )
        for record in records
    ]


def _at_full_size(segment: Segment, size: tuple[int, int], predicted_iou: float, stability: float) -> Segment:
    if (segment.height, segment.width) == size:
        return segment._replace(predicted_iou=predicted_iou, stability=stability)
    return encode_mask(scale_nearest(decode_mask(segment), size), predicted_iou, stability)


def _automatic(
    loaded: Loaded, rgb: npt.NDArray[np.uint8], image_id: str, settings: SamSettings
) -> list[dict[str, Any]]:
    """SAM's own masks; on running out of memory the points of a batch are halved, for this and later photographs."""
    batch = loaded.points_per_batch or settings.points_per_batch
    while True:
        generator = SamAutomaticMaskGenerator(
            loaded.network,
            points_per_side=settings.points_per_side,
            points_per_batch=batch,
            pred_iou_thresh=settings.predicted_iou,
            stability_score_thresh=settings.stability,
            stability_score_offset=STABILITY_OFFSET,
            crop_n_layers=settings.crop_layers,
            output_mode="coco_rle",
        )
        generator.predictor.transform = _Coordinates(loaded.network.image_encoder.img_size)
        try:
            return generator.generate(rgb)
        except RuntimeError as error:
            if "out of memory" not in str(error).lower():
                raise
            if batch == 1:
                raise UserError(
                    f"{image_id}: SAM is out of memory with one point per batch; use a smaller model"
                ) from None
        if torch.cuda.is_available():
            torch.cuda.empty_cache()
        log.warning("%s: SAM is out of memory with %d points per batch, going on with %d", image_id, batch, batch // 2)
        loaded.points_per_batch = batch = batch // 2


def _prompted(
    network: Network, rgb: npt.NDArray[np.uint8], size: tuple[int, int], settings: SamSettings
) -> list[Segment]:
    """One mask for each point and each box: of SAM's three answers the one it rates best."""
    predictor = SamPredictor(network)
    predictor.transform = _Coordinates(network.image_encoder.img_size)
    height, width = size
    scale = np.array([rgb.shape[1] / width, rgb.shape[0] / height], np.float32)
    prompts: list[dict[str, Any]] = []
    for x, y in settings.points:
        if not (0 <= x < width and 0 <= y < height):
            raise NotSegmented("prompt_outside", f"point ({x:g}, {y:g}) lies outside of {width} x {height} pixels")
        prompts.append({"point_coords": np.array([[x, y]]) * scale, "point_labels": np.ones(1, np.int32)})
    for x0, y0, x1, y1 in settings.boxes:
        if not (0 <= x0 < x1 <= width and 0 <= y0 < y1 <= height):
            raise NotSegmented(
                "prompt_outside", f"box ({x0:g}, {y0:g}, {x1:g}, {y1:g}) is no box within {width} x {height}"
            )
        prompts.append({"box": np.array([x0, y0, x1, y1]) * np.tile(scale, 2)})
    predictor.set_image(rgb)
    segments = []
    for prompt in prompts:
        logits, scores, _ = predictor.predict(multimask_output=True, return_logits=True, **prompt)
        best = int(scores.argmax())
        threshold = float(network.mask_threshold)
        stability = calculate_stability_score(torch.from_numpy(logits[best : best + 1]), threshold, STABILITY_OFFSET)
        mask = scale_nearest(logits[best] > threshold, size)
        segments.append(encode_mask(mask, float(scores[best]), float(stability[0])))
    return segments
