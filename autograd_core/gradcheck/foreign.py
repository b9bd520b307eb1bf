"""Code that was not written with this library: a forward and a backward in NumPy, or PyTorch's."""

from __future__ import annotations

import inspect
from collections.abc import Sequence
from typing import Any

import numpy as np

from ..node import strip
from ..transforms import flatten
from .arguments import arguments_of, double, finite, is_floating, nothing, selects
from .problem import Problem, Pullback, refuse

__all__ = ["is_torch", "problem_of_pair", "problem_of_torch"]


def problem_of_pair(f: Any, backward: Any, inputs: tuple[Any, ...], wrt: Any) -> Problem:
    """Return the problem of ``f(*arrays)`` whose backward is ``backward(g, *arrays)``, or (g)."""
    leaves = [strip(x) for x in inputs]
    arguments = arguments_of(f, inputs)
    places = [i for i, (x, (name, n)) in enumerate(zip(leaves, arguments, strict=True))
              if is_floating(x) and selects(wrt, name, n)]  # fmt: skip
    if not places:
        raise nothing(leaves, wrt, False)
    alone = _takes_only_the_gradient(backward, len(inputs))

    def arranged(fixed: Sequence[Any]) -> tuple[Any, Any]:
        def fill(values: Sequence[Any]) -> list[Any]:
            filled = [np.array(x) if isinstance(x, np.ndarray) else x for x in fixed]
            for i, x in zip(places, values, strict=True):
                filled[i] = x
            return filled

        def evaluate(xs: Sequence[Any]) -> list[Any]:
            return flatten(f(*fill(xs)))[0]

        def pullback(xs: Sequence[Any]) -> Pullback:
            filled = fill(xs)

            def back(us: Sequence[Any]) -> list[Any]:
                g = us[0] if len(us) == 1 else tuple(us)
                if alone:
                    f(*filled)  # a layer that remembers what it saw
                given = backward(g) if alone else backward(g, *filled)
                several = isinstance(given, tuple) or (isinstance(given, list) and len(inputs) > 1)
                gradients = list(given) if several else [given]
                if len(gradients) == len(places) != len(inputs):
                    return gradients
                if len(gradients) != len(inputs):
                    raise refuse(ValueError, f"{len(gradients)} gradients from vjp",
                                 f"one for each of {len(inputs)} inputs")  # fmt: skip
                return [gradients[i] for i in places]

            return back

        return evaluate, pullback

    names = [arguments[i][0] for i in places]
    given = [leaves[i] for i in places]
    evaluate, pullback = arranged([strip(double(x)) for x in leaves])
    problem = Problem(names, finite(names, given), evaluate, pullback, rearranged=True)
    if any(np.asarray(x).dtype.itemsize < 8 for x in given):
        problem.native = [np.asarray(x) for x in given], arranged(leaves)[1]
    return problem


def _takes_only_the_gradient(backward: Any, inputs: int) -> bool:
    try:
        signature = inspect.signature(backward)
        signature.bind(*range(inputs + 1))
    except TypeError:
        return True
    except ValueError:
        return False
    return False



# -- PyTorch -----------------------------------------------------------------------------------


def is_torch(torch: Any, f: Any, inputs: tuple[Any, ...]) -> bool:
    function = torch.autograd.Function
    return (isinstance(f, type) and issubclass(f, function)) or any(
        isinstance(x, torch.Tensor) for x in inputs)  # fmt: skip


def problem_of_torch(torch: Any, f: Any, inputs: tuple[Any, ...], wrt: Any) -> Problem:
    """Return the problem of a function of torch tensors, or of a ``torch.autograd.Function``."""
    problem = problem_of_pair(*_from_torch(torch, f, inputs), wrt)
    problem.rearranged = False  # torch tensors have no negative strides
    return problem


def _from_torch(torch: Any, f: Any, inputs: tuple[Any, ...]) -> tuple[Any, Any, tuple[Any, ...]]:
    """Return code of PyTorch as a pair of NumPy functions."""
    call: Any = getattr(f, "apply", f) if isinstance(f, type) else f
    arrays = tuple(x.detach().cpu().numpy() if isinstance(x, torch.Tensor) else x for x in inputs)

    def tensors(xs: Any) -> list[Any]:
        return [torch.tensor(x) if isinstance(x, np.ndarray) else x for x in xs]

    def forward(*xs: Any) -> Any:
        with torch.no_grad():
            ys = call(*tensors(xs))
        return tuple(y.numpy() for y in ys) if isinstance(ys, tuple) else ys.numpy()

    def backward(g: Any, *xs: Any) -> tuple[Any, ...]:
        ts = tensors(xs)
        wanted = [t.requires_grad_() for t in ts if torch.is_tensor(t) and t.is_floating_point()]
        ys = call(*ts)
        several = isinstance(ys, tuple)
        gradients = iter(torch.autograd.grad(
            ys if several else (ys,), wanted, [torch.tensor(u) for u in (g if several else (g,))],
            allow_unused=True))  # fmt: skip
        return tuple(
            next(gradients) if torch.is_tensor(t) and t.is_floating_point() else None for t in ts
        )

    def as_arrays(g: Any, *xs: Any) -> tuple[Any, ...]:
        return tuple(None if d is None else d.numpy() for d in backward(g, *xs))

    forward.__name__ = getattr(f, "__name__", type(f).__name__)
    spoken: Any = getattr(f, "forward", f) if isinstance(f, type) else f
    try:
        names = [p for p in inspect.signature(spoken).parameters if p != "ctx"]
        forward.__signature__ = inspect.Signature(  # type: ignore[attr-defined]
            [inspect.Parameter(n, inspect.Parameter.POSITIONAL_ONLY) for n in names])  # fmt: skip
    except (TypeError, ValueError):
        pass
    return forward, as_arrays, arrays
