"""The JSON schema of params.yaml says what the settings take, and is the committed one."""

import copy
from pathlib import Path
from typing import Any

import pytest
from jsonschema import Draft202012Validator
from referencing import Registry, Resource
from ruamel.yaml import YAML

from pipeline.errors import UserError
from pipeline.settings.json_schema import PARAMS_SCHEMA, params_schema, preset_schema, settings_files
from pipeline.settings.params import validate_settings

ROOT = Path(__file__).parents[2]
PRESETS = sorted((ROOT / "presets").glob("*.yaml"))
MODELINE = "# yaml-language-server: $schema="


@pytest.fixture(scope="module")
def schema() -> dict[str, Any]:
    return params_schema()


def read(path: Path) -> Any:
    return YAML(typ="safe", pure=True).load(path.read_text(encoding="utf-8"))


def test_the_committed_files_are_current() -> None:
    for path, text in settings_files().items():
        assert (ROOT / path).read_text(encoding="utf-8") == text, f"{path} is not current: huebench schema writes it"


def test_params_and_presets_name_their_schema_and_follow_it(schema: dict[str, Any]) -> None:
    for one in (schema, preset_schema()):
        Draft202012Validator.check_schema(one)
    Draft202012Validator(schema).validate(read(ROOT / "params.yaml"))
    registry = Registry().with_resource(PARAMS_SCHEMA.name, Resource.from_contents(schema))
    of_presets = Draft202012Validator(preset_schema(), registry=registry)
    for path in (ROOT / "params.yaml", *PRESETS):
        (line,) = [one for one in path.read_text(encoding="utf-8").splitlines() if one.startswith(MODELINE)]
        assert (path.parent / line.removeprefix(MODELINE)).is_file()
        if path in PRESETS:
            of_presets.validate(read(path))


CHANGES = [
    ("spaces.paper.bin_size", 0, False),
    ("spaces.paper.bin_size", 6.0, True),
    ("spaces.paper.bin_size", "6", False),
    ("spaces.paper.min_share", 1.0, False),
    ("spaces.paper.width", 6, False),
    ("run.protocol", "mine", False),
    ("run.protocol", "native@1", True),
    ("run.seed", -1, False),
    ("sets.sample", {"source": "nowhere"}, False),
    ("sets.sample", {"source": "sample", "path": "photographs"}, False),
    ("sets.sample", {"source": "folder", "path": "photographs"}, True),
    ("sets.sample", {"source": "folder"}, False),
    ("sets.sample", {}, False),
    ("masks.segmenter", {"kind": "slic", "segments": 30}, True),
    ("masks.segmenter", {"kind": "slic", "scale": 30}, False),
    ("methods.l2.model.network.kind", "encoder_decoder", True),  # the kind where none is named
    ("methods.l2.model.network.encoder", "resnet", False),
    ("methods.l2.model.network.chanels", [1], False),
    ("methods.l2.model.losses", {"l3": {}}, False),
    ("methods.l2.model.losses", {"huber": {"delta": 2.0}}, True),
    ("methods.l2.model.losses", {"huber": {"delta": 0}}, False),
    ("methods.l2.model.train", {"steps": 5}, True),
    ("methods.l2.model.train", {"size": 100}, False),
    ("methods.l2.model.train", {"step": 5}, False),
    ("methods.ccc_plus_plus.readout", {"kind": "annealed_mean", "temperature": 0.4}, True),
    ("methods.ccc_plus_plus.readout", {"kind": "argmax", "temperature": 0.4}, False),
    ("train.betas", [0.9], False),
    ("harmonize.select", {"largest": 2}, True),
    ("harmonize.select", "some", False),
    ("report.gallery", None, False),
]


@pytest.mark.parametrize(("name", "value", "taken"), CHANGES)
def test_the_schema_takes_what_the_settings_take(schema: dict[str, Any], name: str, value: Any, taken: bool) -> None:
    content = copy.deepcopy(read(ROOT / "params.yaml"))
    *sections, key = name.split(".")
    place = content
    for section in sections:
        place = place[section]
    place[key] = value
    assert Draft202012Validator(schema).is_valid(content) is taken
    if taken:
        validate_settings(content)
    else:
        with pytest.raises(UserError):
            validate_settings(content)


def test_every_setting_is_described(schema: dict[str, Any]) -> None:
    missing = []

    def look(part: Any, place: str) -> None:
        if isinstance(part, list):
            for one in part:
                look(one, place)
        elif isinstance(part, dict):
            if part.get("additionalProperties") is False:  # a section, neither a condition nor names of parts
                keys = part["properties"].items()
                missing.extend(f"{place}.{key}" for key, one in keys if not ("$ref" in one or one.get("description")))
            for key, one in part.items():
                look(one, f"{place}.{key}")

    look(schema, "")
    assert not missing
    assert all(line.rstrip().endswith("|") and not line.endswith("|  |") for line in table_rows())


def table_rows() -> list[str]:
    lines = (ROOT / "docs/settings.md").read_text(encoding="utf-8").splitlines()
    return [line for line in lines if line.startswith("| `")]
