"""State of a whole set: how it was cut leaves no trace."""

import numpy as np
import pytest

from pipeline.evaluation.set_scores import SetState
from pipeline.metrics.frechet import FeatureMoments


@pytest.mark.parametrize("pieces", [(3, 1, 2), (1, 1, 1, 1, 1, 1), (6,), (5, 1)])
def test_moments_in_pieces_are_those_of_all(pieces: tuple[int, ...], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("pipeline.evaluation.set_scores.MOMENTS_OF", 3)
    truth, result = np.random.default_rng(0).normal(size=(2, 6, 5)).astype(np.float32)
    state, ends = SetState(), np.cumsum(pieces)[:-1]
    for batch in zip(np.split(truth, ends), np.split(result, ends), strict=True):
        state.add_features(("raw", "fid"), [batch])
    found = state.form_all_moments()["raw", "fid"]
    for moments, features in zip(found, (truth, result), strict=True):
        expected = FeatureMoments.of(features)
        assert moments.count == 6
        assert moments.total == pytest.approx(expected.total)
        assert moments.products == pytest.approx(expected.products)
