"""The sentences and lists at the head of the page, from the run's description and its leaderboards."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from pipeline.reporting.report_inputs import RunDescription
from pipeline.reporting.tables.claims import LEVEL
from pipeline.reporting.tables.columns import MetricColumn
from pipeline.reporting.tables.leaderboard import Board, LeaderboardRow
from pipeline.reporting.turing.turing_scores import Scores


@dataclass(frozen=True)
class StageTime:
    """A stage's wall time, and its share of the longest one in percent."""

    name: str
    seconds: float
    percent: float


def headline(found: Sequence[Board]) -> str:
    """Say in one line what the page shows."""
    methods = {row.method for board in found for row in board.rows}
    if not methods:
        return "No method has finished yet"
    count = f"{len(methods)} colorization method{'s' if len(methods) > 1 else ''}"
    return f"{count} on {_listed([board.set for board in found])}"


def lede(found: Sequence[Board]) -> str:
    """Say which method leads on which of the main metrics, and on which nobody does, in one sentence per set.

    A method leads where the paired tests find it better than every other one. The page would say so of any set and
    metric, so p is corrected once more, for their number (Bonferroni): where no two methods differ, not one sentence in
    twenty pages names a leader.
    """
    claims = sum(column.core for board in found for column in board.tested)
    sentences = []
    for board in found:
        leaders: dict[str, list[str]] = {}
        for column in board.tested:
            if column.core:
                leader = board.leaders.get(column.name)
                sure = leader is not None and leader.p * claims < LEVEL
                leaders.setdefault(leader.title if sure and leader is not None else "", []).append(column.label)
        nobody = leaders.pop("", [])
        parts = [f"{name} leads on {_listed(metrics)}" for name, metrics in leaders.items()]
        if nobody:
            parts.append(f"nobody leads on {_listed(nobody)}")
        if parts:
            text = "; ".join(parts)
            if not leaders:
                text = f"N{text[1:]}"  # a method's name keeps its own case
            sentences.append(f"{board.set}: {text}." if len(found) > 1 else f"{text}.")
    return " ".join(sentences) or "Grey photographs in, color photographs out, every method under one protocol."


def facts(run: RunDescription, found: Sequence[Board], kinds: Mapping[str, str]) -> list[tuple[str, str]]:
    """List what was run; a fact that is not known says so."""
    sets = [f"{board.set} ({board.images} photographs)" for board in found]
    groups = {
        "Methods": [name for name, kind in kinds.items() if kind == "trained"],
        "Imported results": [name for name, kind in kinds.items() if kind == "imported"],
        "Ceiling and floor": [name for name, kind in kinds.items() if kind in ("ceiling", "floor")],
    }
    described = [(title, ", ".join(sorted(names))) for title, names in groups.items() if names]
    return [
        ("Test sets", ", ".join(sets) or "none"),
        *described,
        ("Protocol", run.protocol or _listed(sorted({board.protocol for board in found})) or "not recorded"),
        ("Seed", "not recorded" if run.seed is None else str(run.seed)),
        ("Revision", revisions_text(run.revisions)),
        ("Date", run.date or "not recorded"),
        ("Machine", run.machine or "not recorded"),
    ]


def revisions_text(revisions: Mapping[tuple[str, str], str]) -> str:
    """Say with which revision of the code the rows were made, each its own where they differ.

    Args:
        revisions: (method, set) to revision, "" where the rows do not say.

    Returns:
        The revision alone where all rows have one; else each with the methods whose rows it made, and their sets where
        a method has rows of several.
    """
    if len(set(revisions.values())) < 2:
        return next(iter(revisions.values()), "") or "not recorded"
    made_by: dict[str, set[str]] = {}
    for (method, _), revision in revisions.items():
        made_by.setdefault(method, set()).add(revision)
    owners: dict[str, dict[str, None]] = {}
    for (method, set_name), revision in revisions.items():
        name = method if len(made_by[method]) == 1 else f"{method} on {set_name}"
        owners.setdefault(revision or "not recorded", {})[name] = None
    parts = [f"{revision} ({', '.join(names)})" for revision, names in owners.items()]
    return f"rows of {len(owners)} revisions: {', '.join(parts)}"


def stage_times(seconds: Mapping[str, float]) -> list[StageTime]:
    """Wall times beside the longest, in the order in which they come."""
    longest = max(seconds.values(), default=0.0) or 1.0
    return [StageTime(name, one, 100.0 * one / longest) for name, one in seconds.items()]


def settings_text(settings: Mapping[str, object]) -> str:
    """Write nested parameters as indented text."""
    return json.dumps(settings, indent=2, default=str, ensure_ascii=False)


def markdown_figure(row: LeaderboardRow, column: MetricColumn) -> str:
    """Write one figure of the Markdown leaderboard, with its mark and interval."""
    cell = row.cells.get(column.name)
    if cell is None or cell.value is None:
        return "–"
    text = column.text(cell.value)
    text = f"**{text}**" if cell.mark == "best" else f"{text}°" if cell.mark == "tied" else text
    if cell.low is None or cell.high is None:
        return text
    return f"{text} ({column.text(cell.low)} to {column.text(cell.high)})"


def score_rows(scores: Scores | None) -> list[dict[str, str]]:
    """Write the scores of the Turing test as rows of text."""
    if scores is None:
        return []
    strength = {str(row["method"]): row for row in scores.preference}
    fooling = {str(row["method"]): row for row in scores.fooling}
    rows = []
    for name in sorted(strength.keys() | fooling.keys()):
        rate, liking = fooling.get(name), strength.get(name)
        rows.append(
            {
                "method": name,
                "fooled": str(rate["fooled"]) if rate else "–",
                "trials": str(rate["trials"]) if rate else "–",
                "rate": _percent(rate["rate"]) if rate else "–",
                "interval": f"{_percent(rate['low'])} to {_percent(rate['high'])}" if rate else "–",
                "preference": _liking(liking) if liking else "–",
            }
        )
    return rows


def _liking(row: Mapping[str, float | str | None]) -> str:
    text = _signed(row["strength"])
    if row.get("low") is None or row.get("high") is None:
        return text
    return f"{text} ({_signed(row['low'])} to {_signed(row['high'])})"


def _signed(value: float | str | None) -> str:
    return f"{float(value or 0.0):+.2f}".replace("-", "−")


def _percent(value: float | str | None) -> str:
    return "–" if value is None else f"{100 * float(value):.1f} %"


def _listed(names: Sequence[str]) -> str:
    if len(names) < 2:
        return "".join(names)
    return f"{', '.join(names[:-1])} and {names[-1]}"
