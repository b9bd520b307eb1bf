"""Sums, factors and terms that a wrong gradient has too much or too little.

The patterns here take a :class:`Case` as those of ``patterns.py`` do, for a given gradient of the
right shape. What the vocabulary of hints has no name for is "wrong", with a text that says more.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from .patterns import Array, Case, Found, axes_text, outputs, same, spread_to, subsets

# (kind, None for "times x" or "divided by x"; how it is written with the name of an array; function)
POWERS: list[tuple[str | None, str, Callable[[Array], Any]]] = [
    (None, "{}",       lambda v: v),
    (None, "{}**2",    lambda v: v * v),
    (None, "{}**3",    lambda v: v**3),
    (None, "sqrt|{}|", lambda v: np.sqrt(np.abs(v))),
    (None, "|{}|",     np.abs),
]  # fmt: skip
FUNCTIONS: list[tuple[str | None, str, Callable[[Array], Any]]] = [
    ("wrong", "1 - {}",         lambda v: 1 - v),
    ("wrong", "1 + {}",         lambda v: 1 + v),
    ("wrong", "1 - {}**2",      lambda v: 1 - v * v),
    ("wrong", "1 + {}**2",      lambda v: 1 + v * v),
    ("wrong", "{0} (1 - {0})",  lambda v: v * (1 - v)),
    ("wrong", "exp {}",         np.exp),
    ("wrong", "log {}",         np.log),
    ("wrong", "cos {}",         np.cos),
    ("wrong", "sin {}",         np.sin),
]  # fmt: skip


# -- sums ------------------------------------------------------------------------------------------


def extra_sum(case: Case) -> Found:
    """It is the same all along an axis: the sum, or the mean, of what it should be there."""
    flat = 1e-6 * np.abs(case.given).max(initial=0.0)
    found: Found = None
    for axes in subsets(len(case.shape)):
        if all(case.shape[k] > 1 for k in axes) and (np.ptp(case.given, axis=axes) <= flat).all():
            if (what := summed_over(case, axes, case.given)) is not None:
                found = "extra sum", f"it is the {what} of the right one over {axes_text(axes)}, all along it"
    return found


def summed_over(case: Case, axes: tuple[int, ...], given: Array) -> str | None:
    """Tell whether ``given``, constant or of length 1 along the axes, is a "sum" or "mean" over them."""
    whole = case.mask.all(axis=axes, keepdims=True)
    spread = np.zeros(case.shape)
    spread[case.mask] = case.slack
    total = np.where(case.mask, case.expected, 0.0).sum(axis=axes, keepdims=True)
    tol = np.maximum(1e-3 * np.abs(total), spread.sum(axis=axes, keepdims=True))
    first = given[tuple(slice(0, 1) if k in axes else slice(None) for k in range(given.ndim))]
    telling = whole & (tol <= 0.02 * np.abs(total))
    n = case.expected.size // max(total.size, 1)
    for what, by in (("sum", 1), ("mean", n)):
        if telling.any() and (np.abs(first * by - total) <= tol)[whole].all():
            return what
    return None


def missing_sum(case: Case) -> Found:
    """It is one slice of what was to be summed over an axis along which the argument broadcasts."""
    if len(case.evidence.cotangents) != 1:
        return None
    u = np.asarray(case.evidence.cotangents[0], float)
    if u.ndim > 5 or u.size > 2**20:
        return None
    fulls = [("the incoming gradient", u)]
    near = [("the output y", np.asarray(case.evidence.outputs[0], float))]
    near = [(case.name, case.x), *((a.name, np.asarray(a.x, float)) for a in case.others), *near]
    for name, v in near:
        fulls += [(f"the incoming gradient times {name}", u * w) for w in spread_to(v, u.shape)]
    for name, full in fulls:
        for axes in subsets(full.ndim):
            total = full.sum(axis=axes, keepdims=True)
            if total.size != case.x.size or _bare(total.shape) != _bare(case.shape):
                continue
            if case.x.size == full.size or not case.fits(total.reshape(case.shape)):
                continue
            for k in axes:
                rest = tuple(i for i in axes if i != k)
                part = full.sum(axis=rest, keepdims=True)
                for i in (0, full.shape[k] - 1):
                    one = np.take(part, [i], axis=k).reshape(case.shape)
                    if same(one, case.given):
                        return "missing sum", f"it is index {i} of axis {k} of {name}, whose sum is due"
    return None


def _bare(shape: tuple[int, ...]) -> list[int]:
    return [n for n in shape if n != 1]


# -- factors ---------------------------------------------------------------------------------------


def times(case: Case) -> Found:
    """Its ratio to the right one is proportional to a power of the input, or of what is at hand."""
    tables: list[list[tuple[str | None, str, Callable[[Array], Any]]]] = [POWERS, FUNCTIONS]
    with np.errstate(all="ignore"):
        for table in tables:
            for name, v in case.arrays():
                for kind, text, f in table:
                    for inverse in (False, True):
                        c = _multiple(case, f(v[case.mask]), inverse, 2 if table is POWERS else 3)
                        if c is not None:
                            verb = "divided by" if inverse else "multiplied by"
                            said = f"it is the right one {verb} {text.format(name)}{_constant(case, c)}"
                            return kind or ("divided by x" if inverse else "times x"), said
    return None


def _multiple(case: Case, v: Array, inverse: bool, least: int) -> float | None:
    """Of two numbers, which a free constant and many arrays fit, only a simple one is believed."""
    varied = v[case.solid & (case.g != 0)]
    if varied.size < least or not np.ptp(varied) > 0:
        return None  # a mask: that is said by its elements
    c = case.multiple(v, least, inverse)
    if c is not None and varied.size < 3:
        simple = min(abs(abs(c) / k - 1) for k in (1, 2, 0.5))
        return c if simple <= max(1e-4, case.precision) else None
    return c


def _constant(case: Case, c: float) -> str:
    return "" if abs(c - 1) < 1e-3 else f", and by {case.written(c)}"


def squared_upstream(case: Case) -> Found:
    """The incoming gradient is a factor twice."""
    if len(case.evidence.cotangents) == 1:
        for u in case.incoming():
            c = case.multiple(u[case.mask], 3)
            if c is not None and abs(c - 1) < 1e-3:
                return "not linear", "it is the right one times the incoming gradient, which is used twice"
    return None


def along_axes(case: Case) -> Found:
    """Its ratio to the right one is the same along an axis, and differs along the others."""
    use = case.solid & (case.g != 0)
    nothing = (case.g == 0) & (np.abs(case.e) <= case.slack)
    if use.sum() < 4 or not (use | nothing).all():
        return None
    ratio = np.divide(case.g, case.e, out=np.full(case.e.shape, np.nan), where=use)
    tol = np.divide(2 * case.tol * np.abs(ratio), np.abs(case.e), out=np.zeros_like(ratio), where=use)
    for axes in reversed(list(subsets(len(case.shape)))[:-1]):
        if (level := _level(case, ratio, tol, axes)) is not None:
            text = f"its ratio to the right one is the same along {axes_text(axes)}, and differs elsewhere"
            spread, known = case.x.std(axis=axes, keepdims=True), np.isfinite(level)
            for what, power in (("the standard deviation", 1), ("1 / the standard deviation", -1)):
                if known.sum() > 2 and spread.min() > 0:
                    c = (level / spread**power)[known]
                    if np.ptp(c) <= 5e-3 * abs(c.mean()):
                        text += f": it is {c.mean():.4g} times {what} of {case.name} there"
            return "wrong", text
    return None


# -- terms -----------------------------------------------------------------------------------------


def added(case: Case) -> Found:
    """What it has too much or too little is a constant along axes, or a multiple of an array."""
    d = case.g - case.e
    tol = np.maximum(np.maximum(case.slack, 1e-5 * np.abs(case.e)), np.maximum(1e-3 * np.abs(d), 1e-300))
    subtracted = "it minus the right one is"
    for axes in reversed(list(subsets(len(case.shape)))):
        if (level := _level(case, d, tol, axes)) is not None:
            if len(axes) == len(case.shape):
                return "wrong", f"{subtracted} the same number everywhere: {np.nanmean(level):.3g}"
            text = f"{subtracted} the same number all along {axes_text(axes)}: a term is missing"
            mean, known = case.given.mean(axis=axes, keepdims=True), np.isfinite(level)
            if np.abs(level - mean)[known].max() <= 1e-3 * np.abs(mean[known]).max():
                text += ", which is minus its own mean"
            return "wrong", text
    for u in case.incoming():
        if np.array_equal(u, case.given):
            return "wrong", "it is the incoming gradient itself, with no derivative applied"
    found = _multiple_added(case, d, tol)
    for name, y in outputs(case.evidence) if not found else ():
        if y.shape == case.shape and (v := y[case.mask]).all():
            for axes in reversed(list(subsets(len(case.shape)))):
                if _level(case, d / v, tol / np.abs(v), axes) is not None:
                    return "wrong", (f"{subtracted} {name} times a number that is the same along "
                                     f"{axes_text(axes)}: a sum over it is missing")  # fmt: skip
    for axes in reversed(list(subsets(len(case.shape)))) if not found else ():
        if _straight(case, d, tol, axes):
            return "wrong", (f"{subtracted} a + b {case.name}, with a and b the same all along "
                             f"{axes_text(axes)}: a normalisation without the terms of its mean and "
                             "variance is wrong like this")  # fmt: skip
    return found


def _multiple_added(case: Case, d: Array, tol: Array) -> Found:
    arrays = [*case.arrays(), *(("the incoming gradient", u) for u in case.incoming())]
    for name, full in arrays:
        v = full[case.mask]
        telling = (np.abs(d) > 20 * tol) & (v != 0)
        if telling.sum() >= 3:
            w = v / tol
            c = float((w * d / tol).sum() / (w * w).sum())
            if c and (np.abs(d - c * v) <= np.maximum(tol, 1e-3 * np.abs(c * v))).all():
                return "wrong", f"it minus the right one is {c:.3g} times {name}"
    return None


def _level(case: Case, values: Array, tol: Array, axes: tuple[int, ...]) -> Array | None:
    """Return what measured values are all along axes, if they are the same there; nan: unknown."""
    known = np.isfinite(values)
    if not known.any():
        return None
    full, weight = np.zeros(case.shape), np.zeros(case.shape)
    full[case.mask] = np.where(known, values, 0)
    weight[case.mask] = known / np.maximum(np.where(known, tol, 1), 1e-9 * np.abs(full).max() or 1.0) ** 2
    count = (weight > 0).sum(axis=axes, keepdims=True)
    total = weight.sum(axis=axes, keepdims=True)
    level = np.divide((full * weight).sum(axis=axes, keepdims=True), total,
                      out=np.full(total.shape, np.nan), where=total > 0)  # fmt: skip
    miss = np.abs(full - level)[case.mask][known]
    clear = np.abs(values[known]) > 50 * tol[known]
    if (count - 1)[count > 0].sum() < 2 or clear.sum() < 3 or (miss > tol[known]).any():
        return None
    return level


def _straight(case: Case, d: Array, tol: Array, axes: tuple[int, ...]) -> bool:
    """Tell whether ``d`` is a + b x along axes, with numbers a and b for each place along the rest."""
    x, full, known = case.x, np.zeros(case.shape), case.mask
    full[known] = d
    count = np.maximum(known.sum(axis=axes, keepdims=True), 1)
    dx = np.where(known, x - np.where(known, x, 0).sum(axis=axes, keepdims=True) / count, 0)
    dd = np.where(known, full - full.sum(axis=axes, keepdims=True) / count, 0)
    square = (dx * dx).sum(axis=axes, keepdims=True)
    slope = np.divide((dx * dd).sum(axis=axes, keepdims=True), square, out=0 * square, where=square > 0)
    free = np.maximum(known.sum(axis=axes) - 2, 0).sum()
    miss = np.abs(dd - slope * dx)[known]
    clear = np.abs(dd)[known] > 50 * tol
    return bool(free >= 3 and clear.sum() >= 4 and (miss <= tol).all())
