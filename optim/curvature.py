"""Products of a vector with the Hessian, or the Gauss-Newton matrix, of a loss that was recorded."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from autograd_core.backward import ancestors, propagate
from autograd_core.node import strip
from autograd_core.tensor import Tensor
from autograd_core.transforms import alias

__all__ = ["gauss_newton_product", "hessian_product", "pullback"]

Arrays = list[Any]


def pullback(y: Tensor, params: Sequence[Tensor], g: Any, record: bool = False) -> Arrays:
    """Return ``(dy/dp)^T g`` for each parameter, None where y does not depend on it; the graph stays."""
    return _at_leaves(_seeds([y], [g]), params, record)


def hessian_product(
    loss: Tensor, params: Sequence[Tensor]
) -> tuple[Arrays, Callable[[Sequence[Any]], Arrays]]:
    """Return the gradient of a loss, and the function v -> H v, of arrays for each parameter.

    The gradient is recorded, and ``H v = d(g . v)/dx`` is one backward pass through both graphs. [B.
    Pearlmutter, Fast exact multiplication by the Hessian, 1994, gives the same number in forward mode]
    """
    one = Tensor(np.ones(loss.shape, loss.dtype))
    gradients = pullback(loss, params, one, record=True)

    def product(v: Sequence[Any]) -> Arrays:
        return _at_leaves(_seeds(gradients, v), params)

    return [None if g is None else strip(g) for g in gradients], product


def gauss_newton_product(
    outputs: Tensor, params: Sequence[Tensor], curvature: Callable[[Any], Any]
) -> Callable[[Sequence[Any]], Arrays]:
    """Return v -> J^T H_L J v, for J = d(outputs)/d(params) and a function ``curvature`` u -> H_L u.

    J v is the derivative of ``J^T u`` along v with respect to u, of which J^T u is a linear function; so two
    backward passes make one forward pass.
    """
    u = alias(np.ones(outputs.shape, outputs.dtype))
    gradients = pullback(outputs, params, u, record=True)
    edges = [g.edge for g in gradients if g is not None and g.edge is not None]
    wanted, _ = ancestors(edges, {u.node})  # not what depends on the parameters alone

    def product(v: Sequence[Any]) -> Arrays:
        seeds = _seeds(gradients, v)
        found, _ = propagate(seeds, retain=True, wanted=wanted, targets={u.node})
        if u.node not in found:
            return [None] * len(params)
        return pullback(outputs, params, curvature(found[u.node]))

    return product


def _seeds(gradients: Arrays, v: Sequence[Any]) -> list[tuple[Any, Any]]:
    """Return where a backward pass of ``sum of g . v`` begins."""
    return [(g.edge, x) for g, x in zip(gradients, v, strict=True) if g is not None and g.edge is not None]


def _at_leaves(seeds: list[tuple[Any, Any]], params: Sequence[Tensor], record: bool = False) -> Arrays:
    """Return what arrives at each parameter in a backward pass from ``seeds``."""
    _, leaves = propagate(seeds, record=record, retain=True)
    found = {id(leaf): gradient for leaf, gradient in leaves}
    return [found.get(id(p)) for p in params]
