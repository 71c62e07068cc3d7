"""What is made by hand and not by a stage, put under DVC's care: pushed, pulled and checked out like the rest."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from pipeline.errors import UserError


@contextmanager
def tracking(path: Path) -> Iterator[None]:
    """Have DVC track what the block writes (`dvc add`): it notes `<path>.dvc`, and `.gitignore` beside it.

    Args:
        path: a file or folder in the project, which is there after the block.

    Raises:
        UserError: before the block, if this is no DVC project or another command is at work in it; after it, if DVC
            refuses, which leaves what was written where it is.
    """
    from dvc.exceptions import DvcException, NotDvcRepoError
    from dvc.lock import LockError
    from dvc.repo import Repo

    try:
        repo = Repo()
    except NotDvcRepoError:
        raise UserError("this is no DVC project, in which results are kept; run this where dvc.yaml is") from None
    with repo:
        try:
            with repo.lock:  # a graph that runs would make DVC refuse when everything has been read
                pass
            yield
            repo.add(str(path))
        except (DvcException, LockError) as error:
            raise UserError(f"DVC does not track {path} ({' '.join(str(error).split())}); run this again") from None
