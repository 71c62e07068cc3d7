"""The small page of `huebench score`: one leaderboard, and what is missing."""

from collections.abc import Mapping
from pathlib import Path

import pandas as pd

from pipeline.machine.files import write_text
from pipeline.reporting.page import words
from pipeline.reporting.page.missing import missing_figures
from pipeline.reporting.render import render
from pipeline.reporting.tables.leaderboard import Board


def write_score_page(
    board: Board, summary: pd.DataFrame, facts: Mapping[str, str], notes: list[str], path: Path
) -> None:
    """Write the page.

    Args:
        board: the leaderboard.
        summary: the long table behind it.
        facts: what was scored, name to words.
        notes: what could not be matched or scored, a line each.
        path: the HTML file; the tables lie beside it.
    """
    kinds = {row.method: row.kind for row in board.everyone}
    context = {
        "board": board,
        "lede": words.lede([board]) if board.tested else "",
        "facts": list(facts.items()),
        "missing": missing_figures(summary, (), kinds, notes),
    }
    write_text(path, render("score.html", context))
