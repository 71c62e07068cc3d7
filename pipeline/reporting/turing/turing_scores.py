"""The scores of the visual Turing test, as the page shows them."""

import json
from dataclasses import dataclass
from pathlib import Path

from pipeline.errors import UserError


@dataclass(frozen=True)
class Scores:
    """What visitors answered.

    Attributes:
        visitors: answer files counted.
        left_out: answer files not counted, by reason.
        fooling: one mapping per method: method, trials, fooled, rate, low, high (shares, 0..1).
        preference: one mapping per method: method, strength, low, high (Bradley-Terry log strength, sum 0).
    """

    visitors: int
    left_out: dict[str, int]
    fooling: tuple[dict[str, float | str | None], ...]
    preference: tuple[dict[str, float | str | None], ...]


def read_scores(path: Path | None) -> Scores | None:
    """Read what `turing_scoring.write_scores` wrote; None where nobody has scored anything.

    Raises:
        UserError: the file is none of ours.
    """
    if path is None or not path.exists():
        return None
    try:
        data = json.loads(path.read_text(encoding="utf-8"))
        return Scores(data["visitors"], data["left_out"], tuple(data["fooling"]), tuple(data["preference"]))
    except (ValueError, KeyError, TypeError) as error:
        raise UserError(
            f"{path}: is no score file ({error}); it takes the output of `huebench turing score`"
        ) from error
