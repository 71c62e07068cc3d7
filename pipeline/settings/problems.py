"""What is wrong with params.yaml, in the words of its settings: the dotted name, what it got, what it takes."""

import difflib
import json
from collections.abc import Iterator, Mapping
from typing import Any, get_args, get_origin

from pydantic import ValidationError
from pydantic_core import ErrorDetails

from pipeline.settings.listed import KindOf, OptionsOf
from pipeline.settings.sections import Section

TAKES = {
    "int_type": "a whole number",
    "int_from_float": "a whole number",
    "float_type": "a number",
    "bool_type": "true or false",
    "string_type": "text",
    "list_type": "a list",
    "dict_type": "a mapping",
    "model_type": "a mapping",
    "model_attributes_type": "a mapping",
    "invalid_key": "text as key",
    "greater_than_equal": "at least {ge}",
    "greater_than": "more than {gt}",
    "less_than_equal": "at most {le}",
    "less_than": "less than {lt}",
    "multiple_of": "a multiple of {multiple_of}",
    "too_short": "at least {min_length} entries",
    "too_long": "at most {max_length} entries",
    "string_too_short": "text of at least {min_length} characters",
    "string_pattern_mismatch": "letters, digits and underscores",
    "literal_error": "{expected}",
    "union_tag_invalid": "{expected_tags}",
    "union_tag_not_found": "a mapping with the key {discriminator}",
}
"""What a setting takes, by the kind of pydantic's complaint."""
MOVED = {
    "histogram.grey_chroma": "write sets.<name>.grey_chroma: which photographs are grey is decided once, when a set is "
    "downloaded",
}
"""What to write in place of a setting that there was."""


def setting_problems(
    error: ValidationError, whole: type[Section], content: object, source: str, prefix: tuple[str, ...] = ()
) -> list[str]:
    """A line for each setting at fault; where a union complains once per member, the members share the line.

    Args:
        error: of validating the content.
        whole: the section that the content was to be.
        content: what was validated, by which parts of several forms are told.
        source: its name, for the lines.
        prefix: where in `source` the content stands.

    Returns:
        The lines.
    """
    takes: dict[str, list[str]] = {}
    lines = []
    located = [(_location(detail, prefix), detail) for detail in error.errors()]
    for location, detail in located:
        others = [(where, one) for where, one in located if where[: len(location)] == location and one is not detail]
        if any(where != location or one["type"] == "value_error" for where, one in others):
            continue  # another member of the union knows better what is wrong
        tagged = detail["type"] == "union_tag_invalid"
        name, got = ".".join(location), _shown(detail["ctx"]["tag"] if tagged else detail["input"])
        match detail["type"]:
            case "extra_forbidden" if name in MOVED:
                lines.append(f"{source}: {name} is no setting any more; {MOVED[name]}")
            case "extra_forbidden":
                known = list(known_keys(whole, content, list(map(str, detail["loc"]))[:-1]))
                close = difflib.get_close_matches(location[-1], known, n=1)
                hint = f"did you mean {close[0]}?" if close else f"it takes {', '.join(known)}"
                lines.append(f"{source}: {name} is no setting ({got}); {hint}")
            case "missing":
                lines.append(f"{source}: {name} is missing; write it")
            case "value_error":
                lines.append(f"{source}: {name}.{detail['ctx']['error']}")
            case kind:
                words = TAKES[kind].format(**detail.get("ctx", {})) if kind in TAKES else detail["msg"]
                takes.setdefault(f"{source}: {name} is {got}", []).append(words.replace("'", ""))
    return lines + [f"{what}, it takes {' or '.join(words)}" for what, words in takes.items()]


def _location(detail: ErrorDetails, prefix: tuple[str, ...]) -> list[str]:
    """The dotted name's parts, without those that pydantic adds for a union's members and a mapping's keys."""
    parts = [*prefix, *(str(part) for part in detail["loc"])]
    if detail["type"].startswith("union_tag"):
        parts.append(detail["ctx"]["discriminator"].strip("'"))
    return [part for part in parts if "[" not in part and part != "Select"]


def _shown(value: object) -> str:
    text = json.dumps(value, default=str)
    return text if len(text) <= 60 else text[:57] + "..."


def known_keys(whole: type[Section], content: object, location: list[str]) -> Iterator[str]:
    """The keys that the mapping at a place takes.

    Args:
        whole: the section as a whole.
        content: what stands there, by which parts of several forms are told.
        location: keys from the top to the mapping.

    Yields:
        The keys.
    """
    kind: Any = whole
    for part in location:
        kind = _inside(kind, content, part)
        content = content.get(part) if isinstance(content, Mapping) else None
    chosen = _form(kind, content)
    yield from chosen.registry if isinstance(chosen, OptionsOf) else chosen.model_fields


def _inside(kind: Any, content: object, part: str) -> Any:
    """The type of what stands under a key: a type, or the annotation that tells it by content."""
    kind = _form(kind, content)
    if isinstance(kind, OptionsOf):
        return kind.registry[part]
    if get_origin(kind) is dict:
        return get_args(kind)[1]
    field = kind.model_fields.get(part)
    if field is None:
        return kind
    told = next((one for one in field.metadata if isinstance(one, KindOf | OptionsOf)), None)
    return told or field.annotation


def _form(kind: Any, content: object) -> Any:
    """A section, a mapping of them, or the options of a registry, out of whatever is annotated."""
    told = next((one for one in getattr(kind, "__metadata__", ()) if isinstance(one, KindOf | OptionsOf)), None)
    kind = told or kind
    if isinstance(kind, KindOf):
        return (kind.section(content) if isinstance(content, Mapping) else None) or Section
    if (
        isinstance(kind, OptionsOf)
        or get_origin(kind) is dict
        or (isinstance(kind, type) and issubclass(kind, Section))
    ):
        return kind
    return next((form for one in get_args(kind) if (form := _form(one, content)) is not Section), Section)
