"""Which device computes, at what precision, beside which other processes: environment, not parameters (README)."""

import os
import platform
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from typing import NamedTuple

import torch
import torch.distributed as dist
from torch import nn

from pipeline.errors import UserError

DEVICES = ("auto", "cpu", "cuda", "mps")


def choose_device() -> torch.device:
    """The device that HUEBENCH_DEVICE names: cpu, cuda, mps, or auto (default): the first there is of cuda, mps, cpu.

    Under torchrun every process takes the GPU of its local rank.

    Returns:
        The device; on CUDA float32 products may use TF32 from now on.

    Raises:
        UserError: if the name is unknown or there is no such device here.
    """
    chosen = os.environ.get("HUEBENCH_DEVICE", "auto")
    if chosen not in DEVICES:
        raise UserError(f"HUEBENCH_DEVICE is {chosen!r}, it takes one of {', '.join(DEVICES)}")
    there = {"cuda": torch.cuda.is_available(), "mps": torch.backends.mps.is_available(), "cpu": True}
    if chosen == "auto":
        chosen = next(name for name, usable in there.items() if usable)
    if not there[chosen]:
        raise UserError(
            f"HUEBENCH_DEVICE is {chosen!r}, but this machine has no usable {chosen} device; take auto or cpu"
        )
    if chosen != "cuda":
        return torch.device(chosen)
    torch.set_float32_matmul_precision("high")
    device = torch.device("cuda", int(os.environ.get("LOCAL_RANK", "0")))
    torch.cuda.set_device(device)
    return device


def mixed_precision(device: torch.device, precision: str) -> AbstractContextManager[object]:
    """The context in which a network computes.

    Args:
        device: where.
        precision: "float32"; "bfloat16"; "auto" takes bfloat16 on a GPU that computes in it and float32 elsewhere (on
            the CPU bfloat16 gained nothing in training when measured, and rounds differently on different processors).

    Returns:
        An autocast context, or an empty one for float32.
    """
    wanted = precision == "bfloat16" or (
        precision == "auto" and device.type == "cuda" and torch.cuda.is_bf16_supported(including_emulation=False)
    )
    return torch.autocast(device.type, torch.bfloat16) if wanted else nullcontext()


class Processes(NamedTuple):
    """The processes that train together.

    Attributes:
        rank: which one this is, from 0.
        size: how many there are.
    """

    rank: int
    size: int

    def sum(self, values: torch.Tensor) -> torch.Tensor:
        """The sum of a tensor over all processes, in place where there are several."""
        if self.size > 1:
            dist.all_reduce(values)
        return values


@contextmanager
def process_group(device: torch.device) -> Iterator[Processes]:
    """Join the processes that torchrun or Ray started; alone, do nothing.

    Args:
        device: GPUs talk through NCCL, processors through gloo.

    Yields:
        This process among its peers.
    """
    if dist.is_initialized():
        yield Processes(dist.get_rank(), dist.get_world_size())
    elif int(os.environ.get("WORLD_SIZE", "1")) > 1:
        dist.init_process_group("nccl" if device.type == "cuda" else "gloo")
        try:
            yield Processes(dist.get_rank(), dist.get_world_size())
        finally:
            dist.destroy_process_group()
    else:
        yield Processes(0, 1)


@contextmanager
def one_thread() -> Iterator[None]:
    """Compute in one thread: sums over several are rounded differently, one gives the same bits in every process."""
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        yield
    finally:
        torch.set_num_threads(before)


def prefer_onednn(network: nn.Module) -> None:
    """Have oneDNN compute convolutions of one pixel in one thread too, where torch takes a path of half the speed.

    torch leaves such kernels to oneDNN only with several threads, in batches of 16, strided or dilated (`use_mkldnn` of
    its Convolution.cpp). A kernel of one pixel has nothing to dilate: saying that it is dilated changes no result.

    Args:
        network: changed in place; elsewhere than on an x86 processor it is left alone.
    """
    if not torch.backends.mkldnn.is_available() or platform.machine() not in ("x86_64", "AMD64"):
        return
    for module in network.modules():
        if isinstance(module, nn.Conv2d) and module.kernel_size == (1, 1) and module.weight.device.type == "cpu":
            module.dilation = (2, 2)
