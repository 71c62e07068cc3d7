"""Sentences about a leaderboard that are true or false in this run, computed from its figures."""

from dataclasses import dataclass

from pipeline.reporting.tables.columns import metric_column
from pipeline.reporting.tables.leaderboard import Board, LeaderboardRow


@dataclass(frozen=True)
class Statement:
    """A claim, whether it holds (None: there is nothing to check it on), and the figures behind the verdict."""

    claim: str
    holds: bool | None
    evidence: str


def statements(board: Board) -> tuple[Statement, ...]:
    """Check what must hold if floor and ceiling mean anything, and say which ranked methods pass the floor.

    The oracle has the truth's own class at every output position, so no method of its class space and size may beat
    it on PSNR or TAR: one trained here that does is a mistake. Results from elsewhere are bound by neither, and may.
    The floor has no color: its pixels lie at a = b = 0, which is one class, or up to four where
    that point is a corner of the grid, so its class-number ratio (CNR) must be the least of all.
    """
    return (
        _oracle_first(board, "psnr"),
        _oracle_first(board, "tar"),
        _gray_last(board),
        _above_gray(board),
    )


def _oracle_first(board: Board, metric: str) -> Statement:
    column = metric_column(metric)
    claim = f"The oracle beats every method trained here on {column.label}."
    ceiling = _value(board.ceiling, metric)
    ours = [row for row in board.ranked if row.kind == "trained"]
    found = [(value, row.title) for row in ours if (value := _figure(row, metric)) is not None]
    if ceiling is None or not found:
        return Statement(
            claim, None, f"{column.label} of the oracle or of a method trained here is not in the summary."
        )
    best, name = max(found)
    unit = f" {column.unit}" if column.unit else ""
    evidence = f"oracle {column.text(ceiling)}{unit}, best method {column.text(best)}{unit} ({name})"
    return Statement(claim, ceiling > best, evidence)


def _gray_last(board: Board) -> Statement:
    column = metric_column("cnr")
    claim = "The gray floor has the least CNR, near its minimum."
    floor = _value(board.floor, "cnr")
    others = [value for row in (*board.ranked, *board.ceiling) if (value := _figure(row, "cnr")) is not None]
    if floor is None or not others:
        return Statement(claim, None, "CNR of gray or of anything to compare it with is not in the summary.")
    active = _value(board.floor, "active")
    evidence = f"gray {column.text(floor)}, least of the others {column.text(min(others))}"
    if active is not None:
        evidence += f"; gray shows {active:.1f} classes per photograph (1 to 4 are possible at a = b = 0)"
    return Statement(claim, floor < min(others) and (active is None or active <= 4.0), evidence)


def _above_gray(board: Board) -> Statement:
    column = metric_column("psnr")
    claim = "Every method is nearer to the truth than gray on PSNR."
    floor = _value(board.floor, "psnr")
    found = [(value, row.title) for row in board.ranked if (value := _figure(row, "psnr")) is not None]
    if floor is None or not found:
        return Statement(claim, None, "PSNR of gray or of a finished method is not in the summary.")
    below = [f"{name} {column.text(value)}" for value, name in sorted(found) if value <= floor]
    evidence = f"gray {column.text(floor)} dB" + (f"; not above it: {', '.join(below)}" if below else "")
    return Statement(claim, not below, evidence)


def _value(rows: tuple[LeaderboardRow, ...], metric: str) -> float | None:
    found = [value for row in rows if row.variant in ("raw", "") and (value := _figure(row, metric)) is not None]
    return found[0] if found else None


def _figure(row: LeaderboardRow, metric: str) -> float | None:
    cell = row.cells.get(metric)
    return None if cell is None else cell.value
