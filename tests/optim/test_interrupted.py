"""Ctrl-C in the middle of a step: parameters and what is remembered are those of whole steps."""

from __future__ import annotations

import os
import signal
import threading
from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest

from autograd_core import kernels, nn, optim
from optim.arraywise import Arraywise
from optim.rule import Rule

from .kinds import KINDS, each


@pytest.fixture(autouse=True)
def _ctrl_c_as_usual() -> Iterator[None]:
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    yield
    signal.signal(signal.SIGINT, before)


def parameters(shapes: Any) -> list[nn.Parameter]:
    params = [nn.Parameter(np.ones(s, np.float32)) for s in shapes]
    for p in params:
        p.grad = np.full(p.shape, 0.5, np.float32)
    return params


def same(a: Any, b: Any, first: list[Any], second: list[Any]) -> None:
    """The parameters and all that is remembered are equal, to the last bit."""
    for p, q in zip(first, second, strict=True):
        np.testing.assert_array_equal(p.numpy(), q.numpy())
        ours, theirs = a.state.get(p, {}), b.state.get(q, {})
        assert ours.keys() == theirs.keys()
        for name, value in ours.items():
            np.testing.assert_array_equal(value, theirs[name], err_msg=name)


SHAPES = [(100, 100), (3, 2), (5,), (90, 100), ()]


@each
@pytest.mark.parametrize("at", [1, 2, 3])
def test_within_a_step(make: Any, at: int, monkeypatch: Any) -> None:
    """Ctrl-C before the first, second or third part of the second step."""
    params, others = parameters(SHAPES), parameters(SHAPES)
    stopped, straight = make(params), make(others)
    if isinstance(stopped, optim.SGD) and not (stopped.param_groups[0]["momentum"]):
        stopped.param_groups[0]["weight_decay"] = straight.param_groups[0]["weight_decay"] = 0.1
    stopped.step()
    straight.step()
    calls = 0

    def counted(run: Any) -> Any:
        def call(*args: Any, **kwargs: Any) -> Any:
            nonlocal calls
            calls += 1
            if calls == at:
                signal.raise_signal(signal.SIGINT)
            return run(*args, **kwargs)

        return call

    with monkeypatch.context() as patch:
        patch.setattr(Rule, "__call__", counted(Rule.__call__))
        if isinstance(stopped, Arraywise):
            patch.setattr(type(stopped), "change", counted(type(stopped).change))
        with pytest.raises(KeyboardInterrupt):
            stopped.step()
    assert calls >= 3
    straight.step()
    same(stopped, straight, params, others)
    stopped.step()
    straight.step()
    same(stopped, straight, params, others)


@pytest.mark.parametrize("numba", [False, True])
@pytest.mark.parametrize("name", ["SGD", "momentum", "Adam", "RMSprop-both", "Adafactor"])
def test_at_any_moment(name: str, numba: bool) -> None:
    """25 times, sent by another thread at random moments of many steps."""
    if numba:
        pytest.importorskip("numba", reason="numba is not installed: pip install 'autograd-core[fast]'")
    shapes = [(60, 50), (7,)] * 20 + [(300, 300)]
    params, others = parameters(shapes), parameters(shapes)
    stopped, straight = (KINDS[name](p, lr=2**-8) for p in (params, others))
    armed, caught, rng = threading.Event(), threading.Event(), np.random.default_rng(3)

    def hammer() -> None:
        for pause in rng.uniform(0, 0.004, 25):
            armed.wait()
            armed.clear()
            threading.Event().wait(pause)
            os.kill(os.getpid(), signal.SIGINT)
            caught.wait()
            caught.clear()

    steps = 0
    with kernels.using(numba=numba):
        stopped.step()  # what is compiled, is compiled here
        straight.step()
        thread = threading.Thread(target=hammer, daemon=True)
        thread.start()
        for _ in range(25):
            try:
                armed.set()
                while True:
                    stopped.step()
            except KeyboardInterrupt:
                caught.set()
            if name != "SGD":
                target = int(stopped.state[params[0]]["step"])
            else:  # it remembers nothing: each step subtracts 2^-9
                target = round((1 - float(params[0].numpy()[0, 0])) * 2**9)
            while steps < target - 1:
                straight.step()
                steps += 1
            same(stopped, straight, params, others)
        thread.join()
    assert steps > 0
