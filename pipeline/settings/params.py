"""params.yaml -> typed, validated settings. The only reader of parameters (DESIGN section 4).

A setting that is unknown, of the wrong type or impossible is reported by its dotted name, with what it got and what it
takes, before anything runs. What belongs to the machine and changes no result (device, workers, engine, folder of
weights) is no parameter: see the environment variables in the README.
"""

import difflib
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Annotated, Any, get_args, get_origin

from pydantic import Field, ValidationError
from pydantic_core import ErrorDetails
from ruamel.yaml import YAML, YAMLError

from pipeline.errors import UserError
from pipeline.settings import sections
from pipeline.settings.registries import SETS
from pipeline.settings.sections import Name, Section
from pipeline.settings.set_entries import SetSettings

BASELINES = ("gray", "oracle")
"""The floor and the ceiling: they stand beside the methods in every run and are no entries of `methods` (SPEC 8)."""


class Settings(Section):
    """params.yaml as a whole."""

    run: sections.Run
    sets: Annotated[dict[Name, SetSettings], Field(min_length=1)]
    histogram: sections.Histogram = sections.Histogram()
    spaces: Annotated[dict[Name, sections.Space], Field(min_length=1)]
    weights: sections.Weights = sections.Weights()
    methods: dict[Name, sections.Method]
    train: sections.Train
    predict: sections.Predict = sections.Predict()
    masks: sections.Masks
    harmonize: sections.Harmonize = sections.Harmonize()
    evaluate: sections.Evaluate = sections.Evaluate()
    report: sections.Report = sections.Report()

    def train_of(self, method: str) -> sections.Train:
        """The training settings of a method: `train`, overridden by the method's own.

        Args:
            method: a key of `methods`.

        Returns:
            The merged section.

        Raises:
            ValidationError: if an override is unknown or impossible; `load_settings` has checked every method.
        """
        return sections.Train.model_validate(self.train.model_dump() | self.methods[method].train)


def load_settings(path: Path = Path("params.yaml")) -> Settings:
    """Read and validate the parameters as a whole.

    Args:
        path: a YAML file (YAML 1.2, so `1e-4` is a number).

    Returns:
        The settings, immutable.

    Raises:
        UserError: one line for each setting at fault, each with its name, what it got and what it takes.
    """
    return validate_settings(read_yaml(path), str(path))


def read_yaml(path: Path, loader: YAML | None = None) -> Any:
    """Read a YAML file.

    Args:
        path: of the file (YAML 1.2, so `1e-4` is a number).
        loader: such as one that keeps comments; None for plain values.

    Returns:
        What it holds.

    Raises:
        UserError: if it is not there, or no YAML.
    """
    try:
        return (loader or YAML(typ="safe", pure=True)).load(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise UserError(f"{path} is not there; run this where the project's params.yaml is") from None
    except (YAMLError, UnicodeDecodeError) as error:
        raise UserError(f"{path} is no valid YAML: {' '.join(str(error).split())}") from None


def validate_settings(content: object, source: str = "params.yaml") -> Settings:
    """Validate parameters that have been read.

    Args:
        content: what the YAML file holds.
        source: its name, for messages.

    Returns:
        The settings, immutable.

    Raises:
        UserError: as `load_settings`.
    """
    if not isinstance(content, dict):
        raise UserError(
            f"{source} holds {type(content).__name__}, it takes a mapping of sections: run, sets, spaces, ..."
        )
    try:
        settings = Settings.model_validate(content)
    except ValidationError as error:
        raise UserError("\n".join(_problems(error, source, content=content))) from None
    problems = list(_override_problems(settings, source)) or [f"{source}: {line}" for line in _mismatches(settings)]
    if problems:
        raise UserError("\n".join(problems))
    return settings


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


def _problems(error: ValidationError, source: str, prefix: tuple[str, ...] = (), content: object = None) -> list[str]:
    """A line for each setting at fault; where a union complains once per member, the members share the line."""
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
                known = _known_keys([*prefix, *map(str, detail["loc"])][:-1], content)
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


def _known_keys(location: list[str], content: object) -> list[str]:
    """The keys that the section at a location takes; of a set, those of the source that the content names."""
    if location[:1] == ["sets"] and len(location) == 2 and isinstance(content, dict):
        return list(SETS[content["sets"][location[1]]["source"]].model_fields)
    kind: Any = Settings
    for part in location:
        if get_origin(kind) is dict:
            kind = get_args(kind)[1]
            continue
        found = _sections(kind)
        kind = next((one.model_fields[part].annotation for one in found if part in one.model_fields), kind)
    return list(_sections(kind)[0].model_fields)


def _sections(kind: Any) -> list[type[Section]]:
    return [one for one in [kind, *_members(kind)] if isinstance(one, type) and issubclass(one, Section)]


def _members(kind: Any) -> Iterator[Any]:
    """The types inside a union, a list, a mapping or an annotation."""
    for member in get_args(kind):
        yield member
        yield from _members(member)


def _override_problems(settings: Settings, source: str) -> Iterator[str]:
    for method in settings.methods:
        try:
            settings.train_of(method)
        except ValidationError as error:
            for line in _problems(error, source, ("train",)):
                yield line.replace(f"{source}: train.", f"{source}: methods.{method}.train.", 1)


def _mismatches(settings: Settings) -> Iterator[str]:
    """Names that lead nowhere, and things defined that no run would use."""
    run = settings.run
    named: list[tuple[str, list[str | None], str]] = [
        ("run.reference", [run.reference], "sets"),
        ("run.train", [run.train], "sets"),
        ("run.test", [*run.test], "sets"),
        ("run.report_space", [run.report_space], "spaces"),
        ("run.methods", [*run.methods], "methods"),
        *((f"methods.{name}.space", [method.space], "spaces") for name, method in settings.methods.items()),
    ]
    for key, names, section in named:
        defined = getattr(settings, section)
        for name in names:
            if name is not None and name not in defined:
                yield f"{key} names {name!r}, which is not defined; {section} has {', '.join(defined) or 'nothing'}"
    for key, chosen in (("run.test", run.test), ("run.methods", run.methods), ("run.imported", run.imported)):
        for name in sorted({name for name in chosen if chosen.count(name) > 1}):
            yield f"{key} names {name!r} twice, it takes each name once"
    for name in sorted(set(settings.sets) - {run.reference, run.train, *run.test}):
        yield f"sets.{name} is defined, but run uses it nowhere; name it under run, or remove it to save its download"
    for name in [*settings.methods, *run.imported]:
        if name in BASELINES:
            yield f"{name!r} is the name of a baseline that always runs; give the method another name"
    for name in sorted(set(run.imported) & set(settings.methods)):
        yield f"run.imported names {name!r}, which is also an entry of methods; give one of them another name"


def known(settings: Settings, section: str, name: str) -> str:
    """A name, if it is defined.

    Args:
        settings: params.yaml.
        section: sets, spaces or methods.
        name: a key of that section.

    Returns:
        The name.

    Raises:
        UserError: if the section has no such key.
    """
    defined = getattr(settings, section)
    if name not in defined:
        raise UserError(f"{name!r} is not defined in params.yaml; {section} has {', '.join(defined) or 'nothing'}")
    return name
