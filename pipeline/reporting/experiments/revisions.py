"""What other revisions and experiments came to, out of the DVC cache."""

import json
import tempfile
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from pipeline.errors import UserError
from pipeline.reporting.experiments.compare import ComparedRun
from pipeline.reporting.experiments.sweep import FinishedRun
from pipeline.settings.params import Settings, load_settings, validate_settings

if TYPE_CHECKING:
    from dvc.api import DVCFileSystem

WORKSPACE = "workspace"
FINISHED = ("", "Success")
"""States of a finished experiment as DVC calls them: run at once, and run from the queue."""


@contextmanager
def fetched(revision: str, reports: Path) -> Iterator[ComparedRun]:
    """Bring a revision's report into a temporary folder.

    Args:
        revision: anything git or `dvc exp` resolves; `workspace` is the working tree as it is.
        reports: the folder of the report, relative to the repository.

    Yields:
        The revision with its report and its parameters; the folder is gone afterwards.

    Raises:
        UserError: if there is no such revision, or its report is not in the cache.
    """
    if revision == WORKSPACE:
        yield ComparedRun(revision, reports, load_settings().model_dump(mode="json"))
        return
    with tempfile.TemporaryDirectory() as scratch:
        folder = Path(scratch) / "reports"
        with _files_of(revision, "report") as files:
            files.get(reports.as_posix(), str(folder), recursive=True)
            settings = _settings_of(files, revision)
        yield ComparedRun(revision, folder, settings.model_dump(mode="json"))


def finished(revision: str, metrics: Path) -> FinishedRun:
    """The parameters and the headline figures of a revision.

    Args:
        revision: anything git or `dvc exp` resolves.
        metrics: the file of headline figures, relative to the repository.

    Returns:
        Its run.

    Raises:
        UserError: if there is no such revision, or its figures are not in the cache.
    """
    with _files_of(revision, "figures") as files:
        figures = json.loads(files.read_text(metrics.as_posix(), encoding="utf-8"))
        return FinishedRun(revision, _settings_of(files, revision).model_dump(mode="json"), figures)


class FoundExperiments(NamedTuple):
    """The experiments that started from HEAD.

    Attributes:
        finished: their names, sorted.
        others: of those that are not finished, how many there are in each state ("queued", "running", "failed").
    """

    finished: list[str]
    others: dict[str, int]


def experiments() -> FoundExperiments:
    """Find the experiments that started from HEAD, those of the queue among them.

    Returns:
        What there is.
    """
    from dvc.api import exp_show

    rows = [row for row in exp_show() if row["typ"] != "baseline"]
    states = {row["rev"]: row["State"] or "" for row in rows}
    done = {str(row["Experiment"] or row["rev"]) for row in rows if states[row["rev"]] in FINISHED}
    others = Counter(state.lower() for state in states.values() if state not in FINISHED)
    return FoundExperiments(sorted(done), dict(sorted(others.items())))


@contextmanager
def _files_of(revision: str, wanted: str) -> Iterator["DVCFileSystem"]:
    from dvc.api import DVCFileSystem
    from dvc.exceptions import DvcException
    from dvc_data.index import DataIndexError
    from scmrepo.exceptions import SCMError

    try:
        yield DVCFileSystem(rev=revision)
    except (DvcException, DataIndexError, SCMError, OSError) as error:
        reason = " ".join(str(error).split())
        raise UserError(f"revision {revision!r} has no {wanted} in the DVC cache ({reason}); run it first") from None


def _settings_of(files: "DVCFileSystem", revision: str) -> Settings:
    from ruamel.yaml import YAML

    content = YAML(typ="safe", pure=True).load(files.read_text("params.yaml", encoding="utf-8"))
    return validate_settings(content, f"{revision}:params.yaml")
