"""Drawing a function: its inputs made ready, run under a tracer, and read."""

from __future__ import annotations

import inspect
from collections.abc import Iterable, Iterator, Mapping, Sequence
from functools import partial
from typing import Any

import numpy as np

from ..errors import message
from ..node import Node, strip
from ..tensor import Tensor
from .reader import _Reader
from .trace import Tracer, gradients, is_module, is_value, value_gradients

__all__ = ["is_function", "run"]


def is_function(x: Any) -> bool:
    """Tell whether ``x`` is run to be drawn, rather than drawn as it is."""
    return callable(x) and not isinstance(x, Tensor) and not is_value(x)


def run(
    f: Any, inputs: Any, names: Mapping[str, Any] | None, variables: Iterable[Mapping[str, Any]]
) -> tuple[_Reader, list[Any], Exception | None]:
    """Run ``f`` and read all of it.

    Returns:
        what was read, what ``f`` returned of it, and what ``f`` (or a gradient) raised.
    """
    args, kwargs = ((), dict(inputs)) if isinstance(inputs, Mapping) else (tuple(inputs), {})
    near = _modules_near(f, args)
    dtype = next((p.dtype for m in near for p in m.parameters() if p.dtype.kind == "f"), None)
    called = _arguments(f, [_ready(x, dtype) for x in args], {k: _ready(x, dtype) for k, x in kwargs.items()})
    tracer = Tracer()
    tracer.run(f, called.args, called.kwargs, near)
    reader = _Reader(names or {}, tracer)
    given = dict(_spread(called.arguments))
    reader.given = {id(y) for x in given.values() if hasattr(x, "shape") for y in (x, strip(x))}
    for scope in (given, tracer.variables, *variables):
        reader.names.find(scope)
    if tracer.failure is not None:
        held = [x for x in [*tracer.failure.inputs, *tracer.variables.values()]
                if isinstance(x, Tensor) or is_value(x)]  # fmt: skip
        reader.read([], [*map(reader.place, held), *_unused(tracer)])
        reader.fail(tracer.failure)
        return reader, [], tracer.failure.error
    tops = [reader.place(x) for x in _results(tracer.result)]
    if not tops and not tracer.values:
        raise TypeError(message(
            "draw", f"a function that returned {type(tracer.result).__name__} and recorded nothing",
            "one that computes with its inputs", "decimal inputs, such as draw(f, 2.0, -3.0)"))  # fmt: skip
    failed = _back(tracer.result, reader)
    reader.read(tops, [] if tops else _unused(tracer))
    if failed is None:
        return reader, tops, None
    node, error = failed
    key = reader.keys.get(id(node), "").replace("t", "op")
    for v in reader.picture.vertices:
        if v.key == key:
            v.error, v.note = f"{type(error).__name__}: {error}", "its gradient failed"
    return reader, tops, error


def _arguments(f: Any, args: Sequence[Any], kwargs: Mapping[str, Any]) -> inspect.BoundArguments:
    """Bind inputs to the names of the function's arguments."""
    body = f.forward if is_module(f) else f
    who = getattr(f, "__name__", type(f).__name__)
    try:
        signature = inspect.signature(body)
    except (ValueError, TypeError):  # NumPy's functions have none
        count = getattr(body, "nin", max(len(args), 1))
        one = inspect.Parameter
        signature = inspect.Signature([one(f"x{i}", one.POSITIONAL_ONLY) for i in range(count)])
    try:
        return signature.bind(*args, **kwargs)
    except TypeError as error:
        wanted = ", ".join(p.name for p in signature.parameters.values() if p.default is p.empty)
        subject, call = ("a module", "model") if is_module(f) else (f"the function {who}", "f")
        raise TypeError(message("draw", f"{subject} and {len(args) + len(kwargs) or 'no'} inputs",
                                f"its inputs: {error}",
                                f"draw({call}, {wanted})")) from None  # fmt: skip


def _spread(arguments: Mapping[str, Any]) -> Iterator[tuple[str, Any]]:
    """Name each member of ``*args`` and ``**kwargs`` too."""
    for name, x in arguments.items():
        if isinstance(x, tuple):
            yield from ((f"{name}[{i}]", y) for i, y in enumerate(x))
        elif isinstance(x, dict):
            yield from x.items()
        yield name, x


def _ready(x: Any, dtype: Any) -> Any:
    """Make an input a Tensor that requires grad, so that its gradient shows.

    Where modules are at work (``dtype`` is that of their parameters) arrays are data: they stay
    arrays, in that dtype, as the modules would take them.
    """
    if dtype is not None:
        return x.astype(dtype, copy=False) if isinstance(x, np.ndarray) and x.dtype.kind == "f" else x
    if isinstance(x, (float, np.floating)) or (isinstance(x, np.ndarray) and x.dtype.kind == "f"):
        return Tensor(x, requires_grad=True)
    return x


def _modules_near(f: Any, args: Sequence[Any]) -> list[Any]:
    """Find the modules that a function uses: itself, what it closes over, its globals, its inputs."""
    found = [f, *args, getattr(f, "__self__", None)]
    if isinstance(f, partial):
        found += [*_modules_near(f.func, f.args), *f.keywords.values()]
    for cell in getattr(f, "__closure__", None) or ():
        try:
            found.append(cell.cell_contents)
        except ValueError:  # not assigned yet
            continue
    code, variables = getattr(f, "__code__", None), getattr(f, "__globals__", {})
    found += [variables[name] for name in getattr(code, "co_names", ()) if name in variables]
    found += getattr(found[len(args) + 1], "__dict__", {}).values()
    for x in list(found):
        found += x.values() if isinstance(x, dict) else x if isinstance(x, (list, tuple)) else ()
    return list({id(m): m for m in found if is_module(m)}.values())


def _results(x: Any) -> list[Any]:
    """Return the Tensors and Values in nested tuples, lists and dictionaries."""
    if isinstance(x, Tensor) or is_value(x):
        return [x]
    members = x.values() if isinstance(x, Mapping) else x if isinstance(x, (tuple, list)) else ()
    return [y for member in members for y in _results(member)]


def _unused(tracer: Tracer) -> list[Node]:
    """Return the recorded results that nothing else was made from."""
    used = {id(edge) for node in tracer.values for edge in node.edges}
    return [node for node in tracer.values if id(node) not in used]


def _back(result: Any, reader: _Reader) -> tuple[Any, Exception] | None:
    """Take the gradients, if all that was returned has one element each."""
    results = [r for r in _results(result) if is_value(r) or r.requires_grad]
    tensors = [r for r in results if isinstance(r, Tensor)]
    values = [r for r in results if is_value(r)]
    failed = None
    if tensors and all(t.size == 1 for t in tensors):
        found, failed = gradients(tensors)
        reader.gradients.update(found)
    if values:
        reader.gradients.update(value_gradients(values))
    return failed
