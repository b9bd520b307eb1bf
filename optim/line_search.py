"""How far to go in a direction: a step that satisfies the strong Wolfe conditions."""

from __future__ import annotations

from collections.abc import Callable
from math import isfinite, sqrt
from typing import Any, NamedTuple

from autograd_core.errors import message

__all__ = ["LineSearch", "strong_wolfe"]


class LineSearch(NamedTuple):
    """What a line search found, at ``step``."""

    step: float
    value: float  # phi(step)
    slope: float  # phi'(step)
    rest: tuple[Any, ...]  # what phi returned beside them
    evaluations: int  # calls of phi
    converged: bool  # whether both conditions hold


class _Point(NamedTuple):
    step: float
    value: float
    slope: float
    rest: tuple[Any, ...] = ()


def strong_wolfe(
    phi: Callable[[float], tuple[Any, ...]],
    step: float = 1.0,
    start: tuple[Any, ...] | None = None,
    *,
    c1: float = 1e-4,
    c2: float = 0.9,
    tolerance: float = 0.0,
    max_iter: int = 25,
) -> LineSearch:
    """Find a step t > 0 that satisfies the strong Wolfe conditions.

    ``phi(t) <= phi(0) + c1 t phi'(0)`` (it descends enough) and ``|phi'(t)| <= c2 |phi'(0)|`` (the slope is
    smaller). Steps grow until an interval must hold such a t; then the interval shrinks around it. Each
    new trial is the minimum of the cubic through two values and two slopes.

    Args:
        phi: a function of the step that returns (value, slope), and perhaps more, as the gradient there.
            Where the value is not finite, the step was too long.
        step: the first trial.
        start: ``phi(0)``, where it is known.
        c1: the share of the slope that is enough descent.
        c2: the share of the slope that may remain; 0.9 suits quasi-Newton steps, 0.1 conjugate gradients.
        tolerance: stop when the interval is shorter.
        max_iter: the number of trials after the first.

    Returns:
        a :class:`LineSearch`. Without success it is the best point of the interval, perhaps 0.

    Raises:
        ValueError: phi does not descend at 0, or not 0 < c1 < c2 < 1.

    Source: J. Nocedal and S. Wright, Numerical Optimization, 2nd edition, 2006, algorithms 3.5 and 3.6,
    equation 3.59; the safeguards are those of M. Schmidt's minFunc, which PyTorch follows too. (There an end
    that is lower, but descends too little, may take the place of one that descends enough, and the
    interval holds no solution from then on. Here it does not.)

    >>> from autograd_core import optim
    >>> found = optim.strong_wolfe(lambda t: ((t - 3) ** 2, 2 * (t - 3)), c2=0.1)
    >>> found.step, found.evaluations, found.converged
    (3.0, 3, True)
    """
    if not 0 < c1 < c2 < 1:
        raise ValueError(message("strong_wolfe", f"c1={c1}, c2={c2}", "0 < c1 < c2 < 1"))
    if not step > 0:
        raise ValueError(message("strong_wolfe", f"step={step}", "a first step above 0"))
    count = 0

    def at(t: float) -> _Point:
        nonlocal count
        count += 1
        value, slope, *rest = phi(t)
        return _Point(t, float(value), float(slope), tuple(rest))

    value, slope, *rest = phi(0.0) if start is None else start
    count += start is None
    origin = _Point(0.0, float(value), float(slope), tuple(rest))
    if not origin.slope < 0:
        raise ValueError(message("strong_wolfe", f"the slope {origin.slope} at 0", "one below 0",
                                 "the opposite direction"))  # fmt: skip

    def descends(p: _Point) -> bool:
        finite = isfinite(p.value) and isfinite(p.slope)
        return finite and p.value <= origin.value + c1 * p.step * origin.slope

    def flattens(p: _Point) -> bool:
        return abs(p.slope) <= -c2 * origin.slope

    def better(a: _Point, b: _Point) -> int:
        """Return 1 if b is the better end. What is low but descends too little would lose the interval."""
        return int((not descends(b), b.value) < (not descends(a), a.value))

    def found(p: _Point, converged: bool) -> LineSearch:
        return LineSearch(*p, count, converged)

    last, p = origin, at(step)
    for trial in range(max_iter):
        # minFunc asks only from the third trial on whether the value has risen again
        if not descends(p) or (trial > 1 and p.value >= last.value):
            break
        if flattens(p):
            return found(p, True)
        if p.slope >= 0:
            break
        further = (p.step + 0.01 * (p.step - last.step), 10 * p.step)
        last, p = p, at(_cubic_minimum(last, p, *further))
    else:
        converged = descends(p) and flattens(p)
        return found(p if converged or p.value < origin.value else origin, converged)

    ends = [last, p]
    best = better(*ends)
    stuck = False
    for _ in range(trial, max_iter):
        left, right = sorted(end.step for end in ends)
        if right - left < tolerance or left == right:
            break
        t = _cubic_minimum(ends[0], ends[1], left, right)
        margin = 0.1 * (right - left)
        if min(right - t, t - left) >= margin:
            stuck = False
        elif stuck or not left < t < right:  # twice close to an end: step away from it
            t = right - margin if right - t < t - left else left + margin
            stuck = False
        else:
            stuck = True
        p = at(t)
        if not descends(p) or p.value >= ends[best].value:
            ends[1 - best] = p
            best = better(*ends)
            continue
        done = flattens(p)
        if not done and p.slope * (ends[1 - best].step - ends[best].step) >= 0:
            ends[1 - best] = ends[best]
        ends[best] = p
        if done:
            return found(p, True)
    return found(ends[best], False)


def _cubic_minimum(a: _Point, b: _Point, low: float, high: float) -> float:
    """Return where the cubic through two points with their slopes is lowest, within [low, high].

    The middle, where that is nowhere.
    """
    if a.step > b.step:
        a, b = b, a
    middle = (low + high) / 2
    if not all(map(isfinite, (a.value, a.slope, b.value, b.slope))):
        return middle
    d1 = a.slope + b.slope - 3 * (a.value - b.value) / (a.step - b.step)
    square = d1 * d1 - a.slope * b.slope
    if not 0 <= square < float("inf"):
        return middle
    d2 = sqrt(square)
    spread = b.slope - a.slope + 2 * d2
    if spread == 0:
        return middle
    t = b.step - (b.step - a.step) * ((b.slope + d2 - d1) / spread)
    return min(max(t, low), high)
