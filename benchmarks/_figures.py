"""What the benchmarks share: what their last line lists (DESIGN section 2), and the peak memory of a process."""

import re
from pathlib import Path


def figure(name: str, ratio: float, target: float, *, at_least: bool = False) -> dict[str, object]:
    """One figure: a ratio that must not pass its target, or has to reach it."""
    met = ratio >= target if at_least else ratio <= target
    return {"name": name, "ratio": round(float(ratio), 3), "target": target, "met": bool(met)}


def peak_memory() -> int:
    """The largest resident size of this process, KiB. Not ru_maxrss, which a child starts with at its parent's size."""
    (peak,) = re.findall(r"VmHWM:\s+(\d+) kB", Path("/proc/self/status").read_text(encoding="ascii"))
    return int(peak)
