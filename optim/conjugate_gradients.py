"""Conjugate gradients: minimise a quadratic that is known by its products with vectors alone."""

from __future__ import annotations

from collections.abc import Callable
from math import inf, sqrt
from typing import Any, NamedTuple

import numpy as np
from numpy import ndarray

from autograd_core.errors import message

__all__ = ["ConjugateGradients", "conjugate_gradients"]

Array = ndarray[Any, Any]


class ConjugateGradients(NamedTuple):
    """Where the minimisation of a quadratic ended, and why."""

    x: Array
    slope: float  # g . x
    curvature: float  # x . B x
    iterations: int  # products with B
    reason: str  # "converged", "max_iter", "radius" or "negative curvature"


def conjugate_gradients(
    product: Callable[[Array], Array],
    g: Array,
    *,
    radius: float = inf,
    tolerance: float = 1e-5,
    max_iter: int | None = None,
) -> ConjugateGradients:
    """Minimise ``m(x) = g . x + x . B x / 2`` over ``|x| <= radius``, from x = 0: solve ``B x = -g``.

    Each iteration takes one product ``B v``. Where the path leaves the region, it ends on the boundary; so
    it does in a direction of negative curvature ``v . B v <= 0``, along which m falls without end. Without
    a radius it ends there with what it has, and in the first iteration with -g.

    Args:
        product: v -> B v, for a symmetric B.
        g: the gradient of m at 0, a vector.
        radius: of the region that is trusted.
        tolerance: stop at ``|g + B x| <= tolerance |g|``.
        max_iter: the largest number of products; twice the length of g by default.

    Returns:
        a :class:`ConjugateGradients`.

    Source: T. Steihaug, "The conjugate gradient method and trust regions in large scale optimization", 1983;
    J. Nocedal and S. Wright, Numerical Optimization, 2006, algorithms 7.1 and 7.2.

    >>> import numpy as np
    >>> from autograd_core import optim
    >>> B = np.array([[2.0, 1.0], [1.0, 3.0]])
    >>> found = optim.conjugate_gradients(lambda v: B @ v, np.array([-3.0, -4.0]))
    >>> found.x, found.iterations, found.reason
    (array([1., 1.]), 2, 'converged')
    >>> optim.conjugate_gradients(lambda v: -v, np.array([3.0, 4.0]), radius=10.0).x
    array([-6., -8.])
    """
    if g.ndim != 1:
        raise ValueError(message("conjugate_gradients", f"g of shape {g.shape}", "a vector", "g.ravel()"))
    if not radius > 0 or not tolerance >= 0:
        raise ValueError(message("conjugate_gradients", f"radius={radius}, tolerance={tolerance}",
                                 "a radius above 0, a tolerance of at least 0"))  # fmt: skip
    x, r, v = np.zeros_like(g), g, -g
    rr = float(r @ r)
    enough = tolerance * sqrt(rr)
    most = 2 * g.size if max_iter is None else max_iter
    n, reason = 0, "max_iter"
    while True:
        if sqrt(rr) <= enough or rr == 0:
            reason = "converged"
            break
        if n >= most:
            break
        n += 1
        Bv = product(v)
        curvature = float(v @ Bv)
        length, bounded = rr / curvature if curvature > 0 else inf, radius < inf
        if bounded and (length == inf or np.linalg.norm(x + length * v) >= radius):
            length = _to_boundary(x, v, radius)
            reason = "negative curvature" if curvature <= 0 else "radius"
        elif length == inf:
            reason = "negative curvature"
            length = 1.0 if n == 1 else 0.0
        x, r = x + length * v, r + length * Bv
        if reason != "max_iter":
            break
        old, rr = rr, float(r @ r)
        v = v * (rr / old) - r
    # r = g + B x
    return ConjugateGradients(x, float(g @ x), float((r - g) @ x), n, reason)


def _to_boundary(x: Array, v: Array, radius: float) -> float:
    """Return the t >= 0 at which ``|x + t v| = radius``."""
    a, b, c = float(v @ v), float(x @ v), float(x @ x) - radius**2
    root = sqrt(max(b * b - a * c, 0.0))
    return -c / (b + root) if b > 0 else (root - b) / a  # without the difference of nearly equal numbers
