"""Where a gradient is wrong that is right elsewhere: at a boundary, past a threshold, in a row."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

from .patterns import Case, Found, axes_text, outputs, subsets

Mask = NDArray[np.bool_]
THRESHOLDS = (0.0, 1.0, -1.0, 0.5, -0.5, 2.0, -2.0, 3.0, -3.0, 6.0)


def boundary(case: Case) -> Found:
    """Wrong at the first or last positions along an axis, or along two, and right inside."""
    if (split := _split(case)) is None:
        return None
    wrong, right = split
    if wrong.sum() == 1 and case.x.ndim == 1 and _extreme(case, wrong):
        return None  # as likely it is about its value: "elements" is true in any case
    for axes in subsets(len(case.shape)):
        if len(axes) > 2:
            break
        for depth in (1, 2):
            if all(case.shape[k] > 3 * depth for k in axes):
                for side, edge in _edges(case.shape, axes, depth):
                    inside = right & ~edge
                    crowded = 3 * (wrong & edge).sum() >= 2 * ((wrong | right) & edge).sum()
                    if not (wrong & ~edge).any() and crowded and inside.sum() >= 2:
                        places = side if depth == 1 else f"{side} {depth}"
                        plural = "s" if depth > 1 or " and " in side or len(axes) > 1 else ""
                        at = f"it is wrong at the {places} position{plural} along {axes_text(axes)}"
                        return "boundary", f"{at} only{_there(case, wrong)}"
    return None


def _edges(shape: tuple[int, ...], axes: tuple[int, ...], depth: int) -> Iterator[tuple[str, Mask]]:
    for side in ("first", "last", "first and last") if len(axes) == 1 else ("first and last",):
        edge = np.zeros(shape, bool)
        for k in axes:
            along = np.moveaxis(edge, k, 0)
            if "first" in side:
                along[:depth] = True
            if "last" in side:
                along[-depth:] = True
        yield side, edge


def elements(case: Case) -> Found:
    """Wrong at some elements only."""
    if (split := _split(case)) is None:
        return None
    wrong, right = split
    text = f"it is wrong at {listed(case, wrong)} only"
    if (what := _condition(case, wrong, right)) is not None:
        text += f", {what}"
    return "elements", text + _there(case, wrong)


def listed(case: Case, which: Mask) -> str:
    """Write a few elements by their indices, many by their number."""
    n, whole = int(which.sum()), case.mask.all() or (which & ~case.mask).any()
    of = f"{which.size if whole else int(case.mask.sum())}{'' if whole else ' measured'}"
    if not case.shape:
        return "its only element"
    if n > 4:
        return f"{n} of {of} elements"
    indices = ", ".join(str(tuple(map(int, i))) for i in np.argwhere(which))
    return f"{n} of {of} elements: {indices}"


def _split(case: Case) -> tuple[Mask, Mask] | None:
    """Return where it is wrong, and where it is right and not merely zero, if that is clear-cut:

    errors of all sizes are those of a gradient that is wrong everywhere, and somewhere by little.
    """
    tol = np.maximum(case.slack, 1e-5 * np.abs(case.e))
    wrong, right = case.error > 3 * tol, (case.error <= tol) & (np.abs(case.e) > 20 * tol)
    unclear = (case.error > tol) & (case.error <= 10 * tol)
    n = int(wrong.sum() + right.sum())
    if not wrong.any() or right.sum() < max(1, 0.2 * n) or unclear.sum() > 0.1 * n:
        return None
    size = np.maximum(np.abs(case.e), np.abs(case.g))
    typical = min(1.0, float(np.median(case.error[wrong] / size[wrong])))
    digits = np.log10(np.maximum(1.0, typical * np.abs(case.e[right]) / tol[right])).sum()
    if digits < 2.3 + np.log10(n):  # so few, so little better, may be right by accident
        return None
    full = np.zeros((2, *case.shape), bool)
    full[0][case.mask], full[1][case.mask] = wrong, right
    return full[0], full[1]


def _there(case: Case, wrong: Mask) -> str:
    """Say what it is at the wrong elements, if the same thing holds at all of them."""
    w = wrong[case.mask]
    e, g, slack = case.e[w], case.g[w], case.slack[w]
    if not g.any():
        return "; it is zero there"
    zero = np.abs(e) <= slack
    if zero.all():
        return "; it should be zero there"
    if zero.any():
        return ""
    ratio = g / e
    near = np.abs(ratio - ratio.mean()) <= np.maximum(1e-3, slack / np.abs(e)) * np.abs(ratio)
    return f"; its ratio to the right one is {case.written(ratio.mean())} there" if near.all() else ""


def _condition(case: Case, wrong: Mask, right: Mask) -> str | None:
    """Find what tells the wrong elements from the right ones: places along an axis, or values."""
    for k in range(len(case.shape) if len(case.shape) > 1 else 0):
        at = sorted({int(i) for i in np.nonzero(wrong)[k]})
        if not set(at) & set(np.nonzero(right)[k].tolist()) and wrong.sum() > len(at) <= 6:
            return f"all at index {', '.join(map(str, at))} of axis {k}"
    n = int(wrong.sum() + right.sum())  # the fewer, the more thresholds part them by accident
    values = [(case.name, case.x)]
    values += [(name, y) for name, y in outputs(case.evidence) if y.shape == case.shape]
    values += [(a.name, np.asarray(a.x, float)) for a in case.others if np.shape(a.x) == case.shape]
    for name, v in values:
        for t in THRESHOLDS if n >= 6 else (0.0,) if n >= (4 if v is case.x else 5) else ():
            for sign, is_so in (("<", v < t), (">", v > t), ("=", v == t)):
                if is_so[wrong].all() and not is_so[right].any():
                    return f"where {name} {sign} {t:g}"
            for sign, is_so in (("<", np.abs(v) < t), (">", np.abs(v) > t)):
                if t > 0 and is_so[wrong].all() and not is_so[right].any():
                    return f"where |{name}| {sign} {t:g}"
    for name, v in values[1:] if n >= 5 else ():
        for sign, is_so in (("<", case.x < v), (">", case.x > v), ("=", case.x == v)):
            if is_so[wrong].all() and not is_so[right].any():
                return f"where {case.name} {sign} {name}"
    if wrong.sum() == 1 and n >= 5 and (extreme := _extreme(case, wrong)):
        return f"at the {extreme} element of {case.name}"
    for name, v in values:
        for sign, a in ((">", v), ("<", -v)):
            if min(wrong.sum(), right.sum()) >= 4 and a[wrong].min() > a[right].max():
                return f"where {name} {sign} {_between(a[right].max(), a[wrong].min(), sign)} or so"
    return None


def _between(low: float, high: float, sign: str) -> str:
    return f"{(low + high) / 2 * (1 if sign == '>' else -1):.3g}"


def _extreme(case: Case, wrong: Mask) -> str | None:
    value = float(case.x[wrong][0])
    return "largest" if value == case.x.max() else "smallest" if value == case.x.min() else None
