"""The visual Turing test: a page that shows two pictures for a second and asks which has the real colors.

After the "real or fake" study of Zhang, Isola and Efros (2016) and the one of Robles and Budach. The page works from a
folder, without a server: a visitor downloads the answers as a JSON file, and `turing_scoring` reads those with the key.
Nothing in the page or its folder says which picture is real: every picture is encoded alike at one size in pixels and
padded to one size in bytes, its name is a keyed hash, a truth shown twice is two different files, and each pair is
written in the order of the names. The key is a file of its own and must not be handed out with the page. Only the
practice pairs, which are not scored, carry their answer.
"""

import hashlib
import io
import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import combinations, cycle, islice
from pathlib import Path

import numpy as np
from PIL import Image

from pipeline.color import lab
from pipeline.errors import UserError
from pipeline.images.resizing import resize
from pipeline.machine.files import write_text
from pipeline.reporting.render import render
from pipeline.reporting.report_inputs import TestSet
from pipeline.storage.store import Store

TRUTH, CHECK = "truth", "check"
PICTURE_SIDE = 384  # px, longest side
QUALITY = 92
VERSION = 2
"""Of the files; since 2 the key holds the list of trials."""


@dataclass(frozen=True)
class Plan:
    """How many trials of each kind a visitor sees.

    Attributes:
        real_or_fake: trials of the truth against a method, dealt to the methods in turn.
        preference: trials of a method against another, dealt to the pairs in turn.
        checks: trials against a picture drowned in one color, which an attentive visitor never takes for real.
        practice: trials with feedback at the start, not scored.
    """

    real_or_fake: int = 40
    preference: int = 20
    checks: int = 4
    practice: int = 4


@dataclass(frozen=True)
class _Trial:
    set: TestSet
    image_id: str
    one: str
    other: str


def build_turing(sets: Sequence[TestSet], out: Path, key: Path, seed: int, plan: Plan | None = None) -> int:
    """Write `turing.html` and the pictures in `turing/` below `out`, and the key to a place of its own.

    Args:
        sets: test sets with their truth and the methods to be tested under `predictions`.
        out: the folder of the page.
        key: JSON file that `turing_scoring.score` needs; not below `out / "turing"`, which is handed to visitors.
        seed: of the choice of photographs and of the names of the pictures.
        plan: how many trials.

    Returns:
        The number of trials that count.

    Raises:
        UserError: no set has both a truth and a method, a method is called as a picture of the test is, a store cannot
            be read, or the key would lie among the pictures.
    """
    plan = plan or Plan()
    for name in (TRUTH, CHECK):
        if any(name in one.predictions for one in sets):
            raise UserError(f"turing: a method is called {name!r}, as a picture of the test is; give it another name")
    folder = out / "turing"
    if key.resolve().is_relative_to(folder.resolve()):
        raise UserError(f"{key}: the key would lie among the pictures for visitors; it takes a place outside {folder}")
    random = np.random.default_rng(seed)
    practice, trials = _deal(sets, plan, random)
    secret = hashlib.blake2b(f"{seed} {[(t.set.name, t.image_id, t.one, t.other) for t in trials]}".encode())
    folder.mkdir(parents=True, exist_ok=True)
    for old in folder.glob("*.jpg"):
        old.unlink()
    sources: dict[str, dict[str, str]] = {}
    encoded: dict[str, bytes] = {}
    pairs = []
    for number, trial in enumerate([*practice, *trials]):
        pair = []
        for source in (trial.one, trial.other):
            words = f"{number} {trial.set.name} {trial.image_id} {source}".encode()
            name = hashlib.blake2b(words, digest_size=16, key=secret.digest()[:64]).hexdigest() + ".jpg"
            encoded[name] = _encode(_picture(trial, source))
            sources[name] = {"set": trial.set.name, "image": trial.image_id, "source": source}
            pair.append(name)
        pairs.append(sorted(pair))
    length = max(map(len, encoded.values()))
    for name, picture in encoded.items():
        # decoders stop at the end marker; random bytes after it, since zeros would compress to the old differences
        (folder / name).write_bytes(picture + random.bytes(length - len(picture)))
    experiment = secret.hexdigest()[:16]
    shown, counted = pairs[: len(practice)], pairs[len(practice) :]
    real = [next(name for name in pair if sources[name]["source"] == TRUTH) for pair in shown]
    data = {
        "version": VERSION,
        "experiment": experiment,
        "practice": [{"pictures": pair, "real": name} for pair, name in zip(shown, real, strict=True)],
        "trials": sorted(counted),
    }
    facts = {"version": VERSION, "experiment": experiment, "trials": sorted(counted), "pictures": sources}
    write_text(key, json.dumps(facts, indent=1, ensure_ascii=False, sort_keys=True) + "\n")
    write_text(out / "turing.html", render("turing.html", {"data": data}))
    return len(trials)


def _deal(sets: Sequence[TestSet], plan: Plan, random: np.random.Generator) -> tuple[list[_Trial], list[_Trial]]:
    """Choose the photographs: practice takes others than the trials do, where there are enough."""
    places = [(one, name) for one in sets if one.truth is not None and one.predictions for name in _names(one)]
    if not places:
        raise UserError("turing: no set has photographs with their truth and a method; it takes a finished `predict`")
    shuffled = [places[place] for place in random.permutation(len(places))]
    spare = min(plan.practice, len(shuffled) - 1)
    first, rest = shuffled[:spare], shuffled[spare:]
    practice = [
        _Trial(one, name, TRUTH, method)
        for (one, name), turn in zip(first, range(plan.practice), strict=False)
        for method in _taken(sorted(one.predictions), turn)
    ]
    trials = list(islice(_real_or_fake(rest), plan.real_or_fake))
    trials += islice(_preferences(rest), plan.preference)
    trials += [_Trial(one, name, TRUTH, CHECK) for one, name in islice(cycle(reversed(rest)), plan.checks)]
    return practice, trials


def _taken(methods: list[str], turn: int) -> list[str]:
    return [methods[turn % len(methods)]]


def _real_or_fake(places: list[tuple[TestSet, str]]) -> Iterator[_Trial]:
    """Deal every photograph to every method, each round shifted by one so that few trials already cover all."""
    for turn in range(max(len(one.predictions) for one, _ in places)):
        for number, (one, name) in enumerate(places):
            methods = sorted(one.predictions)
            if turn < len(methods):
                yield _Trial(one, name, TRUTH, methods[(number + turn) % len(methods)])


def _preferences(places: list[tuple[TestSet, str]]) -> Iterator[_Trial]:
    for turn in range(max(len(one.predictions) ** 2 for one, _ in places)):
        for number, (one, name) in enumerate(places):
            pairs = list(combinations(sorted(one.predictions), 2))
            if turn < len(pairs):
                yield _Trial(one, name, *pairs[(number + turn) % len(pairs)])


def _names(test_set: TestSet) -> list[str]:
    """Photographs that the truth and every method of the set have."""
    assert test_set.truth is not None
    names = set(Store(test_set.truth).rows(split="test")["image_id"])
    for path in test_set.predictions.values():
        names &= set(Store(path).rows()["image_id"])
    return sorted(map(str, names))


def _picture(trial: _Trial, source: str) -> np.ndarray:
    path = trial.set.predictions.get(source, trial.set.truth)
    assert path is not None
    rgb = Store(path).rgb(trial.image_id)
    height, width = rgb.shape[:2]
    scale = min(1.0, PICTURE_SIDE / max(height, width))
    rgb = resize(rgb, (max(1, round(height * scale)), max(1, round(width * scale))))
    if source != CHECK:
        return rgb
    drowned = np.empty(rgb.shape, np.float32)
    drowned[..., 0] = lab.lightness(rgb)
    drowned[..., 1:] = (70.0, -60.0)  # magenta everywhere, which no photograph of the sets is
    return lab.lab_to_rgb(drowned)


def _encode(rgb: np.ndarray) -> bytes:
    data = io.BytesIO()
    Image.fromarray(rgb).save(data, "JPEG", quality=QUALITY, subsampling=0)
    return data.getvalue()
