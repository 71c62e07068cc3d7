"""Presets: overlays of params.yaml that are written into it, comments kept (DESIGN section 4)."""

import io
from collections.abc import MutableMapping
from pathlib import Path
from typing import Any

from ruamel.yaml import YAML

from pipeline.config import UserError, validate_settings

FOLDER = Path("presets")
_NULL = "tag:yaml.org,2002:null"
COLLECTIONS = ("sets", "spaces", "methods")
"""What a run is made of: a preset that has one of these replaces it as a whole; other sections are merged."""


def preset_names(folder: Path = FOLDER) -> dict[str, str]:
    """The presets there are.

    Args:
        folder: where they lie, one YAML file each.

    Returns:
        What each is for (its first comment line), by name.
    """
    presets = {path.stem: path.read_text(encoding="utf-8").splitlines() for path in sorted(folder.glob("*.yaml"))}
    return {name: lines[0].lstrip("# ").rstrip() if lines else "" for name, lines in presets.items()}


def overlay_preset(name: str, params: Path = Path("params.yaml"), folder: Path = FOLDER) -> str:
    """What params.yaml becomes with a preset laid over it.

    Args:
        name: of the preset.
        params: the file that it is laid over.
        folder: where the presets lie.

    Returns:
        The new text of params.yaml: comments and order kept, validated as a whole.

    Raises:
        UserError: if there is no such preset, or the result is not valid.
    """
    source = folder / f"{name}.yaml"
    if not source.is_file():
        raise UserError(f"preset {name!r} is not there; {folder} has {', '.join(preset_names(folder)) or 'none'}")
    yaml = YAML()
    yaml.preserve_quotes = True
    yaml.width = 120
    yaml.representer.add_representer(type(None), lambda dumper, _: dumper.represent_scalar(_NULL, "null"))
    content = yaml.load(params.read_text(encoding="utf-8"))
    for section, value in (yaml.load(source.read_text(encoding="utf-8")) or {}).items():
        if section in content and section not in COLLECTIONS:
            _merge(content[section], value)
        else:
            content[section] = value
    text = io.StringIO()
    yaml.dump(content, text)
    validate_settings(YAML(typ="safe", pure=True).load(text.getvalue()), f"preset {name}")
    return text.getvalue()


def _merge(old: MutableMapping[str, Any], new: MutableMapping[str, Any]) -> None:
    for key, value in new.items():
        if isinstance(value, MutableMapping) and isinstance(old.get(key), MutableMapping):
            _merge(old[key], value)
        else:
            old[key] = value
