"""The settings as a JSON schema (draft 2020-12), by which editors complete and check params.yaml, and as a page."""

import copy
import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from pipeline.settings.params import Run, Settings
from pipeline.settings.sections import Train

Schema = dict[str, Any]

PARAMS_SCHEMA = Path("docs/params.schema.json")
PRESET_SCHEMA = Path("docs/preset.schema.json")
SETTINGS_PAGE = Path("docs/settings.md")
DIALECT = "https://json-schema.org/draft/2020-12/schema"
BOUNDS = {"ge": "minimum", "gt": "exclusiveMinimum", "le": "maximum", "lt": "exclusiveMaximum"}
BOUNDS |= {"multiple_of": "multipleOf"}
"""Pydantic's words for the bounds of a number that it has converted first, and the schema's."""
SIGNS = {"minimum": "≥", "exclusiveMinimum": ">", "maximum": "≤", "exclusiveMaximum": "<"}
SIGNS |= {"multipleOf": "multiple of"}
OVERRIDES = "TrainOverrides"


def settings_files() -> dict[Path, str]:
    """The files that describe the settings, as `huebench schema` writes them.

    Returns:
        Text by path, relative to the project's root.
    """
    schema = params_schema()
    described = {PARAMS_SCHEMA: schema, PRESET_SCHEMA: preset_schema()}
    texts = {path: json.dumps(one, indent=1, ensure_ascii=False) + "\n" for path, one in described.items()}
    return texts | {SETTINGS_PAGE: settings_page(schema)}


def params_schema() -> Schema:
    """The JSON schema of params.yaml: types, ranges, choices, defaults and a description for each key.

    Returns:
        The schema. What depends on several settings (names that lead nowhere, losses that need classes) it leaves to
        `huebench check`.
    """
    schema = _standard(Settings.model_json_schema())
    train = copy.deepcopy(schema["$defs"][Train.__name__])
    for setting in train["properties"].values():
        setting.pop("default", None)  # that of the section `train`
    train.pop("required", None)
    schema["$defs"][OVERRIDES] = train
    place = schema["$defs"]["ModelEntry"]["properties"]["train"]
    schema["$defs"]["ModelEntry"]["properties"]["train"] = {
        "$ref": f"#/$defs/{OVERRIDES}",
        "description": place["description"],
    }
    return {"$schema": DIALECT, **schema}


def preset_schema() -> Schema:
    """The JSON schema of a preset: any sections of params.yaml, and any keys of `run`."""
    file = PARAMS_SCHEMA.name
    sections: Schema = {name: {"$ref": f"{file}#/properties/{name}"} for name in Settings.model_fields}
    sections["run"] = {
        "type": "object",
        "additionalProperties": False,
        "properties": {name: {"$ref": f"{file}#/$defs/Run/properties/{name}"} for name in Run.model_fields},
    }
    return {"$schema": DIALECT, "type": "object", "additionalProperties": False, "properties": sections}


def _standard(part: Any) -> Any:
    """Without titles, which repeat the keys, and with the schema's own words for bounds."""
    if isinstance(part, list):
        return [_standard(one) for one in part]
    if not isinstance(part, dict):
        return part
    return {
        BOUNDS.get(key, key): {name: _standard(one) for name, one in value.items()}
        if key == "properties"
        else _standard(value)
        for key, value in part.items()
        if key != "title"
    }


def settings_page(schema: Schema) -> str:
    """Every setting with its type, default and description, as Markdown.

    Args:
        schema: of `params_schema`.
    """
    lines = [
        "# Settings",
        "",
        "Every key of params.yaml. Written by `huebench schema` from the settings themselves; change nothing here.",
    ]
    for name, section in schema["properties"].items():
        lines += _described(name, section, schema, 2)
    return "\n".join(lines) + "\n"


def _described(name: str, part: Schema, schema: Schema, level: int) -> Iterator[str]:
    """A mapping: what it is, a table of its keys, and then those of them that are mappings themselves."""
    if "patternProperties" in part:
        name += ".NAME"
    for form, when in _forms(part, schema):
        yield from ("", f"{'#' * level} `{name}`{when}", "", form.get("description", ""))
        keys: Mapping[str, Schema] = form["properties"]
        if keys:
            yield from ("", "| setting | takes | default | |", "|---|---|---|---|")
        for key, one in keys.items():
            needed = "needed" if key in form.get("required", ()) else ""
            default = f"`{json.dumps(one['default'])}`" if "default" in one else needed
            text = one.get("description", "").replace("\n", " ").replace("|", "\\|")
            yield f"| `{key}` | {_takes(one, schema)} | {default} | {text} |"
        for key, one in keys.items():
            if one.get("$ref", "").endswith(OVERRIDES):
                continue
            if any(inner.get("properties") for inner, _ in _forms(one, schema)):
                yield from _described(f"{name}.{key}", one, schema, level + 1)


def _forms(part: Schema, schema: Schema) -> Iterator[tuple[Schema, str]]:
    """The mappings that a part may be, each with the words that tell when."""
    part = _resolved(part, schema)
    for named in part.get("patternProperties", {}).values():
        yield from _forms(named, schema)
    yield from ((inner, "") for one in part.get("anyOf", ()) for inner, _ in _forms(one, schema))
    kinds = [one for one in part.get("allOf", ()) if "if" in one]
    for one in kinds:
        ((key, value),) = one["if"].get("anyOf", [one["if"]])[0]["properties"].items()
        yield _resolved(one["then"], schema), f" with `{key}: {value['const']}`"
    if not kinds and "properties" in part:
        yield part, ""


def _resolved(part: Schema, schema: Schema) -> Schema:
    reference = part.get("$ref")
    return part if reference is None else schema["$defs"][reference.rpartition("/")[2]]


def _takes(part: Schema, schema: Schema) -> str:
    """What a setting takes, in a few words."""
    whole = _resolved(part, schema)
    if "anyOf" in whole:
        return " or ".join(dict.fromkeys(_takes(one, schema) for one in whole["anyOf"]))
    if "const" in whole or "enum" in whole:
        return ", ".join(f"`{one}`" for one in whole.get("enum", [whole.get("const")]))
    words = {"integer": "whole number", "number": "number", "string": "text", "boolean": "true, false"}
    words |= {"null": "null", "object": "mapping"}
    if whole.get("type") == "array":
        return f"list of {_takes(whole.get('items', {}), schema)}"
    bounds = [f"{sign} {whole[key]}" for key, sign in SIGNS.items() if key in whole]
    return " ".join([words.get(whole.get("type", ""), "anything"), *([", ".join(bounds)] if bounds else [])])
