"""From what people give to a :class:`Problem`: a function, a Module, a NumPy pair, PyTorch code."""

from __future__ import annotations

import copy
import inspect
import sys
from collections.abc import Callable, Iterator, Sequence
from typing import Any

import numpy as np

from ..calls import wrap
from ..forward import Dual
from ..node import Box, enable_grad, no_grad, strip
from ..tensor import Tensor
from ..transforms import flatten, jvp, vjp
from .problem import Array, Problem, Pullback, refuse

__all__ = ["problems_of"]


def problems_of(f: Any, inputs: tuple[Any, ...], wrt: Any, backward: Any) -> list[Problem]:
    """Return what to check: one problem, or two for a Module that behaves otherwise in eval mode."""
    if not callable(f):
        raise refuse(TypeError, f"{type(f).__name__} as what to check", "a function or a Module")
    torch = sys.modules.get("torch")
    if torch is not None and backward is None and _is_torch(torch, f, inputs):
        problem = _pair(*_from_torch(torch, f, inputs), wrt)
        problem.rearranged = False  # torch tensors have no negative strides
        return [problem]
    if backward is not None:
        if not callable(backward):
            raise refuse(TypeError, f"vjp of type {type(backward).__name__}",
                         "a function vjp(g, *inputs)")  # fmt: skip
        return [_pair(f, backward, inputs, wrt)]
    problem = _recorded(f, inputs, wrt)
    if not hasattr(f, "named_parameters") or not hasattr(f, "eval"):
        return [problem]
    other = copy.deepcopy(f)
    other.train(not f.training)
    second = _recorded(other, inputs, wrt)
    for p, m in ((problem, f), (second, other)):
        p.state = "train" if m.training else "eval"
    return [problem, second]


# -- functions of Tensors, and Modules ---------------------------------------------------------


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
    arguments = _arguments(f, inputs)
    places = [i for i, (x, (name, n)) in enumerate(zip(leaves, arguments, strict=True))
              if _is_floating(x) and _selects(wrt, name, n)]  # fmt: skip
    chosen = [n for n, p in parameters.items() if _is_floating(p) and _selects(wrt, n, None)]
    if not places and not chosen:
        raise _nothing(leaves, wrt, module and not parameters)

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
    problem = _of_run(names, _finite(names, given), runner(_double))
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


# -- plain functions with a backward written by hand -------------------------------------------


def _pair(f: Any, backward: Any, inputs: tuple[Any, ...], wrt: Any) -> Problem:
    leaves = [strip(x) for x in inputs]
    arguments = _arguments(f, inputs)
    places = [i for i, (x, (name, n)) in enumerate(zip(leaves, arguments, strict=True))
              if _is_floating(x) and _selects(wrt, name, n)]  # fmt: skip
    if not places:
        raise _nothing(leaves, wrt, False)
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
    evaluate, pullback = arranged([strip(_double(x)) for x in leaves])
    problem = Problem(names, _finite(names, given), evaluate, pullback, rearranged=True)
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


def _is_torch(torch: Any, f: Any, inputs: tuple[Any, ...]) -> bool:
    function = torch.autograd.Function
    return (isinstance(f, type) and issubclass(f, function)) or any(
        isinstance(x, torch.Tensor) for x in inputs)  # fmt: skip


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


# -- arguments and their names -----------------------------------------------------------------


def _nothing(leaves: list[Any], wrt: Any, empty_module: bool) -> Exception:
    kinds = ", ".join(str(getattr(x, "dtype", type(x).__name__)) for x in leaves)
    got = (f"inputs of dtype {kinds}" if leaves else "no inputs") + (
        " and a module without parameters" if empty_module else "") + (
        "" if wrt == "all" else f" and wrt={wrt!r}")  # fmt: skip
    return refuse(TypeError, got, "something floating to differentiate",
                  "3.0 for 3, or x.astype(float)")  # fmt: skip


def _finite(names: list[str], given: list[Any]) -> list[Array]:
    xs = [np.array(x, float) for x in given]
    for name, x in zip(names, xs, strict=True):
        if not np.isfinite(x).all():
            raise refuse(ValueError, f"nan or infinity in {name!r}", "finite numbers")
    return xs


def _arguments(f: Any, inputs: tuple[Any, ...]) -> list[tuple[str, int]]:
    """Return (name, position) of each leaf among the inputs."""
    spoken = f.primitive.fun if hasattr(f, "primitive") else getattr(f, "forward", f)
    try:
        parameters = list(inspect.signature(spoken).parameters.values())
    except (TypeError, ValueError):
        parameters = []
    out = []
    for i, x in enumerate(inputs):
        known = i < len(parameters) and parameters[i].kind is not inspect.Parameter.VAR_POSITIONAL
        out += [(leaf, i) for leaf in _leaves(x, parameters[i].name if known else f"argument {i}")]
    return out


def _leaves(tree: Any, name: str) -> Iterator[str]:
    """Name the leaves of a nest, in the order of ``flatten``."""
    if isinstance(tree, dict):
        for key, item in tree.items():
            yield from _leaves(item, f"{name}[{key!r}]")
    elif isinstance(tree, (tuple, list)):
        for i, item in enumerate(tree):
            yield from _leaves(item, f"{name}[{i}]")
    else:
        yield name


def _selects(wrt: Any, name: str, position: int | None) -> bool:
    """Tell whether ``wrt`` asks for an argument; ``position`` is None for a parameter."""
    kind = "parameters" if position is None else "inputs"
    for item in [wrt] if isinstance(wrt, (str, int)) else wrt:
        if isinstance(item, int):
            if item == position:
                return True
        elif item in ("all", kind, name) or name.startswith((f"{item}.", f"{item}[")):
            return True
    return False


def _is_floating(x: Any) -> bool:
    kind = getattr(getattr(x, "dtype", None), "kind", "")
    if kind == "c" or isinstance(x, complex):
        raise refuse(TypeError, "a complex input", "real numbers")
    return isinstance(x, float) or kind == "f"


def _boxed(x: Any) -> Tensor:
    """Return a Tensor around a dual number: a module's parameters are Tensors at all times."""
    return x if isinstance(x, Tensor) else wrap(x)


def _double(x: Any) -> Any:
    """Return a float64 copy of what is floating, as the kind of thing it was; else itself."""
    if not _is_floating(x) or isinstance(x, float):
        return x
    value = np.array(strip(x), float)
    return wrap(value) if isinstance(x, Box) else value
