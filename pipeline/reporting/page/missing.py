"""What the run does not have, and why: said once, in words, and never left as an empty cell without a reason."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

import pandas as pd

from pipeline.reporting.pictures.gallery import Gallery
from pipeline.reporting.tables.columns import metric_column

PRESENT = ("ok", "few_images", None)  # statuses of a figure that was computed


@dataclass(frozen=True)
class Gap:
    """One reason, and what it concerns."""

    reason: str
    concerns: tuple[str, ...]


def missing_figures(
    summary: pd.DataFrame, galleries: Iterable[Gallery], kinds: Mapping[str, str], faults: Iterable[str]
) -> tuple[Gap, ...]:
    """Gather everything that is missing, grouped by reason.

    Args:
        summary: the long summary table.
        galleries: for pictures that could not be shown.
        kinds: method to its kind, to say when no method was finished.
        faults: sentences from other parts of the report.
    """
    gaps: dict[str, list[str]] = {}
    cautions: dict[str, list[str]] = {}
    if not any(kind in ("trained", "imported") for kind in kinds.values()):
        gaps["No method was finished: there is nothing to rank yet."] = []
    for row in summary.to_dict("records"):
        subject = _subject(row)
        value = row["value"]
        if row["status"] == "few_images":  # the figure is there, with a caution that is the same for all of them
            cautions.setdefault(str(row["reason"]), []).append(str(row["set"]))
        if row["status"] not in PRESENT:
            gaps.setdefault(str(row["reason"] or row["status"]), []).append(subject)
        elif value is None or pd.isna(value):
            gaps.setdefault("The figure is not a number.", []).append(subject)
        elif abs(float(value)) == float("inf"):
            gaps.setdefault("The figure is infinite.", []).append(subject)
        if row["left_out"] is not None and not pd.isna(row["left_out"]) and row["left_out"] > 0:
            reason = f"{int(row['left_out'])} photographs are left out of the mean"
            words = "" if row["status"] != "ok" or not row["reason"] else f": {row['reason']}"
            gaps.setdefault(f"{reason}{words}.", []).append(subject)
    for gallery in galleries:
        for photo in gallery.photos:
            for key, fault in photo.faults.items():
                gaps.setdefault(f"No picture: {fault}.", []).append(f"{photo.image_id} · {key} ({gallery.set})")
        if not gallery.photos and not gallery.faults:
            gaps.setdefault("The set has no usable test photograph.", []).append(gallery.set)
    for fault in faults:
        gaps.setdefault(fault, [])
    gaps |= cautions
    return tuple(Gap(reason, tuple(dict.fromkeys(concerns))) for reason, concerns in gaps.items())


def _subject(row: Mapping[str, object]) -> str:
    variant = "" if row["variant"] in ("raw", "", None) else f" · {row['variant']}"
    return f"{metric_column(str(row['metric'])).label} of {row['method']}{variant} on {row['set']}"
