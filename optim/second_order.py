"""What Newton's and the Gauss-Newton method share: a step to the minimum of a model, and how far it held."""

from __future__ import annotations

from collections.abc import Callable
from math import inf, sqrt
from typing import Any, NamedTuple

import numpy as np
from numpy import ndarray

from autograd_core import random
from autograd_core.errors import GraphError, message
from autograd_core.interrupts import deferred
from autograd_core.tensor import Tensor

from .conjugate_gradients import ConjugateGradients, conjugate_gradients
from .groups import Group
from .vector import VectorOptimizer

__all__ = ["ACCEPT", "Model", "SecondOrder"]

Array = ndarray[Any, Any]
ACCEPT = 1e-4  # the share of what was predicted that a step must bring


class Model(NamedTuple):
    """The quadratic that stands for the loss near x: ``value + g . d + d . B d / 2``."""

    value: float
    g: Array
    product: Callable[[Array], Array]  # v -> B v


class SecondOrder(VectorOptimizer):
    """One step: a quadratic model of the loss, its minimum by conjugate gradients, and whether it held.

    What was predicted is compared with what came: a step that brings less than ``ACCEPT`` of it is taken
    back, and a shorter one tried. In one step the closure draws the same random numbers each time, so that
    dropout is the same function.
    """

    closure_form = "loss"

    def check(self, group: Group) -> None:
        super().check(group)
        who = type(self).__name__
        for name in ("max_cg", "max_eval"):
            if not group[name] >= 1:
                raise ValueError(message(who, f"{name}={group[name]}", "a number of at least 1"))
        tolerance = group["tolerance_cg"]
        if tolerance is not None and not 0 <= tolerance < 1:
            raise ValueError(message(who, f"tolerance_cg={tolerance}", "None, or from 0 to 1"))

    def step(self, closure: Callable[[], Any] | None = None) -> Any:
        """Make one iteration.

        Args:
            closure: computes the loss anew, in the form that the class states, without ``backward()``.

        Returns:
            the loss before the step.

        Raises:
            TypeError: no closure, or one that returns something else.
            GraphError: nothing that requires grad led to the loss.
            FloatingPointError: the loss or its gradient is not finite; nothing has been changed.
        """
        self.see_values()
        group, who = self.param_groups[0], f"{type(self).__name__}.step"
        draws = random.get_state()
        model = self.model(closure)
        if not (np.isfinite(model.value) and np.isfinite(model.g).all()):
            raise FloatingPointError(message(who, f"the loss {model.value} or a gradient that is not finite"))
        loss = Tensor(np.array(model.value, model.g.dtype))
        if abs(model.g).max() <= group["tolerance_grad"]:
            return loss
        start, after = self.copies(), random.get_state()
        kept, evaluations, products = self.beginning(model), 1, 0
        try:
            for _ in range(group["max_eval"]):
                found = self.minimum(model, kept)
                t = float(group["lr"])
                self.move(t, found.x)
                random.set_state(draws)
                value = self.value(closure)
                evaluations, products = evaluations + 1, products + found.iterations
                ratio = _ratio(model, value, -t * found.slope - t * t * found.curvature / 2)
                kept = self.adapted(kept, ratio, found)
                if ratio > ACCEPT:
                    break
                self.put(start)
        except BaseException:
            self.put(start)
            raise
        finally:
            random.set_state(after)
        counts = {"n_iter": 1, "func_evals": evaluations, "products": products}
        for name, n in counts.items():
            kept[name] = int(self.memory.get(name, 0)) + n
        with deferred():
            self.remember(kept)
        return loss

    def model(self, closure: Callable[[], Any] | None) -> Model:
        """Return the quadratic model of the loss at x."""
        raise NotImplementedError

    def value(self, closure: Callable[[], Any] | None) -> float:
        """Return the loss at x."""
        raise NotImplementedError

    def beginning(self, model: Model) -> dict[str, Any]:
        """Return what was remembered of the last step's fit, or what the first step begins with."""
        raise NotImplementedError

    def minimum(self, model: Model, kept: dict[str, Any]) -> ConjugateGradients:
        """Return the minimum of the model."""
        raise NotImplementedError

    def adapted(
        self, kept: dict[str, Any], ratio: float, found: ConjugateGradients
    ) -> dict[str, Any]:
        """Return what to remember, given what came by what was predicted."""
        raise NotImplementedError

    def solve(self, product: Callable[[Array], Array], g: Array, radius: float = inf) -> ConjugateGradients:
        group = self.param_groups[0]
        tolerance = group["tolerance_cg"]
        if tolerance is None:  # superlinear convergence: Nocedal and Wright, theorem 7.2
            tolerance = min(0.1, sqrt(float(np.linalg.norm(g))))
        return conjugate_gradients(product, g, radius=radius, tolerance=tolerance, max_iter=group["max_cg"])

    def joined(self, product: Callable[[Any], Any]) -> Callable[[Array], Array]:
        """Return a product of arrays for each parameter as one of vectors."""
        return lambda v: self.flat(product(self.split(v)))

    def checked(self, loss: Any, what: str) -> Tensor:
        """Return what a closure returned, if it is a recorded Tensor."""
        who = f"{type(self).__name__}.step"
        if not isinstance(loss, Tensor):
            raise TypeError(message(who, f"a closure that returns {type(loss).__name__}", what))
        if loss.edge is None:
            raise GraphError(message(who, f"a closure whose result nothing requiring grad led to: {loss!r}",
                                     what, "returning it without .item() or .detach()"))  # fmt: skip
        if getattr(loss.node, "released", False):
            raise GraphError(message(who, "a closure that calls backward()", what, "leaving that call out"))
        return loss

    def single(self, loss: Tensor) -> Tensor:
        """Return a loss, if it is one number."""
        if loss.size != 1:
            raise ValueError(message(f"{type(self).__name__}.step", f"a loss of shape {loss.shape}",
                                     "one number", ".sum() or .mean()"))  # fmt: skip
        return loss


def _ratio(model: Model, value: float, predicted: float) -> float:
    """Return by how much the loss fell, in units of what was predicted."""
    if not np.isfinite(value):
        return -1.0
    fell = model.value - value
    rounding = 10 * float(np.finfo(model.g.dtype).eps) * abs(model.value)
    if max(abs(fell), abs(predicted)) <= rounding:  # at the minimum a quotient of roundings says nothing
        return 1.0
    return fell / predicted if predicted > 0 else -1.0
