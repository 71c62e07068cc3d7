"""The one progress bar: quiet for two seconds, alive in a terminal, sparse in a log file."""

import sys
from collections.abc import Iterable
from typing import Any, TypeVar

from tqdm import tqdm

Item = TypeVar("Item")


def notice(line: str) -> None:
    """Say something on the terminal beside a bar that may be there.

    Args:
        line: what.
    """
    tqdm.write(line, file=sys.stderr)


def progress(
    items: Iterable[Item], description: str, total: int | None = None, unit: str = "image", rate: bool = True
) -> "tqdm[Item]":
    """Show how far an iteration has come, once it has lasted two seconds.

    Args:
        items: what is iterated over.
        description: what is being done, a word or two.
        total: how many items there are, where `items` has no length.
        unit: what one item is called.
        rate: whether items per second are shown; without them a postfix has room on 80 columns.

    Returns:
        A tqdm bar to iterate over; its `set_postfix` and `update` may be used.
    """
    every = 0.2 if sys.stderr.isatty() else 15.0
    form = None if rate else "{l_bar}{bar}| {n_fmt}/{total_fmt} [{elapsed}<{remaining}{postfix}]"
    return tqdm(
        items,
        desc=description,
        total=total,
        unit=unit,
        delay=2,
        mininterval=every,
        dynamic_ncols=True,
        bar_format=form,
    )


def byte_progress(description: str, total: int | None, done: int = 0) -> "tqdm[Any]":
    """A bar of bytes, to `update` by hand.

    Args:
        description: what is being done, a word or two.
        total: how many bytes there are; None where nobody knows.
        done: how many were there before.

    Returns:
        As `progress`.
    """
    bar: tqdm[Any] = progress((), description, total, "B")
    bar.unit_scale = True
    bar.n = bar.initial = done
    return bar
