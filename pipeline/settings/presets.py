"""Presets: overlays of params.yaml that are written into it, comments kept (DESIGN section 4)."""

import io
import re
from pathlib import Path

from ruamel.yaml import YAML

from pipeline.errors import UserError
from pipeline.settings.params import read_yaml, validate_settings

FOLDER = Path("presets")
_NULL = "tag:yaml.org,2002:null"
_BETWEEN_SECTIONS = re.compile(r"(\n[ ][^\n]*\n)(?=\w)")
"""The end of a section's last line where the next section follows at once."""


def preset_names(folder: Path = FOLDER) -> dict[str, str]:
    """The presets there are.

    Args:
        folder: where they lie, one YAML file each.

    Returns:
        What each is for (its first comment line), by name.

    Raises:
        UserError: if there are none.
    """
    if not folder.is_dir():
        raise UserError(f"there is no folder {folder} here; run this in the project's folder")
    presets = {path.stem: path.read_text(encoding="utf-8").splitlines() for path in sorted(folder.glob("*.yaml"))}
    return {name: lines[0].lstrip("# ").rstrip() if lines else "" for name, lines in presets.items()}


def overlay_preset(name: str, params: Path = Path("params.yaml"), folder: Path = FOLDER) -> str:
    """What params.yaml becomes with a preset laid over it.

    A section of the preset replaces the one that is there, so that nothing of an earlier preset shows through; only of
    `run` the keys that the preset does not name stay.

    Args:
        name: of the preset.
        params: the file that it is laid over.
        folder: where the presets lie.

    Returns:
        The new text of params.yaml: comments and order kept, validated as a whole.

    Raises:
        UserError: if there is no such preset, or the result is not valid.
    """
    names = preset_names(folder)
    if name not in names:
        raise UserError(f"preset {name!r} is not there; {folder} has {', '.join(names)}")
    source = folder / f"{name}.yaml"
    yaml = YAML()
    yaml.preserve_quotes = True
    yaml.width = 120
    yaml.representer.add_representer(type(None), lambda dumper, _: dumper.represent_scalar(_NULL, "null"))
    content = read_yaml(params, yaml)
    if not isinstance(content, dict):
        raise UserError(
            f"{params} holds no sections; git checkout {params} brings back the one that came with the project"
        )
    for section, value in (read_yaml(source, yaml) or {}).items():
        if section == "run" and isinstance(content.get(section), dict):
            content[section].update(value)
        else:
            content[section] = value
    dumped = io.StringIO()
    yaml.dump(content, dumped)
    text = _BETWEEN_SECTIONS.sub(r"\1\n", dumped.getvalue())
    validate_settings(YAML(typ="safe", pure=True).load(text), f"{params} with preset {name}")
    return text
