import subprocess
import sys
from pathlib import Path

import pytest

from pipeline.errors import UserError
from pipeline.machine.provenance import fingerprint
from pipeline.settings.params import load_settings, validate_settings

DELETE = object()


def changed(params, path, value):
    *parents, last = path.split(".")
    section = params
    for part in parents:
        section = section[part]
    if value is DELETE:
        del section[last]
    else:
        section[last] = value
    return params


@pytest.mark.parametrize(
    ("path", "value", "says"),
    [
        ("spaces.paper.bin_size", 0, "spaces.paper.bin_size is 0, it takes at least 1"),
        ("spaces.paper.bin_size", "6", 'spaces.paper.bin_size is "6", it takes a whole number'),
        ("spaces.paper.bin_size", 6.5, "spaces.paper.bin_size is 6.5, it takes a whole number"),
        ("spaces.paper.shift", 200, "spaces.paper.shift is 200, it takes at most 128"),
        ("spaces.paper.min_share", 1.0, "spaces.paper.min_share is 1.0, it takes less than 1"),
        (
            "methods.ccc_plus_plus.model.losses.class_cross_entropy.percent",
            300,
            "methods.ccc_plus_plus.model.losses.class_cross_entropy.percent is 300, it takes at most 100",
        ),
        ("run.test", ["nope"], "run.test names 'nope', which is not defined; sets has sample"),
        ("run.test", "sample", 'run.test is "sample", it takes a list'),
        ("run.test", ["sample", "sample"], "run.test names 'sample' twice"),
        ("run.methods", ["cic"], "run.methods names 'cic', which is not defined"),
        ("run.protocol", "mine", 'run.protocol is "mine", it takes cic-256@1'),
        (
            "methods.ccc_plus_plus.model.head",
            {"classes": "none"},
            "methods.ccc_plus_plus.model.head.classes names 'none', which is not defined; spaces",
        ),
        (
            "methods.l2.model.head",
            {"classes": "paper"},
            "methods.l2.readout is missing, it takes {kind: argmax or expectation or annealed_mean}",
        ),
        ("methods.l2.model.head", {}, "methods.l2.model.head.classes is missing, it takes classes: SPACE or regresses"),
        ("methods.l2.readout", {"kind": "argmax"}, "methods.l2.readout is taken with head: {classes: SPACE}"),
        (
            "methods.ccc_plus_plus.model.head",
            {"regresses": "ab"},
            "methods.ccc_plus_plus.model.losses.class_cross_entropy needs classes; write head: {classes: SPACE}",
        ),
        ("methods.l2.model.losses", {}, "methods.l2.model.losses is empty, it takes at least one of class_cross"),
        (
            "methods.l2.model.losses",
            {"hubre": {}},
            "methods.l2.model.losses.hubre is no setting ({}); did you mean huber",
        ),
        (
            "methods.l2.model.losses",
            {"huber": {"dleta": 1.0}},
            "methods.l2.model.losses.huber.dleta is no setting (1.0); did you mean delta?",
        ),
        (
            "methods.l2.model.network.encoder",
            "vgg",
            'methods.l2.model.network.encoder is "vgg", it takes densenet121, eff',
        ),
        (
            "methods.l2.model.network.kind",
            "resnet",
            'methods.l2.model.network.kind is "resnet", it takes encoder_decoder, cic',
        ),
        ("methods.l2.model.network.deocder", "skip", "methods.l2.model.network.deocder is no setting"),
        (
            "methods.ccc_plus_plus.readout",
            {"kind": "argmax", "temperature": 0.4},
            "methods.ccc_plus_plus.readout.temperature is no setting (0.4); it takes kind",
        ),
        (
            "methods.ccc_plus_plus.readout",
            {"kind": "annealed_mean", "temperature": 0},
            "methods.ccc_plus_plus.readout.temperature is 0, it takes more than 0",
        ),
        (
            "methods.ccc_plus_plus.readout",
            {"temperature": 0.4},
            'methods.ccc_plus_plus.readout.kind is {"temperature": 0.4}, it takes a mapping with the key kind',
        ),
        (
            "methods.old",
            {"encoder": "densenet121", "pretrained": False, "decoder_channels": [8, 8, 8], "losses": {"l1": {}}},
            "methods.old.encoder stands where older versions had it; write the entry as {model: {head: "
            "{regresses: ab}, network: {encoder: densenet121, pretrained: false, channels: [8, 8, 8]}, "
            "losses: {l1: {}}}}",
        ),
        (
            "methods.old",
            {"space": "paper", "encoder": "densenet121", "readout": "annealed_mean", "temperature": 0.4},
            "methods.old.space stands where older versions had it; write the entry as {model: {head: "
            "{classes: paper}, network: {encoder: densenet121}}, readout: {kind: annealed_mean, temperature: 0.4}}",
        ),
        ("methods.l2.model.train", {"stesp": 3}, "methods.l2.model.train.stesp is no setting (3); did you mean steps?"),
        ("methods.l2.model.train", {"steps": 0}, "methods.l2.model.train.steps is 0, it takes at least 1"),
        ("train.stesp", 3, "train.stesp is no setting (3); did you mean steps?"),
        ("train.steps", DELETE, "train.steps is missing"),
        ("train.learning_rate", "1e-4", 'train.learning_rate is "1e-4", it takes a number'),
        ("train.size", 100, "train.size is 100, it takes a multiple of 32"),
        ("sets.sample.source", "sampel", 'sets.sample.source is "sampel", it takes sample, folder'),
        (
            "sets.sample.x",
            1,
            "sets.sample.x is no setting (1); it takes max_bad_share, grey_chroma, max_pixels, source",
        ),
        (
            "sets.path",
            {"source": "folder", "path": ".", "split": 1},
            "sets.path.split is no setting (1); did you mean split_by?",
        ),
        ("sets.other", {"source": "sample"}, "sets.other is defined, but run uses it nowhere"),
        ("masks.segmenter", {"kind": "masks"}, "masks.segmenter.annotations is missing"),
        (
            "masks.segmenter",
            {"kind": "slicc"},
            'masks.segmenter.kind is "slicc", it takes felzenszwalb, slic, sam, masks',
        ),
        (
            "masks.segmenter",
            {"kind": "slic", "sgma": 1.0},
            "masks.segmenter.sgma is no setting (1.0); did you mean sigma?",
        ),
        (
            "masks",
            {"segmenter": "slic", "slic": {"segments": 30}},
            "masks.segmenter stands as older versions had it; write segmenter: {kind: slic, segments: 30}",
        ),
        ("harmonize.select", {"largest": 0}, "harmonize.select.largest is 0, it takes at least 1"),
        ("harmonize.select", {"largest": 1, "points": [[1, 2]]}, "harmonize.select.largest and points are there, it"),
        ("harmonize.select", {"points": [[1, 2, 3]]}, "harmonize.select.points.0 is [1, 2, 3], it takes at most 2"),
        ("harmonize.select", "some", 'harmonize.select is "some", it takes all or a mapping'),
        ("sets.sample", None, "sets.sample is null, it takes a mapping"),
        ("harmonize.radius", 400, "harmonize.radius is 400, it takes at most 90"),
        ("train.scale", [1.0, 0.35], "train.scale is [1.0, 0.35], it takes the smaller share of the photograph first"),
        (
            "methods.l2.model.train",
            {"patience": 3, "validation_share": 0.0},
            "methods.l2.model.train.validation_share is 0",
        ),
        (
            "methods.l2.model.network.channels",
            [256, 128],
            "methods.l2.model.network.channels is [256, 128], it takes a list of 3 with decoder: skip",
        ),
        (
            "methods.l2.model.network.decoder",
            "hypercolumn",
            "methods.l2.model.network.channels is [128, 96, 64], it takes a list of 1 with decoder: hypercolumn",
        ),
        (
            "methods.l2.model.network.encoder",
            "vgg19",
            "methods.l2.model.network.decoder is 'skip', it takes hypercolumn with the 16 levels of vgg19",
        ),
        (
            "methods.l2.model.adversary",
            {"discriminator": {"layers": 9}},
            "methods.l2.model.adversary.discriminator.layers is 9, it takes at most 5",
        ),
        (
            "methods.l2.model.adversary",
            {"discriminator": {"kind": "pixel"}},
            'methods.l2.model.adversary.discriminator.kind is "pixel", it takes patch',
        ),
        ("methods.l2.model.adversary", {}, "methods.l2.model.adversary.discriminator is missing"),
        (
            "methods.l2.model",
            {
                "head": {"regresses": "ab"},
                "network": {"encoder": "efficientnet_lite0", "pretrained": True, "decoder": "skip"},
                "losses": {"l2": {}},
                "adversary": {"discriminator": {}},
                "train": {"accumulate": 2},
            },
            "methods.l2.model.adversary is there, and train.accumulate is 2; it takes 1 beside one",
        ),
        (
            "methods.l2.model.losses",
            {"l2": {}, "semantic": {}},
            "methods.l2.model.losses.semantic is there alone; write network: {semantic_head: true} and losses",
        ),
        (
            "methods.l2.model.network.semantic_head",
            True,
            "methods.l2.model.network.semantic_head is there alone; write network: {semantic_head: true} and losses",
        ),
        (
            "methods.l2.model",
            {
                "head": {"regresses": "ab"},
                "network": {"encoder": "densenet121", "pretrained": False, "semantic_head": True},
                "losses": {"l2": {}, "semantic": {"weight": 0.1}},
                "train": {"frozen_levels": 5},
            },
            "methods.l2.model.losses.semantic guides an encoder whose train.frozen_levels is 5; it takes 4",
        ),
        ("colour", 1, "colour is no setting (1)"),
        ("histogram.grey_chroma", 2.0, "histogram.grey_chroma is no setting any more; write sets.<name>.grey_chroma"),
        (
            "sets.sample",
            {"source": "places365", "part": "test", "split": "tets"},
            'sets.sample.split is "tets", it takes train or test',
        ),
        (
            "sets.sample",
            {"source": "places365", "part": "test", "split": "test", "sampel": 3},
            "sets.sample.sampel is no setting (3); did you mean sample?",
        ),
        ("sets.sample", {"source": "imagenet"}, "sets.sample.split is missing"),
        ("sets.sample", {}, "sets.sample.source is {}, it takes a mapping with the key source"),
    ],
)
def test_a_wrong_setting_is_named_with_what_it_got_and_takes(params, path, value, says):
    with pytest.raises(UserError) as error:
        validate_settings(changed(params, path, value))
    lines = str(error.value).splitlines()
    assert len(lines) == 1
    assert lines[0].startswith(f"params.yaml: {says}"), lines


def test_several_wrong_settings_each_get_a_line(params):
    params["train"]["steps"] = 0
    params["spaces"]["paper"]["bin_size"] = -1
    with pytest.raises(UserError) as error:
        validate_settings(params)
    assert len(str(error.value).splitlines()) == 2


def test_a_baseline_name_and_a_name_that_is_no_file_name_are_refused(params):
    params["methods"]["gray"] = params["methods"]["l2"]
    with pytest.raises(UserError, match="'gray' is the name of a baseline"):
        validate_settings(params)
    del params["methods"]["gray"]
    params["methods"]["a/b"] = params["methods"]["l2"]
    with pytest.raises(UserError, match="letters, digits and underscores"):
        validate_settings(params)


def test_six_and_six_point_nought_are_the_same_value(params):
    whole = validate_settings(params)
    params["spaces"]["paper"]["bin_size"] = 6.0
    assert validate_settings(params) == whole
    assert fingerprint(validate_settings(params).spaces["paper"]) == fingerprint(whole.spaces["paper"])


def test_exponents_without_a_point_are_numbers(tmp_path, params):
    text = Path("params.yaml").read_text(encoding="utf-8").replace("learning_rate: 1.0e-3", "learning_rate: 1e-3")
    (tmp_path / "params.yaml").write_text(text, encoding="utf-8")
    assert isinstance(load_settings(tmp_path / "params.yaml").train.learning_rate, float)


def test_a_method_overrides_the_training_settings(params):
    params["methods"]["l2"]["model"]["train"] = {"steps": 7, "batch": 3}
    settings = validate_settings(params)
    assert (settings.train_of("l2").steps, settings.train_of("l2").batch) == (7, 3)
    assert settings.train_of("l2").size == settings.train.size


@pytest.mark.parametrize("text", ["[1, 2", "just words", ""])
def test_a_file_that_is_no_mapping_is_one_line(tmp_path, text):
    (tmp_path / "params.yaml").write_text(text, encoding="utf-8")
    with pytest.raises(UserError) as error:
        load_settings(tmp_path / "params.yaml")
    assert len(str(error.value).splitlines()) == 1


def test_a_missing_file_is_one_line(tmp_path):
    with pytest.raises(UserError, match="not there"):
        load_settings(tmp_path / "params.yaml")


def test_only_the_sources_that_are_named_are_imported():
    """Validation stays quick, whatever sets there are: none of the others, no torch, no scipy."""
    code = (
        "import sys; from pipeline.settings.params import load_settings; load_settings(); print(*sorted(sys.modules))"
    )
    loaded = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout.split()
    assert "pipeline.sets.sample" in loaded
    unwanted = {"torch", "scipy", "skimage", "pandas", "pyarrow", "pipeline.sets.places365", "pipeline.sets.flowers102"}
    assert unwanted.isdisjoint(loaded)


def test_the_values_of_every_source_reach_the_fingerprint(params):
    before = validate_settings(params)
    params["sets"]["sample"] = {"source": "folder", "path": "here", "seed": 1}
    one = validate_settings(params)
    params["sets"]["sample"]["seed"] = 2
    assert len({fingerprint(each) for each in (before, one, validate_settings(params))}) == 3
    assert one.model_dump(mode="json")["sets"]["sample"]["path"] == "here"
