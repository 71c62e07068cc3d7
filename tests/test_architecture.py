"""DESIGN section 2 as a test: which room imports which, no circles, one meaning for each name."""

import ast
from collections import defaultdict
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1] / "pipeline"
FLOORS = (
    {"cli"},
    {"stages"},
    {"reporting", "inference", "training", "evaluation", "masks", "sets"},
    {"storage", "methods"},
    {"metrics", "models", "losses"},
    {"color"},
    {"settings", "machine", "images"},
    {"errors"},
)
"""From the top: a room imports rooms below its own floor, and none beside it."""
BESIDE = {("reporting", "masks"), ("reporting", "evaluation.schemas")}
"""What may be imported on one's own floor."""
FACES = {"__init__", "__main__"}
STAGE_NAMES = {"stages", "cli"}
"""Rooms whose modules are named after stages and commands, as others may be."""


def modules() -> dict[str, Path]:
    """Every module by its dotted name below the package."""
    return {
        ".".join(path.relative_to(ROOT).with_suffix("").parts): path
        for path in sorted(ROOT.rglob("*.py"))
        if path.stem not in FACES
    }


MODULES = modules()
FLOOR = {room: number for number, rooms in enumerate(FLOORS) for room in rooms}


def imported(path: Path) -> Iterator[tuple[str, int]]:
    """The modules of this package that a file imports anywhere, in functions too, and the line."""
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            for alias in node.names:
                if alias.name.startswith("pipeline."):
                    yield alias.name.removeprefix("pipeline."), node.lineno
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{path}:{node.lineno} imports relatively"
            if node.module is not None and node.module.split(".")[0] == "pipeline":
                inside = node.module.removeprefix("pipeline").lstrip(".")
                for alias in node.names:
                    whole = f"{inside}.{alias.name}".lstrip(".")
                    yield (whole if whole in MODULES else inside or whole), node.lineno


def arrows() -> Iterator[tuple[str, str, str]]:
    for name, path in MODULES.items():
        for target, line in imported(path):
            if target and target != "__version__":
                yield name, target, f"{path.relative_to(ROOT.parent)}:{line} imports pipeline.{target}"


def test_the_root_holds_three_files_and_the_rooms() -> None:
    assert {path.name for path in ROOT.glob("*.py")} == {"__init__.py", "__main__.py", "errors.py"}
    rooms = {path.name for path in ROOT.iterdir() if path.is_dir() and path.name != "__pycache__"}
    assert rooms | {"errors"} == set(FLOOR)


def test_imports_point_down() -> None:
    wrong = []
    for name, target, where in arrows():
        room, other = name.split(".")[0], target.split(".")[0]
        beside = any(room == mine and (target == theirs or target.startswith(f"{theirs}.")) for mine, theirs in BESIDE)
        if room != other and not beside and FLOOR[other] <= FLOOR[room]:
            wrong.append(where)
    assert not wrong, "\n".join(["imports that point up or sideways:", *wrong])


def test_no_circles() -> None:
    graph: dict[str, set[str]] = defaultdict(set)
    for name, target, _ in arrows():
        if target in MODULES:
            graph[name].add(target)
    done: set[str] = set()

    def visit(name: str, above: tuple[str, ...]) -> None:
        assert name not in above, " -> ".join([*above[above.index(name) :], name])
        if name not in done:
            for target in sorted(graph[name]):
                visit(target, (*above, name))
            done.add(name)

    for name in MODULES:
        visit(name, ())


def test_the_lower_rooms_read_no_file_of_the_graph() -> None:
    """`color`, `metrics`, `models` and `losses` know neither stores, tables nor params.yaml."""
    for name, path in MODULES.items():
        if name.split(".")[0] in ("color", "metrics", "models", "losses"):
            for target, line in imported(path):
                assert target not in ("settings.params", "settings.presets", "machine.weight_files") or (
                    name == "metrics.perceptual"  # `lpips` without a network resolves its weights
                ), f"{path}:{line} imports {target}"


def public_names() -> dict[str, list[str]]:
    """Every public function and class at the top of a module, and where it is defined."""
    found: dict[str, list[str]] = defaultdict(list)
    for name, path in MODULES.items():
        for node in ast.parse(path.read_text(encoding="utf-8")).body:
            if isinstance(node, ast.FunctionDef | ast.ClassDef) and not node.name.startswith("_"):
                found[node.name].append(name)
    return found


def test_no_two_public_functions_or_classes_share_a_name() -> None:
    twice = {name: places for name, places in public_names().items() if len(set(places)) > 1}
    assert not twice, "\n".join(f"{name}: {', '.join(places)}" for name, places in sorted(twice.items()))


def test_no_two_modules_share_a_name() -> None:
    found: dict[str, list[str]] = defaultdict(list)
    for name in MODULES:
        if name.split(".")[0] not in STAGE_NAMES:
            found[name.split(".")[-1]].append(name)
    twice = {name: places for name, places in found.items() if len(places) > 1}
    assert not twice, "\n".join(f"{name}: {', '.join(places)}" for name, places in sorted(twice.items()))


@pytest.mark.parametrize("name", MODULES)
def test_modules_are_of_a_size_to_be_read(name: str) -> None:
    lines = len(MODULES[name].read_text(encoding="utf-8").splitlines())
    assert lines <= 310, f"pipeline/{name.replace('.', '/')}.py has {lines} lines, it takes about 300"


def test_tests_stand_where_their_rooms_stand() -> None:
    tests = ROOT.parent / "tests"
    rooms = {path.name for path in tests.iterdir() if path.is_dir() and any(path.glob("test_*.py"))}
    assert rooms - {"graph", "benchmarks"} <= set(FLOOR), sorted(rooms - set(FLOOR))
