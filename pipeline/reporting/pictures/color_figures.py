"""The figures of the color classes: which are kept, how often they occur, what they weigh (CCC++ Sec. III, Fig. 17)."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import matplotlib as mpl
import numpy as np
import numpy.typing as npt
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.collections import PolyCollection
from matplotlib.figure import Figure as Canvas
from matplotlib.ticker import FixedLocator, NullFormatter, StrMethodFormatter

from pipeline.color.weighting import class_weights
from pipeline.reporting.report_inputs import Figure

INK, SOFT, RULE, PAPER = "#161616", "#575757", "#e0e0e0", "#ffffff"
SERIES = ("#0a5ea8", "#c04a00", "#00785a", "#8d3f8c", "#806000")
UNREACHABLE = "#d4d4d4"
MANY_CLASSES = 5000
"""Grids with more classes than this are drawn as pixels inside the SVG, which would else take seconds to show."""
STYLE: dict[Any, Any] = {
    "font.size": 9,
    "axes.edgecolor": SOFT,
    "axes.labelcolor": INK,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.titlesize": 10,
    "axes.titlelocation": "left",
    "xtick.color": SOFT,
    "ytick.color": SOFT,
    "legend.frameon": False,
    "svg.hashsalt": "huebench",
    "figure.facecolor": PAPER,
}


@dataclass(frozen=True)
class ColorTables:
    """What the figures are drawn from.

    Attributes:
        space: name of the class space.
        classes: rows of `tables.SPACE`.
        bin_size: its bin size.
        least: pixels that a kept class has at least.
        study: as `color.study.bin_size_study` returns it.
        printed: Table II as published; bin_size and kept_classes are read.
        weights: rows of `tables.WEIGHTS`.
        batches: rows of `tables.WEIGHT_BATCHES`.
        percents: those of Eq. 15 whose curves are drawn.
        batch_pixels: positions in a batch.
    """

    space: str
    classes: pd.DataFrame
    bin_size: int
    least: float
    study: pd.DataFrame
    printed: pd.DataFrame
    weights: pd.DataFrame
    batches: pd.DataFrame
    percents: Sequence[float]
    batch_pixels: int


def color_figures(tables: ColorTables, folder: Path) -> tuple[Figure, ...]:
    """Draw all figures of a class space as SVG; the same tables give the same bytes.

    Args:
        tables: what they are drawn from.
        folder: where the files go; it is made.

    Returns:
        The files with titles and captions, ready for `ReportInputs.figures`.
    """
    folder.mkdir(parents=True, exist_ok=True)
    drawings = (ab_plane, class_histogram, kept_by_bin_size, weight_by_frequency, weight_by_percent)
    figures = []
    for draw in drawings:
        with mpl.rc_context(STYLE):
            canvas, title, caption = draw(tables)
            path = folder / f"{draw.__name__}_{tables.space}.svg"
            canvas.savefig(path, metadata={"Date": None}, bbox_inches="tight")
        figures.append(Figure(path, title, caption))
    return tuple(figures)


def ab_plane(tables: ColorTables) -> tuple[Canvas, str, str]:
    """Every class at its place in the ab plane: kept, pruned, never seen, or out of reach of 8-bit sRGB."""
    classes = tables.classes
    colors = classes[["red", "green", "blue"]].to_numpy() / 255
    kept, reachable, observed = (classes[name].to_numpy(bool) for name in ("kept", "reachable", "observed"))
    groups = (
        ("kept", kept, colors[kept], 1.0),
        ("pruned: seen too rarely", observed & ~kept, colors[observed & ~kept], 0.5),
        ("never seen in the reference set", reachable & ~observed & ~kept, "#9a9a9a", 0.2),
        ("out of reach of 8-bit sRGB", ~reachable & ~kept, UNREACHABLE, 0.2),
    )
    canvas = Canvas(figsize=(6.4, 6.4))
    axes = canvas.subplots()
    centers = classes[["a", "b"]].to_numpy()
    for label, chosen, fill, share in groups:
        side = tables.bin_size * share
        squares = PolyCollection(list(_squares(centers[chosen], side)), facecolors=fill, edgecolors="none")
        squares.set_rasterized(len(classes) > MANY_CLASSES)
        axes.add_collection(squares)
        axes.scatter([], [], marker="s", s=90 * share + 4, color=_sample_color(fill), label=f"{label} ({chosen.sum()})")
    reach = np.abs(centers).max() + tables.bin_size
    axes.set(xlim=(-reach, reach), ylim=(-reach, reach), aspect="equal", xlabel="a  (green to red)")
    axes.set_ylabel("b  (blue to yellow)")
    axes.legend(loc="upper center", bbox_to_anchor=(0.5, -0.09), ncols=2)
    caption = (
        f"Each square is a class of bin size {tables.bin_size} in its own color at L = 50, clipped to sRGB. "
        "A pruned class is mapped to the nearest kept one (Eq. 12)."
    )
    return canvas, "The ab plane, class by class", caption


def class_histogram(tables: ColorTables) -> tuple[Canvas, str, str]:
    """The observed classes by falling count on a log scale, in their own colors, with the cut."""
    seen = tables.classes[tables.classes["observed"]].sort_values("count", ascending=False)
    kept = int(seen["kept"].sum())
    canvas = Canvas(figsize=(7.2, 3.4))
    axes = canvas.subplots()
    colors = [tuple(color) for color in seen[["red", "green", "blue"]].to_numpy() / 255]
    rank = np.arange(1, len(seen) + 1)
    axes.vlines(rank, 0.7, seen["count"], colors=colors, linewidth=420 / len(seen))
    axes.axhline(tables.least, color=INK, linewidth=0.8, linestyle=(0, (4, 3)))
    axes.axvline(kept + 0.5, color=INK, linewidth=0.8, linestyle=(0, (4, 3)))
    note = f"{kept} kept, {len(seen) - kept} pruned\ncut at {tables.least:,.1f} pixels"
    left = 2 * kept > len(seen)  # the note stands on the wider side of the cut
    x = kept + len(seen) / 80 * (-1 if left else 1)
    axes.text(x, 0.97, note, ha="right" if left else "left", va="top", transform=axes.get_xaxis_transform())
    axes.set(yscale="log", ylim=(0.7, None), xlim=(0, len(seen) + 1), xlabel="classes, the most frequent first")
    axes.set_ylabel("pixels of the reference set")
    caption = (
        "Observed classes by their count, each in its own color at L = 50; right of the cut they are pruned (SPEC R2)."
    )
    return canvas, "How often each class occurs", caption


def kept_by_bin_size(tables: ColorTables) -> tuple[Canvas, str, str]:
    """Reachable, observed and kept classes against the bin size, beside the paper's kept classes."""
    study, printed = tables.study, tables.printed
    canvas = Canvas(figsize=(6.4, 3.8))
    axes = canvas.subplots()
    labels = {"reachable_classes": "reachable in 8-bit sRGB", "observed_classes": "observed", "kept_classes": "kept"}
    for (column, label), color in zip(labels.items(), (SOFT, SERIES[0], SERIES[1]), strict=True):
        axes.plot(study["bin_size"], study[column], marker="o", markersize=4, color=color, label=label)
    axes.plot(
        *(printed["bin_size"], printed["kept_classes"]),
        "D",
        markersize=6,
        mfc="none",
        mec=INK,
        label="kept, as printed",
    )
    for bin_size, count in zip(study["bin_size"], study["kept_classes"], strict=True):
        axes.annotate(
            f"{count:.0f}", (bin_size, count), (0, -13), textcoords="offset points", ha="center", color=SERIES[1]
        )
    axes.set(yscale="log", xlabel="bin size", ylabel="classes", xticks=study["bin_size"])
    axes.set_ylim(max(1, study["kept_classes"].min()) * 0.7)
    axes.yaxis.set_major_locator(FixedLocator([100, 200, 500, 1000, 2000]))
    axes.yaxis.set_major_formatter(StrMethodFormatter("{x:.0f}"))
    axes.yaxis.set_minor_formatter(NullFormatter())
    axes.legend()
    caption = (
        "Kept classes depend on the reference set; the printed ones are of 35,040 photographs of Places365 (Table II)."
    )
    return canvas, "Classes against bin size", caption


def weight_by_frequency(tables: ColorTables) -> tuple[Canvas, str, str]:
    """CIC's weight of every class, and Eq. 15's for each percent, against how frequent the class is."""
    weights = tables.weights.sort_values("prior")
    seen = weights[weights["prior"] > 0]
    colors = tables.classes.set_index("class_id").loc[seen["class_id"], ["red", "green", "blue"]].to_numpy() / 255
    canvas = Canvas(figsize=(6.4, 3.8))
    axes = canvas.subplots()
    positions = seen["prior"].to_numpy() * tables.batch_pixels
    for percent, color in zip(tables.percents, _shades(len(tables.percents)), strict=True):
        axes.plot(seen["prior"], class_weights(positions, percent), color=color, linewidth=1.4)
        start = (float(seen["prior"].iloc[0]), float(class_weights(positions, percent)[0]))
        label = f"p = {percent:g}"
        axes.annotate(label, start, xytext=(-4, 0), textcoords="offset points", ha="right", va="center", color=color)
    axes.scatter(
        *(seen["prior"], seen["cic_weight"]), s=11, c=colors, edgecolors=SOFT, linewidths=0.25, label="CIC, each class"
    )
    axes.set(xscale="log", yscale="log", xlabel="share of the reference set's pixels", ylabel="weight of the class")
    axes.set_xlim(float(seen["prior"].iloc[0]) / 8)
    axes.yaxis.set_major_formatter(StrMethodFormatter("{x:g}"))
    axes.legend(loc="lower left")
    caption = (
        "Lines: Eq. 15 in the reading SPEC R4 for a batch that looks like the whole reference set. Dots: CIC's "
        "weights, which follow the smoothed prior, so that classes of one frequency may weigh differently."
    )
    return canvas, "Weight against frequency", caption


def weight_by_percent(tables: ColorTables) -> tuple[Canvas, str, str]:
    """What each percent of Eq. 15 gives over real batches: the weights, and how many classes the loss listens to."""
    batches, count = tables.batches, tables.batches["batch"].nunique()
    columns = ("weight_min", "weight_median", "weight_max", "effective_classes", "classes")
    spread = {
        name: batches.groupby("percent")[name].quantile(np.array([0.05, 0.5, 0.95])).unstack() for name in columns
    }
    canvas = Canvas(figsize=(7.2, 3.3))
    left, right = canvas.subplots(1, 2)
    names = {"weight_max": "largest", "weight_median": "median", "weight_min": "least"}
    for (column, label), color, width in zip(names.items(), (SERIES[1], SERIES[0], SOFT), (5, 1.5, 1.5), strict=True):
        _band(left, spread[column], color, label, width)
    _band(right, spread["effective_classes"], SERIES[2], "effective")
    _band(right, spread["classes"], SOFT, "present in the batch")
    for axes in (left, right):
        axes.axvline(10, color=RULE, zorder=0)
        axes.set(xlabel="percent p of Eq. 15", xticks=sorted(batches["percent"].unique()))
        axes.legend(loc="best")
    left.set(yscale="log", title="Weight of a class in the batch")
    left.yaxis.set_major_locator(FixedLocator([1, 2, 5, 10, 20, 50]))
    left.yaxis.set_major_formatter(StrMethodFormatter("{x:g}"))
    left.yaxis.set_minor_formatter(NullFormatter())
    right.set(title="Classes that carry the loss", ylim=(0, None))
    canvas.tight_layout()
    return canvas, "Eq. 15 over percent", _percent_caption(batches, count)


def _percent_caption(batches: pd.DataFrame, count: int) -> str:
    medians = batches.groupby("percent")[["weight_max", "weight_median", "effective_classes"]].median()
    percents, largest, effective = medians.index, medians["weight_max"], medians["effective_classes"]
    images = int(batches["images"].median())
    what = "one batch" if count == 1 else f"{count} batches"
    rare = " At each of them the median weight is the largest one: most classes of a batch count as rare."
    return (
        f"Median and 5 to 95 % over {what} of {images} photographs. From p = {percents[0]:g} to {percents[-1]:g} the "
        f"largest weight goes from {largest.iloc[0]:.1f} to {largest.iloc[-1]:.1f} and the effective number of "
        f"classes (exp of the entropy of their shares of the loss) from {effective.iloc[0]:.0f} to "
        f"{effective.iloc[-1]:.0f}."
        + (rare if np.allclose(largest, medians["weight_median"]) else "")
        + " Nothing here singles out one percent: the paper chose 10 by the look of its results."
    )


def _squares(centers: npt.NDArray[np.floating], side: float) -> npt.NDArray[np.float64]:
    corners = np.array([(-0.5, -0.5), (0.5, -0.5), (0.5, 0.5), (-0.5, 0.5)]) * side
    return centers[:, None, :].astype(np.float64) + corners


def _sample_color(fill: str | npt.NDArray[np.floating]) -> str:
    """The color of a group in the legend; a group in its classes' own colors has none, so one of ours stands for it."""
    return fill if isinstance(fill, str) else INK


def _shades(count: int) -> list[tuple[float, ...]]:
    return [tuple(color) for color in mpl.colormaps["viridis"](np.linspace(0.0, 0.8, count))]


def _band(axes: Axes, spread: pd.DataFrame, color: str, label: str, width: float = 1.5) -> None:
    axes.fill_between(spread.index, spread[0.05], spread[0.95], color=color, alpha=0.18, linewidth=0)
    axes.plot(spread.index, spread[0.5], marker="o", markersize=4, linewidth=width, color=color, label=label)
