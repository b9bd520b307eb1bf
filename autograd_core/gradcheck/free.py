"""What can be found without finite differences, at the cost of about two evaluations.

A pullback is linear in the incoming gradient u, says the same twice, leaves alone what it is given,
and returns for each input a finite array of its shape. Much of what is wrong in layers written by
hand breaks one of these.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial
from typing import Any

import numpy as np

from .diagnose import Hint
from .differences import typical
from .problem import Array, Problem, norm, replayed
from .report import Fault, Report

__all__ = ["free_checks", "layouts", "precision"]


def free_checks(problem: Problem, report: Report, rng: np.random.Generator) -> list[Any] | None:
    """Look at forward and backward once; return the gradients, or None if they are of no use."""

    def fault(kind: str, text: str, argument: str = "") -> None:
        report.faults.append(Fault(argument, problem.state, Hint(kind, text)))

    xs, us = [np.array(x) for x in problem.xs], [np.array(u) for u in problem.us]
    ys = problem.outputs(xs)
    for name, x, was in zip(problem.names, xs, problem.xs, strict=True):
        if not np.array_equal(x, was):
            fault("mutates", "forward writes into this input", name)
    floating = [np.asarray(y, float) for y in ys if np.asarray(y).dtype.kind == "f"]
    rtol = max(1e-11, 100 * problem.eps)
    if not _same(floating, problem.ys, rtol):
        fault("random", "forward gives two different results for equal inputs; a random layer "
              "must draw from nn.random.generator(), or be seeded inside the function")  # fmt: skip
        return None

    xs = [np.array(x) for x in problem.xs]
    try:
        pull = problem.back(xs)
        first = [_kept(g) for g in pull(us)]
        second = pull([np.array(u) for u in problem.us])
        fresh = problem.gradients()
    except Exception as error:
        report.stopped = error
        fault("raises", f"backward raised {type(error).__name__}: {error}")
        return None
    for name, g in zip(problem.names, first, strict=True):
        if g is not None and g.dtype.kind not in "biufc":
            fault("dtype", f"the gradient has dtype {g.dtype}, expected float64", name)
            return None
    for u, was in zip(us, problem.us, strict=True):
        if not np.array_equal(u, was, equal_nan=True):
            fault("mutates", "backward writes into the gradient that it is given")
    for name, x, was in zip(problem.names, xs, problem.xs, strict=True):
        if not np.array_equal(x, was) and not any(f.hint.kind == "mutates" for f in report.faults):
            fault("mutates", "backward writes into this input", name)
    before = len(report.faults)
    for name, x, g in zip(problem.names, problem.xs, first, strict=True):
        _look(problem, x, g, partial(fault, argument=name))
    usable = not any(f.hint.kind == "not finite" for f in report.faults[before:]) and all(
        g is None or g.dtype.kind == "f" for g in first)  # fmt: skip
    if not _same(second, first, rtol):
        stale = _same(fresh, first, rtol)
        fault("stale" if stale else "random", "a second backward of the same forward differs from "
              "the first" if stale else "backward gives two different results for equal inputs")
        return None  # fmt: skip
    if not _same(fresh, first, rtol):
        fault("stale", "forward and backward run anew give another gradient than the first time")
        return None
    if not usable or not _linear(problem, first, rng, fault):
        return None
    if problem.accumulated is not None:
        _accumulation(problem, first, fault)
    return first


def _kept(g: Any) -> Any:
    return None if g is None else np.array(g)


def _same(a: Sequence[Any], b: Sequence[Any], rtol: float = 1e-11) -> bool:
    """Tell whether these are the same arrays but for rounding (threads may add in another order)."""
    return len(a) == len(b) and all(
        x is y is None or (x is not None and y is not None and np.shape(x) == np.shape(y)
                           and np.allclose(x, y, rtol, rtol * _largest(y), equal_nan=True))
        for x, y in zip(a, b, strict=True))  # fmt: skip


def _largest(y: Any) -> float:
    return float(np.max(np.abs(y), initial=0.0, where=np.isfinite(y)))


def _look(problem: Problem, x: Array, g: Any, fault: Callable[[str, str], None]) -> None:
    """Look at one gradient: is there one, of which shape and dtype, and is it finite?"""
    if g is None:
        return  # whether one is missing, the numbers tell
    g = np.asarray(g)
    if g.dtype.kind != "f":
        fault("dtype", f"the gradient has dtype {g.dtype}, expected {x.dtype}")
    elif g.dtype.itemsize < 8 and problem.eps < 1e-10:
        fault("dtype", f"the gradient of a {x.dtype} input has dtype {g.dtype}")
    if g.shape == x.shape and g.dtype.kind == "f" and not np.isfinite(g).all():
        bad = [tuple(map(int, i)) for i in np.argwhere(~np.isfinite(g))]
        where = f"at index {bad[0]}" + (f" and {len(bad) - 1} more" if len(bad) > 1 else "")
        fault("not finite", f"the gradient is {g[bad[0]]} {where}, where the input is "
              f"{x[bad[0]]:.6g}")  # fmt: skip


def _linear(
    problem: Problem, first: list[Any], rng: np.random.Generator, fault: Callable[..., None]
) -> bool:
    """Check J^T (a u + b w) = a J^T u + b J^T w, and J^T 0 = 0."""
    ws = [rng.standard_normal(u.shape).astype(u.dtype) if u.any() else np.array(u)
          for u in problem.us]  # fmt: skip
    try:
        other = problem.gradients(ws)
        mixed = problem.gradients([(-2.0 * u + 3.0 * w).astype(u.dtype)
                                   for u, w in zip(problem.us, ws, strict=True)])  # fmt: skip
        negative = problem.gradients([-u for u in problem.us])
        zero = problem.gradients([np.zeros_like(u) for u in problem.us])
    except Exception as error:
        fault("raises", f"backward raised {type(error).__name__} for another incoming gradient: "
              f"{error}")  # fmt: skip
        return False
    for name, x, g, w, m, n, z in zip(
        problem.names, problem.xs, first, other, mixed, negative, zero, strict=True
    ):
        if g is None or any(d is None or np.shape(d) != np.shape(g) for d in (w, m, n, z)):
            continue
        g, w, m, n, z = (np.asarray(d, float) for d in (g, w, m, n, z))
        size = norm(g) + norm(w)
        rounding = 1e4 * problem.eps * problem.size / typical(x)
        slack = max(1e-10, 1e3 * problem.eps) * size + rounding
        if np.array_equal(m, g) and np.array_equal(n, g) and g.any():
            fault("upstream ignored", "the same gradient comes whatever comes from above: multiply "
                  "by the incoming gradient", name)  # fmt: skip
            return False
        off = max(norm(m - (-2 * g + 3 * w)), norm(n + g))
        if off > slack and off < 0.01 * size:
            fault("precision", f"the gradient is linear in the incoming one only to {off / size:.0e} "
                  "of its size: is something computed in a lower precision?", name)  # fmt: skip
            return False
        if off > slack:
            text = "it is the same for u and for -u (is |u| or u * u taken?)" if (
                norm(n - g) <= slack) else "it is not J^T u for any J"  # fmt: skip
            fault("not linear", f"the gradient is not linear in the incoming gradient u: {text}",
                  name)  # fmt: skip
            return False
        if z.any():
            fault("not linear", "a zero incoming gradient gives a gradient that is not zero", name)
            return False
    return True


def _accumulation(problem: Problem, first: list[Any], fault: Callable[..., None]) -> None:
    assert problem.accumulated is not None
    try:
        with replayed(problem.draws):
            added = problem.accumulated(problem.us)
    except Exception as error:
        fault("raises", f"backward() into an existing .grad raised {type(error).__name__}: {error}")
        return
    for name, g, a in zip(problem.names, first, added, strict=True):
        if g is not None and np.shape(g) == np.shape(a) and np.isfinite(g).all():
            size = norm(g) + 1.0
            if norm(a - np.asarray(g, float)) > max(1e-9, 1e4 * problem.eps) * size:
                fault("accumulates", "backward() into an existing .grad does not add the gradient",
                      name)  # fmt: skip


def precision(problem: Problem, report: Report, first: list[Any]) -> None:
    """Hold the gradient in the precision that was given against the one in float64.

    What a change of the inputs by their own rounding changes is forgiven. Where that is all of a gradient,
    it is 0 but for rounding (a bias before batch normalization), which is larger in the coarser precision.
    """
    if problem.native is None:
        return
    natives, pullback = problem.native
    try:
        with replayed(problem.draws):
            given = pullback([np.array(x) for x in natives])(
                [np.asarray(u, _coarsest(natives)) for u in problem.us])  # fmt: skip
    except Exception as error:
        hint = Hint("raises", f"backward raised {type(error).__name__} in the precision given: {error}")
        report.faults.append(Fault("", problem.state, hint))
        return
    eps = max(float(np.finfo(x.dtype).eps) for x in natives)
    signs = np.random.default_rng(0)
    nudged = problem.back([x * (1 + eps * signs.choice([-1.0, 1.0], x.shape)) for x in problem.xs])(
        problem.us)  # fmt: skip
    for name, x, native, low, high, near in zip(
        problem.names, problem.xs, natives, given, first, nudged, strict=True
    ):
        if low is None or high is None or np.shape(low) != np.shape(high) or near is None:
            continue
        low, high = np.asarray(low), np.asarray(high, float)
        if low.dtype != native.dtype and low.dtype.itemsize > native.dtype.itemsize:
            hint = Hint("dtype", f"the gradient of a {native.dtype} input has dtype {low.dtype}")
            report.faults.append(Fault(name, problem.state, hint))
        off = norm(low.astype(float) - high)
        size, noise = norm(high), norm(np.asarray(near, float) - high)
        forgiven = 30 * noise
        if noise > 0.1 * size:
            forgiven = max(forgiven, 100 * eps / float(np.finfo(float).eps) * noise)
        if not off <= forgiven + 1e3 * eps * size + 1e-30 * x.size:
            hint = Hint("precision", f"in {native.dtype} the gradient differs from the one in "
                        f"float64 by {off / size if size else np.inf:.1e} of its size; its inputs "
                        f"are good for {forgiven / 30 / size if size else 0:.0e}")  # fmt: skip
            report.faults.append(Fault(name, problem.state, hint))


def _coarsest(natives: list[Any]) -> Any:
    return min((x.dtype for x in natives), key=lambda dtype: dtype.itemsize)


def layouts(problem: Problem, report: Report, first: list[Any]) -> None:
    """Repeat with the same numbers in other memory: Fortran order, negative strides, stride 0, one
    array twice; and with 0-d and empty inputs.
    """
    if not problem.rearranged or any(g is None for g in first):
        return
    flat = [np.broadcast_to(x.flat[0] if x.size else 0.0, x.shape) for x in problem.xs]
    repeats = {
        "in Fortran order": ([np.array(x, order="F") for x in problem.xs], first),
        "with negative strides": ([_reversed(x) for x in problem.xs], first),
        "that is broadcast (stride 0)": (flat, None),
    }
    for what, (xs, expected) in repeats.items():
        try:
            if expected is None:
                expected = problem.back([np.array(x) for x in xs])(problem.us)
                if not all(g is not None and np.isfinite(g).all() for g in expected):
                    continue  # nothing to compare with at these values
            elif all(x.ndim == 0 for x in xs):
                continue
        except Exception:
            continue
        try:
            right = _same(problem.back(xs)(problem.us), expected, 1e-7)
            text = f"an input {what} gives another gradient than the same numbers do otherwise"
        except Exception as error:
            right, text = False, f"an input {what} makes it raise {type(error).__name__}: {error}"
        if not right:
            report.faults.append(Fault("", problem.state, Hint("layout", text)))
    _aliased(problem, report)
    _small_shapes(problem, report)


def _aliased(problem: Problem, report: Report) -> None:
    """Repeat with one array as two inputs, where two have the same shape."""
    shapes = [x.shape for x in problem.xs]
    pair = next(((i, shapes.index(s, i + 1)) for i, s in enumerate(shapes) if s in shapes[i + 1 :]),
                None)  # fmt: skip
    if pair is None:
        return
    i, j = pair
    xs = [np.array(x) for x in problem.xs]
    try:
        equal = [np.array(xs[i if n == j else n]) for n in range(len(xs))]
        expected = [_kept(g) for g in problem.back(equal)(problem.us)]
    except Exception:  # equal values need not be in the domain
        return
    xs[j] = xs[i]
    if not _same(problem.back(xs)(problem.us), expected, 1e-7):
        names = f"{problem.names[i]!r} and {problem.names[j]!r}"
        report.faults.append(Fault("", problem.state, Hint(
            "layout", f"one array as both {names} gives other gradients than two equal ones")))  # fmt: skip


def _small_shapes(problem: Problem, report: Report) -> None:
    """Repeat with 0-d and with empty inputs, where forward takes them as it takes others."""
    shape = problem.xs[0].shape
    if not shape or len(problem.us) != 1 or problem.ys[0].shape != shape or any(
        x.shape != shape for x in problem.xs
    ):  # fmt: skip
        return
    for what, cut in (("0-d", lambda x: np.array(x.flat[0])), ("empty", lambda x: x[:0].copy())):
        if what == "0-d" and not problem.xs[0].size:
            continue
        xs = [cut(x) for x in problem.xs]
        try:
            y = np.asarray(problem.outputs([np.array(x) for x in xs])[0])
        except Exception:
            continue
        if y.shape != xs[0].shape:
            continue
        try:
            given = problem.back(xs)([np.ones(y.shape, problem.us[0].dtype)])
            shapes = [np.shape(g) for g in given if g is not None]
            bad = [s for s in shapes if s != xs[0].shape]
            text = f"a gradient of shape {bad[0]} for an input of shape {xs[0].shape}" if bad else ""
        except Exception as error:
            text = f"{type(error).__name__} for an input of shape {xs[0].shape}: {error}"
        if text:
            report.faults.append(Fault("", problem.state, Hint("layout", f"{what} input: {text}")))


def _reversed(x: Array) -> Array:
    """Return the same numbers behind negative strides."""
    index = (slice(None, None, -1),) * x.ndim
    return np.ascontiguousarray(x[index])[index] if x.ndim else x
