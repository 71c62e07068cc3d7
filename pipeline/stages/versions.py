"""Which version of a stage's code made a result: the numbers of versions.yaml, and what depends on them.

dvc.yaml names the same numbers as parameters of the stages, so raising one runs the stage again.
"""

import logging
import shutil
from pathlib import Path
from typing import Any, NamedTuple

from pipeline.errors import UserError
from pipeline.settings.params import read_yaml
from pipeline.stages import paths

VERSIONS = Path(__file__).with_name("versions.yaml")

log = logging.getLogger(__name__)


class StageVersion(NamedTuple):
    """A stage as its code is now.

    Attributes:
        stage: its key in versions.yaml.
        number: its version.
    """

    stage: str
    number: int

    def facts(self) -> dict[str, Any]:
        """What every table of the stage says of its origin, as `write_table` takes it."""
        return {"stage": self.stage, "stage_version": self.number}

    def resume_folder(self, *parts: str) -> Path:
        """Where this version of the stage keeps what a killed run continues from.

        State of an older version is removed, and a line says so: other code might not get the same from it.

        Args:
            *parts: what the state belongs to, such as method and set.

        Returns:
            .cache/<stage>/version-<number>/<parts>; not made.
        """
        folder = paths.CACHE / self.stage
        for older in sorted(folder.glob("version-*")):
            if int(older.name.partition("-")[2]) < self.number:
                log.warning("%s is state of older code of stage %s: removed, begun anew", older, self.stage)
                shutil.rmtree(older)
        return folder.joinpath(f"version-{self.number}", *parts)


def stage_version(stage: str, path: Path = VERSIONS) -> StageVersion:
    """The version of a stage.

    Args:
        stage: a key of versions.yaml.
        path: of versions.yaml.

    Returns:
        Stage and number.

    Raises:
        UserError: if the file has no whole number of at least 1 for the stage.
    """
    number = read_yaml(path).get(stage)
    if not isinstance(number, int) or number < 1:
        raise UserError(f"{path}: {stage} is {number!r}, it takes a whole number of at least 1")
    return StageVersion(stage, number)
