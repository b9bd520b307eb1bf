"""What is wrong with a gradient, in words: its numbers beside the right ones.

:func:`diagnose` tries one pattern of a mistake after another, the simplest first, and names the first
one that explains every element that was measured. What fits none of them is "wrong": a false name
would send its reader to the wrong place.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from fractions import Fraction

import numpy as np

from .patterns import Array, Case, Found, outputs, permuted, same, subsets, swapped, transposed
from .places import boundary, elements, listed
from .terms import added, along_axes, extra_sum, missing_sum, squared_upstream, summed_over, times

__all__ = ["Argument", "Evidence", "Hint", "diagnose"]

CONSTANTS = {
    "sqrt(2)": math.sqrt(2), "1/sqrt(2)": math.sqrt(0.5), "log(2)": math.log(2), "1/log(2)": 1 / math.log(2),
    "log(10)": math.log(10), "1/log(10)": 1 / math.log(10), "pi": math.pi, "1/pi": 1 / math.pi,
    "2 pi": 2 * math.pi, "1/(2 pi)": 0.5 / math.pi, "pi/180": math.pi / 180, "180/pi": 180 / math.pi,
    "sqrt(2 pi)": math.sqrt(2 * math.pi), "1/sqrt(2 pi)": 1 / math.sqrt(2 * math.pi),
    "2/sqrt(pi)": 2 / math.sqrt(math.pi), "sqrt(pi)/2": math.sqrt(math.pi) / 2,
}  # fmt: skip


@dataclass(frozen=True)
class Hint:
    """What is wrong: a ``kind`` for programs, and a sentence for people.

    Of numbers: "factor", "mean for sum", "sign", "zero", "transposed", "permuted", "missing sum",
    "extra sum", "times x", "divided by x", "boundary", "argument swapped", "elements", "subgradient",
    "missing", "inconclusive", or "wrong". Of what is looked at before: "random", "stale", "mutates",
    "shape", "dtype", "not finite", "not linear", "upstream ignored", "accumulates", "precision",
    "layout", "raises".
    """

    kind: str
    text: str


@dataclass(frozen=True)
class Argument:
    """An argument and its gradient for the cotangents, as it was given and as it should be."""

    name: str
    x: Array
    given: Array | None  # of any shape; nan and infinity may be in it
    expected: Array  # of the shape of x; nan where it was not measured
    uncertainty: Array  # of expected, absolute


@dataclass(frozen=True)
class Evidence:
    """What is known about a wrong gradient: that of ``arguments[wrong]``.

    ``again`` returns the gradient that is given for other cotangents.
    """

    arguments: list[Argument]
    wrong: int
    outputs: list[Array]
    cotangents: list[Array]
    again: Callable[[list[Array]], Array | None] | None = None

STREAM = 0x9E3779B9  # of random numbers of its own: not by chance those of the cotangents


def diagnose(evidence: Evidence) -> Hint:
    """Say what is wrong with the gradient of ``evidence.arguments[evidence.wrong]``.

    >>> import numpy as np
    >>> x, right = np.array([1.0, 2.0, 4.0]), np.array([0.3, -1.2, 0.7])
    >>> a = Argument("x", x, right / 3, right, 1e-9 * np.ones(3))
    >>> diagnose(Evidence([a], 0, [np.array(0.5)], [np.array(1.7)])).text
    'it is 1/3 of the right one everywhere: 3 is the length of axis 0, so a mean stands where a sum is due'
    """
    if evidence.arguments[evidence.wrong].given is None:
        return Hint("missing", "there is none")
    case = Case(evidence)
    if not case.same_shape:
        return Hint(*_shape(case))
    if not np.isfinite(case.given).all():
        return Hint(*_not_finite(case))
    if not case.e.size:
        return Hint("wrong", "no element of it was measured")
    patterns: list[Callable[[Case], Found]] = [_zero, _sign, _upstream, _factor]
    if case.e.size > 1:
        patterns += [
            swapped, transposed, permuted, extra_sum, missing_sum, _partial, squared_upstream,
            times, boundary, elements, added, along_axes,
        ]  # fmt: skip
    for pattern in patterns:
        if (found := pattern(case)) is not None:
            return Hint(*found)
    return Hint("wrong", _remarks(case))


def _shape(case: Case) -> tuple[str, str]:
    given, shape = case.given, case.shape
    got = f"it has the shape {given.shape} instead of {shape}"
    for axes in subsets(given.ndim):
        if any(given.shape[k] > 1 for k in axes):
            total = given.sum(axis=axes, keepdims=True)
            if _bare(total.shape) == _bare(shape) and case.fits(total.reshape(shape), min(2, case.e.size)):
                lengths = " x ".join(str(given.shape[k]) for k in axes)
                return "missing sum", f"{got}: it is to be summed over axes {axes} of length {lengths}"
    for axes in subsets(len(shape)):
        kept = tuple(1 if k in axes else n for k, n in enumerate(shape))
        if any(shape[k] > 1 for k in axes) and _bare(kept) == _bare(given.shape):
            if (what := summed_over(case, axes, given.reshape(kept))) is not None:
                return "extra sum", f"{got}: it is the {what} of the right one over axes {axes}"
    if (found := swapped(case)) is not None or (found := transposed(case)) is not None:
        return found[0], f"{got}; {found[1]}"
    if given.size == case.x.size and case.fits(given.reshape(shape), min(2, case.e.size)):
        return "shape", f"{got}, with the right numbers: a reshape is missing"
    return "shape", got


def _bare(shape: tuple[int, ...]) -> list[int]:
    return [n for n in shape if n != 1]


def _not_finite(case: Case) -> tuple[str, str]:
    bad = ~np.isfinite(case.given)
    text = f"it is nan or infinite at {listed(case, bad)}"
    if not bad.all() and np.array_equal(bad, case.x == 0):
        text += f", which is where {case.name} = 0"
    return "not finite", text


def _zero(case: Case) -> Found:
    if case.given.any() or not (np.abs(case.e) > case.slack).any():
        return None
    return "zero", "it is zero everywhere, and should not be"


def _sign(case: Case) -> Found:
    return ("sign", "it is minus the right one everywhere") if case.fits(-case.g, 1) else None


def _upstream(case: Case) -> Found:
    """It does not depend on the incoming gradient, or is what comes for one of 1."""
    evidence = case.evidence
    if evidence.again is not None:
        rng = np.random.default_rng(STREAM)
        try:
            other = evidence.again([rng.standard_normal(np.shape(u)) for u in evidence.cotangents])
        except Exception:  # of a rule that is wrong anyway
            return None
        if other is not None and same(np.asarray(other, float), case.given):
            return "upstream ignored", "it is the same for another incoming gradient"
        return None
    if len(evidence.cotangents) == 1:
        u = evidence.cotangents[0]
        spread = [np.full(case.shape, u.item())] if u.size == 1 else case.incoming()
        for v in spread:
            c = case.multiple(v[case.mask], 1 if u.size == 1 else 2, inverse=True)
            if c is not None and abs(c - 1) <= (case.precision if u.size == 1 else 1e-3):
                return "upstream ignored", "it is the right one for an incoming gradient of 1"
    return None


def _partial(case: Case) -> Found:
    """Of what was spread out over the outputs, only one slice of the incoming gradient comes back."""
    evidence = case.evidence
    for i, u in enumerate(evidence.cotangents):
        if evidence.again is None or u.size <= case.x.size:
            continue
        for axis, n in enumerate(u.shape):
            for place in {0, n - 1} if n > 1 else ():
                us = [np.zeros_like(w) if w is not u else w for w in evidence.cotangents]
                us[i] = np.where(np.arange(n) == place, np.moveaxis(u, axis, -1), 0.0)
                us[i] = np.moveaxis(us[i], -1, axis)
                try:
                    other = evidence.again(us)
                except Exception:  # of a rule that is wrong anyway
                    return None
                if other is not None and same(np.asarray(other, float), case.given):
                    return "missing sum", (f"only position {place} along axis {axis} of the incoming "
                                           "gradient has an effect on it: sum over that axis")  # fmt: skip
    return None


# -- a constant factor -----------------------------------------------------------------------------


def _factor(case: Case) -> Found:
    r = case.multiple(np.ones(case.e.shape), 1)
    if r is None or abs(r - 1) <= case.precision:
        return None
    spread = 3 * float(np.median(np.abs(case.g[case.solid] / case.e[case.solid] / r - 1)))
    slack = min(max(case.precision, spread), 5e-3)
    n = int(case.solid.sum())
    where = "everywhere" if case.mask.all() else f"at all {case.e.size} elements that were measured"
    if n == 1:
        where = "at the one element that is not zero" if case.e.size > 1 else "where it was measured"
        where = where if case.x.size > 1 else "here"
    lengths = dict(_lengths(case))
    named = min(lengths, key=lambda n: abs(r * n - 1), default=0)
    summed = [y.shape for y in case.evidence.outputs] != [case.shape]  # or spread out, perhaps
    if summed and named > 2 and abs(r * named - 1) <= slack:
        return "mean for sum", (f"it is 1/{named} of the right one {where}: {named} is {lengths[named]}, "
                                "so a mean stands where a sum is due")  # fmt: skip
    said = next((text for v, text in _names(case, lengths) if abs(r - v) <= slack * abs(v)), None)
    return "factor", f"it is {said or case.written(r)} times the right one {where}"


def _lengths(case: Case) -> Iterator[tuple[int, str]]:
    """Yield numbers of elements along axes that a rule may sum over, the likeliest last."""
    others = [(a.name, np.asarray(a.x)) for a in case.others]
    arrays = [(case.name, case.x), *outputs(case.evidence), *others]
    for name, a in reversed(arrays):
        of = "" if a is case.x else f" of {name}"
        for axes in reversed(list(subsets(a.ndim))):
            n = math.prod(a.shape[k] for k in axes)
            if n > 1:
                one = f"the length of axis {axes[0]}{of}"
                size = f"the number of elements{of or ' of ' + name}"
                part = f"the product of the lengths of axes {axes}{of}"
                yield n, one if len(axes) == 1 else size if len(axes) == a.ndim else part


def _names(case: Case, lengths: dict[int, str]) -> Iterator[tuple[float, str]]:
    """Yield numbers that a ratio may be, with how to write them."""
    also = f" (2 is also {lengths[2]})" if 2 in lengths else ""
    yield from ((2, "2" + also), (0.5, "1/2" + also), (-2, "-2" + also), (-0.5, "-1/2" + also))
    for n, what in lengths.items():
        yield n, f"{n} ({what}, so a sum stands where a mean is due)"
        yield 1 / n, f"1/{n} ({n} is {what})"
        yield -n, f"-{n} ({n} is {what})"
        yield -1 / n, f"-1/{n} ({n} is {what})"
    for n in (n for n in range(3, 17) if n not in lengths):
        yield from ((n, str(n)), (-n, str(-n)), (1 / n, f"1/{n}"), (-1 / n, f"-1/{n}"))
    if case.precision > 1e-4:
        return
    for n, what in lengths.items():
        for v, text in (
            (math.sqrt(n), "sqrt({0})"), (1 / math.sqrt(n), "1/sqrt({0})"),
            (2 * n, "2 * {0}"), (2 / n, "2/{0}"), (n / 2, "{0}/2"), (0.5 / n, "1/(2 * {0})"),
            ((n - 1) / n, "({0} - 1)/{0}"), (n / (n - 1), "{0}/({0} - 1)"),
        ):  # fmt: skip
            yield v, f"{text.format(n)} ({n} is {what})"
    others = [(a.name, np.asarray(a.x, float)) for a in case.others]
    for name, a in [*others, (case.name, case.x), *outputs(case.evidence)]:
        v = a.item() if a.size == 1 else 0
        for power in (1, -1, 2, -2) if v else ():
            text = name if power == 1 else f"{name}**{power}"
            yield v**power, f"{case.written(v**power)}, which is {text},"
    for text, v in CONSTANTS.items():
        yield v, text
    r = case.multiple(np.ones(case.e.shape), 1) or 1.0
    simple = Fraction(r).limit_denominator(16)
    if simple and abs(simple) < 100:
        yield float(simple), str(simple)


# -- what else can be said -------------------------------------------------------------------------


def _remarks(case: Case) -> str:
    """Tell about a gradient that fits no pattern."""
    wrong = int((case.error > case.slack).sum())
    text = "no known pattern explains it" + (
        f": {wrong} of {case.e.size} measured elements are wrong" if wrong else "")  # fmt: skip
    if not (np.abs(case.e) > case.slack).any():
        text = "it should be zero at all elements that were measured"
    worst = int(case.error.argmax())
    index = tuple(int(i) for i in np.argwhere(case.mask)[worst])
    text += f"; at {index} it is {case.g[worst]:.6g} instead of {case.e[worst]:.6g}" * bool(case.error[worst])
    flat = [k for k, n in enumerate(case.shape) if n > 1 and not np.ptp(case.given, axis=k).any()]
    if flat:
        text += f"; it is the same all along axes {tuple(flat)}"
    evidence = case.evidence
    if evidence.again is not None and len(evidence.cotangents) > 1:
        for i, u in enumerate(evidence.cotangents):
            us = list(evidence.cotangents)
            us[i] = np.random.default_rng(STREAM).standard_normal(np.shape(u))
            try:
                other = evidence.again(us)
            except Exception:  # of a rule that is wrong anyway
                return text
            if other is not None and same(np.asarray(other, float), case.given):
                text += f"; the incoming gradient of output {i} has no effect on it"
    return text
