"""From the answers of the visual Turing test to fooling rates and preferences, each with its interval."""

import json
import math
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from pipeline.errors import UserError
from pipeline.machine.files import write_text
from pipeline.reporting.turing.trials import CHECK, TRUTH, VERSION

Z = 1.959963984540054  # the standard normal's 97.5 % point
CHECKS_NEEDED = 0.75  # share of attention checks that a visitor must pass to be counted
DRAWS = 1000


@dataclass(frozen=True)
class Answer:
    """One trial of one visitor: what won and what lost, by source ("truth", "check" or a method)."""

    visitor: str
    won: str
    lost: str


Pair = tuple[str, str]
"""The two pictures of a trial, in the order of their names."""


@dataclass(frozen=True)
class Key:
    """What the test was made of.

    Attributes:
        experiment: which test.
        trials: the pairs that a visitor judges, each once.
        sources: picture to "truth", "check" or a method.
    """

    experiment: str
    trials: frozenset[Pair]
    sources: Mapping[str, str]


def score(answers: Sequence[Path], key: Path, seed: int = 0) -> dict[str, object]:
    """Score answer files.

    A file counts as a whole or not at all: it has every trial of the key, each once, attention checks among them.

    Args:
        answers: JSON files that visitors have downloaded.
        key: the file that `turing.build_turing` wrote.
        seed: of the bootstrap.

    Returns:
        `visitors` (counted), `left_out` (reason to count of files), `fooling` (per method: trials against the truth,
        how many took the method for real, the rate and its Wilson 95 % interval) and `preference` (per source:
        Bradley-Terry log strength, mean 0, with a bootstrap 95 % interval). At a rate of one half a method cannot be
        told from the truth.

    Raises:
        UserError: a file cannot be read or is no answer or key file, or no visitor could be counted.
    """
    facts = _read_key(key)
    left_out: Counter[str] = Counter()
    counted: list[Answer] = []
    visitors: set[str] = set()
    seen: set[str] = set()
    for path in sorted(answers):
        content = _read(path, "answers")
        if content.get("experiment") != facts.experiment:
            left_out["answers to another test"] += 1
            continue
        visitor, same = str(content.get("visitor", path.name)), json.dumps(content["answers"], sort_keys=True)
        if visitor in visitors or same in seen:
            left_out["handed in twice"] += 1
            continue
        chosen = _choices(path, content["answers"], facts)
        if reason := _why_not(chosen, facts):
            left_out[reason] += 1
            continue
        visitors.add(visitor)
        seen.add(same)
        found = [_answer(visitor, pair, choice, facts) for pair, choice in chosen]
        counted += [one for one in found if CHECK not in (one.won, one.lost)]
    if not counted:
        reasons = ", ".join(f"{count} {reason}" for reason, count in sorted(left_out.items())) or "no file"
        raise UserError(f"turing: no answer can be counted ({reasons}); it takes at least one complete answer file")
    return {
        "visitors": len(visitors),
        "left_out": dict(sorted(left_out.items())),
        "fooling": fooling(counted),
        "preference": preference(counted, seed),
    }


def _why_not(chosen: Sequence[tuple[Pair, str]], key: Key) -> str:
    """Why a visitor's answers do not count; empty where they do."""
    pairs = [pair for pair, _ in chosen]
    if len(set(pairs)) < len(pairs):
        return "a trial answered more than once"
    if set(pairs) != key.trials:
        return "trials left out"
    checks = [key.sources[choice] != CHECK for pair, choice in chosen if CHECK in (key.sources[one] for one in pair)]
    if checks and sum(checks) / len(checks) < CHECKS_NEEDED:
        return "attention checks failed"
    return ""


def write_scores(scores: Mapping[str, object], path: Path) -> None:
    """Write the scores as JSON, where `ReportInputs.turing` takes them from."""
    write_text(path, json.dumps(scores, indent=1, ensure_ascii=False) + "\n")


def wilson(hits: int, trials: int) -> tuple[float, float]:
    """Wilson's 95 % interval of a share (Wilson 1927).

    Args:
        hits: successes, 0 to `trials`.
        trials: at least 1.

    Returns:
        Lower and upper end in [0, 1].
    """
    share, weight = hits / trials, Z * Z / trials
    middle = (share + weight / 2) / (1 + weight)
    half = Z * math.sqrt(share * (1 - share) / trials + weight / (4 * trials)) / (1 + weight)
    return max(0.0, middle - half), min(1.0, middle + half)


def fooling(answers: Sequence[Answer]) -> list[dict[str, float | str]]:
    """Count, for each method, how often it was taken for real when it stood beside the truth."""
    trials, fooled = Counter[str](), Counter[str]()
    for one in answers:
        if TRUTH in (one.won, one.lost):
            method = one.lost if one.won == TRUTH else one.won
            trials[method] += 1
            fooled[method] += one.won == method
    rows: list[dict[str, float | str]] = []
    for method in sorted(trials):
        low, high = wilson(fooled[method], trials[method])
        row = {"trials": trials[method], "fooled": fooled[method], "rate": fooled[method] / trials[method]}
        rows.append({"method": method, **row, "low": low, "high": high})
    return rows


def preference(answers: Sequence[Answer], seed: int) -> list[dict[str, float | str]]:
    """Fit Bradley-Terry strengths to all answers.

    The interval resamples visitors, whose answers hang together; with fewer than five visitors it resamples answers,
    and is then that of these visitors, not of people at large.
    """
    names = sorted({name for one in answers for name in (one.won, one.lost)})
    place = {name: number for number, name in enumerate(names)}
    visitors = sorted({one.visitor for one in answers})
    units = visitors if len(visitors) >= 5 else list(map(str, range(len(answers))))
    unit_of = {visitor: number for number, visitor in enumerate(visitors)}
    tables = np.zeros((len(units), len(names), len(names)))
    for number, one in enumerate(answers):
        unit = unit_of[one.visitor] if len(visitors) >= 5 else number
        tables[unit, place[one.won], place[one.lost]] += 1
    strength = bradley_terry(tables.sum(axis=0))
    random = np.random.default_rng(seed)
    draws = random.multinomial(len(units), np.full(len(units), 1 / len(units)), size=DRAWS)
    fits = np.stack([bradley_terry(np.tensordot(draw, tables, axes=1)) for draw in draws])
    low, high = np.quantile(fits, (0.025, 0.975), axis=0)
    return [
        {"method": name, "strength": float(strength[n]), "low": float(low[n]), "high": float(high[n])}
        for n, name in enumerate(names)
    ]


def bradley_terry(wins: npt.NDArray[np.float64], tolerance: float = 1e-8) -> npt.NDArray[np.float64]:
    """Log strengths under the model of Bradley and Terry (1952), by the MM iteration of Hunter (2004).

    Half a win each way is added to every two that met, which keeps the strengths of an undefeated one finite.

    Args:
        wins: float (n, n), how often the row was preferred to the column.
        tolerance: largest change of a log strength at which the iteration stops.

    Returns:
        float (n,), mean 0; differences are log odds of being preferred.
    """
    met = (wins + wins.T) > 0
    wins = wins + 0.5 * met
    games, won = wins + wins.T, wins.sum(axis=1)
    strength = np.ones(len(wins))
    for _ in range(1000):
        pulls = (games / (strength[:, None] + strength[None, :])).sum(axis=1)
        new = np.divide(won, pulls, out=strength.copy(), where=pulls > 0)
        new /= np.exp(np.log(new).mean())
        done = np.abs(np.log(new / strength)).max() < tolerance
        strength = new
        if done:
            break
    return np.log(strength)


def _answer(visitor: str, pair: Pair, choice: str, key: Key) -> Answer:
    other = pair[0] if choice == pair[1] else pair[1]
    return Answer(visitor, key.sources[choice], key.sources[other])


def _choices(path: Path, entries: object, key: Key) -> list[tuple[Pair, str]]:
    """The pairs that a visitor judged, and what was chosen of each.

    Raises:
        UserError: if they are no list of answers to trials of this test.
    """
    if not isinstance(entries, list):
        raise UserError(f"{path}: 'answers' is {_kind(entries)}, it takes a list")
    found = []
    for number, entry in enumerate(entries, 1):
        told = [entry.get(name) for name in ("left", "right", "chosen")] if isinstance(entry, dict) else []
        names = [name for name in told if isinstance(name, str)]
        if len(names) != 3:
            raise UserError(f"{path}: answer {number} is no answer; it takes left, right and chosen, names of pictures")
        left, right, chosen = names
        pair = (min(left, right), max(left, right))
        if pair not in key.trials:
            raise UserError(f"{path}: answer {number} is to {left} beside {right}, which is no trial of this test")
        if chosen not in pair:
            raise UserError(f"{path}: answer {number} chose {chosen}, which was not shown; it takes left or right")
        found.append((pair, chosen))
    return found


def _read_key(path: Path) -> Key:
    content = _read(path, "trials")
    trials: Any = content["trials"]
    pictures: Any = content.get("pictures")
    try:
        sources = {str(name): str(picture["source"]) for name, picture in pictures.items()}
        pairs = frozenset((min(one, other), max(one, other)) for one, other in trials)
        if any(one not in sources or other not in sources or one == other for one, other in pairs):
            raise ValueError("a trial is of no two pictures")
    except (AttributeError, KeyError, TypeError, ValueError) as error:
        raise UserError(f"{path}: is no key of a Turing test ({error}); run dvc repro to make one") from None
    return Key(str(content.get("experiment")), pairs, sources)


def _read(path: Path, needed: str) -> dict[str, Any]:
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError, RecursionError) as error:
        raise UserError(f"{path}: cannot be read as JSON ({error}); it takes a file of the Turing test") from error
    if not isinstance(content, dict):
        raise UserError(f"{path}: holds {_kind(content)}, it takes a file of the Turing test")
    if content.get("version") != VERSION or needed not in content:
        raise UserError(f"{path}: is no file of this Turing test; it takes version {VERSION} with {needed!r}")
    return content


def _kind(value: object) -> str:
    """What a JSON value is, in words."""
    names = {dict: "a mapping", list: "a list", str: "text", bool: "true or false", type(None): "null"}
    return names.get(type(value), "a number")
