"""Derivatives by finite differences, with an estimate of how far they can be trusted.

Central differences D(h) = d + c_2 h^2 + c_4 h^4 + ... at steps h, h/4, h/16, ... are combined so
that the terms cancel one by one (Richardson). Of all combinations the one is taken that differs
least from its neighbours (C. Ridders, "Accurate computation of F'(x) and F'(x) F''(x)", Advances
in Engineering Software 4, 1982): small steps where the function bends, large ones where it is
drowned by rounding. That difference, plus the rounding noise of the function, which is measured on
the way, is the uncertainty. It is done from two starting steps, and the two must agree.
"""

from __future__ import annotations

import math
from itertools import pairwise

import numpy as np

from .problem import Array, Problem, norm

__all__ = ["measure", "one_sided", "typical"]

FIRST, SECOND = 0.02, 3e-6  # largest step, as a fraction of the element's size
SHRINK, STEPS = 4.0, 6  # of each start: 2 evaluations per step, so 24 in all at most


def typical(x: Array) -> float:
    """Return the size of a typical element that is not zero, or 1."""
    sizes = np.abs(x[np.abs(x) > 1e-100])
    return float(np.median(sizes)) if sizes.size else 1.0


def measure(problem: Problem, k: int, v: Array) -> tuple[float, float]:
    """Return the derivative of u . f along ``v`` in argument ``k``, and its uncertainty.

    Steps are fractions of ``v``. Where rounding drowns the first ones (x + 1 at x = 1e-30), the
    second start is not smaller but of the size of a typical element, or of 1.
    """
    d, error, drowned = _series(problem, k, v, FIRST)
    start = SECOND
    if drowned:
        start = FIRST * max(typical(problem.xs[k]), 1.0) / float(np.max(np.abs(v)))
    d2, error2, _ = _series(problem, k, v, start, confirm=(d, error))
    smaller = (d2, error2) if start < FIRST else (d, error)
    if not math.isfinite(d) or not math.isfinite(d2):
        return (d, error) if math.isfinite(d) else (d2, error2)
    if abs(d - d2) > 3 * (error + error2):  # a derivative is the limit of small steps
        best, uncertainty = smaller
        sure = uncertainty <= 0.01 * max(abs(d), abs(d2))
        return best, uncertainty if sure else max(uncertainty, abs(d - d2))
    return (d, error) if error <= error2 else (d2, error2)


def _series(
    problem: Problem, k: int, v: Array, start: float, confirm: tuple[float, float] | None = None
) -> tuple[float, float, bool]:
    """Difference from one start on: derivative, uncertainty, and whether rounding drowned it."""
    steps: list[float] = []
    slopes: list[float] = []
    bends: list[float] = []
    rounding: list[float] = []
    best, uncertainty = math.nan, math.inf
    for n in range(STEPS):
        h = start / SHRINK**n
        slope, bend, noise = _difference(problem, k, v, h)
        if not math.isfinite(slope + bend + noise):
            continue  # out of the domain, or beyond the largest number
        steps.append(h)
        slopes.append(slope)
        bends.append(bend)
        rounding.append(noise)
        if confirm and n == 0 and _confirms(slope, *confirm, 0.1 * problem.rtol):
            return confirm[0], max(abs(slope - confirm[0]), confirm[1]), False
        best, uncertainty = _extrapolate(steps, slopes, bends, rounding)
        if n >= 2 and uncertainty <= 1e-3 * problem.rtol * abs(best):
            break
        if n == 2 and not any(slopes) and not any(bends):
            break
    drowned = bool(steps) and rounding[0] / steps[0] >= 0.1 * uncertainty
    return best, uncertainty, drowned


def _confirms(slope: float, d: float, error: float, rtol: float) -> bool:
    """Tell whether one slope at another scale is enough to trust a derivative."""
    return error <= rtol * abs(d) and abs(slope - d) <= rtol * abs(d)


def _difference(problem: Problem, k: int, v: Array, h: float) -> tuple[float, float, float]:
    """Return the central difference along v, the second difference, and a value's rounding."""
    above, below = (moved(problem, k, v, step) for step in (h, -h))
    total = bend = noise = 0.0
    with np.errstate(all="ignore"):
        for u, a, y, b in zip(problem.floating, above, problem.ys, below, strict=True):
            total += float(np.vdot(u, a - b))
            bend += float(np.vdot(u, (a - y) - (y - b)))
            noise += norm(u * np.maximum(np.abs(a), np.abs(b)) * (a != b))
    # Nothing moved at all: perhaps nothing depends on x, perhaps it is lost in rounding.
    return total / (2 * h), bend, problem.eps * (noise or problem.size)


def _extrapolate(
    steps: list[float], slopes: list[float], bends: list[float], rounding: list[float]
) -> tuple[float, float]:
    """Return the best of all combinations of the slopes, and its uncertainty."""
    noise = 0.0
    if len(bends) > 2:  # second differences fall as h^2; what does not is noise
        rest = [abs(b - a / SHRINK**2) for a, b in pairwise(bends)]
        noise = float(np.median(rest))
    best, uncertainty = math.nan, math.inf
    previous: list[float] = []
    for h, slope, least in zip(steps, slopes, rounding, strict=True):
        row = [slope]
        for j, old in enumerate(previous):  # cancel the terms h^2, h^4, ...
            row.append(row[j] + (row[j] - old) / (SHRINK ** (2 * j + 2) - 1))
            spread = max(abs(row[-1] - row[-2]), abs(row[-1] - old)) + max(noise, least) / h
            if spread < uncertainty:
                best, uncertainty = row[-1], spread
        previous = row
    return best, uncertainty


def moved(problem: Problem, k: int, v: Array, h: float) -> list[Array]:
    """Return the outputs at x + h v."""
    return problem.values([x + h * v if i == k else x for i, x in enumerate(problem.xs)])


def one_sided(problem: Problem, k: int, v: Array) -> tuple[float, float] | None:
    """Return the least and the largest slope that the sides of kinks at x allow; None if there is no kink.

    Each output may have a kink of its own (max pooling of an image's black border), and choose a side of its
    own, whatever the sign with which it counts.
    """
    gaps: list[float] = []
    least = most = 0.0
    for h in (1e-5, 1e-6):  # at a kink the gap stays; on a smooth curve it shrinks with h
        one, other = (
            np.concatenate([np.ravel(u * (a - y)) for u, a, y in zip(
                problem.floating, moved(problem, k, v, step), problem.ys, strict=True)]) / step
            for step in (h, -h)
        )  # fmt: skip
        least, most = float(np.minimum(one, other).sum()), float(np.maximum(one, other).sum())
        gaps.append(most - least)
    rounding = sum(float(np.abs(u * y).sum()) for u, y in zip(problem.floating, problem.ys, strict=True))
    noise = 10 * problem.eps * max(problem.size, rounding) / 1e-6 + 1e-3 * max(abs(least), abs(most))
    is_kink = max(0.5 * gaps[0], noise) < gaps[1] < 2 * gaps[0]  # noise would grow tenfold
    return (least, most) if is_kink else None
