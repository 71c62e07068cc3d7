"""Templates to text: escaping on, unknown names an error."""

from collections.abc import Mapping
from functools import cache
from pathlib import Path

from jinja2 import Environment, FileSystemLoader, StrictUndefined

TEMPLATES = Path(__file__).parent / "templates"


@cache
def _environment(autoescape: bool) -> Environment:
    environment = Environment(
        loader=FileSystemLoader(TEMPLATES),
        autoescape=autoescape,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
    )
    environment.filters["duration"] = duration
    environment.filters["cell"] = markdown_cell
    return environment


def render(template: str, context: Mapping[str, object]) -> str:
    """Fill a template; text of an HTML page is escaped, that of Markdown is escaped by the filter `cell`."""
    return _environment(template.endswith(".html")).get_template(template).render(**context)


def duration(seconds: float) -> str:
    """Write a wall time: 0.4 s, 12 s, 3 min 05 s, 2 h 10 min."""
    if seconds < 10:
        return f"{seconds:.1f} s"
    whole = round(seconds)
    if whole < 60:
        return f"{whole} s"
    if whole < 3600:
        return f"{whole // 60} min {whole % 60:02d} s"
    return f"{whole // 3600} h {whole % 3600 // 60:02d} min"


def markdown_cell(text: object) -> str:
    """Make any text safe inside a cell of a Markdown table: no markup, no column ends, one line."""
    plain = " ".join(str(text).split())
    for character, safe in (("&", "&amp;"), ("<", "&lt;"), (">", "&gt;"), ("|", "\\|"), ("`", "\\`"), ("*", "\\*")):
        plain = plain.replace(character, safe)
    return plain.replace("[", "\\[").replace("_", "\\_")
