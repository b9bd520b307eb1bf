"""Batches made in a background thread: bounded, in order, its errors raised, and gone afterwards."""

from __future__ import annotations

import gc
import os
import signal
import subprocess
import sys
import threading
import time
import traceback
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from autograd_core import nn

D = nn.data
Y = np.arange(40)


def threads() -> list[threading.Thread]:
    return [t for t in threading.enumerate() if t.name == "autograd-core batches"]


@pytest.fixture(autouse=True)
def _none_is_left() -> Iterator[None]:
    assert not threads()
    yield
    assert not threads()


def until(condition: Any) -> bool:
    """Wait for what another thread does; it is not to be waited for in vain."""
    deadline = time.monotonic() + 60
    while not condition():
        if time.monotonic() > deadline:
            return False
        time.sleep(0.001)
    return True


@pytest.mark.parametrize("size", [1, 3])
def test_it_is_ahead_by_so_many_batches_and_no_more(size: int) -> None:
    made: list[int] = []
    loader = D.batches(Y, batch_size=2, shuffle=False, prefetch=size, transform=lambda y: made.append(1) or y)
    batches = iter(loader)
    assert not threads(), "nothing is begun before the first batch is asked for"
    for k in range(1, 5):
        next(batches)
        assert until(lambda: len(made) == k + size)  # noqa: B023
        time.sleep(0.02)
        assert len(made) == k + size
        (thread,) = threads()
        assert thread.daemon
    batches.close()


def test_the_thread_is_another_and_ends_with_the_last_batch() -> None:
    names: set[str] = set()
    loader = D.batches(Y, batch_size=2, prefetch=3,
                       transform=lambda y: names.add(threading.current_thread().name) or y)  # fmt: skip
    assert sorted(int(i) for batch in loader for i in batch) == Y.tolist()
    assert names == {"autograd-core batches"}


@pytest.mark.parametrize("how", ["break", "close", "del", "error", "cycle"])
def test_no_thread_is_left_when_the_consumer_stops_early(how: str) -> None:
    loader = D.batches(Y, batch_size=2, prefetch=3)
    if how == "break":
        for _ in loader:
            break
    elif how == "error":

        def consume() -> None:
            for _ in loader:
                raise KeyError("the consumer's")

        with pytest.raises(KeyError):
            consume()
    else:
        batches: Any = iter(loader)
        next(batches)
        assert threads()
        if how == "close":
            batches.close()
        elif how == "cycle":
            ring: list[Any] = [batches]
            ring.append(ring)
            del ring
        del batches
        gc.collect()


def fails_at_6(y: Any) -> Any:
    if 6 in y:
        raise LookupError("six")
    return y


def test_its_errors_are_raised_in_the_consumer_with_their_traceback() -> None:
    loader = D.batches(Y, batch_size=2, shuffle=False, prefetch=2, transform=fails_at_6)
    seen: list[Any] = []
    with pytest.raises(LookupError, match="six") as raised:
        seen.extend(batch.tolist() for batch in loader)
    assert seen == [[0, 1], [2, 3], [4, 5]], "what was made before comes first"
    names = [frame.name for frame in traceback.extract_tb(raised.value.__traceback__)]
    assert "fails_at_6" in names
    assert raised.value.__notes__ == ["[DataLoader] in the transform of batch 3, seed 0"]
    assert not threads()
    assert list(loader.epoch(0, start=4)), "the loader itself is whole"


def test_even_an_exit_is_an_error_of_the_consumer() -> None:
    def leave(y: Any) -> Any:
        raise SystemExit("enough")

    with pytest.raises(SystemExit, match="enough"):
        list(D.batches(Y, batch_size=2, prefetch=2, transform=leave))


def test_it_works_under_the_settings_of_the_consumer() -> None:
    loader = D.batches(np.zeros(4), batch_size=2, prefetch=2, transform=lambda x: 1 / x)
    with np.errstate(divide="raise"), pytest.raises(FloatingPointError):
        list(loader)
    with np.errstate(divide="ignore"):
        assert np.isinf(list(loader)).all()


def test_two_epochs_at_once_do_not_disturb_each_other() -> None:
    loader = D.batches(Y, batch_size=4, prefetch=2)
    expected = [list(loader.epoch(seed)) for seed in (1, 2)]
    for (a, b), p, q in zip(zip(loader.epoch(1), loader.epoch(2)), *expected):
        assert np.array_equal(a, p)
        assert np.array_equal(b, q)
    gc.collect()


FORK = """
import os, signal, sys
import numpy as np
from autograd_core import nn
loader = nn.data.batches(np.arange(40), batch_size=2, prefetch=2, transform=lambda y, rng: y + rng.random())
expected = list(loader.epoch(4))
batches = loader.epoch(4)
begun = [next(batches) for _ in range(3)]
child = os.fork()
signal.alarm(60)  # neither may wait for ever
if child == 0:
    try:
        rest = [*batches, *loader.epoch(4)]
        same = np.array_equal(np.stack(rest), np.stack([*expected[3:], *expected]))
        os._exit(0 if same else 1)
    finally:
        os._exit(2)
assert os.waitpid(child, 0)[1] == 0, "the child"
assert np.array_equal([*begun, *batches], expected), "and the parent"
"""


@pytest.mark.skipif(not hasattr(os, "fork"), reason="no fork here")
def test_the_child_of_a_fork_goes_on_by_itself() -> None:
    # In a process of its own: other libraries warn where theirs is forked.
    subprocess.run([sys.executable, "-W", "ignore", "-c", FORK], check=True, timeout=120,
                   cwd=Path(__file__).parents[2])  # fmt: skip


INTERRUPTED = """
import os, signal, sys, threading
import numpy as np
from autograd_core import nn
signal.signal(signal.SIGINT, signal.default_int_handler)  # a process in the background ignores it
loader = nn.data.batches(np.arange(10**6), batch_size=1, prefetch=4)
held = iter(loader)  # one that is open when the process ends
next(held)
try:
    for k, batch in enumerate(loader):
        if k == 50:
            print("ready", flush=True)
except KeyboardInterrupt:
    print(sum(t.name == "autograd-core batches" for t in threading.enumerate()), "open", flush=True)
"""


def test_ctrl_c_ends_the_thread_and_an_open_one_does_not_hold_up_the_exit() -> None:
    root = Path(__file__).parents[2]
    process = subprocess.Popen([sys.executable, "-c", INTERRUPTED], stdout=subprocess.PIPE, cwd=root,
                               stderr=subprocess.PIPE, text=True)  # fmt: skip
    try:
        assert process.stdout is not None
        assert process.stdout.readline() == "ready\n"
        process.send_signal(signal.SIGINT)
        out, err = process.communicate(timeout=60)
    finally:
        process.kill()  # if it has not ended
    assert (out, err, process.returncode) == ("1 open\n", "", 0)
