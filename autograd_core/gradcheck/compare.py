"""A gradient held against finite differences: element by element, or along random directions."""

from __future__ import annotations

from typing import Any

import numpy as np

from .differences import is_kink, measure, roughness, typical
from .problem import Array, Problem
from .report import Comparison

__all__ = ["along", "each_element", "judge", "random_directions"]


def judge(given: float, expected: float, uncertainty: float, scale: float, rtol: float) -> Any:
    """Return the relative error and the verdict.

    The error is ``|given - expected|`` over the largest of the two, of ``scale`` (the size of the
    terms of a sum) and of ``uncertainty / rtol``: what cannot be resolved is no error.
    """
    if not np.isfinite(expected):
        return 0.0, "unsure"
    if not np.isfinite(given):
        return float("inf"), "wrong"
    floor = max(abs(given), abs(expected), scale, uncertainty / rtol)
    error = abs(given - expected) / floor if floor else 0.0
    return error, "agrees" if error <= rtol else "wrong"


def along(problem: Problem, k: int, v: Array, terms: Array) -> Comparison:
    """Compare ``sum(terms)``, the derivative along v (terms g_i v_i), with finite differences."""
    given, scale = float(terms.sum()), float(np.linalg.norm(terms))
    expected, uncertainty = measure(problem, k, v)
    error, verdict = judge(given, expected, uncertainty, scale, problem.rtol)
    if verdict == "wrong" and is_kink(problem, k, v, given):
        verdict = "kink"
    elif verdict == "wrong":  # look again, knowing how rough the function is
        expected, uncertainty = measure(problem, k, v, 3 * roughness(problem, k, v))
        error, verdict = judge(given, expected, uncertainty, scale, problem.rtol)
    loose = max(0.1 * abs(given), 0.1 * abs(expected), 1e6 * problem.eps * problem.size)
    if verdict == "agrees" and uncertainty > loose:
        verdict = "unsure"
    places = np.argwhere(v)
    index, value, unit = None, float("nan"), problem.unit
    if len(places) == 1:
        index = tuple(map(int, places[0]))
        value, unit = float(problem.xs[k][index]), unit * float(v[index])
    return Comparison(index, value, given / unit, expected / unit, uncertainty / abs(unit), error,
                      verdict)  # fmt: skip


def each_element(problem: Problem, k: int, g: Array) -> list[Comparison]:
    """Check every element, with a step relative to its own size."""
    x = problem.xs[k]
    found = []
    for index in np.ndindex(x.shape):
        v = np.zeros(x.shape)
        v[index] = abs(x[index]) if abs(x[index]) > 1e-100 else typical(x)
        found.append(along(problem, k, v, _terms(g, v)))
    return found


def _terms(g: Array, v: Array) -> Array:
    """Return g_i v_i, and 0 where v_i is 0, whatever g_i is."""
    with np.errstate(all="ignore"):
        return np.where(v == 0, 0.0, g * v)


def random_directions(
    problem: Problem, k: int, g: Array, count: int, rng: np.random.Generator
) -> list[Comparison]:
    """Check along random directions; on a mismatch halve the direction down to one element."""
    x = problem.xs[k]
    found = []
    for _ in range(count):
        v = np.maximum(np.abs(x), typical(x) / 10) * rng.choice([-1.0, 1.0], x.shape)
        found.append(along(problem, k, v, _terms(g, v)))
        if found[-1].verdict == "wrong":
            found.append(_bisect(problem, k, g, v))
            break
    return found


def _bisect(problem: Problem, k: int, g: Array, v: Array) -> Comparison:
    places = np.flatnonzero(v)
    found = along(problem, k, v, _terms(g, v))
    while len(places) > 1:
        for half in (places[: len(places) // 2], places[len(places) // 2 :]):
            part = np.zeros(v.shape)
            part.flat[half] = v.flat[half]
            candidate = along(problem, k, part, _terms(g, part))
            if candidate.verdict == "wrong":
                found, places = candidate, half
                break
        else:
            break  # wrong together, but no half is wrong by itself
    return found
