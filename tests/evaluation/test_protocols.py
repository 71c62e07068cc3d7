"""What each protocol compares, and that settings and documentation know the same ones."""

from pathlib import Path

import numpy as np
import pytest

from pipeline.errors import UserError
from pipeline.evaluation.protocols import CIC_256, DDCOLOR_VAL5K, NATIVE, protocol_named
from pipeline.settings.registries import PROTOCOLS

DOCUMENT = Path(__file__).parents[2] / "docs" / "metrics.md"


def test_protocols() -> None:
    wide = np.zeros((100, 300, 3), np.uint8)
    wide[:, 100:200] = 255
    assert NATIVE.apply(wide) is wide
    assert CIC_256.apply(wide).shape == (256, 256, 3)
    assert CIC_256.apply(wide).min() == 0
    assert (DDCOLOR_VAL5K.apply(wide) == 255).all()  # the center alone


def test_protocols_are_found_by_name() -> None:
    assert [protocol_named(name) for name in ("cic-256@1", "native@1", "ddcolor-val5k@1")] == list(PROTOCOLS.values())
    with pytest.raises(UserError, match=r"run\.protocol is 'cic-256', it takes one of"):
        protocol_named("cic-256")


def test_settings_and_documentation_know_the_same_protocols() -> None:
    assert [protocol.name for protocol in PROTOCOLS.values()] == list(PROTOCOLS)  # what params.yaml takes
    text = DOCUMENT.read_text(encoding="utf-8")
    table = "".join(f"| `{protocol.name}` | {protocol.about} |\n" for protocol in PROTOCOLS.values())
    assert f"| protocol | what is compared |\n|---|---|\n{table}\n" in text
