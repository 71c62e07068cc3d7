"""The report of another revision or experiment, out of the DVC cache."""

import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from pipeline.config import UserError, load_settings, validate_settings
from pipeline.reporting.compare import Side

WORKSPACE = "workspace"


@contextmanager
def fetched(revision: str) -> Iterator[Side]:
    """Bring a revision's report into a temporary folder.

    Args:
        revision: anything git or `dvc exp` resolves; `workspace` is the working tree as it is.

    Yields:
        The revision with its report and its parameters; the folder is gone afterwards.

    Raises:
        UserError: if there is no such revision, or its report is not in the cache.
    """
    if revision == WORKSPACE:
        yield Side(revision, Path("reports"), load_settings().model_dump(mode="json"))
        return
    from dvc.api import DVCFileSystem
    from dvc.exceptions import DvcException
    from ruamel.yaml import YAML
    from scmrepo.exceptions import SCMError

    with tempfile.TemporaryDirectory() as scratch:
        folder = Path(scratch) / "reports"
        try:
            files = DVCFileSystem(rev=revision)
            files.get("reports", str(folder), recursive=True)
            content = YAML(typ="safe", pure=True).load(files.read_text("params.yaml", encoding="utf-8"))
        except (DvcException, SCMError, OSError) as error:
            reason = " ".join(str(error).split())
            raise UserError(f"revision {revision!r} has no report in the DVC cache ({reason}); run it first") from None
        yield Side(revision, folder, validate_settings(content, f"{revision}:params.yaml").model_dump(mode="json"))
