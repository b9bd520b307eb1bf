"""Parts of a loop in threads that wait busily: each is done once, whoever asks, and whatever goes on."""

from __future__ import annotations

import os
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import numpy as np
import pytest

from autograd_core import kernels
from autograd_core.kernels import threads as threads_module
from autograd_core.kernels.loops import columns, fork, inner, normalization
from autograd_core.kernels.team import parts_of, share, team
from autograd_core.kernels.twins import compiled

numba = pytest.importorskip("numba", reason="numba is not installed: there are no loops")

post, code, kept = (compiled(f) for f in (fork.post, fork.code, fork.kept))


@numba.njit(nogil=True)  # type: ignore[untyped-decorator]
def count(x: Any, rounds: int, first: int, last: int) -> None:
    for k in range(first, last):
        for _ in range(rounds):
            x[k] = np.sqrt(x[k] * x[k]) + 1.0


@numba.njit(nogil=True)  # type: ignore[untyped-decorator]
def counted(team: Any, parts: int, x: Any, rounds: int) -> None:
    given = (x, rounds)
    post(team, code(count, given), kept(given), len(x), parts)


@numba.njit  # type: ignore[untyped-decorator]
def fails(at: int, first: int, last: int) -> None:
    if first <= at < last:
        raise ValueError("of a part")


@numba.njit  # type: ignore[untyped-decorator]
def failed(team: Any, parts: int, at: int) -> None:
    given = (at,)
    post(team, code(fails, given), kept(given), 10, parts)


@pytest.fixture(params=[1, 2, 3, 8])
def threads(request: Any) -> Iterator[int]:
    before = kernels.get_num_threads()
    kernels.set_num_threads(request.param)
    yield request.param
    kernels.set_num_threads(before)


@pytest.mark.parametrize("parts", [1, 2, 3, 7, 50])
@pytest.mark.parametrize("n", [0, 1, 2, 5, 1000])
def test_each_unit_is_done_once(threads: int, parts: int, n: int) -> None:
    x = np.zeros(n)
    for _ in range(20):
        counted(team(), parts, x, 1)
    assert (x == 20).all()


def test_parts_run_in_other_threads() -> None:
    before = kernels.get_num_threads()
    kernels.set_num_threads(2)
    try:
        x, tasks = np.zeros(2), int(team()[fork.WORKER]) if fork.HERE else 0
        for _ in range(20):
            counted(team(), 2, x, 100)
        assert not fork.HERE or team()[fork.WORKER] == tasks + 20
    finally:
        kernels.set_num_threads(before)


def test_threads_that_slept_wake(threads: int) -> None:
    x = np.zeros(16)
    for _ in range(5):
        counted(team(), threads, x, 1)
        time.sleep(0.01)
    assert (x == 5).all()


def test_many_threads_of_python_share_one_team(threads: int) -> None:
    def work(_: int) -> bool:
        x = np.zeros(8)
        for _ in range(200):
            counted(team(), 8, x, 3)
        return bool((x == 600).all())

    with ThreadPoolExecutor(6) as pool:
        assert all(pool.map(work, range(12)))


def test_number_of_threads_changes_while_others_work() -> None:
    before, right = kernels.get_num_threads(), []

    def work() -> None:
        x = np.zeros(8)
        for _ in range(300):
            counted(team(), 8, x, 3)
        right.append((x == 900).all())

    workers = [threading.Thread(target=work) for _ in range(3)]
    for worker in workers:
        worker.start()
    try:
        for k in range(60):
            kernels.set_num_threads(1 + k % 4)
    finally:
        kernels.set_num_threads(before)
    for worker in workers:
        worker.join()
    assert right == [True] * 3


@pytest.mark.parametrize("at", [0, 9])
@pytest.mark.parametrize("parts", [1, 2])
def test_error_of_a_part_is_raised_and_the_team_goes_on(at: int, parts: int) -> None:
    for _ in range(3):
        with pytest.raises(MemoryError):
            failed(team(), parts, at)
        failed(team(), parts, 10)
        x = np.zeros(4)
        counted(team(), parts, x, 2)
        assert (x == 2).all()


FORKED = """
import os
import numpy as np
from autograd_core.kernels import set_num_threads
from autograd_core.kernels.loops import columns
from autograd_core.kernels.team import share

set_num_threads(2)
x, y = np.ones((3, 64)), np.zeros(64)
share(columns.add_rows, 64, 1e6, x, y)
child = os.fork()
y[:] = 0
for _ in range(10):
    share(columns.add_rows, 64, 1e6, x, y)
assert (y == 3).all()
if child == 0:
    os._exit(0)
assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0
"""


@pytest.mark.skipif(not hasattr(os, "fork"), reason="this system has no fork")
def test_child_of_a_fork_has_a_team_of_its_own() -> None:
    subprocess.run([sys.executable, "-W", "ignore", "-c", FORKED], check=True, timeout=100)


def test_threads_end_when_their_number_changes() -> None:
    before = kernels.get_num_threads()
    try:
        kernels.set_num_threads(4)
        team()
        kernels.set_num_threads(1)
        team()
        for _ in range(500):
            left = [t for t in threading.enumerate() if t.name.startswith("autograd-core ")]
            if not left:
                break
            time.sleep(0.01)
        assert not left
    finally:
        kernels.set_num_threads(before)


def test_parts_are_worth_their_thread(threads: int) -> None:
    assert parts_of(100, 1.0) == 1
    assert parts_of(100, 1e6) == threads
    assert parts_of(1, 1e6) == 1


@pytest.mark.parametrize(("fun", "types"), [(np.tanh, "f->f"), (np.exp, "d->d"), (np.maximum, "ff->f"),
                                            (np.isnan, "f->?"), (np.arctan2, "dd->d")])  # fmt: skip
def test_inner_loops_are_found(fun: Any, types: str) -> None:
    assert (inner.found(fun, types) is not None) == (sys.implementation.name == "cpython")
    assert inner.found(fun, types[::-1]) is None


@pytest.mark.parametrize("here", [True, False])
@pytest.mark.parametrize("n", [1, 5, 64, 1000])
@pytest.mark.parametrize("each", [1, 7])
def test_units_that_stay_together(n: int, each: int, here: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    if not here:
        monkeypatch.setattr(fork, "HERE", False)
    monkeypatch.setattr(threads_module, "_number", 3)
    x, y = np.arange(n) + 1.0, np.zeros(n)
    share(columns.add_rows, n, 1e6, x[np.newaxis], y, each=each)
    np.testing.assert_array_equal(y, x)


@pytest.mark.parametrize("here", [True, False])
def test_arrays_that_are_cut(here: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    if not here:
        monkeypatch.setattr(fork, "HERE", False)
    monkeypatch.setattr(threads_module, "_number", 3)
    x = np.arange(12.0).reshape(6, 2)
    mean, a, b, y = np.arange(6.0), np.full(6, 2.0), np.full(6, 1.0), np.empty((6, 2))
    share(normalization.scaled, 6, 1e6, x, mean, a, b, y, cut=(0, 1, 2, 3, 4))
    np.testing.assert_array_equal(y, (x - mean[:, np.newaxis]) * 2 + 1)
