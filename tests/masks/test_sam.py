"""The adapter of Segment Anything, with the package's own classes built small and random weights."""

import logging
from functools import partial

import numpy as np
import pytest
import torch
from segment_anything import sam_model_registry
from segment_anything.modeling import ImageEncoderViT, MaskDecoder, PromptEncoder, TwoWayTransformer
from segment_anything.modeling import Sam as Network

from pipeline.errors import UserError
from pipeline.machine.weight_files import MissingWeights
from pipeline.masks import sam as adapter
from pipeline.masks.rle import NotSegmented, decode_mask
from pipeline.masks.sam import Bfloat16Encoder, Loaded, load_checkpoint, load_network, run_network
from pipeline.masks.segment_anything import SegmentAnything

SIDE, PATCH, CHANNELS = 64, 16, 32


def small_network(width: int = 32) -> Network:
    torch.manual_seed(0)
    encoder = ImageEncoderViT(
        img_size=SIDE,
        patch_size=PATCH,
        embed_dim=width,
        depth=2,
        num_heads=2,
        out_chans=CHANNELS,
        norm_layer=partial(torch.nn.LayerNorm, eps=1e-6),
        use_rel_pos=True,
        window_size=2,
        global_attn_indexes=(1,),
    )
    prompts = PromptEncoder(CHANNELS, (SIDE // PATCH, SIDE // PATCH), (SIDE, SIDE), 16)
    decoder = MaskDecoder(
        transformer_dim=CHANNELS,
        transformer=TwoWayTransformer(depth=1, embedding_dim=CHANNELS, mlp_dim=32, num_heads=2),
    )
    return Network(encoder, prompts, decoder, [123.675, 116.28, 103.53], [58.395, 57.12, 57.375]).eval()


@pytest.fixture(scope="module")
def network() -> Network:
    return small_network()


def grey(height: int = 90, width: int = 120) -> np.ndarray:
    return np.random.default_rng(0).integers(0, 256, (height, width)).astype(np.uint8)


SETTINGS = SegmentAnything(points_per_side=3, points_per_batch=4, predicted_iou=0.0, stability=0.0)


def test_automatic_masks_have_the_photographs_size_and_scores(network):
    segments = run_network(Loaded(network), grey(), "one", SETTINGS)
    assert segments
    for segment in segments:
        assert decode_mask(segment).shape == (90, 120)
        assert 0 <= segment.stability <= 1
        assert segment.predicted_iou is not None


def test_a_photograph_of_the_networks_size_keeps_the_packages_masks(network):
    from segment_anything import SamAutomaticMaskGenerator

    picture = grey(48, 64)
    generator = SamAutomaticMaskGenerator(
        network, 3, 9, pred_iou_thresh=0.0, stability_score_thresh=0.0, output_mode="binary_mask"
    )
    expected = generator.generate(np.repeat(picture[..., None], 3, axis=-1))
    found = run_network(Loaded(network), picture, "one", SETTINGS.model_copy(update={"points_per_batch": 9}))
    assert sorted(one.area for one in found) == sorted(record["area"] for record in expected)
    masks = {decode_mask(one).tobytes() for one in found}
    assert masks == {np.asfortranarray(record["segmentation"]).tobytes() for record in expected}


def test_no_mask_passes_the_thresholds(network):
    assert run_network(Loaded(network), grey(), "one", SETTINGS.model_copy(update={"predicted_iou": 1.0})) == []


def test_points_and_boxes_are_prompts(network):
    chosen = SETTINGS.model_copy(update={"points": [[10.0, 20.0]], "boxes": [[5.0, 5.0, 60.0, 80.0]]})
    segments = run_network(Loaded(network), grey(), "one", chosen)
    assert [decode_mask(segment).shape for segment in segments] == [(90, 120)] * 2


@pytest.mark.parametrize("outside", [{"points": [[120.0, 0.0]]}, {"boxes": [[0.0, 0.0, 121.0, 9.0]]}])
def test_prompts_outside_the_photograph(network, outside):
    with pytest.raises(NotSegmented) as refusal:
        run_network(Loaded(network), grey(), "one", SETTINGS.model_copy(update=outside))
    assert refusal.value.status == "prompt_outside"


def test_coordinates_stay_in_float32(network):
    scaled = adapter._Coordinates(SIDE).apply_coords(np.array([[1.0, 2.0]]), (90, 120))
    assert scaled.dtype == np.float32


def test_bfloat16_encoder_gives_float32_close_to_the_original(network):
    image = torch.randn(1, 3, SIDE, SIDE)
    with torch.no_grad():
        exact, rounded = network.image_encoder(image), Bfloat16Encoder(network.image_encoder)(image)
    assert rounded.dtype == torch.float32
    assert 0 < (rounded - exact).abs().max() < 0.1 * exact.abs().max()


def test_out_of_memory_halves_the_points_and_says_so(network, monkeypatch, caplog):
    decode = network.mask_decoder.forward

    def limited(*args, **kwargs):
        if len(kwargs["sparse_prompt_embeddings"]) > 2:
            raise torch.OutOfMemoryError("CUDA out of memory. Tried to allocate 1 GiB")
        return decode(*args, **kwargs)

    expected = run_network(Loaded(network), grey(), "one", SETTINGS)
    monkeypatch.setattr(network.mask_decoder, "forward", limited)
    loaded = Loaded(network)
    with caplog.at_level(logging.WARNING):
        found = run_network(loaded, grey(), "one", SETTINGS)
    assert loaded.points_per_batch == 2
    assert "out of memory with 4 points per batch, going on with 2" in caplog.text
    assert [one.area for one in found] == [one.area for one in expected]


def test_not_even_one_point_fits(network, monkeypatch):
    def never(*args, **kwargs):
        raise torch.OutOfMemoryError("out of memory")

    monkeypatch.setattr(network.mask_decoder, "forward", never)
    with pytest.raises(UserError, match="one point per batch"):
        run_network(Loaded(network), grey(), "one", SETTINGS)


def test_other_failures_are_not_taken_for_memory(network, monkeypatch):
    def broken(*args, **kwargs):
        raise RuntimeError("shapes do not fit")

    monkeypatch.setattr(network.mask_decoder, "forward", broken)
    with pytest.raises(RuntimeError, match="shapes do not fit"):
        run_network(Loaded(network), grey(), "one", SETTINGS)


def test_checkpoint_through_the_registry(tmp_path, monkeypatch):
    path = tmp_path / "sam.pth"
    saved = small_network()
    torch.save(saved.state_dict(), path)
    monkeypatch.setitem(sam_model_registry, "vit_b", small_network)
    monkeypatch.setattr("pipeline.machine.weight_files.resolve", lambda name: {"sam_vit_b": path}[name])
    monkeypatch.setenv("HUEBENCH_DEVICE", "cpu")
    load_network.cache_clear()
    try:
        segments = adapter.segment_anything(grey(), "one", SETTINGS.model_copy(update={"model": "vit_b"}))
    finally:
        load_network.cache_clear()
    assert [one.counts for one in segments] == [
        one.counts for one in run_network(Loaded(saved), grey(), "one", SETTINGS)
    ]


def test_a_missing_checkpoint_is_a_line_for_the_user(tmp_path, monkeypatch):
    monkeypatch.setitem(sam_model_registry, "vit_b", small_network)
    monkeypatch.setattr(
        "pipeline.machine.weight_files.fetch_file", lambda *_: (_ for _ in ()).throw(MissingWeights("not here"))
    )
    monkeypatch.setenv("HUEBENCH_WEIGHTS", str(tmp_path))
    monkeypatch.setenv("TORCH_HOME", str(tmp_path))
    load_network.cache_clear()
    with pytest.raises(MissingWeights):
        load_network("vit_b")


def test_a_checkpoint_of_another_model_names_both(tmp_path):
    path = tmp_path / "wide.pth"
    torch.save(small_network(width=768).state_dict(), path)
    with pytest.raises(UserError, match=r"wide\.pth is a checkpoint of vit_b, masks\.segmenter\.model is vit_h"):
        load_checkpoint(small_network(), path, "vit_h")


@pytest.mark.parametrize("content", ["words", "tensors", "code"])
def test_files_that_are_no_checkpoint(tmp_path, content):
    path = tmp_path / "file.pth"
    if content == "words":
        path.write_text("no checkpoint")
    else:
        torch.save({"a": torch.zeros(2)} if content == "tensors" else {"a": partial(print, 1)}, path)
    with pytest.raises(UserError, match=r"file\.pth is no(thing)? .*(SAM|checkpoint)") as error:
        load_checkpoint(small_network(), path, "vit_b")
    assert "\n" not in str(error.value)
