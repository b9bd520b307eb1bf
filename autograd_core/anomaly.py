"""Finding where a gradient went wrong: which operation made it, in which line of the forward pass."""

from __future__ import annotations

import linecache
import os
import sys
from collections.abc import Callable
from contextlib import ContextDecorator
from contextvars import Token
from pathlib import Path
from typing import Any
from weakref import WeakSet

import numpy as np
from numpy import ndarray

from .errors import AnomalyError, message
from .fitting import tame
from .node import Node, recording, strip, watching
from .primitive import Primitive

__all__ = ["detect_anomaly"]

ROOT = Path(__file__).parent.parent
HERE, *BESIDE = (str(ROOT / name) + os.sep for name in ("autograd_core", "nn", "optim"))


class detect_anomaly(ContextDecorator):
    """Check all gradients of what is recorded inside: a context manager and a decorator, per thread.

    The first operation whose gradient is not finite although the one from above was raises an error
    with its name, shapes and values, and the line of the forward pass that called it; so does an
    exception inside a rule. And what a graph saved can not be written to until backward has used it:
    ``batch[:] = ...`` into an array that a pending graph reads raises NumPy's *assignment destination is
    read-only*, at that line, where otherwise the gradient would be wrong without a word.

    It costs several times the time; use it to find a fault, not to train.

    Raises:
        AnomalyError: (a FloatingPointError) from ``backward``.

    >>> import autograd_core as ag
    >>> x = ag.tensor([4.0, 0.0], requires_grad=True)
    >>> with ag.detect_anomaly():
    ...     loss = (x.sqrt() * 3.0).sum()
    ...     loss.backward()  # doctest: +IGNORE_EXCEPTION_DETAIL
    Traceback (most recent call last):
    AnomalyError: [sqrt] got gradient inf at (1,), from 3.0 above, ...
    """

    def __init__(self) -> None:
        self._open: list[tuple[_Watcher, Token[Any], Token[Any] | None]] = []

    def _recreate_cm(self) -> detect_anomaly:
        return type(self)()

    def __enter__(self) -> detect_anomaly:
        watcher = _Watcher()
        token = recording.set(watcher) if recording.get() else None
        self._open.append((watcher, watching.set(watcher), token))
        return self

    def __exit__(self, *exc: object) -> None:
        watcher, outer, inner = self._open.pop()
        watching.reset(outer)
        if inner is not None:
            recording.reset(inner)
        if exc[0] is not None:  # a traceback that somebody looks at would keep the arrays read-only
            for node in watcher.nodes:
                node._let_go()


class _Watcher:
    """What the recording switch holds meanwhile: it sees each node as it is made."""

    def __init__(self) -> None:
        self.first_nan: str | None = None
        self.nodes: WeakSet[_Guarded] = WeakSet()

    def watch(self, node: Any, y: Any) -> None:
        """Let a new node, whose value is ``y``, check its rules' results and guard what it saved."""
        frames = _frames()
        if self.first_nan is None and not _finite(y) and np.isnan(strip(y)).any():
            self.first_nan = f"{node.primitive.name}, at {_told(frames[:1])}"
        node.primitive = _checked(node, frames, self)
        saved = [x for x, e in zip(node.inputs, node.edges, strict=True) if e is None or isinstance(e, Node)]
        node.primitive.guarded = [a for x in (*saved, node.output, *node.params.values())
                                  for a in _arrays(x) if _guard(a)]  # fmt: skip
        node.__class__ = _Guarded
        self.nodes.add(node)


# -- checking rules --------------------------------------------------------------------------------


def _checked(node: Any, frames: list[tuple[str, int, str]], watcher: _Watcher) -> Any:
    """Return the node's primitive with rules that look at what they return."""
    prim = node.primitive
    checked: Any = _Checked.__new__(_Checked)
    for name in Primitive.__slots__:
        setattr(checked, name, getattr(prim, name))
    checked.adds = checked.consumes = None  # they would go by the rules
    shapes = [getattr(x, "shape", ()) for x in node.inputs]

    def check(rule: Callable[..., Any], i: int | None) -> Callable[..., Any]:
        def checking(g: Any, y: Any, *inputs: Any, **params: Any) -> Any:
            try:
                d = rule(g, y, *inputs, **params)
            except Exception as error:
                error.add_note(f"in the gradient of {prim.name}, called at {_told(frames)}")
                raise
            for k, part in enumerate(d) if i is None else [(i, d)]:
                if part is not None:
                    part = tame(part, g) if prim.singular else part
                    if not _finite(part) or not _finite(g):
                        raise _anomaly(prim.name, part, g, k, shapes, inputs, frames, watcher)
            return d

        return checking

    checked.rules = tuple(rule and check(rule, i) for i, rule in enumerate(prim.rules))
    checked.joint = prim.joint and check(prim.joint, None)
    return checked


class _Checked(Primitive):
    __slots__ = ("guarded",)


def _anomaly(
    name: str, d: Any, g: Any, k: int, shapes: Any, inputs: Any, frames: Any, watcher: _Watcher
) -> AnomalyError:
    """Build the error: operation, element, values, shapes, and the line."""
    d, g = np.asarray(strip(d)), np.asarray(strip(g))
    if not _finite(g):
        bad = tuple(map(int, np.argwhere(~np.isfinite(g))[0]))
        got = (f"gradient {g[bad]} at {bad} from above: the seed of backward, a hook, or a sum of gradients "
               "that overflowed")  # fmt: skip
    else:
        bad = tuple(map(int, np.argwhere(~np.isfinite(d))[0]))
        got = f"gradient {d[bad]} at {bad}"
        if g.shape == d.shape:
            got += f", from {g[bad]} above"
        seen = [f"{np.broadcast_to(x, d.shape)[bad]}" for x in map(strip, inputs)
                if isinstance(x, ndarray) and np.broadcast_shapes(x.shape, d.shape) == d.shape]  # fmt: skip
        got += f", where its inputs are {', '.join(seen)}" if seen else ""
        got += f"; it is for input {k} of shapes {', '.join(map(str, shapes))}"
    text = message(name, got, "finite numbers") + f"\ncalled at {_told(frames)}"
    if watcher.first_nan:
        text += f"\nthe forward pass made its first NaN in {watcher.first_nan}"
    return AnomalyError(text)


def _finite(x: Any) -> bool:
    x = np.asarray(strip(x))
    return x.dtype.kind not in "fc" or bool(np.isfinite(x).all())


def _frames() -> list[tuple[str, int, str]]:
    """Return where we are, the innermost line of the user first, without the engine's own lines."""
    found, frame = [], sys._getframe(1)
    while frame is not None:
        code = frame.f_code
        if not code.co_filename.startswith((HERE, "<call of")):
            found.append((code.co_filename, frame.f_lineno, code.co_name))
        frame = frame.f_back  # type: ignore[assignment]
    inside = 0
    while inside < len(found) - 1 and found[inside][0].startswith(tuple(BESIDE)):
        inside += 1
    return found[inside : inside + 5] + found[:inside]


def _told(frames: list[tuple[str, int, str]]) -> str:
    return "\n  from ".join(
        f"{file}:{line} in {name}: {linecache.getline(file, line).strip()}" for file, line, name in frames
    )


# -- guarding arrays -------------------------------------------------------------------------------

_guards: dict[int, list[Any]] = {}  # id -> [array, by how many nodes it is guarded]


def _arrays(x: Any) -> list[Any]:
    """Return an array and what it is a view of; also inside boxes and tuples."""
    if isinstance(x, (tuple, list)):
        return [a for item in x for a in _arrays(item)]
    x, found = strip(x), []
    while isinstance(x, ndarray):
        found.append(x)
        x = x.base
    return found


def _guard(array: Any) -> bool:
    """Make an array read-only; tell whether it was not before, or was made so here."""
    entry = _guards.get(id(array))
    if entry is None:
        if not array.flags.writeable:
            return False
        entry = _guards[id(array)] = [array, 0]
        array.flags.writeable = False
    entry[1] += 1
    return True


def _free(arrays: list[Any]) -> None:
    """Let go of what a node guarded; a view can be written to again when what it shows can."""
    for array in arrays:
        _guards[id(array)][1] -= 1
    idle = [array for array, count in _guards.values() if not count]
    for array in sorted(idle, key=lambda a: a.base is not None):
        if array.base is None or array.base.flags.writeable:
            array.flags.writeable = True
            del _guards[id(array)]


_slot: Any = vars(Node)["released"]


class _Guarded(Node):
    """A node that lets go of the arrays it guarded when backward has used them, or it is dropped."""

    __slots__ = ()

    def _let_go(self) -> None:
        arrays, self.primitive.guarded = self.primitive.guarded, []
        _free(arrays)

    @property
    def released(self) -> bool:
        return bool(_slot.__get__(self))

    @released.setter
    def released(self, value: bool) -> None:
        _slot.__set__(self, value)
        if value:
            self._let_go()

    def __del__(self) -> None:
        self._let_go()
