"""params.yaml -> typed, validated settings. The only reader of parameters (DESIGN section 4).

A setting that is unknown, of the wrong type or impossible is reported by its dotted name, with what it got and what it
takes, before anything runs. What belongs to the machine and changes no result (device, workers, engine, folder of
weights) is no parameter: see the environment variables in the README.
"""

import difflib
import hashlib
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Annotated, Any

from pydantic import BaseModel, Field, ValidationError
from pydantic_core import ErrorDetails
from ruamel.yaml import YAML, YAMLError

from pipeline import sections
from pipeline.sections import Name, Section
from pipeline.sets.settings import SetSettings


class UserError(Exception):
    """Something the user can put right. The message is one line: the thing, what it got, what it takes. Exit code 2."""


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
    try:
        content = YAML(typ="safe", pure=True).load(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise UserError(f"{path} is not there; run this where the project's params.yaml is") from None
    except (YAMLError, UnicodeDecodeError) as error:
        raise UserError(f"{path} is no valid YAML: {' '.join(str(error).split())}") from None
    return validate_settings(content, str(path))


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
        raise UserError("\n".join(_line(source, (), detail) for detail in error.errors())) from None
    problems = list(_override_problems(settings, source)) or [f"{source}: {line}" for line in _mismatches(settings)]
    if problems:
        raise UserError("\n".join(problems))
    return settings


def _line(source: str, prefix: tuple[str, ...], detail: ErrorDetails) -> str:
    location = [*prefix, *detail["loc"]]
    name = ".".join(str(part) for part in location if part != "[key]")
    got = json.dumps(detail["input"], default=str)
    got = got if len(got) <= 60 else got[:57] + "..."
    match detail["type"]:
        case "extra_forbidden":
            known = _known_keys(prefix + tuple(detail["loc"][:-1]))
            close = difflib.get_close_matches(str(location[-1]), known, n=1)
            hint = f"did you mean {close[0]}?" if close else f"it takes {', '.join(known)}"
            return f"{source}: {name} is no setting ({got}); {hint}"
        case "missing":
            return f"{source}: {name} is missing; write it"
        case "value_error":
            return f"{source}: {name}.{detail['ctx']['error']}" if name else f"{source}: {detail['ctx']['error']}"
        case "string_pattern_mismatch":
            return f"{source}: {name} is {got}, a name takes letters, digits and underscores"
    takes = detail["msg"].removeprefix("Input should be ").removeprefix("a valid ")
    return f"{source}: {name} is {got}, it takes {takes}"


def _known_keys(location: tuple[Any, ...]) -> list[str]:
    """The keys that the section at a location takes; empty where the location leads into no section."""
    model: Any = Settings
    for part in location:
        field = getattr(model, "model_fields", {}).get(part)
        annotation = field.annotation if field else model
        candidates = [annotation, *_arguments(annotation)]
        model = next((one for one in candidates if isinstance(one, type) and issubclass(one, BaseModel)), None)
    return list(model.model_fields) if model else []


def _arguments(annotation: Any) -> Iterator[Any]:
    for argument in getattr(annotation, "__args__", ()):
        yield argument
        yield from _arguments(argument)


def _override_problems(settings: Settings, source: str) -> Iterator[str]:
    for method in settings.methods:
        try:
            settings.train_of(method)
        except ValidationError as error:
            for detail in error.errors():
                line = _line(source, ("train",), detail)
                yield line.replace(f"{source}: train.", f"{source}: methods.{method}.train.", 1)


def _mismatches(settings: Settings) -> Iterator[str]:
    """Names that lead nowhere, and things defined that no run would use."""
    run = settings.run
    for key, names, section in (
        ("run.reference", [run.reference], "sets"),
        ("run.train", [run.train], "sets"),
        ("run.test", run.test, "sets"),
        ("run.report_space", [run.report_space], "spaces"),
        ("run.methods", run.methods, "methods"),
        *((f"methods.{name}.space", [method.space], "spaces") for name, method in settings.methods.items()),
    ):
        defined = getattr(settings, section)
        for name in names:
            if name is not None and name not in defined:
                yield f"{key} names {name!r}, which is not defined; {section} has {', '.join(defined) or 'nothing'}"
    for key, chosen in (("run.test", run.test), ("run.methods", run.methods), ("run.imported", run.imported)):
        for name in sorted({name for name in chosen if chosen.count(name) > 1}):
            yield f"{key} names {name!r} twice, it takes each name once"
    for name in sorted(set(settings.sets) - {run.reference, run.train, *run.test}):
        yield f"sets.{name} is defined, but run uses it nowhere and it would be downloaded; name it under run or remove it"
    for name in [*settings.methods, *run.imported]:
        if name in BASELINES:
            yield f"{name!r} is the name of a baseline that always runs; give the method another name"
    for name in sorted(set(run.imported) & set(settings.methods)):
        yield f"run.imported names {name!r}, which is also an entry of methods; give one of them another name"


def fingerprint(*parts: object) -> str:
    """A short hash of settings, for the names of resume state and the rows of a report.

    Args:
        *parts: sections, strings, numbers, or containers of them.

    Returns:
        16 hexadecimal digits, the same for 6 and 6.0.
    """

    def plain(part: object) -> object:
        if isinstance(part, BaseModel):
            return part.model_dump(mode="json")
        return str(part)

    text = json.dumps(parts, default=plain, sort_keys=True)
    return hashlib.sha256(text.encode()).hexdigest()[:16]
