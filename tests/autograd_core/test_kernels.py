"""Which version of a kernel runs, and how work is split over threads."""

from __future__ import annotations

import os
import subprocess
import sys
import threading
import time
from typing import Any

import numpy as np
import pytest

from autograd_core import kernels
from autograd_core.kernels import threads
from autograd_core.kernels.twins import loop, twin

HERE: list[str] = []


@loop
def doubled(x: Any) -> Any:
    y = np.empty_like(x)
    for i in range(x.size):
        y[i] = 2 * x[i]
    return y


@loop
def rows(x: Any) -> Any:
    many, _ = x.shape
    return many


@twin(rows)
def rows_by_numpy(x: Any) -> Any:
    HERE.append("NumPy")
    if x.ndim == 1:
        raise ValueError("one axis")
    return len(x)


@loop
def hopeless(x: Any) -> Any:
    return {}[x].nothing  # no type: numba cannot compile it


@twin(doubled)
def doubled_by_numpy(x: Any) -> Any:
    HERE.append("NumPy")
    return 2 * x


@twin(hopeless)
def hopeless_by_numpy(x: Any) -> Any:
    return x + 1


def test_a_loop_runs_where_numba_is_and_for_its_dtypes_only() -> None:
    pytest.importorskip("numba", reason="numba is not installed: pip install 'autograd-core[fast]'")
    x = np.arange(3.0)
    for numba, dtype, expected in [
        (True, np.float32, []), (True, np.float64, []), (True, np.longdouble, ["NumPy"]),
        (False, np.float32, ["NumPy"]),
    ]:  # fmt: skip
        HERE.clear()
        with kernels.using(numba=numba):
            y = doubled_by_numpy(x.astype(dtype))
        assert y.dtype == dtype
        assert y.tolist() == [0, 2, 4]
        assert expected == HERE, (numba, dtype)


def test_a_loop_that_does_not_compile_is_given_up_with_a_warning() -> None:
    pytest.importorskip("numba", reason="numba is not installed: pip install 'autograd-core[fast]'")
    with kernels.using(numba=True):
        with pytest.warns(RuntimeWarning, match=r"\[hopeless_by_numpy\] got TypingError from numba"):
            assert hopeless_by_numpy(np.zeros(2)).tolist() == [1, 1]
        assert hopeless_by_numpy(np.zeros(2)).tolist() == [1, 1]  # and not tried again


def test_arguments_that_a_loop_does_not_take_leave_it_to_the_others() -> None:
    """Else who computes, and so the last bits, would depend on a mistake made before."""
    pytest.importorskip("numba", reason="numba is not installed: pip install 'autograd-core[fast]'")
    HERE.clear()
    with kernels.using(numba=True):
        for _ in range(2):
            with pytest.raises(ValueError, match="one axis"):
                rows_by_numpy(np.zeros(2))
        with pytest.warns(RuntimeWarning, match=r"\[rows_by_numpy\] got TypingError from numba"):
            assert rows_by_numpy(np.zeros((2, 3, 4))) == 2
        assert rows_by_numpy(np.zeros((2, 3, 4))) == 2
        assert HERE == ["NumPy"] * 4
        assert rows_by_numpy(np.zeros((2, 3))) == 2
    assert HERE == ["NumPy"] * 4


def test_numba_is_asked_for_where_it_is_not(monkeypatch: Any) -> None:
    monkeypatch.setattr("importlib.util.find_spec", lambda name: None)
    with pytest.raises(ImportError, match=r"pip install 'autograd-core\[fast\]'"), kernels.using(numba=True):
        pass


@pytest.fixture
def three_threads() -> Any:
    before = kernels.get_num_threads()
    kernels.set_num_threads(3)
    yield
    kernels.set_num_threads(before)


def test_each_part_is_done_once_in_threads_of_its_own(three_threads: Any) -> None:
    done, who = np.zeros(10, int), set()

    def work(start: int, stop: int) -> None:
        time.sleep(0.02)  # so that no thread is free for a second part
        who.add(threading.get_ident())
        done[start:stop] += 1

    threads.split(work, 10)
    assert done.tolist() == [1] * 10
    assert len(who) == 3
    who.clear()
    threads.split(work, 10, least=6)
    assert done.tolist() == [2] * 10
    assert len(who) == 1, "two parts would have fewer than 6 each"
    threads.split(work, 0)


def test_a_part_that_splits_again_does_not_wait_for_itself(three_threads: Any) -> None:
    done = np.zeros((6, 6), int)

    def outer(start: int, stop: int) -> None:
        def inner(a: int, b: int) -> None:
            done[start:stop, a:b] += 1

        threads.split(inner, 6)

    threads.split(outer, 6)
    assert (done == 1).all()


def test_an_error_of_a_part_is_raised_when_all_parts_are_done(three_threads: Any) -> None:
    done = []

    def work(start: int, stop: int) -> None:
        if start:
            time.sleep(0.02)
        done.append(start)
        if start == 2:
            raise ValueError("part 2")

    with pytest.raises(ValueError, match="part 2"):
        threads.split(work, 6)
    assert sorted(done) == [0, 2, 4]


FORK = """
import os, time
from autograd_core import kernels
from autograd_core.kernels import threads
kernels.set_num_threads(2)
threads.split(lambda start, stop: None, 6)  # the parent's pool exists,
time.sleep(0.05)  # and its thread waits for work
done = []
child = os.fork()
threads.split(lambda start, stop: done.extend(range(start, stop)), 6)
assert sorted(done) == list(range(6))
if not child:
    os._exit(0)
assert os.waitpid(child, 0)[1] == 0
"""


def test_a_forked_child_makes_threads_of_its_own() -> None:
    if not hasattr(os, "fork"):
        pytest.skip("there is no fork on this system")
    # In a process of its own: other libraries warn where theirs is forked.
    subprocess.run([sys.executable, "-W", "ignore", "-c", FORK], check=True, timeout=60)


def test_the_number_of_threads_is_that_of_the_environment_or_of_the_cores(monkeypatch: Any) -> None:
    monkeypatch.setattr(threads, "_number", None)
    monkeypatch.setenv("OMP_NUM_THREADS", "5,2")
    assert kernels.get_num_threads() == 5
    monkeypatch.setattr(threads, "_number", None)
    monkeypatch.setenv("OMP_NUM_THREADS", "many")
    assert 1 <= kernels.get_num_threads() <= (os.cpu_count() or 1)
    with pytest.raises(ValueError, match="got n=0, expected 1 or more"):
        kernels.set_num_threads(0)
