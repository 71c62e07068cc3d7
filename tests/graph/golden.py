"""Golden results: what each stage put out on the run of `tiny_run` when its version in versions.yaml was raised last.

    python -m tests.graph.golden --write     # of stages whose version was raised, and of what follows them

A stage's file in golden/ holds the versions that its results were made with, its own and those of every stage before
it, and the results: digests of whole numbers, texts and pixels, float columns to seven digits.
"""

import hashlib
import json
import shutil
import tempfile
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import click
import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from PIL import Image

from pipeline.stages import paths
from pipeline.stages.versions import VERSIONS, stage_version
from pipeline.storage.store import Store
from tests.graph.tiny_run import GOLDEN, UNTRAINED, make_run, places, read_golden, steps, strange

COMMAND = "python -m tests.graph.golden --write"
LISTED = 40
"""Values of a float column that are kept; of a longer one, so many at equal distances and the mean."""
TOLERANCES = {"train": 0.05, "predict": 0.02}
"""Relative, of floats; else 1e-5: what a logarithm differs by between processors is far below."""


def results(folder: Path, only_untrained: bool = False) -> dict[str, dict[str, Any]]:
    """What the stages put out in a folder: version key to step to file to what it holds."""
    found: dict[str, dict[str, Any]] = {}
    for step in steps():
        if only_untrained and step.stage not in UNTRAINED:
            continue
        label = f"{step.stage}@{'-'.join(step.names)}" if step.names else step.stage
        files = dict(described(folder, sorted(places(step, "outs"))))
        found.setdefault(step.counted_as, {})[label] = files
    return found


def described(folder: Path, files: list[str]) -> Iterator[tuple[str, Any]]:
    """The tables, stores and figures among the outputs of a stage."""
    for name in files:
        path = folder / name
        if (path / "index.parquet").exists():
            yield name, describe_store(path)
        elif path.suffix == ".parquet":
            yield name, describe_table(pq.read_table(path))
        elif path.is_dir() and not name.startswith("reports"):
            for table in sorted(path.rglob("*.parquet")):
                yield str(table.relative_to(folder)), describe_table(pq.read_table(table))
        elif name == "reports/metrics.json":
            yield name, flat(json.loads(path.read_text(encoding="utf-8")))
        for curve in sorted(path.rglob("loss.tsv")):
            lines = curve.read_text(encoding="utf-8").splitlines()[1:]
            yield str(curve.relative_to(folder)), {"loss": [float(line.split("\t")[1]) for line in lines]}


def flat(figures: Mapping[str, Any], prefix: str = "") -> dict[str, Any]:
    """Nested figures by dotted names; a list of one where it is a number, to be compared as such."""
    listed: dict[str, Any] = {}
    for key, value in figures.items():
        listed |= flat(value, f"{prefix}{key}.") if isinstance(value, dict) else {f"{prefix}{key}": [value]}
    return listed


def describe_table(table: pa.Table, left_out: tuple[str, ...] = ()) -> dict[str, Any]:
    columns: dict[str, Any] = {"rows": [len(table)]}
    for name in table.schema.names:
        values = table[name].to_pylist()
        if name in left_out or name == "stage_version":
            continue
        if not pa.types.is_floating(table.schema.field(name).type):
            columns[name] = digest(json.dumps(values).encode())
            continue
        shown = values
        if len(values) > LISTED:
            present = [value for value in values if value is not None]
            shown = [*values[:: -(-len(values) // LISTED)], float(np.mean(present)) if present else None]
        columns[name] = [None if value is None else float(f"{value:.7g}") for value in shown]
    return columns


def describe_store(path: Path) -> dict[str, Any]:
    """Its index without what depends on how a PNG is packed, and its pixels."""
    store = Store(path)
    index = describe_table(pq.read_table(path / "index.parquet"), ("shard", "offset", "length", "sha256"))
    pixels = {name: store.rgb(name).tobytes() for name in store.index.index if store.index.loc[name, "status"] == "ok"}
    return index | {f"pixels of {name}": digest(data) for name, data in pixels.items()}


def digest(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()[:16]


def versions_behind(key: str) -> dict[str, int]:
    """The versions that the results of a stage depend on: its own and those of what comes before it."""
    behind, waiting = {key}, [step for step in steps() if step.counted_as == key]
    while waiting:
        needed = places(waiting.pop(), "deps")
        for before in steps():
            made = places(before, "outs")
            within = any(
                f"{one}/".startswith(f"{other}/") for a in needed for b in made for one, other in ((a, b), (b, a))
            )
            if within and before.counted_as not in behind:
                behind.add(before.counted_as)
                waiting += [step for step in steps() if step.counted_as == before.counted_as]
    return {name: stage_version(name, VERSIONS).number for name in sorted(behind)}


def differences(golden: Mapping[str, Any], now: Mapping[str, Any], tolerance: float, where: str = "") -> Iterator[str]:
    """A line for each thing that is not as it was."""
    for name in dict.fromkeys([*golden, *now]):
        was, found, place = golden.get(name), now.get(name), f"{where}{name}"
        if isinstance(was, dict) and isinstance(found, dict):
            yield from differences(was, found, tolerance, f"{place}: ")
        elif isinstance(was, list) and isinstance(found, list) and len(was) == len(found):
            pairs = [pair for pair in zip(was, found, strict=True) if not close(*pair, tolerance)]
            if pairs:
                (first, new), count = pairs[0], f"{len(pairs)} of {len(was)}"
                yield f"{place} differs in {count} values, the first was {first}, is {new}"
        elif was != found:
            yield f"{place} was {was}, is {found}"


def close(was: object, found: object, tolerance: float) -> bool:
    if isinstance(was, float | int) and isinstance(found, float | int):
        return bool(np.isclose(was, found, rtol=tolerance, atol=tolerance / 1000, equal_nan=True))
    return was == found


def changes(key: str, folder: Path, now: Mapping[str, Any]) -> list[str]:
    """What of the results of a stage is not as its golden results have it."""
    golden = read_golden(key)["results"]
    if key == "predict":
        compared = ({name: without_pixels(files) for name, files in one.items()} for one in (golden, now))
        return [*differences(*compared, TOLERANCES[key]), *strange_predictions(folder)]
    return list(differences(golden, now, TOLERANCES.get(key, 1e-5)))


def without_pixels(files: Mapping[str, Any]) -> dict[str, Any]:
    return {path: {k: v for k, v in held.items() if not k.startswith("pixels")} for path, held in files.items()}


def strange_predictions(folder: Path) -> Iterator[str]:
    for method, name, rgb in predictions(folder):
        path = GOLDEN / "predict" / f"{method}-{name}.png"
        if strange(np.asarray(Image.open(path)) if path.exists() else None, rgb):
            yield f"the photograph {name} by {method} has other colours"


def predictions(folder: Path) -> Iterator[tuple[str, str, np.ndarray]]:
    for step in steps():
        if step.stage == "predict":
            store = Store(folder / paths.predictions(*step.names))
            yield from ((step.names[0], name, store.rgb(name)) for name in store.index.index)


def problems(folder: Path, found: Mapping[str, dict[str, Any]]) -> dict[str, str]:
    """What is wrong with the golden results of each stage, in the order of the graph; nothing when all is well."""
    told: dict[str, str] = {}
    for key, now in found.items():
        golden, versions = read_golden(key), versions_behind(key)
        if not golden:
            told[key] = f"stage {key} has no golden results; run {COMMAND}"
        elif golden["versions"] != versions:
            told[key] = (
                f"the golden results of stage {key} are of versions {golden['versions']}, "
                f"versions.yaml has {versions}; run {COMMAND}"
            )
        elif (lines := changes(key, folder, now)) and not (set(versions) - {key}) & set(told):
            told[key] = (
                f"stage {key} puts out something else than it did, and its version is still {versions[key]}:\n  "
                + "\n  ".join(lines[:8])
                + (f"\n  and {len(lines) - 8} more" if len(lines) > 8 else "")
                + f"\nIf that is meant, raise {key} in pipeline/stages/versions.yaml and run {COMMAND}"
            )
    return told


def write(folder: Path, found: Mapping[str, dict[str, Any]]) -> Iterator[str]:
    """Write the golden results of stages whose version, or one before it, was raised; refuse others that differ."""
    told = problems(folder, found)
    refused = [text for text in told.values() if "still" in text]
    if refused:
        raise SystemExit("\n".join(refused))
    for key in told:
        GOLDEN.mkdir(exist_ok=True)
        content = {"versions": versions_behind(key), "results": found[key]}
        (GOLDEN / f"{key}.json").write_text(json.dumps(content, indent=1, sort_keys=True) + "\n", encoding="utf-8")
        if key == "predict":
            shutil.rmtree(GOLDEN / "predict", ignore_errors=True)
            (GOLDEN / "predict").mkdir()
            for method, name, rgb in predictions(folder):
                Image.fromarray(rgb).save(GOLDEN / "predict" / f"{method}-{name}.png", optimize=True)
        yield key


@click.command()
@click.option("--write", "writes", is_flag=True, help="Write golden results where a version was raised.")
def main(writes: bool) -> None:
    with tempfile.TemporaryDirectory() as scratch:
        made = Path(scratch) / "run"
        make_run(made)
        found = results(made)
        if writes:
            click.echo(f"written: {', '.join(write(made, found)) or 'nothing, all is as it was'}")
        else:
            click.echo("\n".join(problems(made, found).values()) or "all is as it was")


if __name__ == "__main__":
    main()
