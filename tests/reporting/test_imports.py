"""The order of the subrooms of reporting: pages stand on tables and pictures, and never the other way round."""

import ast
from pathlib import Path

ROOT = Path(__file__).parents[2]
FLOORS = (
    {"report_inputs", "render", "file_names"},
    {"tables"},
    {"pictures"},
    {"experiments", "turing"},
    {"page"},
)
"""From below; a module imports from its own subroom and from lower floors."""


def imported(path: Path) -> set[str]:
    """The modules of the project that a module imports, lazily or not."""
    found = set()
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.ImportFrom) and node.module:
            found |= {node.module, *(f"{node.module}.{alias.name}" for alias in node.names)}
        elif isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
    return {name for name in found if name.startswith("pipeline.")}


def test_pages_stand_on_tables_and_pictures() -> None:
    floor = {room: number for number, rooms in enumerate(FLOORS) for room in rooms}
    wrong = []
    for path in sorted((ROOT / "pipeline" / "reporting").rglob("*.py")):
        room = path.relative_to(ROOT / "pipeline" / "reporting").parts[0].removesuffix(".py")
        for name in imported(path):
            other = name.split(".")[2] if name.startswith("pipeline.reporting.") else room
            if other != room and floor[other] >= floor[room]:
                wrong.append(f"{room} imports {other}: {path.name}")
    assert wrong == []


def test_reporting_knows_no_stage_and_no_path_of_the_graph() -> None:
    allowed = (
        "storage",
        "methods",
        "metrics",
        "color",
        "settings",
        "machine",
        "images",
        "masks",
        "errors",
        "reporting",
    )
    for path in sorted((ROOT / "pipeline" / "reporting").rglob("*.py")):
        for name in imported(path):
            room = name.split(".")[1]
            assert room in allowed or name.startswith("pipeline.evaluation.schemas"), f"{path.name} imports {name}"
