"""The command `huebench`: a command for each stage of dvc.yaml, laid out from `pipeline.stages.registry`, and `check`.

What a command works with is imported when it runs: settings take longer to load than the whole of the help.
"""

import errno
import functools
import itertools
import sys

import click

from pipeline.cli.by_hand import BY_HAND
from pipeline.cli.doctor import doctor_command, say_version
from pipeline.cli.scoring import SCORING
from pipeline.errors import UserError
from pipeline.stages.registry import STAGES, Stage

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
@click.option(
    "--version",
    is_flag=True,
    is_eager=True,
    expose_value=False,
    callback=say_version,
    help="Huebench, torch, device, DVC.",
)
def main() -> None:
    """Automatic image colorization, measured: one graph, one protocol, numbers that can be rebuilt.

    \b
    dvc repro                  rebuild everything that params.yaml has changed
    huebench preset            what can be run, and how to choose it
    huebench colorize a.jpg -o out/ --method NAME
    """


@main.command()
def check() -> None:
    """Validate params.yaml and say what it would run."""
    from pipeline.evaluation.protocols import protocol_named, refuse_other_grey
    from pipeline.settings.params import BASELINES, load_settings
    from pipeline.stages import paths

    run = load_settings().run
    refuse_other_grey(protocol_named(run.protocol))
    for name, set_name in itertools.product(run.imported, run.test):
        if not paths.imported(name, set_name).is_dir():
            raise UserError(
                f"run.imported names {name!r}, which has no results on {set_name}; "
                f"huebench import-results FOLDER --set {set_name} --name {name} makes them"
            )
    methods = ", ".join([*BASELINES, *run.methods, *run.imported])
    click.echo(f"params.yaml is valid: {methods} on {', '.join(run.test)}, protocol {run.protocol}")


@main.command()
def outside() -> None:
    """Note what lies outside the graph and changes its results."""
    from pipeline.stages.outside import note_outside

    click.echo(f"outside: {note_outside()}")


PROCESSES = click.Option(
    ["--processes"],
    default=1,
    show_default=True,
    type=click.IntRange(min=1),
    help="On a cluster, with HUEBENCH_ENGINE=ray.",
)
OPTIONS: dict[str, list[click.Option]] = {"train": [PROCESSES]}
"""What a stage takes beside names; dvc.yaml uses none of it."""


def stage_command(name: str, stage: Stage) -> click.Command:
    """The command of a stage: its names as arguments, in order.

    Args:
        name: of the stage and the command.
        stage: its entry in the registry.

    Returns:
        The command.
    """
    arguments = [click.Argument([kind], metavar=kind.upper()) for kind in stage.takes]
    return click.Command(
        name,
        callback=functools.partial(_run, name, stage),
        params=[*arguments, *OPTIONS.get(name, [])],
        help=stage.about,
        short_help=stage.about.partition("\n")[0],
    )


def _run(name: str, stage: Stage, /, **given: str) -> None:
    from pipeline.machine.memory import keep_freed_memory
    from pipeline.stages.frame import run_stage

    keep_freed_memory()
    names = [given.pop(kind) for kind in stage.takes]
    run_stage(name, *names, **given)


for _name, _stage in STAGES.items():
    main.add_command(stage_command(_name, _stage))
for _command in (*BY_HAND, *SCORING, doctor_command):
    main.add_command(_command)
