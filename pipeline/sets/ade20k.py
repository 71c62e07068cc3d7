"""ADE20K as released for the MIT scene parsing benchmark (2016).

Zhou, Zhao, Puig, Fidler, Barriuso, Torralba: Scene parsing through ADE20K dataset, CVPR 2017.
"""

import re
from collections.abc import Iterator
from pathlib import Path

from pipeline.sets.archives import Archive, fetch_archive
from pipeline.sets.members import read_member
from pipeline.sets.photographs import Photograph
from pipeline.sets.published import Entry, from_archive
from pipeline.settings.set_entries import ADE20K

TITLE = "ADE20K, scene parsing benchmark"
PAGE = "http://sceneparsing.csail.mit.edu"
LICENCE = "no rights granted by the makers; for non-commercial research and education"
PARTS = {"training": 20_210, "validation": 2_000}
CREDIT = "ADE20K, Zhou et al. 2017"

ARCHIVES = {
    "all": Archive(
        "ADEChallengeData2016.zip",
        967_382_037,
        "sha256:7ff1be44964418441f542a7cc1e1a650e7dc0fc275f5d23252bc9bbdbc977b29",
        "http://data.csail.mit.edu/places/ADEchallenge/ADEChallengeData2016.zip",
        PAGE,
    )
}
SCENES = "ADEChallengeData2016/sceneCategories.txt"


def photographs(settings: ADE20K, folder: Path) -> Iterator[Photograph]:
    """Yield the photographs of one part, labelled with their scene.

    Args:
        settings: the entry of params.yaml.
        folder: where archives are kept.

    Yields:
        The photographs.

    Raises:
        UserError: if the archive cannot be had or read.
    """
    path = fetch_archive(ARCHIVES["all"], folder)
    lines = read_member(path, SCENES).decode().splitlines()  # "ADE_train_00000001 airport_terminal"
    scenes = dict(line.split(maxsplit=1) for line in lines if line.strip())
    wanted = re.compile(rf"ADEChallengeData2016/images/{settings.part}/(ADE_\w+_\d+)\.jpg")

    def entry(name: str) -> Entry | None:
        found = wanted.fullmatch(name)
        return Entry(found[1], scenes.get(found[1], "")) if found else None

    yield from from_archive(path, settings, entry, CREDIT, LICENCE)
