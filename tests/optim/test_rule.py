"""A rule gives the same, compiled or in NumPy, in whatever pieces; and no constant in it promotes float32."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from autograd_core import kernels
from autograd_core.kernels import team, threads, twins
from optim import rule as module
from optim.groups import Group
from optim.rule import Rule

from .kinds import ELEMENTWISE, each_elementwise


def case(make: Any, dtype: Any, size: int) -> tuple[Rule, list[Any], tuple[Any, ...]]:
    """Return a rule, arrays as they are after some steps, and its numbers."""
    from autograd_core import nn

    rng = np.random.default_rng(1)
    p = nn.Parameter(rng.normal(size=size).astype(dtype))
    optimizer = make([p])
    for _ in range(3):
        p.grad = rng.normal(size=size).astype(dtype)
        optimizer.step()
    group: Group = optimizer.param_groups[0]
    state = optimizer.state.get(p, {})
    clock = {name: np.array(state.get(name, start)) for name, start in optimizer.clock(group).items()}
    memory = [state[name] for name in optimizer.memory(group)]
    rule = optimizer.rule(group)
    g = rng.normal(size=size).astype(dtype)
    return rule, [p.numpy(), g, *memory], optimizer.numbers(group, clock)


def run(rule: Rule, arrays: list[Any], numbers: tuple[Any, ...], numba: bool) -> list[Any]:
    arrays = [a.copy() for a in arrays]
    with kernels.using(numba=numba):
        rule(arrays, numbers)
    return arrays


@each_elementwise
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_numba_and_numpy_agree(make: Any, dtype: Any) -> None:
    pytest.importorskip("numba", reason="numba is not installed: pip install 'autograd-core[fast]'")
    rule, arrays, numbers = case(make, dtype, 1003)
    compiled, plain = (run(rule, arrays, numbers, numba) for numba in (True, False))
    assert np.array_equal(compiled[1], arrays[1]), "the gradient is not written"
    for a, b in zip(compiled, plain, strict=True):
        assert a.dtype == dtype
        np.testing.assert_allclose(a, b, rtol=20 * np.finfo(dtype).eps, atol=20 * np.finfo(dtype).eps)


@each_elementwise
@pytest.mark.parametrize("dtype", [np.float16, np.float32, np.float64])
def test_a_rule_of_numpy_keeps_the_dtype(make: Any, dtype: Any) -> None:
    rule, arrays, numbers = case(make, np.float32, 3)
    arrays = [a.astype(dtype) for a in arrays]
    typed = [n if n is True or n is False else dtype(n) for n in numbers]
    assert [x.dtype for x in rule.rule(*arrays, *typed)] == [dtype] * (len(arrays) - 1)


@each_elementwise
def test_a_compiled_rule_keeps_the_dtype(make: Any) -> None:
    """Compiled, a literal makes float64 of float32: slower, and not what NumPy computes."""
    numba = pytest.importorskip("numba", reason="numba is not installed: pip install 'autograd-core[fast]'")
    rule, arrays, numbers = case(make, np.float32, 3)
    jitted = numba.njit(rule.rule)
    jitted(*[a[0] for a in arrays], *[n if n is True or n is False else np.float32(n) for n in numbers])
    (signature,) = jitted.nopython_signatures
    assert set(signature.return_type.types) == {numba.float32}


@each_elementwise
@pytest.mark.parametrize("numba", [False, True])
def test_pieces_and_threads_change_nothing(make: Any, numba: bool, monkeypatch: Any) -> None:
    """To the last bit: a run that is continued may have been cut elsewhere."""
    if numba:
        pytest.importorskip("numba", reason="numba is not installed: pip install 'autograd-core[fast]'")
    rule, arrays, numbers = case(make, np.float32, 1000)
    whole = run(rule, arrays, numbers, numba)
    monkeypatch.setattr(module, "BLOCK", 64)
    in_blocks = run(rule, arrays, numbers, numba)
    calls = []
    monkeypatch.setattr(threads, "_number", 3)
    if numba:
        post = team._sharing

        def counted(*how: Any) -> Any:
            calls.append(how)
            return post(*how)

        monkeypatch.setattr(team, "parts_of", lambda n, microseconds: 3)
        monkeypatch.setattr(team, "_sharing", counted)
    else:

        def split(work: Any, n: int, least: int) -> None:
            calls.append(n)
            threads.split(work, n, 70)

        monkeypatch.setattr(twins, "split", split)
    in_threads = run(rule, arrays, numbers, numba)
    assert len(calls) == 1
    for a, b, c in zip(whole, in_blocks, in_threads, strict=True):
        np.testing.assert_array_equal(a, b)
        np.testing.assert_array_equal(a, c)


def test_large_arrays_as_they_are() -> None:
    rule, arrays, numbers = case(ELEMENTWISE["Adam"], np.float32, 2 * module.LEAST + 12345)
    arrays, whole = ([a.copy() for a in arrays] for _ in range(2))
    rule._in_blocks(*whole, tuple(n if n is False else np.float32(n) for n in numbers))
    rule(arrays, numbers)
    for a, b in zip(arrays, whole, strict=True):
        np.testing.assert_allclose(a, b, rtol=1e-5, atol=1e-6)


def test_an_error_in_a_thread_is_raised(monkeypatch: Any) -> None:
    monkeypatch.setattr(module, "LEAST", 2)
    monkeypatch.setattr(threads, "_number", 2)

    def broken(p: Any, g: Any) -> Any:
        if g[0] > 3:
            raise ZeroDivisionError("of the second half")
        return (p,)

    with kernels.using(numba=False), pytest.raises(ZeroDivisionError, match="second half"):
        Rule(broken, lambda p, g, numbers: None)([np.ones(8), np.arange(8.0)], ())
