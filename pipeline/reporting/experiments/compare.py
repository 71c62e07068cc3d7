"""Two runs side by side: what differs in the parameters, in the figures, and in the same photographs."""

import json
import shutil
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from pipeline.errors import UserError
from pipeline.machine.files import write_text
from pipeline.reporting.render import render
from pipeline.reporting.tables.columns import MetricColumn
from pipeline.reporting.tables.leaderboard import Board, Cell, boards, read_summary

PHOTOS = 60


@dataclass(frozen=True)
class ComparedRun:
    """One of the two runs.

    Attributes:
        name: revision or experiment, as the reader knows it.
        folder: its report, with `summary.parquet` and `media/gallery.json`.
        settings: its parameters as a nested mapping.
    """

    name: str
    folder: Path
    settings: Mapping[str, object] = field(default_factory=dict)


@dataclass(frozen=True)
class ChangedSetting:
    """A parameter that differs; a run that does not have it shows a dash."""

    key: str
    a: str
    b: str


@dataclass(frozen=True)
class ComparedRow:
    """A method's figures in both runs and, as text, how they differ."""

    title: str
    cells: tuple[tuple[Cell, Cell, str], ...]


@dataclass(frozen=True)
class ComparedBoard:
    """The leaderboards of a set that at least one run has, row by row."""

    set: str
    note: str
    columns: tuple[MetricColumn, ...]
    rows: tuple[ComparedRow, ...]


@dataclass(frozen=True)
class ComparedPhoto:
    """One photograph as one method colored it in both runs; files relative to the page, "" where there is none."""

    set: str
    image_id: str
    key: str
    size: tuple[int, int]
    a: str
    b: str


def build_compare(a: ComparedRun, b: ComparedRun, out: Path) -> None:
    """Write `index.html` and `media/` below `out`.

    Args:
        a: the run on the left, from which differences are counted.
        b: the run on the right.
        out: folder of the page; it needs neither of the two reports afterwards.

    Raises:
        UserError: a side has no summary.
    """
    for side in (a, b):
        if not (side.folder / "summary.parquet").exists():
            raise UserError(f"{side.folder}: has no summary.parquet; it takes the folder of a finished report")
    ours = [{board.set: board for board in boards(read_summary(side.folder / "summary.parquet"))} for side in (a, b)]
    context = {
        "a": a,
        "b": b,
        "changes": changes(a.settings, b.settings),
        "tables": [_both(ours[0].get(name), ours[1].get(name)) for name in sorted(ours[0].keys() | ours[1].keys())],
        "shots": list(_shots(a, b, out)),
    }
    write_text(out / "index.html", render("compare.html", context))


def changes(a: Mapping[str, object], b: Mapping[str, object]) -> list[ChangedSetting]:
    """List the parameters that differ, by their dotted names; 6 and 6.0 are the same value."""
    one, other = dict(_flat(a)), dict(_flat(b))
    return [
        ChangedSetting(key, _shown(one, key), _shown(other, key))
        for key in sorted(one.keys() | other.keys())
        if key not in one or key not in other or one[key] != other[key]
    ]


def _flat(settings: Mapping[str, object], prefix: str = "") -> Iterator[tuple[str, object]]:
    for key, value in settings.items():
        if isinstance(value, Mapping) and value:
            yield from _flat(value, f"{prefix}{key}.")
        else:
            yield f"{prefix}{key}", list(value) if isinstance(value, tuple) else value


def _shown(flat: Mapping[str, object], key: str) -> str:
    return json.dumps(flat[key], ensure_ascii=False, default=str) if key in flat else "–"


def _both(a: Board | None, b: Board | None) -> ComparedBoard:
    some = a or b
    assert some is not None
    rows = [{row.title: row for row in board.everyone} if board is not None else {} for board in (a, b)]
    columns = tuple(
        column
        for column in (a.columns if a is not None else some.columns)
        if column.core and (b is None or column in b.columns)
    )
    empty = Cell()
    lines = []
    for title in [*rows[0], *(name for name in rows[1] if name not in rows[0])]:
        cells = []
        for column in columns:
            one, other = (part[title].cells.get(column.name, empty) if title in part else empty for part in rows)
            cells.append((one, other, _difference(column, one, other)))
        lines.append(ComparedRow(title, tuple(cells)))
    note = ""
    if a is None or b is None:
        note = "Only one of the two runs has this set."
    elif a.protocol != b.protocol:
        note = f"The protocols differ ({a.protocol}, {b.protocol}): the figures are different quantities."
    elif a.images != b.images:
        note = f"The number of photographs differs ({a.images}, {b.images})."
    return ComparedBoard(some.set, note, columns, tuple(lines))


def _difference(column: MetricColumn, one: Cell, other: Cell) -> str:
    if one.value is None or other.value is None or one.value == other.value:
        return ""
    return f"{'+' if other.value > one.value else ''}{column.text(other.value - one.value)}"


def _shots(a: ComparedRun, b: ComparedRun, out: Path) -> Iterator[ComparedPhoto]:
    """Pair the thumbnails of photographs that both galleries show, method by method; grey and truth are left out."""
    galleries = [_gallery(side) for side in (a, b)]
    common = [place for place in galleries[0] if place in galleries[1]]
    for set_name, image_id in common[:PHOTOS]:
        one, other = (gallery[set_name, image_id] for gallery in galleries)
        width, height = one["size"]
        for key in dict.fromkeys([*one["tiles"], *other["tiles"]]):
            if key in ("grey", "truth", "oracle"):
                continue
            files = [
                _copied(side, photo["tiles"].get(key), letter, out)
                for side, photo, letter in ((a, one, "a"), (b, other, "b"))
            ]
            if any(files):
                yield ComparedPhoto(set_name, image_id, key, (width, height), *files)


def _gallery(side: ComparedRun) -> dict[tuple[str, str], dict]:
    path = side.folder / "media" / "gallery.json"
    if not path.exists():
        return {}
    content = json.loads(path.read_text(encoding="utf-8"))
    return {(gallery["set"], photo["id"]): photo for gallery in content for photo in gallery["photos"]}


def _copied(side: ComparedRun, stem: str | None, letter: str, out: Path) -> str:
    if not stem or not (side.folder / f"{stem}.jpg").exists():
        return ""
    name = f"media/{letter}/{stem.removeprefix('media/')}.jpg"
    (out / name).parent.mkdir(parents=True, exist_ok=True)
    shutil.copyfile(side.folder / f"{stem}.jpg", out / name)
    return name
