"""What a user does by hand, beside the graph: presets, sets, results from elsewhere, photographs of one's own.

What a command works with is imported when it runs, see `graph`.
"""

import re
import shutil
import sys
from pathlib import Path

import click

from pipeline.errors import UserError


def _echo_list(rows: list[tuple[str, str]], title: str = "") -> None:
    """Names and what they mean, wrapped to the terminal."""
    formatter = click.HelpFormatter(width=shutil.get_terminal_size().columns)
    if title:
        formatter.write(f"{title}\n")
    formatter.write_dl(rows)
    click.echo(formatter.getvalue(), nl=False)


@click.command()
@click.argument("name", required=False)
@click.option("--show", is_flag=True, help="Print what params.yaml would become, write nothing.")
def preset(name: str | None, show: bool) -> None:
    """Lay preset NAME over params.yaml, or list the presets.

    Comments are kept. A section that the preset has replaces that of params.yaml; of the section run, it replaces the
    keys that it names.
    """
    from pipeline.machine.files import write_text
    from pipeline.settings.presets import overlay_preset, preset_names

    if name is None:
        _echo_list(list(preset_names().items()))
        return
    text = overlay_preset(name)
    if show:
        click.echo(text, nl=False)
        return
    write_text(Path("params.yaml"), text)
    click.echo(f"params.yaml now has preset {name}; dvc repro runs it, git diff params.yaml shows what changed")


@click.command("import-results")
@click.argument("folder", type=click.Path(path_type=Path))
@click.option("--set", "set_name", required=True, metavar="SET", help="The test set that the photographs belong to.")
@click.option("--name", required=True, help="What the report calls these results, such as DDColor.")
@click.option("--resize", is_flag=True, help="Bring results of another size to the photograph's (bicubic).")
@click.option("--partial", is_flag=True, help="Accept missing and extra files; every score says what is missing.")
@click.option("--suffix", default="", help="What results have behind the photograph's name, such as _colorized.")
def import_command(folder: Path, set_name: str, name: str, resize: bool, partial: bool, suffix: str) -> None:
    """Make anybody's colorized photographs a method.

    The files of FOLDER are matched to the set's photographs by file name (huebench sets export writes these).
    Afterwards add NAME to run.imported in params.yaml and say dvc repro: the same code scores it under the same
    protocol.
    """
    from pipeline.cli.tracking import tracking
    from pipeline.sets import imported as importing
    from pipeline.settings.params import BASELINES, known, load_settings
    from pipeline.settings.sections import NAME
    from pipeline.stages import paths
    from pipeline.storage.store import Store

    settings = load_settings()
    if name in BASELINES or name in settings.methods or not re.fullmatch(NAME, name):
        raise UserError(f"--name is {name!r}, it takes letters, digits and underscores, and no name that is in use")
    truth = Store(paths.image_set(known(settings, "sets", set_name)))
    out = paths.imported(name, set_name)
    with tracking(out):
        report = importing.import_folder(folder, truth, out, resize, partial, ending=suffix)
    for line in report.lines():
        click.echo(line)
    click.echo(f"{out} is tracked by DVC; git add {out}.dvc {out.parent / '.gitignore'}, and dvc push, keep it")
    if name not in settings.run.imported:
        click.echo(f"Now add {name} to run.imported in params.yaml and run dvc repro")


@click.command("colorize")
@click.argument("photos", nargs=-1, required=True, metavar="PHOTO...", type=click.Path(path_type=Path, readable=False))
@click.option("--out", "-o", required=True, type=click.Path(path_type=Path), help="Folder for the results.")
@click.option("--method", required=True, help="A trained method of params.yaml.")
@click.option("--harmonize", is_flag=True, help="Keep colors inside objects, as masks and harmonize say.")
@click.option("--compare", is_flag=True, help="Write grey and result side by side as well.")
@click.option("--saturation", default=1.0, show_default=True, help="Factor on the colors; 0 is grey.")
@click.option("--tile", is_flag=True, help="Cover an elongated photograph with overlapping squares.")
@click.option("--force", is_flag=True, help="Replace files that are there.")
def colorize_command(
    photos: tuple[Path, ...],
    out: Path,
    method: str,
    harmonize: bool,
    compare: bool,
    saturation: float,
    tile: bool,
    force: bool,
) -> None:
    """Colour your own grey photographs at full size.

    PHOTO is a file, or a folder that is searched with its subfolders.

    A photograph's own lightness, format and EXIF are kept; sepia and tints are taken for grey. One bad file does not
    stop the rest: the last line says how many were left behind and why, and the exit code is then 1.
    """
    from pipeline.settings.params import known, load_settings

    settings = load_settings()
    known(settings, "methods", method)
    for photo in photos:
        if not photo.exists():
            raise UserError(f"{photo} is not there")
    # below, torch is loaded, which takes seconds
    from pipeline.cli.colorize import colorize as colorize_by_method
    from pipeline.inference.own_photographs import Options

    options = Options(saturation=saturation, tile=tile, compare=compare, force=force)
    outcome = colorize_by_method(settings, method, photos, out, options, harmonize)
    for failure in outcome.failures:
        click.echo(f"{failure.path}: {failure.reason}, {failure.detail}", err=True)
    click.echo(str(outcome))
    if outcome.failures:
        sys.exit(1)


@click.group()
def turing() -> None:
    """Score the answers to the visual Turing test.

    People give them on reports/turing.html.
    """


@turing.command("score")
@click.argument("answers", nargs=-1, required=True, metavar="ANSWERS.json...", type=click.Path(path_type=Path))
def turing_score(answers: tuple[Path, ...]) -> None:
    """How often each method was taken for the real photograph.

    At 50 % it cannot be told apart. Also, which method was preferred.

    The report shows the scores the next time it is made: dvc repro --force --single-item report
    """
    from pipeline.reporting.turing.answers import score, write_scores
    from pipeline.settings.params import load_settings
    from pipeline.stages import paths

    if not paths.TURING_KEY.exists():
        raise UserError(f"{paths.TURING_KEY} is not there, so there is no Turing test yet; run dvc repro")
    scores = score(answers, paths.TURING_KEY, load_settings().run.seed)
    write_scores(scores, paths.TURING_SCORES)
    click.echo(f"{scores['visitors']} visitors counted; dvc repro --force --single-item report shows the scores")


@click.command()
@click.argument("a")
@click.argument("b")
@click.option(
    "--out", default="compare", show_default=True, type=click.Path(path_type=Path), help="Folder of the page."
)
def compare(a: str, b: str, out: Path) -> None:
    """Put two runs side by side on a page.

    It has the leaderboards of A and B, the parameters that differ, and the same photographs in both.

    A and B are revisions, branches, tags or names of experiments whose results are in the DVC cache; `workspace` is
    what lies in this folder now.
    """
    from pipeline.reporting.experiments.compare import build_compare
    from pipeline.reporting.experiments.revisions import fetched
    from pipeline.stages import paths

    with fetched(a, paths.REPORTS) as one, fetched(b, paths.REPORTS) as other:
        build_compare(one, other, out)
    click.echo(f"{a} and {b} side by side: {out / 'index.html'}")


@click.command()
def sweep() -> None:
    """Collect experiments that differ in one parameter.

    Those that started from HEAD; the report draws them.

    \b
    dvc exp run --queue -S 'spaces.paper.bin_size=4,6,8,10,12,14'
    dvc exp run --run-all
    huebench sweep
    dvc repro --force --single-item report
    """
    from pipeline.reporting.experiments.revisions import experiments, finished
    from pipeline.reporting.experiments.sweep import sweep_table
    from pipeline.stages import paths
    from pipeline.storage.tables import write_table

    found = experiments()
    waiting = "".join(f"; {count} {state}" for state, count in found.others.items())
    if not found.finished:
        raise UserError(f"no finished experiment started from HEAD{waiting}; dvc exp run --queue -S makes some")
    runs = [finished(name, paths.METRICS) for name in found.finished]
    table, left_out = sweep_table(finished("HEAD", paths.METRICS), runs)
    for line in left_out:
        click.echo(line)
    if not len(table):
        raise UserError(
            f"no experiment differs from HEAD in one parameter alone{waiting}; a finished one that does is drawn"
        )
    write_table(table, paths.SWEEP)
    frame = table.to_pandas()
    for parameter, values in frame.groupby("parameter")["value"]:
        click.echo(f"{parameter}: {', '.join(dict.fromkeys(values))}")
    click.echo(
        f"{frame['experiment'].nunique()} runs -> {paths.SWEEP}{waiting}; "
        "dvc repro --force --single-item report draws them"
    )


@click.group()
def sets() -> None:
    """Look at the data sets and what their stores hold."""


@sets.command("list")
def sets_list() -> None:
    """The sets of params.yaml, and every source that a set may have."""
    from pipeline.sets.inspecting import describe_sources
    from pipeline.settings.params import load_settings
    from pipeline.stages import paths

    of_params, sources = describe_sources(load_settings().sets, paths.SETS)
    _echo_list(of_params, "sets of params.yaml")
    _echo_list(sources, "\nsources")


@sets.command("show")
@click.argument("name")
def sets_show(name: str) -> None:
    """What the set NAME holds.

    Counts, sizes, grey share, refusals by reason, licence.
    """
    from pipeline.sets.inspecting import describe_set
    from pipeline.settings.params import known, load_settings
    from pipeline.stages import paths

    settings = load_settings()
    click.echo(describe_set(name, settings.sets[known(settings, "sets", name)], paths.image_set(name)))


@sets.command("verify")
@click.argument("name")
def sets_verify(name: str) -> None:
    """Compare every photograph of the set NAME with its checksum."""
    from pipeline.sets.inspecting import verify_set
    from pipeline.settings.params import known, load_settings
    from pipeline.stages import paths

    damages = verify_set(paths.image_set(known(load_settings(), "sets", name)))
    for damage in damages:
        click.echo(f"{damage.image_id}: {damage.problem}", err=True)
    if damages:
        raise UserError(f"set {name} is damaged in {len(damages)} places; run dvc repro --force download@{name}")
    click.echo(f"set {name}: every checksum is right")


@sets.command("export")
@click.argument("name", metavar="SET")
@click.argument("folder", metavar="DIR", type=click.Path(path_type=Path))
@click.option("--split", type=click.Choice(["train", "test"]), help="Only this split.")
@click.option("--grey", is_flag=True, help="What a method is given: the lightness, as grey PNG.")
def sets_export(name: str, folder: Path, split: str | None, grey: bool) -> None:
    """Write the photographs of a set as files into DIR.

    Results of any program that keeps the names come back by huebench import-results.
    """
    from pipeline.sets.exporting import export_set
    from pipeline.settings.params import known, load_settings
    from pipeline.stages import paths

    count = export_set(paths.image_set(known(load_settings(), "sets", name)), folder, split, grey)
    click.echo(f"{count} photograph{'' if count == 1 else 's'} -> {folder}")


@click.command("schema")
def schema_command() -> None:
    """Write what editors know of params.yaml.

    That is its JSON schema, which the first line of params.yaml and of each preset names, and docs/settings.md. Needed
    after a part of your own has been registered.
    """
    from pipeline.machine.files import write_text
    from pipeline.settings.json_schema import settings_files

    if not Path("params.yaml").is_file():
        raise UserError("params.yaml is not there; run this where the project's params.yaml is")
    for path, text in settings_files().items():
        write_text(path, text)
        click.echo(str(path))


BY_HAND = (preset, schema_command, sets, import_command, colorize_command, turing, compare, sweep)
"""The commands of this module, in the order of the help."""
