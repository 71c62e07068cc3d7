import subprocess
import sys
from pathlib import Path

import pytest
from ruamel.yaml import YAML

from pipeline.errors import UserError
from pipeline.settings.params import validate_settings
from pipeline.settings.presets import overlay_preset, preset_names


def parsed(text):
    return YAML(typ="safe", pure=True).load(text)


def test_the_committed_parameters_are_the_sample_preset(params):
    overlaid = validate_settings(parsed(overlay_preset("sample")))
    assert overlaid == validate_settings(params)


@pytest.mark.parametrize("name", sorted(preset_names()))
def test_every_preset_is_valid_and_sample_undoes_it(tmp_path, name, params):
    changed = tmp_path / "params.yaml"
    changed.write_text(overlay_preset(name), encoding="utf-8")
    settings = validate_settings(parsed(changed.read_text(encoding="utf-8")))
    assert set(settings.run.methods) <= set(settings.methods)
    assert parsed(overlay_preset("sample", changed)) == params
    assert overlay_preset("sample", changed).count("\n\n") >= Path("params.yaml").read_text(encoding="utf-8").count(
        "\n\n"
    )


@pytest.mark.parametrize("name", ["ablation", "places365"])
def test_a_preset_means_the_same_after_another_one(tmp_path, name):
    """Of what it does not mention these two leave the same: harmonize, evaluate, report and the other keys of run."""
    other = tmp_path / "params.yaml"
    other.write_text(overlay_preset({"ablation": "places365", "places365": "ablation"}[name]), encoding="utf-8")
    after, alone = (validate_settings(parsed(text)) for text in (overlay_preset(name, other), overlay_preset(name)))
    for section in ("run", "sets", "spaces", "methods", "train", "predict", "masks"):
        assert getattr(after, section) == getattr(alone, section), section


def test_comments_survive(tmp_path):
    text = overlay_preset("places365")
    assert text.startswith(Path("params.yaml").read_text(encoding="utf-8").splitlines()[0])
    assert "# or palette (SPEC R7), or mode" in text
    assert "# ten passes over 1.8 million photographs" in text


def test_the_paper_s_scale_is_what_the_specification_says():
    settings = validate_settings(parsed(overlay_preset("places365")))
    paper, method, train = settings.spaces["paper"], settings.methods["ccc_plus_plus"], settings.train
    assert (paper.bin_size, paper.shift, paper.min_share) == (6, 108, 4.5502e-6)
    network, losses = method.model.network, method.model.losses
    assert (network.encoder, network.channels) == ("densenet121", [1024, 512, 512])
    assert losses["class_cross_entropy"].percent == 10
    assert (train.size, train.batch, train.betas, train.learning_rate) == (224, 64, [0.5, 0.999], 1e-4)
    assert settings.sets["places365_reference"].sample == 35040
    assert (settings.spaces["ccc"].bin_size, settings.spaces["ccc"].shift) == (10, 100)


def test_an_unknown_preset_names_those_there_are():
    with pytest.raises(UserError, match=r"'place' is not there; presets has .*places365"):
        overlay_preset("place")


def test_a_preset_that_makes_no_sense_changes_nothing(tmp_path):
    (tmp_path / "broken.yaml").write_text("spaces: {paper: {bin_size: 0}}\n", encoding="utf-8")
    with pytest.raises(UserError, match=r"params.yaml with preset broken: spaces\.paper\.bin_size is 0"):
        overlay_preset("broken", folder=tmp_path)


@pytest.mark.parametrize(
    ("content", "says"),
    [(None, "is not there; run this where"), ("a: [1", "is no valid YAML"), ("", "holds no sections")],
)
def test_parameters_that_a_preset_cannot_be_laid_over(tmp_path, content, says):
    params = tmp_path / "params.yaml"
    if content is not None:
        params.write_text(content, encoding="utf-8")
    with pytest.raises(UserError, match=says):
        overlay_preset("sample", params)


def test_presets_are_looked_for_in_the_project(tmp_path):
    with pytest.raises(UserError, match=r"there is no folder .*presets here; run this in the project's folder"):
        preset_names(tmp_path / "presets")
    with pytest.raises(UserError, match=r"'\.\./params' is not there"):
        overlay_preset("../params")


def test_the_systems_differ_in_what_they_are_alone():
    """The same photographs, as many of them seen, and the same encoder where a system leaves it open."""
    settings = validate_settings(parsed(overlay_preset("systems")))
    assert len({settings.train_of(name).steps for name in settings.run.methods}) == 1
    assert len({settings.train_of(name).batch for name in settings.run.methods}) == 1
    assert len({settings.train_of(name).size for name in settings.run.methods}) == 1
    networks = {name: settings.methods[name].model.network for name in settings.run.methods}
    assert {name for name, network in networks.items() if network.kind != "encoder_decoder"} == {"shared_unet"}
    assert {network.encoder for network in networks.values() if network.kind == "encoder_decoder"} == {
        "efficientnet_lite0"
    }
    twin, gan, guided = (
        settings.methods[name].model for name in ("ccc_plus_plus_lite", "class_gan", "class_gan_semantic")
    )
    assert (twin.head, twin.network, twin.losses) == (gan.head, gan.network, gan.losses)
    assert gan.adversary is not None and gan.adversary == guided.adversary and twin.adversary is None
    assert guided.losses.keys() - gan.losses.keys() == {"semantic"}


@pytest.mark.parametrize("name", ["systems", "sample"])
def test_settings_are_checked_without_torch(name):
    """The command line starts without it: parts are settings first, and load what computes when it is asked for."""
    program = f"""
import sys
from ruamel.yaml import YAML
from pipeline.settings.params import validate_settings
from pipeline.settings.presets import overlay_preset
validate_settings(YAML(typ="safe", pure=True).load(overlay_preset({name!r})))
heavy = {{"torch", "torchvision", "skimage", "sklearn", "pandas"}} & set(sys.modules)
assert not heavy, heavy
"""
    subprocess.run([sys.executable, "-c", program], check=True)


def test_tiny_imagenet_has_the_systems_as_they_are_in_small():
    small, tiny = (validate_settings(parsed(overlay_preset(name))) for name in ("systems", "tiny_imagenet"))
    assert (tiny.methods, tiny.run.methods, tiny.spaces) == (small.methods, small.run.methods, small.spaces)
    assert {entry.source for entry in tiny.sets.values()} == {"tiny_imagenet"}
    assert [tiny.sets[name].split for name in (tiny.run.train, *tiny.run.test)] == ["train", "test"]
    assert tiny.train.size == tiny.predict.size == 64
