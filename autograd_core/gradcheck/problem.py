"""What is checked, whatever was given: a function of a flat list of float64 arrays."""

from __future__ import annotations

import copy
import inspect
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..calls import wrap
from ..errors import message
from ..forward import Dual
from ..node import Box, no_grad, strip
from ..tensor import Tensor
from ..transforms import flatten, jvp, vjp

__all__ = ["Array", "Problem", "problem_of"]

Array = NDArray[np.float64]
RTOL = {8: 1e-5, 4: 5e-3, 2: 0.1}  # bytes of an output's element: relative tolerance


def refuse(kind: type[Exception], got: str, expected: str, hint: str = "") -> Exception:
    """Build an error about what cannot be checked."""
    return kind(message("check_gradients", got, expected, hint))


@dataclass(slots=True)
class Problem:
    """A function to check at ``xs``, and a random direction ``u`` for each of its outputs."""

    names: list[str]
    xs: list[Array]  # the inputs that are differentiated
    run: Callable[[Sequence[Any]], tuple[Any, ...]]  # arrays or boxes -> outputs
    us: list[Any] = field(default_factory=list)  # zeros for outputs that are not floating
    floating: list[Array] = field(default_factory=list)  # the others
    size: float = 0.0  # of u * f(x): rounding noise is this times eps
    unit: float = 1.0  # what gradients are divided by when they are told: u, if it is one number
    rtol: float = RTOL[8]
    eps: float = float(np.finfo(float).eps)
    evaluations: int = 0

    def outputs(self, xs: Sequence[Any]) -> list[Any]:
        """Evaluate on Tensors of these values, recording nothing."""
        self.evaluations += 1
        with no_grad(), np.errstate(all="ignore"):
            return [strip(y) for y in self.run([wrap(np.array(x)) for x in xs])]

    def values(self, xs: Sequence[Any]) -> list[Array]:
        """Evaluate, and return the floating outputs in float64."""
        ys = [np.asarray(y) for y in self.outputs(xs)]
        return [y.astype(float) for y in ys if y.dtype.kind == "f"]

    def prepare(self, rng: np.random.Generator, rtol: float | None) -> None:
        """Look at the outputs, refuse what cannot be checked, and draw the directions."""
        ys = self.outputs(self.xs)
        for y in ys:
            if not isinstance(y, (np.ndarray, np.generic, float, int)):
                raise refuse(TypeError, f"a function that returns {type(y).__name__}",
                             "a Tensor, or a nest of Tensors", "return y")  # fmt: skip
        ys = [np.asarray(y) for y in ys]
        floating = [y for y in ys if y.dtype.kind == "f"]
        if not floating or any(y.dtype.kind == "c" for y in ys):
            raise refuse(TypeError, "outputs of dtype " + ", ".join(str(y.dtype) for y in ys),
                         "a floating output")  # fmt: skip
        if not all(np.isfinite(y).all() for y in floating):
            raise refuse(ValueError, "an output that is nan or infinite", "numbers", "other inputs")
        if not all(map(np.array_equal, floating, self.values(self.xs))):
            raise refuse(ValueError, "two different results for equal inputs", "the same twice",
                         "module.eval(), or a generator seeded inside the function")  # fmt: skip
        coarse = min((y.dtype for y in floating), key=lambda dtype: dtype.itemsize)
        self.eps = max(float(np.finfo(coarse).eps), self.eps)
        self.rtol = RTOL[min(coarse.itemsize, 8)] if rtol is None else rtol
        for y in ys:
            u = rng.standard_normal(y.shape) if y.dtype.kind == "f" else np.zeros(y.shape)
            self.us.append(u)
            if y.dtype.kind == "f":
                self.floating.append(u)
                self.size += float(np.linalg.norm(u * y))
        if len(ys) == 1 == ys[0].size:
            self.unit = float(self.us[0].item())

    def reverse(self) -> list[Array]:
        """Return J^T u as reverse mode gives it."""
        with no_grad(), np.errstate(all="ignore"):  # without recording: the way of backward()
            _, pull = vjp(lambda *x: self.run(x), *self.xs)
            return [np.asarray(strip(g), float) for g in pull(tuple(self.us))]

    def forward(self, vs: Sequence[Any]) -> float:
        """Return u . (J v) as forward mode gives it."""
        with no_grad(), np.errstate(all="ignore"):
            _, ts = jvp(lambda *x: self.run(x), tuple(self.xs), tuple(vs))
        return float(sum(np.vdot(u, strip(t)) for u, t in zip(self.us, ts, strict=True)))

    def gradient(self) -> Problem:
        """Return the problem one order up: the function x -> J(x)^T u."""

        def run(xs: Sequence[Any]) -> tuple[Any, ...]:
            _, pull = vjp(lambda *x: self.run(x), *xs)
            return pull(tuple(self.us))

        return Problem(self.names, self.xs, run)


# -- from what people give to a problem ------------------------------------------------------------


def problem_of(f: Any, inputs: tuple[Any, ...], wrt: Any) -> Problem:
    """Take a function and its inputs, or a Module besides, apart into a :class:`Problem`."""
    if not callable(f):
        raise refuse(TypeError, f"{type(f).__name__} as what to check", "a function or a Module")
    module = hasattr(f, "named_parameters")
    parameters: dict[str, Any] = {}
    for name, p in f.named_parameters() if module else ():
        if not any(p is q for q in parameters.values()):  # one that is shared has one name
            parameters[name] = p
    leaves, rebuild = flatten(inputs)
    arguments = _arguments(f, inputs)
    places = [i for i, (x, (name, n)) in enumerate(zip(leaves, arguments, strict=True))
              if _is_floating(x) and _selects(wrt, name, n)]  # fmt: skip
    chosen = [n for n, p in parameters.items() if _is_floating(p) and _selects(wrt, n, None)]
    if not places and not chosen:
        kinds = ", ".join(str(getattr(x, "dtype", type(x).__name__)) for x in leaves)
        got = (f"inputs of dtype {kinds}" if leaves else "no inputs") + (
            " and a module without parameters" if module and not parameters else "") + (
            "" if wrt == "all" else f" and wrt={wrt!r}")  # fmt: skip
        raise refuse(TypeError, got, "something floating to differentiate",
                     "3.0 for 3, or x.astype(float)")  # fmt: skip

    # The numerical side is float64 throughout, so what is held fixed is converted too.
    fixed = [_double(x) for x in leaves]
    held = {id(p): _double(p) for p in parameters.values()}

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
            ys = [y.data if isinstance(y, Tensor) and isinstance(y.data, Dual) else y for y in ys]
        return tuple(ys)

    names = [arguments[i][0] for i in places] + chosen
    xs = [np.array(strip(leaves[i]), float) for i in places]
    xs += [np.array(strip(parameters[name]), float) for name in chosen]
    for name, x in zip(names, xs, strict=True):
        if not np.isfinite(x).all():
            raise refuse(ValueError, f"nan or infinity in {name!r}", "finite numbers")
    return Problem(names, xs, run)


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
