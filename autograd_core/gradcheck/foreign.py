"""Code that was not written with this library: a forward and a backward in NumPy, or PyTorch's."""

from __future__ import annotations

import copy
import inspect
from collections.abc import Sequence
from typing import Any

import numpy as np

from ..node import strip
from ..transforms import flatten
from .arguments import arguments_of, double, finite, is_floating, nothing, selects
from .problem import Problem, Pullback, refuse

__all__ = ["is_torch", "problem_of_pair", "problem_of_torch"]


def problem_of_pair(
    f: Any, backward: Any, inputs: tuple[Any, ...], wrt: Any, names: list[str] | None = None
) -> Problem:
    """Return the problem of ``f(*arrays)`` whose backward is ``backward(g, *arrays)``, or (g)."""
    leaves = [strip(x) for x in inputs]
    arguments = [(name, i) for i, name in enumerate(names)] if names else arguments_of(f, inputs)
    places = [i for i, (x, (name, n)) in enumerate(zip(leaves, arguments, strict=True))
              if is_floating(x) and selects(wrt, name, n)]  # fmt: skip
    if not places:
        raise nothing(leaves, wrt, False, list(dict(arguments)))
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

    chosen = [arguments[i][0] for i in places]
    given = [leaves[i] for i in places]
    evaluate, pullback = arranged([strip(double(x)) for x in leaves])
    problem = Problem(chosen, finite(chosen, given), evaluate, pullback, rearranged=True)
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
    """Tell whether this is PyTorch's: a Function, a Module, or a function of tensors."""
    if isinstance(f, type):
        return issubclass(f, torch.autograd.Function)
    return isinstance(f, torch.nn.Module) or any(torch.is_tensor(x) for x in inputs)


def problem_of_torch(torch: Any, f: Any, inputs: tuple[Any, ...], wrt: Any) -> Problem:
    """Return the problem of code of PyTorch; the parameters of a Module come after its inputs."""
    spoken: Any = getattr(f, "forward", f)
    try:
        names = [name for name in inspect.signature(spoken).parameters if name != "ctx"]
    except (TypeError, ValueError):
        names = []
    count = len(inputs)
    names = [*names[:count], *(f"argument {i}" for i in range(len(names), count))]
    call: Any = getattr(f, "apply", f) if isinstance(f, type) else f
    if isinstance(f, torch.nn.Module):
        module, parameters = copy.deepcopy(f).double(), dict(f.named_parameters())
        names += parameters
        inputs = (*inputs, *parameters.values())

        def call(*xs: Any) -> Any:
            held = dict(zip(parameters, xs[count:], strict=True))
            return torch.func.functional_call(module, held, xs[:count])

    forward, backward = _as_numpy(torch, call)
    arrays = tuple(x.detach().cpu().numpy() if torch.is_tensor(x) else x for x in inputs)
    problem = problem_of_pair(forward, backward, arrays, wrt, names)
    problem.rearranged = False  # torch tensors have no negative strides
    if isinstance(f, torch.nn.Module):
        problem.native = None  # it has been made float64
    return problem


def _as_numpy(torch: Any, call: Any) -> tuple[Any, Any]:
    """Return a function of tensors and its backward as functions of arrays.

    Each call draws the same random numbers, and leaves PyTorch's generator as it was.
    """

    def tensors(xs: Any) -> list[Any]:
        return [torch.tensor(x) if isinstance(x, np.ndarray) else x for x in xs]

    def replayed(xs: Any) -> Any:
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(0)
            return call(*xs)

    def forward(*xs: Any) -> Any:
        with torch.no_grad():
            ys = replayed(tensors(xs))
        return tuple(y.numpy() for y in ys) if isinstance(ys, tuple) else ys.numpy()

    def backward(g: Any, *xs: Any) -> tuple[Any, ...]:
        ts = tensors(xs)
        places = [i for i, t in enumerate(ts) if torch.is_tensor(t) and t.is_floating_point()]
        ys = replayed([t.requires_grad_() if i in places else t for i, t in enumerate(ts)])
        ys, us = (ys, g) if isinstance(ys, tuple) else ((ys,), (g,))
        found = torch.autograd.grad(
            ys, [ts[i] for i in places], list(map(torch.tensor, us)), allow_unused=True)  # fmt: skip
        gradients: list[Any] = [None] * len(ts)
        for i, d in zip(places, found, strict=True):
            gradients[i] = None if d is None else d.numpy()
        return tuple(gradients)

    return forward, backward
