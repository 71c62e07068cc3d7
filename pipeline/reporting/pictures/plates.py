"""Finished figures, copied beside the page."""

import shutil
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from pipeline.reporting.file_names import slug
from pipeline.reporting.report_inputs import Figure


@dataclass(frozen=True)
class Plate:
    """A figure on the page: its file relative to the page, title and caption."""

    file: str
    title: str
    caption: str


def plates(figures: Sequence[Figure], out: Path) -> tuple[tuple[Plate, ...], list[str]]:
    """Copy the figures below `media/figures`.

    Returns:
        The figures that are there, and what to say about those that are not.
    """
    found, faults = [], []
    for figure in figures:
        if not figure.path.is_file():
            faults.append(f"The figure {figure.title!r} is not there ({figure.path.name}).")
            continue
        name = f"media/figures/{slug(figure.path.stem)}{figure.path.suffix.lower()}"
        (out / name).parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(figure.path, out / name)
        found.append(Plate(name, figure.title, figure.caption))
    return tuple(found), faults
