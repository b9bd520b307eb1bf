"""Derivatives by finite differences, with an estimate of how far they can be trusted.

Central differences D(h) = d + c_2 h^2 + c_4 h^4 + ... at steps h, h/4, h/16, ... are combined so
that the terms cancel one by one (Richardson). Of all combinations the one is taken that differs
least from its neighbours (C. Ridders, "Accurate computation of F'(x) and F'(x) F''(x)", Advances
in Engineering Software 4, 1982): small steps where the function bends, large ones where it is
drowned by rounding. That difference, plus the rounding noise, is the uncertainty.
"""

from __future__ import annotations

import math

import numpy as np

from .problem import Array, Problem

__all__ = ["is_kink", "measure", "roughness", "typical"]

START, SHRINK, STEPS = 0.02, 4.0, 10  # steps 0.02, 0.005, ... 8e-8 of an element's size


def typical(x: Array) -> float:
    """Return the size of a typical element that is not zero, or 1."""
    sizes = np.abs(x[np.abs(x) > 1e-100])
    return float(np.median(sizes)) if sizes.size else 1.0


def measure(problem: Problem, k: int, v: Array, rough: float = 0.0) -> tuple[float, float]:
    """Return the derivative of u . f along ``v`` in argument ``k``, and its uncertainty.

    Steps are fractions of ``v``. Where these do not settle it (x + 1 at x = 1e-30), steps of the
    size of a typical element, and of 1, are tried as well. ``rough`` is the noise of one value of
    u . f, where it is known to be more than the rounding of the outputs.
    """
    size = float(np.max(np.abs(v)))
    best, uncertainty = math.nan, math.inf
    for scale in dict.fromkeys((1.0, typical(problem.xs[k]) / size, 1 / size)):
        d, error = _extrapolate(problem, k, v * scale, rough)
        if not error / scale >= uncertainty:
            best, uncertainty = d / scale, error / scale
        if uncertainty <= 0.01 * problem.rtol * abs(best):
            break
    return best, uncertainty


def _extrapolate(problem: Problem, k: int, v: Array, rough: float) -> tuple[float, float]:
    best, uncertainty, flat = math.nan, math.inf, True
    previous: list[float] = []
    for n in range(STEPS):
        h = START / SHRINK**n
        d, noise = _difference(problem, k, v, h)
        noise = max(noise, rough / h)
        flat = flat and d == 0
        row = [d]
        for j, old in enumerate(previous):  # cancel the terms h^2, h^4, ...
            factor = SHRINK ** (2 * j + 2)
            row.append((factor * row[j] - old) / (factor - 1))
            spread = max(abs(row[-1] - row[-2]), abs(row[-1] - old)) + noise
            if spread < uncertainty:
                best, uncertainty = row[-1], spread
        previous = row
        if uncertainty <= 1e-3 * problem.rtol * abs(best) or (flat and n == 2):
            break
    return best, uncertainty


def _difference(problem: Problem, k: int, v: Array, h: float) -> tuple[float, float]:
    """Return the central difference along v, and its rounding noise."""
    above, below = (_moved(problem, k, v, step) for step in (h, -h))
    total = noise = 0.0
    with np.errstate(all="ignore"):
        for u, a, b in zip(problem.floating, above, below, strict=True):
            total += float(np.vdot(u, a - b))
            noise += float(np.linalg.norm(u * np.maximum(np.abs(a), np.abs(b)) * (a != b)))
    # Nothing moved at all: perhaps nothing depends on x, perhaps it is lost in rounding.
    return total / (2 * h), problem.eps * (noise or problem.size) / h


def _moved(problem: Problem, k: int, v: Array, h: float) -> list[Array]:
    return problem.values([x + h * v if i == k else x for i, x in enumerate(problem.xs)])


def roughness(problem: Problem, k: int, v: Array) -> float:
    """Return the noise of one value of u . f: what is not smooth over nine points close by.

    Third differences of equally spaced points are all noise, times sqrt(1 + 9 + 9 + 1) (J. More
    and S. Wild, "Estimating computational noise", SIAM J. Sci. Comput. 33, 2011).
    """
    points = [_moved(problem, k, v, 1e-6 * n) for n in range(-4, 5)]
    here = points[4]
    values = [float(sum(np.vdot(u, a - b) for u, a, b in zip(
        problem.floating, point, here, strict=True))) for point in points]  # fmt: skip
    return float(np.sqrt(np.mean(np.diff(values, 3) ** 2) / 20))


def is_kink(problem: Problem, k: int, v: Array, given: float) -> bool:
    """Tell whether the slopes on the two sides of x differ, and ``given`` lies between them."""
    here = problem.values(problem.xs)
    gaps: list[float] = []
    sides: list[float] = []
    for h in (1e-5, 1e-6):  # at a kink the gap stays; on a smooth curve it shrinks with h
        sides = [
            float(sum(np.vdot(u, a - b) for u, a, b in zip(
                problem.floating, _moved(problem, k, v, step), here, strict=True))) / step
            for step in (h, -h)
        ]  # fmt: skip
        gaps.append(max(sides) - min(sides))
    noise = 10 * problem.eps * problem.size / 1e-6 + 1e-3 * max(map(abs, sides))
    slack = 0.01 * gaps[1]
    between = min(sides) - slack <= given <= max(sides) + slack
    return gaps[1] > max(0.5 * gaps[0], noise) and between
