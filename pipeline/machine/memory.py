"""How the C library treats memory that was freed."""

import ctypes

_TRIM_THRESHOLD, _MMAP_THRESHOLD = -1, -3  # mallopt(3)
_LARGEST = 32 << 20
"""Bytes of the largest blocks that stay: as many as mallopt admits. Larger ones are few, and go back to the system."""


def keep_freed_memory() -> None:
    """Let glibc keep the memory that a step frees for the next step, which asks for the same again.

    By default it goes back to the kernel and is faulted in again page by page: a fifth to a third of a training step on
    a CPU. No more memory is held than the process had at its peak. With another C library nothing happens.
    """
    mallopt = getattr(ctypes.CDLL(None), "mallopt", None)
    if mallopt is not None:
        mallopt(_MMAP_THRESHOLD, _LARGEST)
        mallopt(_TRIM_THRESHOLD, 2**31 - 1)
