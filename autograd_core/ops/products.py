"""Products of vectors, matrices and tensors: linear in each factor."""

from __future__ import annotations

from functools import cache
from math import prod
from typing import Any, NamedTuple

import numpy as np
from numpy import ndarray
from numpy.lib.array_utils import normalize_axis_index

from ..errors import message
from ..primitive import bilinear, composite, kernel
from .elementwise import multiply
from .shaping import expand_dims, ravel, reshape, transpose

__all__ = [
    "dot", "einsum", "inner", "kron", "matmul", "outer", "tensordot", "vdot", "vecdot",
]  # fmt: skip


def _matmul_a(g: Any, y: Any, a: Any, b: Any) -> Any:
    if b.ndim == 1:
        return g * b if a.ndim == 1 else np.expand_dims(g, -1) * b
    if a.ndim == 1:
        return np.expand_dims(g, -2) @ b.mT
    return g @ b.mT


def _matmul_b(g: Any, y: Any, a: Any, b: Any) -> Any:
    if a.ndim == 1:
        return g * a if b.ndim == 1 else np.expand_dims(a, -1) * np.expand_dims(g, -2)
    if b.ndim == 1:
        return np.expand_dims(g, -1) * a
    if b.ndim == 2 < a.ndim:  # one matrix for the whole batch: one product, not a batch of them
        rows = prod(a.shape[:-1])  # said, because -1 is ambiguous beside an axis of length 0
        return np.reshape(a, (rows, a.shape[-1])).T @ np.reshape(g, (rows, g.shape[-1]))
    return a.mT @ g


matmul = bilinear(np.matmul, _matmul_a, _matmul_b, saves=("b", "a"),
                  flops=lambda y, a, b: 2 * y.size * a.shape[-1],
                  doc="""Matrix product a @ b, batched: a_bar = g b^T, b_bar = a^T g.

    >>> import numpy as np, autograd_core as ag
    >>> ag.grad(lambda a: ag.matmul(a, np.array([3.0, 4.0])).sum())(np.ones((2, 2))).tolist()
    [[3.0, 4.0], [3.0, 4.0]]
    """)  # fmt: skip


@composite(np.dot)
def dot(a: Any, b: Any) -> Any:
    """Product of NumPy's ``dot``: over the last axis of a and the second-to-last of b.

    The gradients are those of the product it is, ``a_bar = g b^T`` and ``b_bar = a^T g`` for matrices.

    >>> import numpy as np, autograd_core as ag
    >>> ag.grad(ag.dot, (0, 1))(np.array([1.0, 2.0]), np.array([3.0, 4.0]))
    (array([3., 4.]), array([1., 2.]))
    """
    na, nb = np.ndim(a), np.ndim(b)
    if na == 0 or nb == 0:
        return multiply(a, b)
    if na <= 2 and nb <= 2:
        return matmul(a, b)
    return tensordot(a, b, axes=(-1, -1 if nb == 1 else -2))


@composite(np.vdot)
def vdot(a: Any, b: Any) -> Any:
    """Sum of the products of two arrays, element by element. ``a_bar = g b`` and ``b_bar = g a``.

    >>> import numpy as np, autograd_core as ag
    >>> ag.grad(ag.vdot)(np.ones((2, 1)), np.array([[3.0], [4.0]])).tolist()
    [[3.0], [4.0]]
    """
    return matmul(ravel(a), ravel(b))


@composite(np.inner)
def inner(a: Any, b: Any) -> Any:
    """Sum of products over the last axes. ``a_bar = g b`` and ``b_bar = g a`` for vectors.

    >>> import numpy as np, autograd_core as ag
    >>> ag.grad(ag.inner, (0, 1))(np.array([1.0, 2.0]), np.array([3.0, 4.0]))
    (array([3., 4.]), array([1., 2.]))
    """
    if np.ndim(a) == 0 or np.ndim(b) == 0:
        return multiply(a, b)
    return tensordot(a, b, axes=(-1, -1))


@composite(np.outer)
def outer(a: Any, b: Any) -> Any:
    """Matrix of all products a_i b_j. ``a_bar = g b`` and ``b_bar = g^T a``.

    >>> import numpy as np, autograd_core as ag
    >>> ag.grad(lambda a: ag.outer(a, [3.0, 4.0]).sum())(np.array([1.0, 2.0]))
    array([7., 7.])
    """
    return multiply(expand_dims(ravel(a), 1), ravel(b))


@composite(np.vecdot, np.linalg.vecdot)
def vecdot(x1: Any, x2: Any, *, axis: int = -1) -> Any:
    """Sum of products along an axis, after broadcasting. ``x1_bar = g x2`` and ``x2_bar = g x1``.

    >>> import numpy as np, autograd_core as ag
    >>> ag.grad(lambda x: ag.vecdot(x, [3.0, 4.0]).sum())(np.ones((2, 2))).tolist()
    [[3.0, 4.0], [3.0, 4.0]]
    """
    return np.sum(multiply(x1, x2), axis=axis)


@composite(np.tensordot, np.linalg.tensordot)
def tensordot(a: Any, b: Any, axes: Any = 2) -> Any:
    """Sum of products over ``axes`` of a and b: one matrix product in another shape.

    The gradient of a factor is the product of g with the other one over the axes that are left.

    >>> import numpy as np, autograd_core as ag
    >>> ag.grad(lambda a: ag.tensordot(a, np.array([[1.0, 2.0]]), 1).sum())(np.ones((2, 1))).tolist()
    [[3.0], [3.0]]
    """
    a, b = (x if hasattr(x, "shape") else np.asarray(x) for x in (a, b))
    if isinstance(axes, int):
        axes = (range(a.ndim - axes, a.ndim), range(axes))
    ia, ib = ([i] if isinstance(i, int) else list(i) for i in axes)
    ia, ib = [normalize_axis_index(i, a.ndim) for i in ia], [normalize_axis_index(i, b.ndim) for i in ib]
    if [a.shape[i] for i in ia] != [b.shape[i] for i in ib]:
        raise ValueError(message("tensordot", f"shapes {a.shape} and {b.shape} over axes {ia}, {ib}",
                                 "equal lengths"))  # fmt: skip
    fa = [i for i in range(a.ndim) if i not in ia]
    fb = [i for i in range(b.ndim) if i not in ib]
    n = int(np.prod([a.shape[i] for i in ia], dtype=int))
    free = tuple(a.shape[i] for i in fa), tuple(b.shape[i] for i in fb)
    rows, columns = (int(np.prod(f, dtype=int)) for f in free)
    left = reshape(transpose(a, fa + ia), (rows, n))
    right = reshape(transpose(b, ib + fb), (n, columns))
    return reshape(matmul(left, right), free[0] + free[1])


@composite(np.kron)
def kron(a: Any, b: Any) -> Any:
    """Kronecker product: every element of a times all of b.

    ``a_bar`` sums the gradient times b over each block.

    >>> import numpy as np, autograd_core as ag
    >>> ag.grad(lambda a: ag.kron(a, [3.0, 4.0]).sum())(np.array([1.0, 2.0]))
    array([7., 7.])
    """
    n = max(np.ndim(a), np.ndim(b))
    a = reshape(a, (1,) * (n - np.ndim(a)) + np.shape(a))
    b = reshape(b, (1,) * (n - np.ndim(b)) + np.shape(b))
    y = multiply(expand_dims(a, tuple(range(1, 2 * n, 2))), expand_dims(b, tuple(range(0, 2 * n, 2))))
    return reshape(y, tuple(i * j for i, j in zip(a.shape, b.shape, strict=True)))


# -- einsum ----------------------------------------------------------------------------------------

LETTERS = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"


def _explicit(subscripts: str, operands: Any) -> tuple[list[str], str]:
    """Write an einsum expression out: every axis a letter, every output given."""
    left, arrow, out = subscripts.replace(" ", "").partition("->")
    terms = left.split(",")
    if len(terms) != len(operands):
        raise ValueError(message("einsum", f"{len(terms)} terms for {len(operands)} operands"))
    if not arrow:
        letters = [c for c in left if c.isalpha()]
        out = "".join(sorted(c for c in set(letters) if letters.count(c) == 1))
        out = ("..." if "..." in left else "") + out
    if "..." not in subscripts:
        return terms, out
    free = [c for c in LETTERS if c not in subscripts]
    rest = [x.ndim - len(t.replace("...", "")) if "..." in t else 0
            for t, x in zip(terms, operands, strict=True)]  # fmt: skip
    dots = "".join(free[: max(rest)])
    if dots and "..." not in out:
        raise ValueError(f"the result of {subscripts!r} leaves out the axes of the ellipsis")
    terms = [t.replace("...", dots[len(dots) - n :] if n else "") for t, n in zip(terms, rest, strict=True)]
    return terms, out.replace("...", dots)


class _Product(NamedTuple):
    """An expression as ``a @ b``: the axes of each factor in that order, and of the result in its own."""

    swap: bool
    a: list[int]
    b: list[int]
    batch: int  # how many axes of each kind
    rows: int
    columns: int
    out: list[int]


@cache
def _as_product(subscripts: str) -> _Product | None:
    """Find the matrix product that an expression of two terms is, if each letter has a part in it."""
    left, _, out = subscripts.partition("->")
    a, _, b = left.partition(",")
    swap = next((c for c in out if (c in a) != (c in b)), "") in b  # columns first: (a b)^T = b^T a^T
    if swap:
        a, b = b, a
    batch, rows, columns = ([c for c in out if (c in a, c in b) == where]
                            for where in ((True, True), (True, False), (False, True)))  # fmt: skip
    summed = sorted((set(a) & set(b)).difference(out))
    ours, theirs, order = [*batch, *rows, *summed], [*batch, *summed, *columns], [*batch, *rows, *columns]
    parts = rows and columns and summed
    if not parts or (sorted(a), sorted(b), sorted(out)) != (sorted(ours), sorted(theirs), sorted(order)):
        return None
    return _Product(swap, [a.index(c) for c in ours], [b.index(c) for c in theirs],
                    len(batch), len(rows), len(columns), [order.index(c) for c in out])  # fmt: skip


def _multiply(how: _Product, a: Any, b: Any) -> Any:
    """Multiply as matrices, or return None: the shapes are for NumPy to broadcast or refuse."""
    swap, order_a, order_b, batch, rows, columns, out = how
    if swap:
        a, b = b, a
    if a.ndim != len(order_a) or b.ndim != len(order_b):
        return None
    a, b = a.transpose(order_a), b.transpose(order_b)
    i, j = batch + rows, b.ndim - columns
    lead, high, deep, wide = a.shape[:batch], a.shape[batch:i], a.shape[i:], b.shape[j:]
    if b.shape[:j] != lead + deep:
        return None
    if rows == columns == len(deep) == 1:
        y = a @ b
    else:
        y = a.reshape(*lead, prod(high), prod(deep)) @ b.reshape(*lead, prod(deep), prod(wide))
        y = y.reshape(*lead, *high, *wide)
    return y.transpose(out)


@kernel
def _einsum(*operands: Any, subscripts: str) -> Any:
    if len(operands) == 2 and all(type(x) is ndarray and x.dtype.char in "fd" for x in operands):
        if "->" not in subscripts or "." in subscripts or " " in subscripts:
            terms, out = _explicit(subscripts, operands)
            subscripts = f"{','.join(terms)}->{out}"
        how = _as_product(subscripts)
        if how and (y := _multiply(how, *operands)) is not None:
            return y  # 1000 x 1000: 20 ms, and 140 ms by NumPy's loops
    return np.einsum(subscripts, *operands, optimize=len(operands) > 2)


def _einsum_rules(g: Any, y: Any, *operands: Any, subscripts: str) -> Any:
    """Put the gradient in an operand's place: swap the output's letters with the operand's."""
    terms, out = _explicit(subscripts, operands)
    return [_einsum_rule(i, g, operands, (*terms, out)) for i in range(len(operands))]


def _einsum_rule(i: int, g: Any, operands: Any, terms: tuple[str, ...]) -> Any:
    expression, diagonals, ones = _gradient_of(i, terms)
    others = [v for j, v in enumerate(operands) if j != i]
    eyes = [np.eye(operands[i].shape[k], dtype=g.dtype) for k in diagonals]
    gradient = _einsum_op(g, *others, *eyes, subscripts=expression)
    return np.expand_dims(gradient, ones) if ones else gradient


@cache
def _gradient_of(i: int, terms: tuple[str, ...]) -> tuple[str, list[int], tuple[int, ...]]:
    """Return the expression of operand i's gradient, its axes on a diagonal, and those summed alone.

    The last of ``terms`` is the output's.
    """
    *inputs, out = terms
    others = [t for j, t in enumerate(inputs) if j != i]
    known = set(out).union(*others)
    target, free = "", [c for c in LETTERS if c not in "".join(terms)]
    diagonals, ones = [], []  # what was summed by itself: length 1, broadcast centrally
    for k, c in enumerate(terms[i]):
        if c in target:  # a diagonal: its gradient stands on the diagonal of zeros
            twin = free.pop()
            others.append(c + twin)
            diagonals.append(k)
            known.add(c)
            c = twin
        elif c not in known and terms[i].count(c) == 1:
            ones.append(k)
        target += c
    kept = "".join(c for k, c in enumerate(target) if k not in ones)
    return ",".join([out, *others]) + "->" + kept, diagonals, tuple(ones)


def _einsum_flops(y: Any, *operands: Any, subscripts: str) -> int:
    """Count one term for each value of all letters; a product of several operands is two operations."""
    sizes: dict[str, int] = {}
    for term, x in zip(subscripts.partition("->")[0].split(","), operands, strict=True):
        before, dots, after = term.replace(" ", "").partition("...")
        shape = x.shape
        sizes.update(zip(before, shape, strict=False))
        if dots:
            rest = shape[len(before) : len(shape) - len(after)]
            sizes["..."] = max(sizes.get("...", 1), prod(rest))
            sizes.update(zip(reversed(after), reversed(shape), strict=False))
    return (1 + (len(operands) > 1)) * prod(sizes.values())


_einsum_op = bilinear(_einsum, joint=_einsum_rules, saves="inputs", name="einsum", flops=_einsum_flops,
                      doc="Sum of products in Einstein's notation.")  # fmt: skip


@composite(np.einsum)
def einsum(subscripts: str, *operands: Any, optimize: Any = None) -> Any:
    """Sum of products by Einstein's notation, ``"ij,jk->ik"``; any expression with letters.

    The gradient of an operand is the same expression with the output's letters and the
    operand's exchanged.

    >>> import numpy as np, autograd_core as ag
    >>> a = np.arange(6.0).reshape(2, 3)
    >>> ag.grad(lambda a: ag.einsum("ij,ij->", a, a))(a).tolist()
    [[0.0, 2.0, 4.0], [6.0, 8.0, 10.0]]
    """
    if not isinstance(subscripts, str):
        raise TypeError(message("einsum", f"subscripts of type {type(subscripts).__name__}",
                                "a string such as 'ij,jk->ik'"))  # fmt: skip
    operands = tuple(x if hasattr(x, "shape") else np.asarray(x) for x in operands)
    return _einsum_op(*operands, subscripts=subscripts)
