"""ADE20K as released for the MIT scene parsing benchmark (2016).

Zhou, Zhao, Puig, Fidler, Barriuso, Torralba: Scene parsing through ADE20K dataset, CVPR 2017.
"""

import re
from collections.abc import Iterator
from pathlib import Path
from typing import ClassVar, Literal

from pipeline.sets.archives import Archive, fetch_archive
from pipeline.sets.members import read_member
from pipeline.sets.photographs import Photograph
from pipeline.sets.published import KnownMember, PublishedSet

_PAGE = "http://sceneparsing.csail.mit.edu"

SCENES = "ADEChallengeData2016/sceneCategories.txt"


class ADE20K(PublishedSet):
    """ADE20K, labelled with the scene."""

    part: Literal["training", "validation"]

    TITLE: ClassVar = "ADE20K, scene parsing benchmark"
    PAGE: ClassVar = _PAGE
    LICENCE: ClassVar = "no rights granted by the makers; for non-commercial research and education"
    PARTS: ClassVar = {"training": 20_210, "validation": 2_000}
    CREDIT: ClassVar = "ADE20K, Zhou et al. 2017"
    ARCHIVES: ClassVar = {
        "all": Archive(
            "ADEChallengeData2016.zip",
            967_382_037,
            "sha256:7ff1be44964418441f542a7cc1e1a650e7dc0fc275f5d23252bc9bbdbc977b29",
            "http://data.csail.mit.edu/places/ADEchallenge/ADEChallengeData2016.zip",
            _PAGE,
        )
    }

    def photographs(self, folder: Path) -> Iterator[Photograph]:
        """The photographs of one part; `ImageSet.photographs` says the rest."""
        path = fetch_archive(self.ARCHIVES["all"], folder)
        lines = read_member(path, SCENES).decode().splitlines()  # "ADE_train_00000001 airport_terminal"
        scenes = dict(line.split(maxsplit=1) for line in lines if line.strip())
        wanted = re.compile(rf"ADEChallengeData2016/images/{self.part}/(ADE_\w+_\d+)\.jpg")

        def known(name: str) -> KnownMember | None:
            found = wanted.fullmatch(name)
            return KnownMember(found[1], scenes.get(found[1], "")) if found else None

        yield from self.photographs_in(path, known)
