"""What several tests need: small photographs, stores made of them, the parameters as committed."""

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from ruamel.yaml import YAML

from pipeline.images.decode import encode_png
from pipeline.storage.store import Store, StoreWriter

ROOT = Path(__file__).parent.parent


ON_RAY = pytest.mark.filterwarnings(
    "ignore::FutureWarning:ray", "ignore::ResourceWarning", "ignore::DeprecationWarning:ray"
)
"""For tests that run on Ray, which warns of its own settings and leaves sockets open."""


@pytest.fixture
def stopped_ray() -> Iterator[None]:
    """Ray is stopped when the test is over."""
    ray = pytest.importorskip("ray")
    yield
    ray.shutdown()


@pytest.fixture
def params() -> dict[str, Any]:
    """params.yaml as committed, to be changed at will."""
    return YAML(typ="safe", pure=True).load((ROOT / "params.yaml").read_text(encoding="utf-8"))


@pytest.fixture
def photograph() -> Callable[..., np.ndarray]:
    """Smooth coloured pictures, each seed another one: uint8 (height, width, 3)."""

    def make(seed: int, height: int = 48, width: int = 64) -> np.ndarray:
        random = np.random.default_rng(seed)
        rows, columns = np.mgrid[0:height, 0:width] / max(height, width)
        waves = [
            np.sin(random.uniform(2, 9) * rows + random.uniform(2, 9) * columns + random.uniform(0, 6))
            for _ in range(3)
        ]
        return (127.5 + 127.5 * np.stack(waves, axis=-1)).astype(np.uint8)

    return make


@pytest.fixture
def make_store(tmp_path: Path, photograph: Callable[..., np.ndarray]) -> Callable[..., Store]:
    """A store of so many photographs; `split` may be a function of their number."""

    def make(count: int = 4, name: str = "set", split: Any = "test", **size: int) -> Store:
        path = tmp_path / name
        with StoreWriter(path) as writer:
            for number in range(count):
                rgb = photograph(number, **size)
                writer.add(
                    f"photo{number:02d}",
                    encode_png(rgb),
                    split=split(number) if callable(split) else split,
                    width=rgb.shape[1],
                    height=rgb.shape[0],
                    mode="RGB",
                    is_grey=False,
                )
        return Store(path)

    return make
