"""Newton's method with conjugate gradients: the Hessian without a matrix."""

from __future__ import annotations

from collections.abc import Callable
from math import inf
from typing import Any

import numpy as np

from .conjugate_gradients import ConjugateGradients
from .curvature import hessian_product
from .optimizer import Params
from .second_order import Model, SecondOrder

__all__ = ["Newton"]


class Newton(SecondOrder):
    """Newton's method: ``x <- x - H^-1 g`` with the Hessian H, within a region where the model is trusted.

    H is never formed: conjugate gradients need its products with vectors, each of which is one backward pass
    through the recorded gradient. Where the loss curves downwards the step follows that direction to the
    border of the region, so that saddles are left. The region is unbounded until a step has failed or has
    met negative curvature; it shrinks to a quarter of a step that brings less than a quarter of what the
    model predicted, and grows to twice a step to its border that brings more than three quarters.

    Args:
        params: the parameters; all are in one group.
        lr: the share of the step that is taken.
        tolerance_cg: conjugate gradients stop at this reduction of ``|g + H d|``; by default at
            ``min(0.1, sqrt(|g|))``, which is little at first and enough at the end. With 1e-10 the minimum
            of a quadratic is reached in one step.
        max_cg: the largest number of products with H in a trial.
        max_eval: the largest number of trials in a step; if all fail, the parameters stay.
        tolerance_grad: no step where no number of g is larger.

    Raises:
        ValueError: an option that makes no sense, or several groups of parameters.

    ``step`` needs a closure that returns the loss, and leaves ``backward()`` to the optimizer.

    Source: T. Steihaug, "The conjugate gradient method and trust regions in large scale optimization", 1983;
    J. Nocedal and S. Wright, Numerical Optimization, 2006, algorithms 4.1 and 7.2.

    >>> import numpy as np
    >>> from autograd_core import nn, optim
    >>> x = nn.Parameter(np.array([-1.2, 1.0]))
    >>> optimizer = optim.Newton([x])
    >>> def closure():
    ...     return (1 - x[0]) ** 2 + 100 * (x[1] - x[0] ** 2) ** 2
    >>> losses = [optimizer.step(closure).item() for _ in range(40)]
    >>> round(losses[0], 3), losses[-1] < 1e-20
    (24.2, True)
    >>> x.numpy().round(6)
    array([1., 1.])
    """

    numbers = ("radius", "n_iter", "func_evals", "products")

    def __init__(
        self,
        params: Params,
        lr: float = 1.0,
        tolerance_cg: float | None = None,
        max_cg: int = 250,
        max_eval: int = 10,
        tolerance_grad: float = 0.0,
    ) -> None:
        super().__init__(params, {
            "lr": lr, "tolerance_cg": tolerance_cg, "max_cg": max_cg, "max_eval": max_eval,
            "tolerance_grad": tolerance_grad,
        })  # fmt: skip

    def model(self, closure: Callable[[], Any] | None) -> Model:
        loss = self.single(self.checked(self.evaluated(closure), "one that returns the loss, a Tensor"))
        g, product = hessian_product(loss, self.params)
        return Model(loss.item(), self.flat(g), self.joined(product))

    def value(self, closure: Callable[[], Any] | None) -> float:
        return float(self.evaluated(closure, record=False))

    def beginning(self, model: Model) -> dict[str, Any]:
        return {"radius": float(self.memory.get("radius", inf))}

    def minimum(self, model: Model, kept: dict[str, Any]) -> ConjugateGradients:
        return self.solve(model.product, model.g, kept["radius"])

    def adapted(
        self, kept: dict[str, Any], ratio: float, found: ConjugateGradients
    ) -> dict[str, Any]:
        length = float(np.linalg.norm(found.x))
        if ratio < 0.25:
            return {"radius": length / 4}
        if ratio > 0.75 and found.reason in ("radius", "negative curvature"):
            return {"radius": 2 * length}
        return kept
