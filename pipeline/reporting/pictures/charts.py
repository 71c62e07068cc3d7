"""ChartLine charts as inline SVG, in the page's own colors, and the training curves read from DVCLive's TSV files."""

import csv
import math
import shutil
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from pipeline.reporting.file_names import slug

WIDTH, HEIGHT = 420.0, 220.0
LEFT, RIGHT, TOP, BOTTOM = 52.0, 12.0, 12.0, 30.0
POINTS = 300  # a panel is some 400 px wide: more points than that draw the same line


@dataclass(frozen=True)
class ChartLine:
    """One line of a chart: its name, x and y; points that are not finite break the line."""

    name: str
    x: tuple[float, ...]
    y: tuple[float, ...]


@dataclass(frozen=True)
class Tick:
    """A mark on an axis: where it is in the drawing, and its words."""

    place: float
    text: str


@dataclass(frozen=True)
class Chart:
    """A chart ready to be drawn by the template `chart.html`; all lengths in SVG units of `width` x `height`.

    `paths` are the lines by name; `dots` mark single points: the number of the line, x, y.
    """

    title: str
    x_label: str
    paths: tuple[tuple[str, str], ...]
    x_ticks: tuple[Tick, ...]
    y_ticks: tuple[Tick, ...]
    dots: tuple[tuple[int, float, float], ...] = ()
    width: float = WIDTH
    height: float = HEIGHT
    left: float = LEFT
    right: float = WIDTH - RIGHT
    top: float = TOP
    bottom: float = HEIGHT - BOTTOM


@dataclass(frozen=True)
class TrainingPanel:
    """The curves of one method, and its newest strip of example pictures."""

    method: str
    charts: tuple[Chart, ...]
    strip: str


def chart(title: str, lines: Sequence[ChartLine], x_label: str = "step", marked: bool = False) -> Chart:
    """Lay out a line chart with linear axes whose ticks are round numbers.

    Args:
        title: what is drawn.
        lines: the lines; those without a finite point are left out.
        x_label: what runs to the right.
        marked: draw a dot at every point, where points are few and the lines between them mean nothing.
    """
    points = [(x, y) for line in lines for x, y in zip(line.x, line.y, strict=True) if _finite(x, y)]
    if not points:
        return Chart(title, x_label, (), (), ())
    x_low, x_high = _span([x for x, _ in points])
    y_low, y_high = _span([y for _, y in points])
    y_marks = ticks(y_low, y_high, 4)
    y_low, y_high = min(y_low, y_marks[0]), max(y_high, y_marks[-1])

    def across(x: float) -> float:
        return LEFT + (x - x_low) / (x_high - x_low) * (WIDTH - LEFT - RIGHT)

    def down(y: float) -> float:
        return HEIGHT - BOTTOM - (y - y_low) / (y_high - y_low) * (HEIGHT - TOP - BOTTOM)

    paths: list[tuple[str, str]] = []
    dots: list[tuple[int, float, float]] = []
    for line in lines:
        path, pen = [], "M"
        for x, y in _thinned(line):
            if not _finite(x, y):
                pen = "M"
                continue
            path.append(f"{pen}{across(x):.1f} {down(y):.1f}")
            pen = "L"
            if marked:
                dots.append((len(paths), across(x), down(y)))
        if path:
            # a single point would be invisible as a path: a line of no length with round ends is a dot
            paths.append((line.name, "".join(path) + ("h0.01" if len(path) == 1 else "")))
    return Chart(
        title,
        x_label,
        tuple(paths),
        tuple(Tick(across(mark), _short(mark)) for mark in ticks(x_low, x_high, 4) if x_low <= mark <= x_high),
        tuple(Tick(down(mark), _short(mark)) for mark in y_marks),
        tuple(dots),
    )


def ticks(low: float, high: float, count: int) -> list[float]:
    """Return round numbers (1, 2 or 5 times a power of ten apart) that span [low, high] in about `count` steps."""
    raw = (high - low) / count
    power = 10.0 ** math.floor(math.log10(raw))
    step = next(power * factor for factor in (1.0, 2.0, 5.0, 10.0) if power * factor >= raw * 0.999)
    first, last = math.floor(low / step + 1e-9), math.ceil(high / step - 1e-9)
    return [round(place * step, 12) for place in range(first, last + 1)]


def training_panels(folders: Mapping[str, Path], out: Path) -> tuple[tuple[TrainingPanel, ...], list[str]]:
    """Draw every training: one chart per figure, with train and validation in one where both have it.

    Args:
        folders: method to its DVCLive folder (`plots/metrics/**/*.tsv`, `strips/*.png`).
        out: the page's folder; the newest strip of each method is copied below `media/training`.

    Returns:
        The panels, and what to say about trainings without curves.
    """
    panels, faults = [], []
    for method, folder in sorted(folders.items()):
        groups: dict[str, list[ChartLine]] = {}
        root = folder / "plots" / "metrics"
        for path in sorted(root.rglob("*.tsv")):
            line = _read_line(path, path.relative_to(root).parent.as_posix())
            if line is not None:
                groups.setdefault(path.stem, []).append(line)
        charts = tuple(chart(name.replace("_", " "), lines) for name, lines in sorted(groups.items(), key=_loss_first))
        if not charts:
            faults.append(f"{method}: its training left no curves.")
        panels.append(TrainingPanel(method, charts, _strip(method, folder, out)))
    return tuple(panels), faults


def _loss_first(item: tuple[str, list[ChartLine]]) -> tuple[bool, str]:
    return ("loss" not in item[0], item[0])


def _read_line(path: Path, group: str) -> ChartLine | None:
    """Read one TSV of DVCLive: a column `step`, and one named after the figure."""
    with path.open(newline="", encoding="utf-8") as lines:
        rows = list(csv.reader(lines, delimiter="\t"))
    if len(rows) < 2 or "step" not in rows[0]:
        return None
    step = rows[0].index("step")
    value = next((place for place, name in enumerate(rows[0]) if name not in ("step", "timestamp")), None)
    if value is None:
        return None
    pairs = [(_float(row[step]), _float(row[value])) for row in rows[1:] if len(row) > max(step, value)]
    name = group if group not in ("", ".") else path.stem
    return ChartLine(name, tuple(x for x, _ in pairs), tuple(y for _, y in pairs))


def _float(text: str) -> float:
    try:
        return float(text)
    except ValueError:
        return math.nan


def _strip(method: str, folder: Path, out: Path) -> str:
    strips = sorted((folder / "strips").glob("*.png"))
    if not strips:
        return ""
    name = f"media/training/{slug(method)}.png"
    (out / name).parent.mkdir(parents=True, exist_ok=True)
    shutil.copyfile(strips[-1], out / name)
    return name


def _thinned(line: ChartLine) -> list[tuple[float, float]]:
    """Keep at most `POINTS` points of a line: the mean of each run of neighbors, the last point as it is."""
    points = list(zip(line.x, line.y, strict=True))
    if len(points) <= POINTS:
        return points
    size = math.ceil(len(points) / POINTS)
    runs = [points[start : start + size] for start in range(0, len(points) - 1, size)]
    means = [(sum(x for x, _ in run) / len(run), sum(y for _, y in run) / len(run)) for run in runs]
    return [*means, points[-1]]


def _span(numbers: list[float]) -> tuple[float, float]:
    low, high = min(numbers), max(numbers)
    if low == high:
        room = abs(low) * 0.5 or 0.5
        return low - room, high + room
    return low, high


def _finite(*numbers: float) -> bool:
    return all(math.isfinite(number) for number in numbers)


def _short(value: float) -> str:
    if value and (abs(value) >= 1e5 or abs(value) < 1e-3):
        return f"{value:.0e}".replace("e-0", "e-").replace("e+0", "e").replace("-", "−")
    return f"{value:,.6g}".replace(",", "\u202f").replace("-", "−")
