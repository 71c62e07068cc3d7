"""File names for sets, methods and photographs whose own names may hold anything."""

import hashlib
import re


def slug(name: str) -> str:
    """Make a file name of any text.

    Args:
        name: any text.

    Returns:
        The name itself if it is at most 60 of A-Z, a-z, 0-9, "_", "." and "-" and does not begin or end with the last
        two; else what is left of it with a hash of the whole behind, so that two names never meet.
    """
    plain = re.sub(r"[^A-Za-z0-9_.-]+", "-", name).strip("-.")[:60]
    if plain == name:
        return plain
    return f"{plain}-{hashlib.sha256(name.encode()).hexdigest()[:8]}".lstrip("-")
