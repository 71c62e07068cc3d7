"""The curves of a training, by DVCLive."""

from collections.abc import Sequence
from pathlib import Path

from dvclive import Live

from pipeline.training.run import Row


class Curves:
    """Numbers over steps in a folder that `dvc plots show` draws, one TSV file a curve.

    The rows are kept and written anew when a run continues: what an interrupted run had drawn after its last saved step
    would otherwise be there twice.

    Args:
        folder: for the curves; emptied first.
        rows: of the run so far, each with its `step`.
        silent: write nothing, for all processes but the first.
    """

    def __init__(self, folder: Path, rows: Sequence[Row], silent: bool = False) -> None:
        self.rows: list[Row] = []
        self.live = None if silent else Live(str(folder), save_dvc_exp=False, dvcyaml=None, report=None)
        if self.live is not None and self.live._dvc_repo is not None:
            self.live._dvc_repo.close()  # DVCLive opens its packs to name an experiment, and leaves them so
        for row in rows:
            self.add(row)

    def add(self, row: Row) -> None:
        """Add the numbers of one step; `step` says which."""
        self.rows.append(row)
        if self.live is not None:
            self.live.step = int(row["step"])
            for name, value in row.items():
                if name != "step":
                    self.live.log_metric(name, value)
            self.live.make_summary()

    def close(self) -> None:
        """Finish the files. The last values in JSON go: `dvc plots` reads the folder, and they are no curve."""
        if self.live is not None:
            self.live.end()
            Path(self.live.metrics_file).unlink(missing_ok=True)
