"""The numbers of a wrong gradient, and whether they are the right ones at other places.

Every pattern takes a :class:`Case` and returns (kind, text), or None where it does not explain all
the numbers that were measured. A pattern with a free constant asks for more numbers than one
without: what two numbers fit by accident must not be given a name.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from itertools import combinations, permutations
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

if TYPE_CHECKING:
    from .diagnose import Evidence

Array = NDArray[np.float64]
Found = tuple[str, str] | None
MANY = 64  # slices along an axis: beyond, not every one is compared with every other
AXES = 5  # of arrays with more, no arrangement is tried


class Case:
    """The numbers of the wrong argument, where they were measured: ``e`` expected, ``g`` given."""

    def __init__(self, evidence: Evidence) -> None:
        argument = evidence.arguments[evidence.wrong]
        self.evidence, self.name = evidence, argument.name
        self.x = np.asarray(argument.x, float)
        self.shape = self.x.shape
        self.given = np.asarray(argument.given, float)
        self.expected = np.asarray(argument.expected, float)
        spread = np.asarray(argument.uncertainty, float)
        self.mask = np.isfinite(self.expected) & np.isfinite(spread)
        self.e = self.expected[self.mask]
        self.scale = float(np.abs(self.e).max(initial=0.0))
        self.slack = np.maximum(5 * np.abs(spread[self.mask]), 1e-7 * self.scale)  # the given may be float32
        self.tol = np.maximum(1e-3 * np.abs(self.e), self.slack)
        self.same_shape = self.given.shape == self.shape
        self.g = self.given[self.mask] if self.same_shape else self.e
        self.error = np.abs(self.g - self.e)
        largest = np.maximum(np.abs(self.e), np.abs(self.g))
        self.sharp = (self.tol <= 0.02 * largest) & (largest > 0)  # numbers that say something
        self.solid = self.sharp & (np.abs(self.e) > self.slack)  # and are not merely zero
        self.others = [a for i, a in enumerate(evidence.arguments) if i != evidence.wrong]

    def fits(self, values: Array, least: int = 2) -> bool:
        """Tell whether these are the expected numbers, and much nearer to them than the given."""
        c = values[self.mask] if values.shape == self.shape else values
        if self.sharp.sum() < least or not self.solid.any() or not np.isfinite(c).all():
            return False
        miss = np.abs(c - self.e)
        better = not self.same_shape or np.linalg.norm(miss) <= 0.1 * np.linalg.norm(self.error)
        return bool((miss <= self.tol).all() and better)

    def multiple(self, v: Array, least: int = 2, inverse: bool = False) -> float | None:
        """Return c if given = c * v * expected (inverse: c / v * expected), ``v`` where measured."""
        use = self.solid & (self.g != 0) & (v != 0)
        if use.sum() < least or not np.isfinite(v).all():
            return None
        e, g, w = self.e[use], self.g[use], v[use]
        trust = (np.abs(e) / np.maximum(self.slack[use], 1e-7 * np.abs(e))) ** 2
        c = float(np.average(g / e * w if inverse else g / e / w, weights=trust))
        if c == 0:
            return None
        if inverse:
            return c if self.fits(self.g * v / c, least) else None
        if np.abs(self.g[v == 0]).max(initial=0.0) > 1e-6 * np.abs(self.g).max():
            return None
        return c if self.fits(np.divide(self.g, c * v, out=self.e.copy(), where=v != 0), least) else None

    @property
    def precision(self) -> float:
        """Relative precision of a ratio of given to expected."""
        return max(1e-5, float((self.slack[self.solid] / np.abs(self.e[self.solid])).min(initial=1.0)))

    def written(self, ratio: float) -> str:
        """Write a ratio with the digits that are known of it, at most six."""
        return f"{ratio:.{min(6, max(3, round(-math.log10(self.precision / 5))))}g}"

    def arrays(self) -> Iterator[tuple[str, Array]]:
        """Yield what the rule has at hand, spread to the argument's shape, with its name."""
        yield self.name, self.x
        for name, y in outputs(self.evidence):
            yield from ((name, v) for v in spread_to(y, self.shape))
        for a in self.others:
            yield from ((a.name, v) for v in spread_to(np.asarray(a.x, float), self.shape))

    def incoming(self) -> Iterator[Array]:
        """Yield the incoming gradients, spread to the argument's shape."""
        for u in self.evidence.cotangents:
            yield from spread_to(np.asarray(u, float), self.shape)


def outputs(evidence: Evidence) -> Iterator[tuple[str, Array]]:
    """Yield the outputs with their names."""
    for i, y in enumerate(evidence.outputs):
        name = "the output y" if len(evidence.outputs) == 1 else f"output {i}"
        yield name, np.asarray(y, float)


def same(a: Array, b: Array) -> bool:
    """Tell whether two arrays are equal but for rounding, in float32 even."""
    return a.shape == b.shape and bool((np.abs(a - b) <= 1e-6 * np.abs(b).max(initial=0.0)).all())


def subsets(n: int, least: int = 1) -> Iterator[tuple[int, ...]]:
    """Yield the subsets of ``range(n)``, small ones first; none for more axes than are tried."""
    for k in range(least, n + 1) if n <= AXES else ():
        yield from combinations(range(n), k)


def spread_to(v: Array, shape: tuple[int, ...]) -> Iterator[Array]:
    """Yield the ways to broadcast ``v`` to a shape: NumPy's, then new axes at other places."""
    n = len(shape)
    if v.size <= 1 or v.ndim > n or n > AXES:
        return
    for axes in sorted(combinations(range(n), n - v.ndim)):
        full = np.expand_dims(v, axes)
        if all(a in (1, b) for a, b in zip(full.shape, shape, strict=True)):
            yield np.broadcast_to(full, shape)


def axes_text(axes: tuple[int, ...]) -> str:
    """Return "axis 0", or "axes 0 and 2"."""
    return f"axis {axes[0]}" if len(axes) == 1 else "axes " + " and ".join(map(str, axes))


# -- the right numbers at other places --------------------------------------------------------------


def swapped(case: Case) -> Found:
    """It is the gradient of another argument."""
    for other in case.others:
        expected = np.asarray(other.expected, float)
        if expected.shape != case.given.shape:
            continue
        both = np.isfinite(expected) & np.isfinite(other.uncertainty)
        e, g = expected[both], case.given[both]
        tol = np.maximum(1e-3 * np.abs(e), 5 * np.asarray(other.uncertainty, float)[both])
        if (np.abs(e) > 20 * tol).sum() < 2 or not (np.abs(g - e) <= tol).all():
            continue
        if not case.same_shape:
            return "argument swapped", f"it is the gradient of {other.name}, in its shape too"
        both = both[case.mask]  # where it differs from that of this argument
        if not both.any() or (case.error[both] > 3 * case.tol[both]).any():
            return "argument swapped", f"it is the gradient of {other.name}, not of {case.name}"
    return None


def transposed(case: Case) -> Found:
    """The axes are in another order, of the result or of a matrix that it is a product with."""
    n = case.given.ndim
    for order in permutations(range(n)) if 2 <= n <= AXES else ():
        moved = case.given.transpose(order)
        if order != tuple(range(n)) and moved.shape == case.shape and case.fits(moved, 2 if n == 2 else 3):
            return "transposed", f"its axes are in another order: transpose{order} gives the right one"
    if case.same_shape and len(case.evidence.cotangents) == 1 and case.x.ndim == 2:
        u = np.asarray(case.evidence.cotangents[0], float)
        for name, v in [(case.name, case.x), *((a.name, np.asarray(a.x, float)) for a in case.others)]:
            if u.ndim == v.ndim == 2 and max(u.size, v.size) <= 2**16:
                forms = [(f, f"{a} @ {b}") for f, a, b in _products(u, "u", v, name) if f.shape == case.shape]
                due = [text for f, text in forms if case.fits(f, 3)]
                came = [text for f, text in forms if same(f, case.given)]
                if due and came:
                    return "transposed", f"it is {came[0]} where {due[0]} is due, u the incoming gradient"
    return None


def _products(u: Array, p: str, v: Array, q: str) -> Iterator[tuple[Array, str, str]]:
    for a, s in ((u, p), (u.T, p + ".T")):
        for b, t in ((v, q), (v.T, q + ".T")):
            if a.shape[1] == b.shape[0]:
                yield a @ b, s, t
            if b.shape[1] == a.shape[0]:
                yield b @ a, t, s


def permuted(case: Case) -> Found:
    """The same numbers in another order along an axis, or anywhere."""
    given, n = case.given, case.given.ndim
    for axes in subsets(n):
        if all(case.shape[k] > 1 for k in axes) and case.fits(np.flip(given, axes)):
            return "permuted", f"it is the right one reversed along {axes_text(axes)}"
    for k, m in enumerate(case.shape):
        for by in range(1, m) if m <= MANY else (1, 2, m - 2, m - 1):
            if case.fits(np.roll(given, -by, k), 3):
                by = by if by <= m // 2 else by - m
                return "permuted", f"it is the right one shifted by {by} along axis {k}, around the end"
        for by in (1, -1, 2, -2):
            if _shifted(case, k, by):
                return "permuted", f"it is the right one shifted by {by} along axis {k}"
    for order in permutations(range(n)) if 2 <= n <= AXES else ():
        mixed = given.reshape([case.shape[k] for k in order]).transpose(np.argsort(order))
        if order != tuple(range(n)) and case.fits(mixed, 4):
            return "permuted", "it is the right one reshaped where a transpose is due, or reversely"
    for k, m in enumerate(case.shape):
        if 2 < m <= MANY and given.size <= 2**14 and (slices := _order(case, k)) is not None:
            shown = f" ({', '.join(map(str, slices))})" if m <= 12 else ""
            return "permuted", f"it is the right one in another order along axis {k}{shown}"
    if case.mask.all() and case.sharp.sum() >= 2:
        rank, to = np.argsort(case.g, kind="stable"), np.argsort(case.e, kind="stable")
        values = np.empty_like(case.e)
        values[to] = case.g[rank]
        if case.fits(values):
            return "permuted", "it has the right numbers at wrong places"
    return None


def _shifted(case: Case, k: int, by: int) -> bool:
    """Tell whether given[i + by] = expected[i] along an axis, whatever has come in at the end."""
    m = case.shape[k]
    if m < abs(by) + 3:
        return False
    inside = np.zeros(case.shape, bool)
    np.moveaxis(inside, k, 0)[max(0, -by) : m - max(0, by)] = True
    use = inside[case.mask]
    moved = np.roll(case.given, -by, k)[case.mask]
    near = np.abs(moved - case.e)[use] <= case.tol[use]
    telling = case.sharp[use] & (case.error[use] > 3 * case.tol[use])
    return bool(near.all() and telling.sum() >= 3)


def _order(case: Case, k: int) -> list[int] | None:
    """Find for each slice of what is expected along an axis the slice of what was given."""
    e, g = (np.moveaxis(a, k, 0).reshape(case.shape[k], -1) for a in (case.expected, case.given))
    tol = np.full(case.shape, np.inf)
    tol[case.mask] = case.tol
    t = np.moveaxis(tol, k, 0).reshape(e.shape)
    known = np.isfinite(t)
    telling = known & (np.abs(np.nan_to_num(e)) > 20 * np.where(known, t, 0))
    if not telling.any(axis=1).all():
        return None
    order: list[int] = []
    for i in range(len(e)):
        near = (np.abs(g - np.nan_to_num(e[i])) <= t[i]).all(axis=1)
        if near.sum() != 1:
            return None
        order.append(int(near.argmax()))
    return order if len(set(order)) == len(order) and order != sorted(order) else None
