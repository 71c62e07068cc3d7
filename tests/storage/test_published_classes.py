"""The published classes: the numbers of the publication, not relations that any list would meet."""

import numpy as np
import pytest
import torch

from pipeline.color.pruning import reachable_classes
from pipeline.color.space import ColorSpace
from pipeline.color.weighting import cic_weights
from pipeline.losses.soft_cross_entropy import rebalancing_weights
from pipeline.storage.published_classes import cic_classes

PLACES = {(0, 0): 120, (-90, 50): 0, (100, 0): 312}


def test_bins_and_their_ids() -> None:
    space, prior = cic_classes()
    assert (space.kept_count, space.total, space.grid) == (313, 529, 23)
    assert space.encode_ab(np.array([[0, 0], [-90, 50], [100, 0]])).tolist() == [264, 62, 494]
    assert (space.kept[0], space.kept[120], space.kept[-1]) == (62, 264, 494)
    for place, index in PLACES.items():
        assert tuple(space.kept_centers[index]) == place
    assert prior.argmax() == 120
    assert prior[120] == pytest.approx(0.20123401, abs=5e-9)
    assert prior.sum() == pytest.approx(1, abs=1e-12)
    assert (prior > 0).all()


def test_every_class_that_an_8_bit_color_falls_into_is_kept() -> None:
    space = cic_classes()[0]
    reachable = np.flatnonzero(reachable_classes(ColorSpace(10, 115)))
    assert len(reachable) == 261
    assert set(reachable) < set(space.kept)
    rim = np.isin(space.kept, reachable, invert=True)
    assert rim.sum() == 52
    assert cic_classes()[1][rim].sum() == pytest.approx(0.00019, abs=5e-6)


def test_the_weights_of_the_published_prior() -> None:
    space, prior = cic_classes()
    weights = rebalancing_weights(torch.from_numpy(prior), 0.5).numpy()
    np.testing.assert_allclose(weights, cic_weights(prior, 0.5), rtol=1e-12)
    named = {(0, 0): 0.096503, (0, 10): 0.176944, (10, 10): 0.382665, (50, 50): 4.764255}
    found = weights[space.to_kept(space.encode_ab(np.array(list(named))))]
    assert found.tolist() == pytest.approx(list(named.values()), abs=5e-7)
    assert (weights.min(), weights.max()) == pytest.approx((0.096503, 6.174868), abs=5e-7)
    assert prior @ weights == pytest.approx(1)
