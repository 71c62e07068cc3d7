"""A leaderboard as text: for a terminal, and for a paper."""

from collections.abc import Iterator

from pipeline.reporting.tables.columns import MetricColumn
from pipeline.reporting.tables.leaderboard import Board, LeaderboardRow

LATEX = {
    "\\": r"\textbackslash{}", "{": r"\{", "}": r"\}", "$": r"\$", "&": r"\&", "#": r"\#", "%": r"\%", "_": r"\_",
    "^": r"\textasciicircum{}", "~": r"\textasciitilde{}", "·": r"$\cdot$", "Δ": r"$\Delta$", "é": r"\'e",
}  # fmt: skip
"""What LaTeX would take for a command, and what it cannot set without a package."""
ARROWS = {"higher": r" $\uparrow$", "lower": r" $\downarrow$", "one": r" $\rightarrow$1", "": ""}


def terminal_table(board: Board, width: int = 80) -> str:
    """The main metrics of a leaderboard as text, in as many blocks as the width needs.

    Args:
        board: the leaderboard.
        width: characters of a line.

    Returns:
        Lines; the leader of a metric carries a star; where nobody leads, a ring stands at the best figure and at all
        that are not found to be worse. A method's name too long for a third of the width is cut.
    """
    columns = [column for column in board.columns if column.core]
    titles = [_shortened(row.title, width // 3) + _photographs(row, board) for row in board.everyone]
    first = max(map(len, ("Method", *titles)))
    cells = {column.name: [f"{column.label} {column.arrow}".strip()] for column in columns}
    for column in columns:
        cells[column.name] += [_marked(row, column) for row in board.everyone]
    widths = {name: max(map(len, texts)) for name, texts in cells.items()}
    blocks = []
    for names in _blocks([column.name for column in columns], widths, width - first):
        lines = []
        for number, title in enumerate(("Method", *titles)):
            figures = "".join(f"  {cells[name][number]:>{widths[name]}}" for name in names)
            lines.append(f"{title:<{first}}{figures}".rstrip())
        blocks.append("\n".join(lines))
    return "\n\n".join(blocks) + "\n"


def _blocks(names: list[str], widths: dict[str, int], room: int) -> Iterator[list[str]]:
    """Columns that fit beside each other, two blanks before each."""
    block: list[str] = []
    for name in names:
        if block and sum(widths[one] + 2 for one in [*block, name]) > room:
            yield block
            block = []
        block.append(name)
    if block:
        yield block


def _photographs(row: LeaderboardRow, board: Board) -> str:
    """How many photographs a row has results for, where it is not ranked for want of some."""
    return f" ({row.images} of {board.images})" if row.images < board.images else ""


def _shortened(text: str, length: int) -> str:
    return text if len(text) <= length else f"{text[: length - 1]}…"


def _marked(row: LeaderboardRow, column: MetricColumn) -> str:
    cell = row.cells.get(column.name)
    if cell is None or cell.value is None:
        return "– "
    return column.text(cell.value) + {"best": "*", "tied": "°"}.get(cell.mark, " ")


def latex_table(board: Board) -> str:
    r"""The main metrics of a leaderboard as a LaTeX table, for \usepackage{booktabs}.

    Args:
        board: the leaderboard.

    Returns:
        A `table` environment; bold is what the paired tests carry. Metrics that nobody has are no column.
    """
    columns = [column for column in board.columns if column.core]
    heads = [_latex(column.label) + ARROWS[column.better] for column in columns]
    lines = [
        r"% needs \usepackage{booktabs}",
        r"\begin{table}",
        r"  \centering",
        rf"  \caption{{{_latex(board.set)}, {board.images} photographs, protocol \texttt{{{_latex(board.protocol)}}}. "
        r"Bold: better than every other row by paired signed-rank tests, Holm-corrected, $p < 0.05$.}",
        rf"  \begin{{tabular}}{{l{'r' * len(columns)}}}",
        r"    \toprule",
        f"    {' & '.join(['Method', *heads])} \\\\",
        r"    \midrule",
    ]
    for row in board.everyone:
        figures = [_latex_figure(row, column) for column in columns]
        lines.append(f"    {' & '.join([_latex(row.title) + _photographs(row, board), *figures])} \\\\")
    return "\n".join([*lines, r"    \bottomrule", r"  \end{tabular}", r"\end{table}"]) + "\n"


def _latex_figure(row: LeaderboardRow, column: MetricColumn) -> str:
    cell = row.cells.get(column.name)
    if cell is None or cell.value is None:
        return "--"
    text = column.text(cell.value).replace("−", "$-$").replace("∞", r"$\infty$")
    return rf"\textbf{{{text}}}" if cell.mark == "best" else text


def _latex(text: str) -> str:
    return "".join(LATEX.get(character, character) for character in text)
