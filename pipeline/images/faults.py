"""How Pillow behaves on odd and broken files: what it raises, what it remarks, how it says that a file is cut off."""

import struct
import threading
import warnings
import zlib
from collections.abc import Iterator
from contextlib import contextmanager

# What Pillow raises on files that lie: each plugin has its own habit, so the list is wide, but it is a list.
FILE_FAULTS: tuple[type[Exception], ...] = (
    OSError,
    SyntaxError,
    ValueError,
    TypeError,
    LookupError,
    EOFError,
    AttributeError,
    ArithmeticError,
    RuntimeError,
    MemoryError,
    struct.error,
    zlib.error,
)
_warnings_lock = threading.Lock()


@contextmanager
def quiet() -> Iterator[None]:
    """Silence Pillow's remarks about odd metadata: what matters becomes a refusal or a step.

    Filters are global to the process, so the lock keeps two threads from restoring them in the wrong order.
    """
    with _warnings_lock, warnings.catch_warnings():
        warnings.simplefilter("ignore")
        yield


def cut_off(fault: Exception) -> bool:
    """Tell a file that stops too early from one that is wrong.

    Args:
        fault: what a decoder raised.

    Returns:
        Whether it complains about the file's end.
    """
    return any(word in str(fault).lower() for word in ("truncated", "not enough", "unexpected end", "incomplete"))


def one_line(error: Exception) -> str:
    """Say an exception in one line.

    Args:
        error: any exception.

    Returns:
        Its text without line breaks, or its type when it has none.
    """
    return " ".join(str(error).split()) or type(error).__name__
