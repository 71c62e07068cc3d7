"""Name what lies outside the graph and changes its results, in small files that other stages depend on (DESIGN 1).

dvc.yaml runs this stage every time. It writes the same bytes as long as nothing has changed, and nothing follows then.
What has been taken in and is out of reach now (a folder on a disk that is not mounted, or that a temporary experiment
does not see) is noted as it was seen last: what was made of it still stands. Weights that are gone are gone.
"""

import hashlib
import json
import os
from pathlib import Path

from pipeline.errors import UserError
from pipeline.machine.digests import file_digests
from pipeline.machine.files import write_text
from pipeline.machine.weight_files import placed_weights
from pipeline.metrics.registry import METRICS
from pipeline.settings.params import Settings
from pipeline.settings.sections import Masks
from pipeline.settings.set_entries import Folder
from pipeline.stages import paths
from pipeline.stages.versions import StageVersion

NOTES = paths.CACHE / "outside" / "digests.sqlite"


def note_outside(settings: Settings, version: StageVersion) -> str:
    """Write data/outside/: weights of metrics, the photographs of folder sets, annotations and checkpoints of masks.

    Args:
        settings: `sets`, `run.test` and `masks` are read.
        version: not used: what is noted is no result.

    Raises:
        OSError: if a file cannot be read.
    """
    names = sorted({metric.weights for metric in METRICS.values() if metric.weights})
    weights = {name: _weight_file(name) for name in names}
    noted = {paths.OUTSIDE_WEIGHTS: weights, paths.OUTSIDE_MASKS: _masks(settings.masks)}
    noted |= {paths.outside_set(name): _photographs(one) for name, one in settings.sets.items()}
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


def _weight_file(name: str) -> dict[str, str] | None:
    path = placed_weights(name)
    return path and {"file": path.name, "sha256": next(file_digests([path], NOTES))}


def _masks(settings: Masks) -> object:
    """What the chosen segmenter reads beside the photographs; None where it is out of reach."""
    if settings.segmenter == "sam":
        return _weight_file(f"sam_{settings.sam.model}")
    if settings.segmenter != "masks" or settings.annotations is None:
        return {}
    from pipeline.masks.annotations import annotation_files

    try:
        files = annotation_files(settings.annotations)
    except UserError:
        return None
    return dict(zip((file.name for file in files), file_digests(files, NOTES), strict=True))


def _photographs(settings: object) -> object:
    """The photographs of a folder; nothing for a published set, whose archives have published checksums."""
    if not isinstance(settings, Folder):
        return {}
    root = Path(settings.path).expanduser()
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
