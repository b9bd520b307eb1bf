"""Products, powers and norms of matrices, batched, and what else ``numpy.linalg`` has a name for."""

from __future__ import annotations

import math
from itertools import pairwise
from typing import Any

import numpy as np

from ..errors import message
from ..primitive import NUMPY, composite, constant
from .elementwise import where
from .equations import inv, solve
from .factorizations import matrices, shaped
from .indexing import getitem
from .laying import diagonal
from .products import matmul, outer
from .reductions import axes_of, norm
from .shaping import expand_dims, reshape, transpose
from .spectra import svdvals

__all__ = ["cond", "matrix_norm", "matrix_power", "matrix_rank", "multi_dot", "tensorinv",
           "tensorsolve", "vector_norm"]

# -- products and powers ---------------------------------------------------------------------------


@composite(np.linalg.matrix_power)
def matrix_power(a: Any, n: int) -> Any:
    """Matrix A multiplied with itself n times, by repeated squaring; n < 0 takes its inverse.

    ``A_bar = sum_k (A^T)^k g (A^T)^(n-1-k)``, for n > 0.

    >>> import numpy as np, autograd_core as ag
    >>> ag.grad(lambda a: ag.matrix_power(a, 2)[0, 0])(np.array([[1.0, 2.0], [3.0, 4.0]])).tolist()
    [[2.0, 3.0], [2.0, 0.0]]
    """
    a = matrices(a, "matrix_power")
    try:
        n = n.__index__()
    except AttributeError:
        raise TypeError(message("matrix_power", f"exponent {n!r}", "an integer")) from None
    if n == 0:
        return where(np.True_, np.eye(a.shape[-1], dtype=a.dtype), a)  # whatever a holds
    if n < 0:
        a, n = inv(a), -n
    if n == 3:  # as NumPy does
        return matmul(matmul(a, a), a)
    power = result = None
    while n:
        power = a if power is None else matmul(power, power)
        n, odd = divmod(n, 2)
        if odd:
            result = power if result is None else matmul(result, power)
    return result


@composite(np.linalg.multi_dot)
def multi_dot(arrays: Any, *, out: Any = None) -> Any:
    """Product of two or more matrices, in the order that costs least; the ends may be vectors.

    The gradient of a factor is ``L^T g R^T``, L and R the products to its left and right.

    >>> import numpy as np, autograd_core as ag
    >>> a, b = np.ones((2, 3)), np.array([1.0, 2.0, 3.0])
    >>> ag.grad(lambda a: ag.multi_dot([np.ones(2), a, b]))(a).tolist()
    [[1.0, 2.0, 3.0], [1.0, 2.0, 3.0]]
    """
    if out is not None:
        raise TypeError(message("multi_dot", "out=", "no array to write into"))
    arrays = [shaped(a) for a in arrays]
    if len(arrays) < 2:
        raise ValueError(message("multi_dot", f"{len(arrays)} arrays", "at least 2"))
    first, last = arrays[0].ndim == 1, arrays[-1].ndim == 1
    if first:
        arrays[0] = expand_dims(arrays[0], 0)
    if last:
        arrays[-1] = expand_dims(arrays[-1], 1)
    shapes = [a.shape for a in arrays]
    if any(len(s) != 2 for s in shapes) or any(s[1] != t[0] for s, t in pairwise(shapes)):
        raise np.linalg.LinAlgError(message("multi_dot", f"shapes {', '.join(map(str, shapes))}",
                                            "matrices that follow each other"))  # fmt: skip
    cut = _order([s[0] for s in shapes] + [shapes[-1][1]])
    y = _chain(arrays, cut, 0, len(arrays) - 1)
    return reshape(y, y.shape[first : 2 - last]) if first or last else y


def _order(p: list[int]) -> dict[tuple[int, int], int]:
    """Return where to cut each run of matrices, which have p[i] rows and p[i + 1] columns."""
    n = len(p) - 1
    cost = {(i, i): 0 for i in range(n)}
    cut = {}
    for length in range(1, n):
        for i in range(n - length):
            j = i + length
            costs = [cost[i, k] + cost[k + 1, j] + p[i] * p[k + 1] * p[j + 1] for k in range(i, j)]
            cost[i, j] = min(costs)
            cut[i, j] = i + costs.index(cost[i, j])
    return cut


def _chain(arrays: Any, cut: dict[tuple[int, int], int], i: int, j: int) -> Any:
    if i == j:
        return arrays[i]
    k = cut[i, j]
    return matmul(_chain(arrays, cut, i, k), _chain(arrays, cut, k + 1, j))


@composite(np.linalg.tensorinv)
def tensorinv(a: Any, ind: int = 2) -> Any:
    """Inverse of an array as a linear map from its last axes to its first ``ind``: that of a matrix.

    The gradient is that of the matrix, ``A_bar = -Y^T g Y^T``.

    >>> import numpy as np, autograd_core as ag
    >>> ag.grad(lambda a: ag.tensorinv(a, 1).sum())(np.array([[2.0]])).tolist()
    [[-0.25]]
    """
    a = shaped(a)
    if ind <= 0:
        raise ValueError(message("tensorinv", f"ind={ind}", "1 or more"))
    first, last = a.shape[:ind], a.shape[ind:]
    if math.prod(first) != math.prod(last):
        raise np.linalg.LinAlgError(message("tensorinv", f"shape {a.shape} and ind={ind}",
                                            "as many elements before as after"))  # fmt: skip
    return reshape(inv(reshape(a, (math.prod(first), math.prod(last)))), (*last, *first))


@composite(np.linalg.tensorsolve)
def tensorsolve(a: Any, b: Any, axes: Any = None) -> Any:
    """Solution x of ``tensordot(a, x, x.ndim) = b``: that of a matrix; ``axes`` of a go to its end first.

    The gradients are those of ``solve``.

    >>> import numpy as np, autograd_core as ag
    >>> ag.grad(lambda b: ag.tensorsolve(np.array([[[2.0]]]), b)[0, 0])(np.ones(1)).tolist()
    [0.5]
    """
    a, b = shaped(a), shaped(b)
    if axes is not None:
        order = [i for i in range(a.ndim) if i not in axes]
        a = transpose(a, (*order, *axes))
    free = a.shape[b.ndim :]
    n = math.prod(free)
    if a.size != n * n or b.size != n:
        raise np.linalg.LinAlgError(message("tensorsolve", f"shapes {a.shape} and {b.shape}",
                                            "b.shape + x.shape, with as many elements in both"))  # fmt: skip
    return reshape(solve(reshape(a, (n, n)), reshape(b, (n,))), free)


# -- norms -----------------------------------------------------------------------------------------


@composite(
    np.linalg.vector_norm,
    kinks="x = 0: 0, and for another p where any x_i = 0: 0 there; ties of inf and -inf: shared evenly",
)
def vector_norm(x: Any, /, *, axis: Any = None, keepdims: bool = False, ord: Any = 2) -> Any:
    """Norm of vectors ``(sum |x_i|^p)^(1/p)``, over all of an array or over axes; derivative 0 at 0.

    >>> import numpy as np, autograd_core as ag
    >>> ag.grad(ag.vector_norm)(np.array([[3.0], [4.0]])).tolist()
    [[0.6], [0.8]]
    """
    x = shaped(x)
    axes = axes_of(axis, x.ndim)
    rest = [i for i in range(x.ndim) if i not in axes]
    n = math.prod(x.shape[i] for i in axes)
    flat = reshape(transpose(x, (*axes, *rest)), (n, *[x.shape[i] for i in rest]))
    y = norm(flat, ord, 0)
    return reshape(y, tuple(1 if i in axes else m for i, m in enumerate(x.shape))) if keepdims else y


@composite(np.linalg.matrix_norm, kinks='x = 0: 0 for "fro"; ties of 1, -1, inf and -inf: shared evenly')
def matrix_norm(x: Any, /, *, keepdims: bool = False, ord: Any = "fro") -> Any:
    """Norm of matrices, the last two axes: "fro", "nuc", 1, -1, 2, -2, inf or -inf.

    ``2``, ``-2`` and ``"nuc"`` are the largest, the smallest and the sum of the singular values.

    Their gradients are made of ``u_k v_k^T``, which is ds_k/dA.

    >>> import numpy as np, autograd_core as ag
    >>> ag.grad(lambda x: ag.matrix_norm(x, ord="nuc"))(np.diag([2.0, 1.0])).tolist()
    [[1.0, 0.0], [0.0, 1.0]]
    """
    x = shaped(x)
    if x.ndim < 2 or ord not in (2, -2, "nuc"):
        return norm(x, ord, (-2, -1), keepdims)
    s = svdvals(x)
    y = np.sum(s, axis=-1) if ord == "nuc" else (np.max if ord == 2 else np.min)(s, axis=-1)
    return expand_dims(y, (-2, -1)) if keepdims else y


@composite(np.linalg.cond)
def cond(x: Any, p: Any = None) -> Any:
    """Condition number ``||A|| ||A^-1||``; by default the ratio of the singular values at the ends.

    A singular matrix has condition number inf and no derivative: the rule raises LinAlgError; with another
    norm than 2 and -2 the function itself does.

    With s the singular values: ``ds_k = u_k^T dA v_k``, so ``A_bar = s_bar_0 u_0 v_0^T + s_bar_n u_n v_n^T``.

    >>> import numpy as np, autograd_core as ag
    >>> ag.grad(ag.cond)(np.diag([4.0, 2.0])).tolist()
    [[0.5, 0.0], [0.0, -1.0]]
    """
    x = shaped(x)
    if x.ndim > 1 and 0 in x.shape[-2:]:
        raise np.linalg.LinAlgError(message("cond", f"shape {x.shape}", "matrices that are not empty"))
    if p is None or p in (2, -2):
        s = svdvals(x)
        top, low = getitem(s, (..., 0)), getitem(s, (..., -1))
        with np.errstate(all="ignore"):
            y = low / top if p == -2 else top / low
        return np.where(np.isnan(y) & ~np.isnan(x).any((-2, -1)), math.inf, y)  # 0 / 0, as in NumPy
    x = matrices(x, "cond")
    return matrix_norm(x, ord=p) * matrix_norm(inv(x), ord=p)


# -- numpy.linalg's names of other operations --------------------------------------------------------

NUMPY[np.linalg.matmul] = matmul
matrix_rank = constant(np.linalg.matrix_rank)


@composite(np.linalg.outer)
def _outer(x1: Any, x2: Any, /) -> Any:
    """Matrix of all products of two vectors."""
    if np.ndim(x1) != 1 or np.ndim(x2) != 1:
        raise ValueError(message("outer", f"shapes {np.shape(x1)} and {np.shape(x2)}", "one axis each"))
    return outer(x1, x2)


@composite(np.linalg.diagonal)
def _diagonal(x: Any, /, *, offset: int = 0) -> Any:
    """Diagonals of matrices, the last two axes."""
    return diagonal(x, offset, -2, -1)


@composite(np.linalg.trace)
def _trace(x: Any, /, *, offset: int = 0, dtype: Any = None) -> Any:
    """Sum of the diagonals of matrices, the last two axes."""
    return np.sum(diagonal(x, offset, -2, -1), axis=-1, dtype=dtype)
