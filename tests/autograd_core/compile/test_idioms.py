"""Each idiom of the table is right or loud in a compiled function: the same bits, or a refusal."""

from __future__ import annotations

import inspect
import re
from typing import Any

import numpy as np
import pytest

import autograd_core as ag
from autograd_core.errors import CompileError

from . import (  # noqa: F401 (they fill the table)
    idioms_memory,
    idioms_numpy,
    idioms_python,
    idioms_state,
    idioms_writing,
)
from .idioms import IDIOMS, Idiom, feeds

CALLS = 6
EARLY = 4  # a refusal comes in the third call, or in the next one where a finalizer ran Python in between


def arguments(idiom: Idiom, fun: Any, call: int, last: Any) -> list[Any]:
    """Return the arguments of one call, by its number; ``last`` is the result of the one before."""
    if idiom.arguments is not None:
        return idiom.arguments(call)
    names = [p.name for p in inspect.signature(fun).parameters.values() if p.default is p.empty]
    return [np.zeros(5) if last is None else last] if names == ["last"] else feeds(names, call)


def leaves(x: Any) -> list[Any]:
    """Return what is in a nest, in order: arrays, and everything else as it is."""
    if isinstance(x, ag.Tensor):
        return [ag.Tensor, *leaves(x.data)]
    if isinstance(x, (tuple, list)):
        return [type(x), *(leaf for item in x for leaf in leaves(item))]
    if isinstance(x, dict):
        return [dict, *x, *(leaf for item in x.values() for leaf in leaves(item))]
    return [x]


def bits(x: Any) -> list[Any]:
    """Return what two nests must have in common to be the same to the last bit."""
    return [(type(a), a.dtype, a.shape, a.tobytes()) if isinstance(a, (np.ndarray, np.generic)) else a
            for a in leaves(x)]  # fmt: skip


def aliases(result: Any, args: Any) -> list[bool]:
    """Say which of the arrays of the result, and of the result and the arguments, share memory."""
    ours = [a for a in leaves(result) if isinstance(a, np.ndarray)]
    theirs = [a for a in leaves(args) if isinstance(a, np.ndarray)]
    return [np.shares_memory(a, b) for n, a in enumerate(ours) for b in (*ours[:n], *theirs)]


def history(idiom: Idiom, fun: Any) -> tuple[list[Any], list[Any]]:
    """Call a function several times; return what each call gave and did, and the results, which were kept."""
    notes, kept, last = [], [], None
    for call in range(CALLS):
        args = arguments(idiom, fun, call, last)
        last = fun(*args)
        state = fun.look() if hasattr(fun, "look") else ()
        notes.append((bits(last), bits(args), aliases(last, args), bits(state)))
        kept.append(last)
    return notes, kept


RIGHT = [idiom for idiom in IDIOMS.values() if not idiom.loud]
LOUD = [idiom for idiom in IDIOMS.values() if idiom.loud]


@pytest.mark.parametrize("idiom", RIGHT, ids=repr)
def test_right(idiom: Idiom) -> None:
    expected, as_it_is = history(idiom, idiom.make())
    compiled = ag.compile(idiom.make())
    if hasattr(compiled.fun, "look"):
        compiled.look = compiled.fun.look
    found, kept = history(idiom, compiled)
    for call, (want, got) in enumerate(zip(expected, found, strict=True), 1):
        for what, a, b in zip(("result", "arguments", "aliases", "state"), want, got, strict=True):
            assert a == b, f"{what} of call {call}"
    assert compiled.plans, "it was never replayed"
    for ours, theirs in zip(kept, as_it_is, strict=True):
        assert bits(ours) == bits(theirs), "a later call wrote into a result that was kept"


@pytest.mark.parametrize("idiom", LOUD, ids=repr)
def test_loud(idiom: Idiom) -> None:
    compiled = ag.compile(idiom.make())

    def calls() -> None:
        last = None
        for call in range(EARLY):
            last = compiled(*arguments(idiom, compiled.fun, call, last))

    with pytest.raises(CompileError, match=idiom.loud) as caught:
        calls()
    file, lines = idiom.lines
    named = re.findall(re.escape(file) + r":(\d+)", str(caught.value))
    assert any(int(line) in lines for line in named), f"{caught.value} names no line of {lines}"


def test_there_are_enough() -> None:
    assert len(IDIOMS) >= 150
