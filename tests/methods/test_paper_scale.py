"""The recipes of presets/papers.yaml fit one GPU of 80 GB by reckoning, and the preset says the numbers itself."""

import re
from pathlib import Path

import pytest
import torch
from ruamel.yaml import YAML

from pipeline.methods.build import build_network
from pipeline.models.discriminators.patch import Patch
from pipeline.settings.params import Settings, validate_settings
from pipeline.settings.presets import overlay_preset

KEPT = {"paper": 532, "ccc": 215, "cic": 313, "cs766": 268}
"""Classes, as the sources count them; 268 of cs766 hold a color of sRGB."""
COPIES = 4
"""Of every trained parameter in float32: itself, its gradient, Adam's two means."""
TEXT = Path("presets/papers.yaml").read_text(encoding="utf-8")


@pytest.fixture(scope="module")
def papers() -> Settings:
    return validate_settings(YAML(typ="safe", pure=True).load(overlay_preset("papers")))


def reckoned(settings: Settings, method: str) -> tuple[int, int]:
    """Parameters of the network, and bytes that one photograph's way through it keeps for the gradients.

    Nothing is computed: tensors on the device "meta" have sizes and no values.
    """
    model, train = settings.methods[method].model, settings.train_of(method)
    outputs = 2 if model.head.classes is None else KEPT[model.head.classes]
    held: dict[int, tuple[torch.Tensor, int]] = {}

    def keep(tensor: torch.Tensor) -> torch.Tensor:
        held[tensor.untyped_storage()._cdata] = tensor, tensor.untyped_storage().nbytes()
        return tensor

    with torch.device("meta"), torch.autograd.graph.saved_tensors_hooks(keep, lambda tensor: tensor):
        network = build_network(model.network, outputs)
        network.freeze(train.frozen_levels, norms=False)
        own = {one.untyped_storage()._cdata for one in (*network.parameters(), *network.buffers())}
        scores = network(torch.empty(1, 1, train.size, train.size))
        loss = torch.log_softmax(scores, 1).sum() if outputs > 2 else scores.square().sum()
        if model.adversary is not None:
            judged = Patch.model_validate(model.adversary.discriminator.model_dump()).build(3)
            for _ in range(3):  # true colors, made ones, made ones again
                loss = loss + judged(torch.empty(1, 3, train.size, train.size)).sum()
            own |= {one.untyped_storage()._cdata for one in judged.parameters()}
    del loss
    kept = sum(size for key, (_, size) in held.items() if key not in own)
    return sum(one.numel() for one in network.parameters()), kept


@pytest.mark.parametrize("method", re.findall(r"^  (\w+): +# [\d,]+ parameters", TEXT, re.MULTILINE))
def test_a_recipe_fits_a_gpu_of_80_gigabytes_and_says_so(papers: Settings, method: str) -> None:
    parameters, kept = reckoned(papers, method)
    batch = papers.train_of(method).batch
    gigabytes = (batch * kept + COPIES * 4 * parameters) / 1e9
    assert gigabytes < 80
    said = re.search(rf"^  {method}: +# ([\d,]+) parameters, ([\d.]+) GB a step of (\d+)", TEXT, re.MULTILINE)
    assert said is not None
    assert (said[1].replace(",", ""), said[2], said[3]) == (str(parameters), f"{gigabytes:.1f}", str(batch))


def test_every_recipe_says_its_size(papers: Settings) -> None:
    assert set(re.findall(r"^  (\w+): +# [\d,]+ parameters", TEXT, re.MULTILINE)) == set(papers.methods)
