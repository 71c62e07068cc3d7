"""Samples follow from seed and number alone."""

from collections.abc import Callable

import numpy as np
import pandas as pd
import pytest
import torch

from pipeline.errors import UserError
from pipeline.settings.sections import Train
from pipeline.storage.store import Store
from pipeline.training.samples import (
    SampleNumbers,
    TrainingSamples,
    _Photograph,
    fits_memory,
    load_batches,
    split_validation,
)


@pytest.fixture
def samples(make_store: Callable[..., Store]) -> Callable[..., TrainingSamples]:
    store = make_store(5, split="train", height=60, width=90)

    def make(seed: int = 0, keep: bool = False, scale: tuple[float, float] = (0.3, 1.0)) -> TrainingSamples:
        return TrainingSamples(store, store.index["image_id"].tolist(), 32, 8, scale, True, seed, keep)

    return make


def test_every_epoch_shows_every_photograph_once_in_another_order(samples: Callable[..., TrainingSamples]) -> None:
    seen = [samples()[number].number for number in range(50)]
    epochs = [tuple(seen[start : start + 5]) for start in range(0, 50, 5)]
    assert all(sorted(epoch) == [0, 1, 2, 3, 4] for epoch in epochs)
    assert len(set(epochs)) > 5


def test_a_sample_depends_on_seed_and_number_alone(samples: Callable[..., TrainingSamples]) -> None:
    first, second = samples(), samples(keep=True)
    backwards = {number: second[number] for number in reversed(range(12))}
    for number in range(12):
        assert all(np.array_equal(one, other) for one, other in zip(first[number], backwards[number], strict=True))
    assert not np.array_equal(samples(seed=1)[0][0], first[0][0])
    assert not np.array_equal(first[0][0], first[5][0])


def ramp() -> _Photograph:
    """A photograph whose columns count up, L as well as color."""
    columns = np.broadcast_to(np.arange(90, dtype=np.uint8)[None], (60, 90))
    return _Photograph(columns.astype(np.float32), np.repeat(columns[..., None], 3, axis=-1))


def test_crops_lie_inside_and_have_the_area_asked_for(samples: Callable[..., TrainingSamples]) -> None:
    """Photographs whose columns count up: a crop's span of values tells its width."""
    one = samples(scale=(0.25, 0.25))
    one.kept = dict.fromkeys(range(5), ramp())
    spans = []
    for number in range(40):
        crop = one[number].light
        assert crop.min() >= 0
        assert crop.max() <= 89
        spans.append(crop[0].max() - crop[0].min())
    side = np.sqrt(0.25 * 60 * 90)  # 36.7 px for a square crop; width between sqrt(3/4) and sqrt(4/3) of it
    assert side * np.sqrt(3 / 4) - 3 < min(spans) < side < max(spans) < side * np.sqrt(4 / 3) + 1


def test_about_half_of_the_samples_are_mirrored(samples: Callable[..., TrainingSamples]) -> None:
    one = samples()
    one.kept = dict.fromkeys(range(5), ramp())
    crops = [one[number] for number in range(200)]
    mirrored = [crop.light[0, 0] > crop.light[0, -1] for crop in crops]
    assert 70 < sum(mirrored) < 130
    assert mirrored == [crop.truth[0, 0, 0] > crop.truth[0, -1, 0] for crop in crops]


def test_processes_share_the_batches_of_one(samples: Callable[..., TrainingSamples]) -> None:
    whole = list(SampleNumbers(2, 5, 6))
    halves = [list(SampleNumbers(2, 5, 3, rank, 2)) for rank in range(2)]
    assert whole == [left + right for left, right in zip(*halves, strict=True)]
    assert whole[0] == list(range(12, 18))


def test_worker_processes_change_nothing(samples: Callable[..., TrainingSamples]) -> None:
    numbers = SampleNumbers(1, 4, 3)
    alone = list(load_batches(samples(keep=True), numbers, 0, pin=False))
    helped = list(load_batches(samples(), numbers, 2, pin=False))
    assert [batch[2] for batch in alone] == [batch[2] for batch in helped]
    for place in (0, 1):
        assert all(torch.equal(one[place], other[place]) for one, other in zip(alone, helped, strict=True))


def test_loading_leaves_the_global_generator_alone(samples: Callable[..., TrainingSamples]) -> None:
    before = torch.get_rng_state()
    next(load_batches(samples(), SampleNumbers(0, 1, 2), 0, pin=False))
    assert torch.equal(before, torch.get_rng_state())


def test_validation_part_is_a_fixed_draw() -> None:
    names = [f"p{number}" for number in range(20)]
    quarter = Train(steps=1, validation_share=0.25)
    trained, aside = split_validation(names, quarter, seed=0)
    assert len(aside) == 5
    assert sorted(trained + aside) == sorted(names)
    assert split_validation(names[::-1], quarter, seed=0) == (trained, aside)
    assert split_validation(names, quarter, seed=1) != (trained, aside)
    assert split_validation(names, Train(steps=1, validation_share=0.0), seed=0)[1] == []


def test_a_validation_part_that_leaves_nothing_is_refused() -> None:
    names = ["a", "b", "c", "d"]
    with pytest.raises(UserError, match=r"0\.99, which sets 4 of 4 photographs aside; .* leaves something to train on"):
        split_validation(names, Train(steps=1, validation_share=0.99), seed=0)
    assert split_validation(names, Train(steps=1, validation_share=0.1), seed=0)[1] == []
    with pytest.raises(UserError, match=r"sets 0 of 4 photographs aside; .* leaves train\.patience something to watch"):
        split_validation(names, Train(steps=1, validation_share=0.1, patience=2), seed=0)


def test_memory_is_judged_at_the_size_that_the_crops_need() -> None:
    small = pd.DataFrame({"width": [640] * 1200, "height": [480] * 1200})
    assert fits_memory(small, 128, 0.35)  # 289 x 217 x 7 bytes each
    assert not fits_memory(small, 1024, 0.35)  # 2.2 MB each, not enlarged
    assert not fits_memory(small.assign(width=4800, height=4800), 512, 0.35)
