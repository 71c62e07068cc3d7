"""params.yaml -> typed, validated settings. The only reader of parameters (DESIGN section 4).

A setting that is unknown, of the wrong type or impossible is reported by its dotted name, with what it got and what it
takes, before anything runs. What belongs to the machine and changes no result (device, workers, engine, folder of
weights) is no parameter: see the environment variables in the README.
"""

from collections.abc import Iterator
from pathlib import Path
from typing import Annotated, Any

from pydantic import Field, ValidationError
from ruamel.yaml import YAML, YAMLError

from pipeline.errors import UserError
from pipeline.settings import sections
from pipeline.settings.listed import OneOf
from pipeline.settings.mask_entries import Masks
from pipeline.settings.method_entries import MethodEntry
from pipeline.settings.problems import setting_problems
from pipeline.settings.registries import PROTOCOLS
from pipeline.settings.sections import Name, Section
from pipeline.settings.set_entries import SetSettings

BASELINES = ("gray", "oracle")
"""The floor and the ceiling: they stand beside the methods in every run and are no entries of `methods` (SPEC 8)."""


class Run(Section):
    """What is run: which sets, methods, report space, protocol, seed.

    Attributes:
        seed: of everything that is drawn.
        reference: the set whose training photographs give the histogram of colours.
        train: the set that methods are trained on.
        test: the sets that methods are tested on.
        methods: which entries of `methods` are run; gray and oracle always run beside them.
        imported: names of results from elsewhere (huebench import-results).
        report_space: the one class space in which all methods are compared.
        protocol: how results are scored.
    """

    seed: Annotated[sections.Whole, Field(ge=0, lt=2**31)]
    reference: Name
    train: Name
    test: Annotated[list[Name], Field(min_length=1)]
    methods: list[Name]
    imported: list[Name] = Field([])
    report_space: Name
    protocol: Annotated[str, OneOf(PROTOCOLS)]


class Settings(Section):
    """params.yaml as a whole.

    Attributes:
        run: what is run.
        sets: image sets by name.
        histogram: how the colours of the reference photographs are counted.
        spaces: spaces of colour classes by name.
        weights: class weights.
        methods: methods by name; `run.methods` says which are run.
        train: how methods are trained.
        predict: how photographs are predicted.
        masks: how objects are found.
        harmonize: how colours are kept inside objects.
        evaluate: how photographs are scored.
        report: what the report holds.
    """

    run: Run
    sets: Annotated[dict[Name, SetSettings], Field(min_length=1)]
    histogram: sections.Histogram = sections.Histogram()
    spaces: Annotated[dict[Name, sections.Space], Field(min_length=1)]
    weights: sections.Weights = sections.Weights()
    methods: dict[Name, MethodEntry]
    train: sections.Train
    predict: sections.Predict = sections.Predict()
    masks: Masks
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
        return sections.Train.model_validate(self.train.model_dump() | self.methods[method].model.train)


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
        raise UserError("\n".join(setting_problems(error, Settings, content, source))) from None
    problems = list(_override_problems(settings, source)) or [f"{source}: {line}" for line in _mismatches(settings)]
    if problems:
        raise UserError("\n".join(problems))
    return settings


def _override_problems(settings: Settings, source: str) -> Iterator[str]:
    for method in settings.methods:
        try:
            settings.train_of(method)
        except ValidationError as error:
            merged = settings.train.model_dump() | settings.methods[method].model.train
            yield from setting_problems(error, sections.Train, merged, source, ("methods", method, "model", "train"))


def _mismatches(settings: Settings) -> Iterator[str]:
    """Names that lead nowhere, and things defined that no run would use."""
    run = settings.run
    named: list[tuple[str, list[str | None], str]] = [
        ("run.reference", [run.reference], "sets"),
        ("run.train", [run.train], "sets"),
        ("run.test", [*run.test], "sets"),
        ("run.report_space", [run.report_space], "spaces"),
        ("run.methods", [*run.methods], "methods"),
        *(
            (f"methods.{name}.model.head.classes", [method.model.head.classes], "spaces")
            for name, method in settings.methods.items()
        ),
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
    for name, method in settings.methods.items():
        if "teacher" in method.model.needs and settings.train_of(name).frozen_levels == 5:
            yield f"methods.{name}.model.losses.semantic guides an encoder whose train.frozen_levels is 5; it takes 4"
        pieces = settings.train_of(name).accumulate
        if method.model.adversary is not None and pieces > 1:
            yield f"methods.{name}.model.adversary is there, and train.accumulate is {pieces}; it takes 1 beside one"
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
