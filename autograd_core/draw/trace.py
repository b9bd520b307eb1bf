"""Running a function so that all of it can be drawn: every value, every gradient, every module call.

While the function runs, a :class:`Tracer` stands in the recording switch and sees each node as it is
made. It keeps the value, and reads from the Python stack which calls of modules the operation was
made in. The gradients come from a side pass, which fires no hook and writes into no ``.grad``.
"""

from __future__ import annotations

import copy
import linecache
import sys
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from types import FrameType
from typing import Any

import numpy as np

from .. import random
from ..backward import propagate
from ..node import Node, Standin, recording, strip, watching
from ..primitive import Primitive
from ..tensor import Tensor

__all__ = ["Call", "Failure", "Tracer", "gradients", "is_module", "is_value", "value_gradients"]

PACKAGE = str(Path(__file__).parent.parent)


@dataclass(slots=True, eq=False)
class Call:
    """One call of a module, within that of another."""

    module: Any
    parent: Call | None
    inputs: frozenset[int]  # ids of the arrays and Tensors that it was called with


@dataclass(slots=True)
class Failure:
    """The operation that raised: what it was to be applied to, where, and the error."""

    error: Exception
    name: str
    inputs: list[Any]
    params: dict[str, Any]
    call: Call | None
    where: str


def is_module(x: Any) -> bool:
    """Recognise a module by what it has."""
    return hasattr(type(x), "named_parameters") and hasattr(type(x), "named_modules")


def is_value(x: Any) -> bool:
    """Recognise a scalar of the classroom's engine by what it has."""
    return hasattr(type(x), "_inputs") and hasattr(type(x), "label") and hasattr(x, "data")


class Tracer:
    """What the recording switch holds while a function is drawn."""

    def __init__(self) -> None:
        self.values: dict[Node, Any] = {}  # in the order of creation
        self.calls: dict[Node, Call] = {}
        self.constants: dict[int, Any] = {}  # a Standin's id -> the array that no rule needs
        self.variables: dict[str, Any] = {}  # the function's own, when it returned
        self.result: Any = None
        self.failure: Failure | None = None
        self._frames: dict[FrameType, Call] = {}
        self._base: FrameType | None = None
        self._body: FrameType | None = None
        self._code: Any = None
        self._outer: Any = None  # what watches already, such as detect_anomaly

    def run(self, f: Any, args: Sequence[Any], kwargs: Mapping[str, Any], modules: Iterable[Any]) -> None:
        """Call ``f``, and keep what it returns or how it failed; what it disturbs is put back."""
        body = getattr(f, "forward", f) if is_module(f) else f
        self._code = getattr(getattr(body, "__func__", body), "__code__", None)
        self._base = sys._getframe()
        outer = recording.get() or watching.get()
        self._outer = outer if hasattr(outer, "watch") else None
        tokens = watching.set(self), recording.set(self)
        scalars = any(map(is_value, (*args, *kwargs.values()))) and sys.getprofile() is None
        if scalars:  # Values are not recorded by the switch, so that no frame would be seen
            sys.setprofile(self._returned)
        try:
            with _undisturbed(modules):
                self.result = f(*args, **kwargs)
        except Exception as error:
            self._explain(error, getattr(f, "__name__", type(f).__name__))
        finally:
            if scalars:
                sys.setprofile(None)
            recording.reset(tokens[1])
            watching.reset(tokens[0])
            if self._body is not None:
                self.variables = dict(self._body.f_locals)
            self._frames.clear()
            self._base = self._body = self._outer = None  # frames would keep each other alive

    def watch(self, node: Node, y: Any) -> None:
        """Take note of a new node, whose value is ``y``."""
        frame = sys._getframe(1)
        if self._outer is not None:
            self._outer.watch(node, y)
        self.values[node] = y
        call = self._call(frame)
        if call is not None:
            self.calls[node] = call
        for i, (x, edge) in enumerate(zip(node.inputs, node.edges, strict=True)):
            if edge is None and type(x) is Standin:  # dropped, but the caller still has it
                held = frame.f_locals
                known = held.get("values")
                self.constants[id(x)] = held.get(f"v{i}") if known is None else known[i]

    def _returned(self, frame: FrameType, event: str, arg: Any) -> None:
        if event == "return" and frame.f_code is self._code:
            self.variables = dict(frame.f_locals)

    def _call(self, frame: FrameType | None) -> Call | None:
        """Find the calls of modules that a frame runs in."""
        inside: list[FrameType] = []
        call = None
        while frame is not None and frame is not self._base:
            call = self._frames.get(frame)
            if call is not None:
                break
            if frame.f_code is self._code and self._body is None:
                self._body = frame
            if frame.f_code.co_name == "__call__" and is_module(frame.f_locals.get("self")):
                inside.append(frame)
            frame = frame.f_back
        for frame in reversed(inside):
            module = frame.f_locals["self"]
            if call is None or call.module is not module:  # a __call__ that calls its super().__call__
                call = Call(module, call, frozenset(_given(frame)))
            self._frames[frame] = call
        return call

    def _explain(self, error: Exception, name: str) -> None:
        """Find the operation that raised; then let go of the frames, which hold everything."""
        frames = []
        tb = error.__traceback__
        while tb is not None:
            frames.append((tb.tb_frame, tb.tb_lineno))
            tb = tb.tb_next
        users = [(f, n) for f, n in frames if not _ours(f)]
        where = ""
        if users:
            frame, line = users[-1]
            path = frame.f_code.co_filename
            text = linecache.getline(path, line, frame.f_globals).strip()
            where = f"{Path(path).name}:{line}" + (f": {text}" if text else "")
        found = None
        for frame, _ in reversed(frames):
            held = _applied(frame)
            if held and (found is None or any(isinstance(x, Tensor) or is_value(x) for x in held[1])):
                found = *held, self._call(frame)
                if any(isinstance(x, Tensor) or is_value(x) for x in held[1]):
                    break
        if found is None:  # not in an operation: in the function itself, or in a module
            code = users[-1][0].f_code.co_name if users else name
            found = (name if code == "<lambda>" else code), [], {}, self._call(frames[-1][0])
        self.failure = Failure(error, found[0], found[1], found[2], found[3], where)
        for frame, _ in frames:
            if frame.f_code is self._code:
                self._body = frame
        if where:
            error.add_note(f"in the function that was drawn, at {where}")
        below: BaseException | None = error
        while below is not None:
            below.__traceback__ = None
            below = below.__cause__ or below.__context__


def _given(frame: FrameType) -> Iterator[int]:
    """Return the ids of what a module was called with: that lies outside of its box."""
    held = frame.f_locals
    for x in (*held.get("args", ()), *held.get("kwargs", {}).values()):
        for y in x if isinstance(x, (tuple, list)) else (x,):
            yield id(y)
            yield id(strip(y))


def _ours(frame: FrameType) -> bool:
    """Tell whether a frame belongs to the engine: what it calls is no line of the user's."""
    name = frame.f_code.co_filename
    return name.startswith((PACKAGE, "<call of "))


def _applied(frame: FrameType) -> tuple[str, list[Any], dict[str, Any]] | None:
    """Return operation, inputs and metadata, if a frame is the call of an operation."""
    if not _ours(frame):
        return None
    held = frame.f_locals
    primitive = held.get("prim")
    if not isinstance(primitive, Primitive):
        return None
    if "self" in held and "other" in held and is_value(held["self"]):
        return primitive.name, [held["self"], held["other"]], {}
    if "self" in held and is_value(held["self"]):
        return primitive.name, [held["self"]], {}
    arrays = list(held.get("args", ()))
    if "x0" in held:
        arrays = [held[f"x{i}"] for i in range(len(held)) if f"x{i}" in held]
    params = held.get("params")
    return (primitive.name, arrays, params if isinstance(params, dict) else {}) if arrays else None


@contextmanager
def _undisturbed(modules: Iterable[Any]) -> Iterator[None]:
    """Put back the library's random state, and the modules' modes and buffers (running means)."""
    generator = random._generator
    state = copy.deepcopy(generator.bit_generator.state) if generator is not None else None
    modes = [(m, m.training) for module in modules for m in module.modules()]
    buffers = [(m, name, x, x.copy()) for m, _ in modes for name in m._buffers
               if (x := getattr(m, name)) is not None]  # fmt: skip
    try:
        yield
    finally:
        random._generator = generator
        if generator is not None and state is not None:
            generator.bit_generator.state = state
        for m, mode in modes:
            m.training = mode
        for m, name, x, old in buffers:
            if not np.array_equal(x, old, equal_nan=x.dtype.kind in "fc"):
                np.copyto(x, old)
            object.__setattr__(m, name, x)


def gradients(roots: Sequence[Any]) -> tuple[dict[int, Any], tuple[Node, Exception] | None]:
    """Return the gradients of all that ``roots`` (of one element each) came from, by ``id``.

    Nothing is written, no hook is called, and the graph can still go backward afterwards.

    Returns:
        the gradients of nodes and leaves, and where a rule failed.
    """
    found: dict[int, Any] = {}
    before: dict[Node, tuple[Any, Any]] = {}
    seeds = [(t.edge, np.ones(t.shape, t.dtype)) for t in roots if t.edge is not None]
    stack = [edge for edge, _ in seeds]
    while stack:
        node = stack.pop()
        if isinstance(node, Node) and node not in before:
            before[node] = node.hooks, node.grad
            stack.extend(node.edges)

    def keep(node: Node) -> Any:
        def hook(g: Any) -> None:
            found[id(node)] = g

        return hook

    try:
        for node in before:
            node.hooks = [keep(node)]
        released = {node for node in before if node.released}
        _, leaves = propagate(seeds, retain=True, targets=released)
        found.update((id(leaf), g) for leaf, g in leaves)
    except Exception as error:  # a rule is anybody's code
        tb, node = error.__traceback__, None
        while tb is not None:
            if tb.tb_frame.f_code is propagate.__code__:
                node = tb.tb_frame.f_locals.get("node")
            tb = tb.tb_next
        error.__traceback__ = None
        return found, (node, error) if node is not None else None
    finally:
        for node, (hooks, grad) in before.items():
            node.hooks, node.grad = hooks, grad
    return found, None


def value_gradients(roots: Sequence[Any]) -> dict[int, float]:
    """Return the gradients of all Values behind ``roots``, by ``id``; ``grad`` stays as it is."""
    seen: dict[int, Any] = {}
    stack = list(roots)
    while stack:
        v = stack.pop()
        if id(v) not in seen:
            seen[id(v)] = v
            v._bar = 0.0
            stack.extend(v._inputs)
    for root in roots:
        root._bar += 1.0
    for v in sorted(seen.values(), key=lambda v: -v._id):
        if v._pull is not None:
            v._pull(v, v._bar)
    return {key: v._bar for key, v in seen.items()}
