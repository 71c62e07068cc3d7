"""The command line: one command for each stage of the graph, and what a user does by hand."""

import errno
import itertools
import sys
import time
from collections.abc import Callable

import click

from pipeline import __version__
from pipeline.cli import by_hand as commands
from pipeline.errors import UserError
from pipeline.machine.memory import keep_freed_memory
from pipeline.settings.params import BASELINES, Settings, known, load_settings

NOT_OURS = (errno.EACCES, errno.EPERM, errno.EROFS, errno.EISDIR, errno.ENOTDIR, errno.ENOSPC, errno.EDQUOT)
"""What the machine refuses: rights, a read-only or full disk, a folder in a file's place. A line, no traceback."""


class Commands(click.Group):
    """Commands in the order of the graph, and errors of the user as one line with exit code 2."""

    def list_commands(self, context: click.Context) -> list[str]:
        """The commands, in the order in which they are defined.

        Args:
            context: of the call.

        Returns:
            Their names.
        """
        return list(self.commands)

    def invoke(self, context: click.Context) -> object:
        """Run a command.

        Args:
            context: of the call.

        Returns:
            What the command returns.
        """
        try:
            return super().invoke(context)
        except UserError as error:
            _say(str(error))
        except OSError as error:
            if error.errno not in NOT_OURS:
                raise
            _say(": ".join(str(part) for part in (error.filename, error.strerror) if part))
        sys.exit(2)


def _say(text: str) -> None:
    for line in text.splitlines():
        click.echo(f"huebench: {line}", err=True)


@click.group(cls=Commands, context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100})
@click.version_option(__version__, prog_name="huebench")
def main() -> None:
    """Automatic image colorization, measured: one graph, one protocol, numbers that can be rebuilt.

    \b
    dvc repro                  rebuild everything that params.yaml has changed
    huebench preset            what can be run, and how to choose it
    huebench colorize a.jpg -o out/ --method NAME
    """
    keep_freed_memory()


def _stage(name: str, work: Callable[[Settings], str]) -> None:
    """Validate the whole of params.yaml, run a stage, say in a line what it did and note how long it took."""
    from pipeline.stages.timing import record_seconds

    settings = load_settings()
    started = time.perf_counter()
    line = work(settings)
    seconds = time.perf_counter() - started
    click.echo(f"{name}: {line}, {seconds:.1f} s")
    record_seconds(name, seconds, line)


@main.command()
def check() -> None:
    """Validate params.yaml and say what it would run."""
    from pipeline.stages import paths

    run = load_settings().run
    for name, set_name in itertools.product(run.imported, run.test):
        if not paths.imported(name, set_name).is_dir():
            raise UserError(
                f"run.imported names {name!r}, which has no results on {set_name}; "
                f"huebench import-results FOLDER --set {set_name} --name {name} makes them"
            )
    methods = ", ".join([*BASELINES, *run.methods, *run.imported])
    click.echo(f"params.yaml is valid: {methods} on {', '.join(run.test)}, protocol {run.protocol}")


@main.command()
@click.argument("set_name", metavar="SET")
def download(set_name: str) -> None:
    """Bring one data SET into a store."""
    from pipeline.stages import download as stage

    _stage(f"download@{set_name}", lambda settings: stage.run(settings, known(settings, "sets", set_name)))


@main.command()
def histogram() -> None:
    """Count the colours of the reference set."""
    from pipeline.stages import histogram as stage

    _stage("histogram", stage.run)


@main.command()
@click.argument("space")
def classes(space: str) -> None:
    """Prune the colour classes of SPACE."""
    from pipeline.stages import classes as stage

    _stage(f"classes@{space}", lambda settings: stage.run(settings, known(settings, "spaces", space)))


@main.command()
@click.argument("space")
def weights(space: str) -> None:
    """Compute the class weights of SPACE."""
    from pipeline.stages import weights as stage

    _stage(f"weights@{space}", lambda settings: stage.run(settings, known(settings, "spaces", space)))


@main.command()
@click.argument("method")
def compose(method: str) -> None:
    """Gather the classes that METHOD puts out."""
    from pipeline.stages import prepare as stage

    _stage(f"compose@{method}", lambda settings: stage.run(settings, known(settings, "methods", method)))


@main.command()
@click.argument("method")
@click.option(
    "--processes",
    default=1,
    show_default=True,
    type=click.IntRange(min=1),
    help="On a cluster, with HUEBENCH_ENGINE=ray.",
)
def train(method: str, processes: int) -> None:
    """Train METHOD; continues where it was stopped.

    On several GPUs: torchrun --nproc-per-node N -m pipeline train METHOD. Each process takes train.batch photographs a
    step, and class counts are summed over all of them: N processes train as one with N times the batch.
    """
    from pipeline.stages import train as stage

    _stage(f"train@{method}", lambda settings: stage.run(settings, known(settings, "methods", method), processes))


@main.command()
@click.argument("method")
@click.argument("set_name", metavar="SET")
def predict(method: str, set_name: str) -> None:
    """Colour the grey test photographs of SET with METHOD.

    METHOD is one of params.yaml, or gray or oracle.
    """
    from pipeline.stages import predict as stage

    name = f"{'baseline' if method in BASELINES else 'predict'}@{method}-{set_name}"
    _stage(name, lambda settings: stage.run(settings, method, known(settings, "sets", set_name)))


@main.command()
@click.argument("set_name", metavar="SET")
def segment(set_name: str) -> None:
    """Find the objects in the grey test photographs of SET."""
    from pipeline.stages import segment as stage

    _stage(f"segment@{set_name}", lambda settings: stage.run(settings, known(settings, "sets", set_name)))


@main.command()
@click.argument("method")
@click.argument("set_name", metavar="SET")
def harmonize(method: str, set_name: str) -> None:
    """Keep METHOD's colours on SET inside their objects."""
    from pipeline.stages import harmonize as stage

    def work(settings: Settings) -> str:
        return stage.run(settings, known(settings, "methods", method), known(settings, "sets", set_name))

    _stage(f"harmonize@{method}-{set_name}", work)


@main.command()
@click.argument("method")
@click.argument("set_name", metavar="SET")
def evaluate(method: str, set_name: str) -> None:
    """Score METHOD's results on SET."""
    from pipeline.stages import evaluate as stage

    imported = method in load_settings().run.imported
    name = "evaluate_baseline" if method in BASELINES else "evaluate_imported" if imported else "evaluate"
    _stage(
        f"{name}@{method}-{set_name}", lambda settings: stage.run(settings, method, known(settings, "sets", set_name))
    )


@main.command()
def report() -> None:
    """Write tables, figures and the page."""
    from pipeline.stages import report as stage

    _stage("report", stage.run)


for _command in commands.BY_HAND:
    main.add_command(_command)
