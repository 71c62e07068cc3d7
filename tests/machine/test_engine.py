import os
import signal
import subprocess
import sys
import time
from itertools import count, islice
from pathlib import Path

import pytest

from pipeline.errors import UserError
from pipeline.machine.engine import AHEAD, map_shards, worker_count
from tests.conftest import ON_RAY

if os.environ.get("SLOW_IMPORT"):  # in the process that imports for the workers
    time.sleep(3)


def slow_square(number: int, offset: int) -> tuple[int, int]:
    time.sleep(0.02 * (number % 3))
    return number * number + offset, os.getpid()


def fail_on_three(number: int, _: None) -> int:
    if number == 3:
        raise UserError("three")
    return number


@pytest.mark.parametrize("workers", ["1", "2", "5"])
def test_results_come_in_the_order_of_the_shards(monkeypatch, workers):
    monkeypatch.setenv("HUEBENCH_WORKERS", workers)
    results = list(map_shards(slow_square, range(23), 7))
    assert [value for value, _ in results] == [number * number + 7 for number in range(23)]
    if workers != "1":
        assert os.getpid() not in {process for _, process in results}


@ON_RAY
@pytest.mark.parametrize("engine", ["local", "ray"])
def test_an_error_in_a_worker_reaches_the_caller_as_it_was(monkeypatch, stopped_ray, engine):
    monkeypatch.setenv("HUEBENCH_ENGINE", engine)
    monkeypatch.setenv("HUEBENCH_WORKERS", "2")
    with pytest.raises(UserError) as error:
        list(map_shards(fail_on_three, range(9), None))
    assert type(error.value) is UserError and str(error.value) == "three"


def sleep_long(number: int, marks: str) -> None:
    (Path(marks) / str(number)).touch()
    time.sleep(60)


INTERRUPTED = """
import os, signal, sys
signal.signal(signal.SIGINT, signal.default_int_handler)  # ignored where the tests run in a shell's background
from pipeline.machine.engine import map_shards
from tests.machine.test_engine import sleep_long
os.environ["SLOW_IMPORT"] = "1"
print("ready", flush=True)
try:
    list(map_shards(sleep_long, range(6), sys.argv[1]))
except KeyboardInterrupt:
    print("stopped")
"""


@pytest.mark.parametrize("working", [False, True])
def test_ctrl_c_ends_workers_at_once_and_without_a_word(tmp_path, working):
    """As a terminal sends it: to every process, while workers work or while what they need is imported for them."""
    command = [sys.executable, "-c", INTERRUPTED, str(tmp_path)]
    environment = os.environ | {"HUEBENCH_WORKERS": "2", "PYTHONPATH": str(Path(__file__).parents[2])}
    pipes = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE, "text": True}
    with subprocess.Popen(command, env=environment, start_new_session=True, **pipes) as process:
        assert process.stdout.readline() == "ready\n"
        time.sleep(1.0)
        while working and len(list(tmp_path.iterdir())) < 2:
            time.sleep(0.05)
        os.killpg(process.pid, signal.SIGINT)
        try:
            out, error = process.communicate(timeout=30)
        finally:
            process.kill()
    assert (out, error) == ("stopped\n", "")


@ON_RAY
@pytest.mark.parametrize(("engine", "workers", "in_threads"), [("local", "2", 0), ("local", "2", 40), ("local", "1", 0),
                                                               ("ray", "2", 40)])  # fmt: skip
def test_shards_without_end_are_taken_as_they_are_worked_on(monkeypatch, stopped_ray, engine, workers, in_threads):
    monkeypatch.setenv("HUEBENCH_ENGINE", engine)
    monkeypatch.setenv("HUEBENCH_WORKERS", workers)
    taken = count()
    results = map_shards(slow_square, taken, 7, in_threads=in_threads)
    assert [value for value, _ in islice(results, 30)] == [number * number + 7 for number in range(30)]
    assert next(taken) <= 30 + 2 * AHEAD
    results.close()


def test_the_first_shards_may_stay_in_this_process(monkeypatch):
    monkeypatch.setenv("HUEBENCH_WORKERS", "2")
    results = list(map_shards(slow_square, iter(range(12)), 0, None, in_threads=7))
    assert [value for value, _ in results] == [number * number for number in range(12)]
    assert [process == os.getpid() for _, process in results] == [True] * 7 + [False] * 5


def test_nothing_to_do_gives_nothing():
    assert list(map_shards(slow_square, [], 0)) == []


def test_wrong_engines_and_worker_counts_are_named(monkeypatch):
    monkeypatch.setenv("HUEBENCH_ENGINE", "spark")
    with pytest.raises(UserError, match="HUEBENCH_ENGINE is 'spark', it takes local or ray"):
        list(map_shards(slow_square, [1], 0))
    monkeypatch.setenv("HUEBENCH_WORKERS", "0")
    with pytest.raises(UserError, match="HUEBENCH_WORKERS is '0'"):
        worker_count()
