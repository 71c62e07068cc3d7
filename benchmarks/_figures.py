"""What the last line of every benchmark lists (DESIGN section 2)."""


def figure(name: str, ratio: float, target: float, *, at_least: bool = False) -> dict[str, object]:
    """One figure: a ratio that must not pass its target, or has to reach it."""
    met = ratio >= target if at_least else ratio <= target
    return {"name": name, "ratio": round(float(ratio), 3), "target": target, "met": bool(met)}
