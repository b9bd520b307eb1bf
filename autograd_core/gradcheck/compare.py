"""A gradient held against finite differences: element by element, or along random directions."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import numpy as np

from .differences import measure, one_sided, typical
from .problem import Array, Problem, norm
from .report import Comparison

__all__ = ["along", "expected_gradient", "judge", "random_directions", "unit_direction"]


def judge(given: float, expected: float, uncertainty: float, scale: float, rtol: float) -> Any:
    """Return the relative error and the verdict.

    The error is ``|given - expected|`` over the largest of the two, of ``scale`` (the size of the
    terms of a sum) and of ``uncertainty / rtol``: what cannot be resolved is no error.
    """
    if not np.isfinite(expected):
        return 0.0, "inconclusive"
    if not np.isfinite(given):
        return float("inf"), "wrong"
    floor = max(abs(given), abs(expected), scale, uncertainty / rtol)
    error = abs(given - expected) / floor if floor else 0.0
    return error, "agrees" if error <= rtol else "wrong"


def along(problem: Problem, k: int, v: Array, terms: Array) -> Comparison:
    """Compare ``sum(terms)``, the derivative along v (terms g_i v_i), with finite differences."""
    given, scale = float(terms.sum()), norm(terms)
    expected, uncertainty = measure(problem, k, v)
    error, verdict = judge(given, expected, uncertainty, scale, problem.rtol)
    most = max(abs(given), abs(expected), scale)
    loose = max(max(1e-3, min(100 * problem.rtol, 0.1)) * most, 1e7 * problem.eps * problem.size)
    if verdict == "agrees" and not uncertainty <= loose:
        verdict = "inconclusive"
    sure = verdict == "agrees" and uncertainty <= problem.rtol * most
    sides = None if sure else one_sided(problem, k, v)
    if sides is not None:
        slack = 0.01 * (sides[1] - sides[0])
        between = sides[0] - slack <= given <= sides[1] + slack
        verdict = "kink" if between else "wrong"
    places = np.argwhere(v)
    index, value, unit = None, float("nan"), problem.unit
    if len(places) == 1:
        index = tuple(map(int, places[0]))
        value, unit = float(problem.xs[k][index]), unit * float(v[index])
    return Comparison(index, value, given / unit, expected / unit, uncertainty / abs(unit), error,
                      verdict, sides and (min(s / unit for s in sides), max(s / unit for s in sides))
                      )  # fmt: skip


def unit_direction(x: Array, index: tuple[int, ...]) -> Array:
    """Return a step in one element, of its own size."""
    v = np.zeros(x.shape)
    v[index] = abs(x[index]) if abs(x[index]) > 1e-100 else typical(x)
    return v


def terms_of(g: Array, v: Array) -> Array:
    """Return g_i v_i, and 0 where v_i is 0, whatever g_i is."""
    with np.errstate(all="ignore"):
        return np.where(v == 0, 0.0, g * v)


def each_element(problem: Problem, k: int, g: Array, indices: Iterable[Any]) -> list[Comparison]:
    """Check elements, each with a step relative to its own size."""
    directions = (unit_direction(problem.xs[k], index) for index in indices)
    return with_ties(problem, k, g, [along(problem, k, v, terms_of(g, v)) for v in directions])


def with_ties(problem: Problem, k: int, g: Array, found: list[Comparison]) -> list[Comparison]:
    """Move all elements on kinks together: each may pass by itself where ties share a gradient."""
    kinks = [c.index for c in found if c.verdict == "kink" and c.index is not None]
    if len(kinks) > 1:
        v = np.zeros(problem.xs[k].shape)
        v[tuple(np.transpose(kinks))] = typical(problem.xs[k])
        together = along(problem, k, v, terms_of(g, v))
        if together.verdict == "wrong":
            found.append(together)
    return found


def random_directions(
    problem: Problem, k: int, g: Array, count: int, rng: np.random.Generator
) -> list[Comparison]:
    """Check along random directions; what is wrong or on a kink is halved down to elements."""
    x = problem.xs[k]
    found = []
    for _ in range(count):
        v = np.maximum(np.abs(x), typical(x) / 10) * rng.choice([-1.0, 1.0], x.shape)
        first = along(problem, k, v, terms_of(g, v))
        if first.verdict in ("agrees", "inconclusive"):
            found.append(first)
            continue
        elements = _bisect(problem, k, g, v)
        if first.verdict == "wrong" and not any(c.verdict == "wrong" for c in elements):
            found.append(first)
        found += with_ties(problem, k, g, elements)
        if any(c.verdict == "wrong" for c in found):
            break
    return found


def _bisect(problem: Problem, k: int, g: Array, v: Array, most: int = 64) -> list[Comparison]:
    """Halve a direction; return the first wrong element and the kinks that were met before."""
    found: list[Comparison] = []
    stack = [np.flatnonzero(v)]
    while stack and most:
        places = stack.pop()
        part = np.zeros(v.shape)
        part.flat[places] = v.flat[places]
        c = along(problem, k, part, terms_of(g, part))
        most -= 1
        if c.verdict == "agrees":
            continue
        if len(places) == 1 or c.verdict == "inconclusive":
            found.append(c)
            if c.verdict == "wrong":
                break
        else:
            stack += [places[len(places) // 2 :], places[: len(places) // 2]]
    return found


def expected_gradient(
    problem: Problem, k: int, indices: Iterable[tuple[int, ...]]
) -> tuple[Array, Array]:
    """Return the right gradient of u . f at these elements, NaN elsewhere, and its uncertainty."""
    x = problem.xs[k]
    expected, uncertainty = np.full(x.shape, np.nan), np.full(x.shape, np.nan)
    for index in indices:
        v = unit_direction(x, index)
        d, error = measure(problem, k, v)
        if not error <= max(0.1 * abs(d), 1e7 * problem.eps * problem.size):
            continue
        expected[index], uncertainty[index] = d / v[index], error / v[index]
    return expected, uncertainty
