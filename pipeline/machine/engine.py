"""Map work over independent items, in local processes or on Ray, with results in the order of the items (DESIGN 5).

The engine is chosen by the environment, not by a parameter, because it changes no result:
HUEBENCH_ENGINE (`local` or `ray`), HUEBENCH_WORKERS (a number; default: the processors this process may use) and
RAY_ADDRESS (a running cluster; default: Ray is started on this machine).
"""

import multiprocessing
import os
import signal
import sys
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Sized
from concurrent.futures import ProcessPoolExecutor, ThreadPoolExecutor
from contextlib import contextmanager
from itertools import chain, islice
from multiprocessing import forkserver, resource_tracker
from types import ModuleType
from typing import Any, TypeVar

from pipeline.errors import UserError
from pipeline.machine.memory import keep_freed_memory
from pipeline.machine.progress import progress

Item = TypeVar("Item")
Shared = TypeVar("Shared")
Partial = TypeVar("Partial")

AHEAD = 4
"""Shards in flight for each worker: enough to keep it busy, few enough to keep memory flat."""


def worker_count() -> int:
    """The number of worker processes: HUEBENCH_WORKERS, or the processors this process may use.

    Returns:
        At least 1.

    Raises:
        UserError: if HUEBENCH_WORKERS is no whole number of at least 1.
    """
    chosen = os.environ.get("HUEBENCH_WORKERS")
    if chosen is None:
        return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    if not chosen.isdecimal() or int(chosen) < 1:
        raise UserError(f"HUEBENCH_WORKERS is {chosen!r}, it takes a whole number of at least 1")
    return int(chosen)


def engine_name() -> str:
    """The engine that HUEBENCH_ENGINE names.

    Returns:
        `local` or `ray`.

    Raises:
        UserError: if it is neither.
    """
    engine = os.environ.get("HUEBENCH_ENGINE", "local")
    if engine not in _ENGINES:
        raise UserError(f"HUEBENCH_ENGINE is {engine!r}, it takes {' or '.join(_ENGINES)}")
    return engine


def map_shards(
    process: Callable[[Item, Shared], Partial],
    shards: Iterable[Item],
    settings: Shared,
    description: str | None = "",
    unit: str = "shard",
    in_threads: int = 0,
) -> Iterator[Partial]:
    """Apply a function to every shard, in parallel, and yield the results in the order of the shards.

    Args:
        process: a function defined at the top of a module, so that another process can import it.
        shards: what it is applied to; picklable, each one independent of the others. May be endless: they are taken one
            by one in this process, at most `AHEAD` for each worker before their results are asked for.
        settings: handed to every call; picklable.
        description: what the progress bar says; "" takes the function's name, None shows no bar.
        unit: what the progress bar calls one shard.
        in_threads: so many of the first shards are shared among threads of this process, where starting others would
            take longer than the work; `process` then has to be safe in threads. Ray takes all of them.

    Yields:
        `process(shard, settings)` for each shard, in order, whatever the engine and the number of workers.

    Raises:
        UserError: if HUEBENCH_ENGINE is neither `local` nor `ray`, or Ray is chosen and not installed.
    """
    results = _ENGINES[engine_name()](process, shards, settings, in_threads)
    if description is None:
        yield from results
    else:
        total = len(shards) if isinstance(shards, Sized) else None
        yield from progress(results, description or process.__name__, total=total, unit=unit)


def _local(
    process: Callable[[Any, Any], Any], shards: Iterable[Any], settings: object, in_threads: int
) -> Iterator[Any]:
    workers, source = worker_count(), iter(shards)
    if workers > 1 and in_threads:
        with ThreadPoolExecutor(workers) as threads:
            yield from _in_order(
                islice(source, in_threads), workers, lambda shard: threads.submit(process, shard, settings).result
            )
    begun = list(islice(source, 2 if workers > 1 else 0))
    if len(begun) == 2:
        with worker_pool(workers, process.__module__) as pool:
            yield from _in_order(
                chain(begun, source), workers, lambda shard: pool.submit(process, shard, settings).result
            )
    else:
        yield from (process(shard, settings) for shard in chain(begun, source))


@contextmanager
def worker_pool(workers: int, module: str) -> Iterator[ProcessPoolExecutor]:
    """Processes on this machine, forked from one that has imported what they need and has no threads.

    Args:
        workers: how many.
        module: imported once for all of them, where it is the first that this process asks for.

    Yields:
        The pool. Where it is left by an error or Ctrl-C, its processes end at once and without a word.
    """
    context: Any = multiprocessing.get_context("forkserver" if hasattr(os, "fork") else "spawn")
    context.set_forkserver_preload([module])
    if hasattr(os, "fork"):
        resource_tracker.ensure_running()  # lets interrupts through again when it starts
        with _held_interrupts():
            forkserver.ensure_running()
    others = set(multiprocessing.active_children())
    first = context.Process(target=int)  # there once everything is imported; till then Ctrl-C leaves nothing half-made
    first.start()
    first.join()
    with ProcessPoolExecutor(workers, context, initializer=_prepare_worker) as pool:
        try:
            yield pool
        except BaseException:
            pool.shutdown(wait=False, cancel_futures=True)
            for process in set(multiprocessing.active_children()) - others:
                process.terminate()
            raise


@contextmanager
def _held_interrupts() -> Iterator[None]:
    """Ctrl-C waits until the end of the block; what is started in it never hears it, and prints no traceback."""
    before = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)


def _prepare_worker() -> None:
    """Keep libraries that a worker loads from starting a thread for every core; leave Ctrl-C to the main process."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    keep_freed_memory()
    for name in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"):
        os.environ.setdefault(name, "1")
    if "torch" in sys.modules:
        sys.modules["torch"].set_num_threads(1)


def start_ray() -> ModuleType:
    """Ray, connected to the cluster at RAY_ADDRESS or started on this machine.

    Returns:
        The module `ray`.

    Raises:
        UserError: if Ray is not installed.
    """
    try:
        import ray
    except ImportError:
        raise UserError("HUEBENCH_ENGINE is 'ray', which is not installed; pip install 'huebench[ray]'") from None
    if not ray.is_initialized():
        address = os.environ.get("RAY_ADDRESS")
        local = {} if address else {"num_cpus": worker_count(), "include_dashboard": False}
        ray.init(address=address, log_to_driver=False, configure_logging=False, **local)
    return ray


def _ray(process: Callable[[Any, Any], Any], shards: Iterable[Any], settings: object, _: int) -> Iterator[Any]:
    ray = start_ray()
    shared = ray.put(settings)
    task = ray.remote(process)
    workers = int(ray.cluster_resources().get("CPU", 1))

    def submit(shard: object) -> Callable[[], Any]:
        reference = task.remote(shard, shared)

        def answer() -> Any:
            try:
                return ray.get(reference)
            except ray.exceptions.RayTaskError as failure:
                raise failure.cause from failure  # as a local process raises it; Ray's own prints a traceback

        return answer

    yield from _in_order(shards, workers, submit)


def _in_order(shards: Iterable[Any], workers: int, submit: Callable[[Any], Callable[[], Any]]) -> Iterator[Any]:
    """Keep a bounded number of shards in flight and collect them first in, first out."""
    waiting: deque[Callable[[], Any]] = deque()
    for shard in shards:
        waiting.append(submit(shard))
        if len(waiting) >= workers * AHEAD:
            yield waiting.popleft()()
    while waiting:
        yield waiting.popleft()()


_ENGINES = {"local": _local, "ray": _ray}
