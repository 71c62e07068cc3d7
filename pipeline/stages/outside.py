"""Name what lies outside the graph and changes its results, in small files that stages depend on (DESIGN section 1).

DVC runs this each time (dvc.yaml beside this module). The same bytes are written as long as nothing has changed, and
nothing follows then. It has to be over in a tenth of a second: the settings, which take longer to load, are read when
params.yaml has changed.

What was taken in and is out of reach now (a folder on a disk that is not mounted, or that a temporary experiment does
not see) is noted as it was seen last: what was made of it still stands. Weights that are gone are gone.
"""

import hashlib
import json
import os
from pathlib import Path
from typing import Any

from pipeline.errors import UserError
from pipeline.machine.digests import file_digests
from pipeline.machine.files import write_text
from pipeline.machine.weight_files import placed_weights
from pipeline.metrics.registry import METRICS
from pipeline.stages import paths

FOLDER = paths.CACHE / "outside"
NOTES = FOLDER / "digests.sqlite"
PARAMS = Path("params.yaml")


def note_outside() -> str:
    """Write data/outside/: weights of metrics, photographs of folders, lists of names, what masks are made with.

    Returns:
        What was found, in a line.

    Raises:
        UserError: if params.yaml is wrong.
    """
    watched = _watched()
    weights = {name: _weight_file(name) for name in watched["weights"]}
    noted = {paths.OUTSIDE_WEIGHTS: weights, paths.OUTSIDE_MASKS: _masks(watched["annotations"], watched["checkpoint"])}
    noted |= {paths.outside_set(name): _photographs(*one) for name, one in watched["sets"].items()}
    for path, content in noted.items():
        if content is not None:
            write_text(path, json.dumps(content, indent=1) + "\n")
        elif not path.exists():
            write_text(path, '"not there"\n')
    for path in paths.OUTSIDE.rglob("*.json"):
        if path not in noted:
            path.unlink()
    found = [name for name, file in weights.items() if file]
    return f"weights of metrics found: {', '.join(found) or 'none'}"


def _watched() -> dict[str, Any]:
    """Where to look: what the settings say, kept for as long as params.yaml has the same bytes.

    Returns:
        `sets`: each set's folder and list of names, null where it has none; `annotations` of masks, or null;
        `checkpoint` of masks, or null; `weights` of metrics.
    """
    form = "lists-"  # of what is kept: written by older code, it says nothing of lists
    kept = FOLDER / f"{form}{hashlib.sha256(PARAMS.read_bytes()).hexdigest()}.json" if PARAMS.is_file() else None
    if kept is not None and kept.exists():
        watched: dict[str, Any] = json.loads(kept.read_text(encoding="utf-8"))
    else:
        from pipeline.masks.segmenter import chosen_segmenter
        from pipeline.settings.params import load_settings

        settings = load_settings(PARAMS)
        segmenter = chosen_segmenter(settings.masks)
        watched = {
            "sets": {
                name: [getattr(one, "path", None), getattr(one, "list", None)] for name, one in settings.sets.items()
            },
            "annotations": segmenter.annotated_in,
            "checkpoint": segmenter.weights,
        }
        for older in FOLDER.glob("*.json"):
            older.unlink()
        if kept is not None:
            write_text(kept, json.dumps(watched))
    return watched | {"weights": sorted({metric.weights for metric in METRICS.values() if metric.weights})}


def _weight_file(name: str) -> dict[str, str] | None:
    path = placed_weights(name)
    return None if path is None else {"file": path.name, "sha256": next(file_digests([path], NOTES))}


def _masks(annotations: str | None, checkpoint: str | None) -> object:
    """What the chosen segmenter reads beside the photographs; None where it is out of reach."""
    if checkpoint is not None:
        return _weight_file(checkpoint)
    if annotations is None:
        return {}
    from pipeline.masks.annotations import annotation_files

    try:
        files = annotation_files(annotations)
    except UserError:
        return None
    return dict(zip((file.name for file in files), file_digests(files, NOTES), strict=True))


def _photographs(folder: str | None, listed: str | None) -> object:
    """The photographs of a folder, or the list of a published set, whose archives have published checksums."""
    if listed is not None:
        file = Path(listed)
        return {"list": next(file_digests([file], NOTES))} if file.is_file() else None
    if folder is None:
        return {}
    root = Path(folder).expanduser()
    if not root.is_dir():
        return None
    from pipeline.images.encode import photograph_files

    files = photograph_files(root)
    readable = [file for file in files if os.access(file, os.R_OK)]
    digests = dict(zip(readable, file_digests(readable, NOTES), strict=True))
    whole = hashlib.sha256()  # small however many files there are
    for file in files:
        whole.update(f"{file.relative_to(root).as_posix()}\0{digests.get(file, 'not readable')}\n".encode())
    return {"files": len(files), "sha256": whole.hexdigest()}
