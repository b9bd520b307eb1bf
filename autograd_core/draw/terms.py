"""Tables of numbers, and behind each element the scalar terms that it is the sum of."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from .records import Amount, Backward, Forward
from .wording import bracketed, number, pretty

__all__ = ["behind", "elements", "is_table", "table", "total"]

Told = list[list[str]]  # for each element: its name, and expressions equal to it


def is_table(a: Amount | None) -> bool:
    """Tell whether an amount is an array, of at least one axis."""
    return a is not None and bool(a.shape)


def table(title: str, kind: str, a: Amount | None, **more: Any) -> dict[str, Any]:
    """Return what a page needs for a table: its cells, if they are all here, shape and size."""
    cells = [pretty(number(v)) for v in a.flat] if a is not None and a.numbers is not None else None
    size = "" if a is None else f"norm {pretty(number(a.norm))}"
    if cells is None and a is not None:
        size += f", from {pretty(number(a.low))} to {pretty(number(a.high))}"
    shape = list(a.shape or ()) if a is not None else []
    return {"title": title, "kind": kind, "shape": shape, "size": size, "cells": cells, **more}


def behind(b: Backward) -> Told | None:
    """Spell each element of a contribution out: elements of G times coefficients of the rule."""
    if b.terms is None or b.upstream is None or b.contribution is None or not b.upstream.flat:
        return None
    g, shape, to = b.upstream.flat, b.upstream.shape or (), b.contribution.shape or ()
    rows = []
    for i, (terms, result) in enumerate(zip(b.terms, b.contribution.flat, strict=True)):
        products = [(_index("G", j, shape), number(g[j]), number(d)) for _, j, d in terms]
        rows.append(_sum(_index("contribution", i, to), products, number(result)))
    return rows


def total(name: str, pieces: list[Amount | None], after: Amount | None) -> Told | None:
    """Spell each element of a gradient out as the sum of the contributions so far."""
    if after is None or not after.flat or not all(p and p.flat for p in pieces):
        return None
    columns = zip(*(p.flat for p in pieces if p), after.flat, strict=True)
    return [[_index(name, i, after.shape or ()), " + ".join(bracketed(number(v)) for v in column[:-1]),
             pretty(number(column[-1]))] for i, column in enumerate(columns)]  # fmt: skip


def elements(f: Forward, called: Mapping[str, str]) -> Told | None:
    """Spell each element of a value out: a sum where the operation is linear, else what it was made of."""
    if f.value is None or not f.value.flat:
        return None
    seen = [([], ()) if v is None else (v.flat, v.shape or ()) for v in f.values]
    shape, rows = f.value.shape or (), []
    for j, y in enumerate(f.value.flat):
        name = _index(called[f.key], j, shape)
        if f.terms is not None:
            if any(i >= len(seen[s][0]) for s, i, _ in f.terms[j]):
                return None
            products = [(_index(called[f.inputs[s]], i, seen[s][1]), number(seen[s][0][i]), number(d))
                        for s, i, d in f.terms[j]]  # fmt: skip
            rows.append(_sum(name, products, number(y)))
        elif f.broadcasts and all(flat for flat, _ in seen):
            inputs = [pretty(number(flat[_source(j, shape, of)])) for flat, of in seen]
            rows.append([name, f"{f.name}({', '.join(inputs)})", pretty(number(y))])
    return rows or None


def _sum(left: str, products: list[tuple[str, str, str]], result: str) -> list[str]:
    """Write a sum of products twice: with the names, and with the numbers."""
    if not products:
        return [left, "0, because no element comes here"]
    names = " + ".join(f"{name} × {bracketed(d)}" for name, _, d in products)
    numbers = " + ".join(f"{bracketed(v)} × {bracketed(d)}" for _, v, d in products)
    return [left, names, numbers, pretty(result)]


def _index(name: str, i: int, shape: tuple[int, ...]) -> str:
    """Name element ``i``, counted in C order.

    >>> _index("G", 5, (2, 3))
    'G[1,2]'
    """
    where = []
    for n in reversed(shape):
        where.append(str(i % n))
        i //= n
    return f"{name}[{','.join(reversed(where))}]" if shape else name


def _source(j: int, shape: tuple[int, ...], of: tuple[int, ...]) -> int:
    """Return which element of an input of shape ``of`` met element ``j`` of the broadcast result."""
    at, step = 0, 1
    for n, m in zip(reversed(shape), reversed(of), strict=False):
        at += (j % n if m == n else 0) * step
        step *= m
        j //= n
    return at
