"""From what people give to a :class:`Problem`: functions of Tensors, and Modules."""

from __future__ import annotations

import copy
import sys
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from ..calls import wrap
from ..forward import Dual
from ..node import enable_grad, no_grad, strip
from ..tensor import Tensor
from ..transforms import flatten, jvp, vjp
from .arguments import arguments_of, double, finite, is_floating, nothing, selects
from .foreign import is_torch, problem_of_pair, problem_of_torch
from .problem import Array, Problem, Pullback, refuse

__all__ = ["problems_of"]


def problems_of(f: Any, inputs: tuple[Any, ...], wrt: Any, backward: Any) -> list[Problem]:
    """Return what to check: one problem, or two for a Module that behaves otherwise in eval mode."""
    if not callable(f):
        raise refuse(TypeError, f"{type(f).__name__} as what to check", "a function or a Module")
    torch = sys.modules.get("torch")
    if torch is not None and backward is None and is_torch(torch, f, inputs):
        return [problem_of_torch(torch, f, inputs, wrt)]
    if backward is not None:
        if not callable(backward):
            raise refuse(TypeError, f"vjp of type {type(backward).__name__}",
                         "a function vjp(g, *inputs)")  # fmt: skip
        return [problem_of_pair(f, backward, inputs, wrt)]
    if isinstance(f, type) and hasattr(f, "named_parameters"):
        raise refuse(TypeError, f"the class {f.__name__}", "a module", f"{f.__name__}(...)")
    problem = _recorded(f, inputs, wrt)
    if not hasattr(f, "named_parameters") or not hasattr(f, "eval"):
        return [problem]
    other = copy.deepcopy(f)
    other.train(not f.training)
    second = _recorded(other, inputs, wrt)
    for p, m in ((problem, f), (second, other)):
        p.state = "train" if m.training else "eval"
    return [problem, second]


def _recorded(f: Any, inputs: tuple[Any, ...], wrt: Any) -> Problem:
    module = hasattr(f, "named_parameters")
    parameters: dict[str, Any] = {}
    notes = []
    for name, p in f.named_parameters(remove_duplicate=False) if module else ():
        first = next((n for n, q in parameters.items() if q is p), None)
        if first is None:
            parameters[name] = p
        else:  # one that is shared is checked under its first name
            notes.append(f"{name!r} is the same parameter as {first!r}")
    leaves, rebuild = flatten(inputs)
    arguments = arguments_of(f, inputs)
    places = [i for i, (x, (name, n)) in enumerate(zip(leaves, arguments, strict=True))
              if is_floating(x) and selects(wrt, name, n)]  # fmt: skip
    chosen = [n for n, p in parameters.items() if is_floating(p) and selects(wrt, n, None)]
    if not places and not chosen:
        raise nothing(leaves, wrt, module and not parameters, [*dict(arguments), *parameters])

    def runner(convert: Callable[[Any], Any]) -> Callable[[Sequence[Any]], tuple[Any, ...]]:
        fixed = [convert(x) for x in leaves]
        held = {id(p): convert(p) for p in parameters.values()}

        def run(values: Sequence[Any]) -> tuple[Any, ...]:
            filled = [np.array(x) if isinstance(x, np.ndarray) else x for x in fixed]
            for i, x in zip(places, values, strict=False):
                filled[i] = x
            target = f
            if module:  # a copy that holds these values: the module itself is never touched
                rest = zip(chosen, values[len(places) :], strict=True)
                changed = {id(parameters[name]): _boxed(x) for name, x in rest}
                target = copy.deepcopy(f, held | changed)
            ys = flatten(target(*rebuild(filled)))[0]
            if any(isinstance(x, Dual) for x in values):
                ys = [y.data if isinstance(y, Tensor) and isinstance(y.data, Dual) else y
                      for y in ys]  # fmt: skip
            return tuple(ys)

        return run

    names = [arguments[i][0] for i in places] + chosen
    given = [strip(leaves[i]) for i in places] + [strip(parameters[name]) for name in chosen]
    problem = _of_run(names, finite(names, given), runner(double))
    problem.notes = notes
    problem.rearranged = not module
    if any(np.asarray(x).dtype.itemsize < 8 for x in given):
        run = runner(lambda x: np.array(x) if isinstance(x, np.ndarray) else copy.deepcopy(x))
        natives = [np.asarray(x) for x in given]
        if parameters:  # a module takes data in the dtype of its parameters
            dtype = next(iter(parameters.values())).dtype
            natives = [x.astype(dtype) for x in natives]
        problem.native = natives, _recording(run)
    return problem


def _of_run(names: list[str], xs: list[Array], run: Callable[..., tuple[Any, ...]]) -> Problem:
    """Return the problem of a function of Tensors; the numerical side records nothing."""

    def evaluate(xs: Sequence[Any]) -> list[Any]:
        with no_grad():
            return [strip(y) for y in run([wrap(x) for x in xs])]

    def push(xs: Sequence[Any], vs: Sequence[Any]) -> list[Any]:
        with no_grad():
            return [strip(t) for t in jvp(lambda *x: run(x), tuple(xs), tuple(vs))[1]]

    def accumulated(us: Sequence[Any]) -> list[Any]:
        leaves = [Tensor(x, requires_grad=True) for x in xs]
        for t in leaves:
            t.grad = np.ones(t.shape)
        with enable_grad():
            ys = run(leaves)
            total: Any = sum((y * u).sum() for y, u in zip(ys, us, strict=True)
                             if isinstance(y, Tensor) and y.requires_grad)  # fmt: skip
        if isinstance(total, Tensor):
            total.backward()
        return [np.asarray(strip(t.grad)) - 1 for t in leaves]

    def higher(us: list[Any]) -> Problem:
        def gradient(xs: Sequence[Any]) -> tuple[Any, ...]:
            _, pull = vjp(lambda *x: run(x), *xs)
            return pull(tuple(us))

        return _of_run(names, xs, gradient)

    return Problem(names, xs, evaluate, _recording(run), push, accumulated, higher=higher)


def _recording(run: Callable[..., tuple[Any, ...]]) -> Callable[[Sequence[Any]], Pullback]:
    def pullback(xs: Sequence[Any]) -> Pullback:
        with no_grad():  # gradients themselves are not recorded: the way of backward()
            _, pull = vjp(lambda *x: run(x), *xs)

        def back(us: Sequence[Any]) -> list[Any]:
            with no_grad():
                return [strip(g) for g in pull(tuple(us))]

        return back

    return pullback


def _boxed(x: Any) -> Tensor:
    """Return a Tensor around a dual number: a module's parameters are Tensors at all times."""
    return x if isinstance(x, Tensor) else wrap(x)
