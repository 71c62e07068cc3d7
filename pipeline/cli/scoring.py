"""Scoring without a project: no params.yaml, no DVC. What a command works with is imported when it runs (`graph`)."""

import shutil
import textwrap
from pathlib import Path

import click

from pipeline.settings.registries import PROTOCOLS

DEFAULT_PROTOCOL = "cic-256@1"
NARROW = 80
"""Characters of a line where the terminal does not say, or is wider: what is printed is pasted into issues."""


@click.command("score")
@click.argument("truth", type=click.Path(path_type=Path))
@click.argument("results", nargs=-1, required=True, metavar="RESULT...", type=click.Path(path_type=Path))
@click.option("--protocol", "name", default=DEFAULT_PROTOCOL, show_default=True, help=f"One of {', '.join(PROTOCOLS)}.")
@click.option("--out", "-o", required=True, type=click.Path(path_type=Path), help="Folder for tables and page.")
def score_command(truth: Path, results: tuple[Path, ...], name: str, out: Path) -> None:
    """Score folders of results, with no project around them.

    TRUTH is the folder of the photographs, each RESULT a folder of one method's results: a file belongs to the
    photograph of its name, whatever their suffixes. The code is that of the stage evaluate.
    """
    from pipeline.cli.score_folders import score_folders
    from pipeline.evaluation.protocols import protocol_named
    from pipeline.reporting.page.words import lede
    from pipeline.reporting.tables.plain_tables import terminal_table

    protocol = protocol_named(name)
    scores = score_folders(truth, results, protocol, out)
    width = min(NARROW, shutil.get_terminal_size((NARROW, 24)).columns)
    board = scores.board
    click.echo(_filled(f"{board.set}, {board.images} photographs, {protocol.name}: {protocol.about}", width))
    click.echo(terminal_table(board, width))
    marked = "* better than every other row by paired tests; ° nobody is, and this is the best or not found to be worse"
    said = (marked, lede([board])) if board.tested else ()
    for text in (*said, *scores.notes, f"{out / 'index.html'} has the rest"):
        click.echo(_filled(text, width))


def _filled(text: str, width: int) -> str:
    """Lines of a paragraph; names of files and addresses stay whole."""
    return textwrap.fill(text, width, break_long_words=False, break_on_hyphens=False)


@click.command("metrics")
def metrics_command() -> None:
    """List what can be scored here and now.

    For each metric: which way is better, its unit, what it needs and whether that is here, and the protocols of whose
    papers it is the variant.
    """
    from pipeline.evaluation.available import available_metrics

    formatter = click.HelpFormatter(width=min(NARROW, shutil.get_terminal_size((NARROW, 24)).columns))
    found = available_metrics()
    formatter.write_dl([(one.name, one.words()) for one in found.metrics])
    click.echo(formatter.getvalue(), nl=False)
    for remedy in found.remedies:
        click.echo(f"\n{_filled(remedy, NARROW)}")


SCORING = (score_command, metrics_command)
"""The commands of this module, in the order of the help."""
