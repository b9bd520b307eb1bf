"""The Gauss-Newton method with conjugate gradients: curvature that is never negative, and damping."""

from __future__ import annotations

from collections.abc import Callable
from math import inf
from typing import Any

from autograd_core import enable_grad
from autograd_core.errors import message
from autograd_core.node import strip
from autograd_core.tensor import Tensor

from .conjugate_gradients import ConjugateGradients
from .curvature import gauss_newton_product, hessian_product, pullback
from .groups import Group
from .optimizer import Params
from .second_order import ACCEPT, Model, SecondOrder

__all__ = ["GaussNewton"]

WANTED = "one that returns residuals, a Tensor, or (outputs, a function of them that gives the loss)"


class GaussNewton(SecondOrder):
    """The Gauss-Newton method with damping (Levenberg-Marquardt): ``(G + mu I) d = -g``, ``x <- x + d``.

    ``G = J^T H_L J``, with the Jacobian J of the outputs by the parameters and the Hessian H_L of the loss by
    the outputs: the Hessian without what the curvature of the model adds, and never negative where the loss
    is convex in the outputs. For residuals r and the loss ``|r|^2 / 2``, ``G = J^T J``. It is never
    formed: conjugate gradients need three backward passes for a product. mu falls where the model predicts
    well and grows where it does not, a step that is worse being taken back.

    Args:
        params: the parameters; all are in one group.
        lr: the share of the step that is taken.
        damping: the first mu, in units of the curvature ``g . G g / g . g`` at the beginning. 0 is
            Gauss and Newton's method, until a step fails.
        tolerance_cg, max_cg, max_eval, tolerance_grad: as of :class:`Newton`.

    Raises:
        ValueError: an option that makes no sense, or several groups of parameters.

    ``step`` needs a closure that returns either the residuals, a Tensor r of any shape, whose loss is
    ``sum(r^2) / 2`` as SciPy's ``least_squares`` has it; or the outputs of a model and a function that gives
    the loss of them.

    Source: D. Marquardt, "An algorithm for least-squares estimation of nonlinear parameters", 1963, with mu
    as in H. Nielsen, Damping parameter in Marquardt's method, 1999; N. Schraudolph, "Fast curvature
    matrix-vector products for second-order gradient descent", 2002; J. Martens, "Deep learning via
    Hessian-free optimization", 2010.

    >>> import numpy as np
    >>> from autograd_core import nn, optim
    >>> t = np.linspace(0, 4, 20)
    >>> rate, height = nn.Parameter(np.array(1.0)), nn.Parameter(np.array(1.0))
    >>> optimizer = optim.GaussNewton([rate, height])
    >>> for _ in range(10):
    ...     loss = optimizer.step(lambda: height * np.exp(-rate * t) - 3 * np.exp(-0.5 * t))
    >>> float(rate.item()), float(height.item())
    (0.5, 3.0)

    A classifier, whose loss is a function of its outputs:

    >>> _ = nn.manual_seed(0)
    >>> x, y = np.array([[0., 0.], [0., 1.], [1., 0.], [1., 1.]]), np.array([0, 1, 1, 0])
    >>> model = nn.MLP([2, 8, 2], activation="tanh")
    >>> optimizer = optim.GaussNewton(model.parameters())
    >>> for _ in range(10):
    ...     loss = optimizer.step(lambda: (model(x), lambda z: nn.functional.cross_entropy(z, y)))
    >>> model(x).argmax(1)
    array([0, 1, 1, 0])
    """

    closure_form = "outputs"
    numbers = ("damping", "growth", "n_iter", "func_evals", "products")

    def __init__(
        self,
        params: Params,
        lr: float = 1.0,
        damping: float = 1e-3,
        tolerance_cg: float | None = None,
        max_cg: int = 250,
        max_eval: int = 10,
        tolerance_grad: float = 0.0,
    ) -> None:
        super().__init__(params, {
            "lr": lr, "damping": damping, "tolerance_cg": tolerance_cg, "max_cg": max_cg,
            "max_eval": max_eval, "tolerance_grad": tolerance_grad,
        })  # fmt: skip

    def check(self, group: Group) -> None:
        super().check(group)
        if not 0 <= group["damping"] < inf:
            raise ValueError(message("GaussNewton", f"damping={group['damping']}", "a number from 0"))

    def model(self, closure: Callable[[], Any] | None) -> Model:
        outputs, loss_of = self.parts_of(self.evaluated(closure))
        if loss_of is None:
            r = strip(outputs)
            value, slopes, curvature = float((r * r).sum()) / 2, r, lambda u: u
        else:
            z = Tensor(strip(outputs), requires_grad=True)
            with enable_grad():
                loss = self.single(self.checked(loss_of(z), WANTED))
            (slopes,), product = hessian_product(loss, [z])
            value, curvature = loss.item(), lambda u: product([u])[0]
        g = self.flat(pullback(outputs, self.params, slopes))
        return Model(value, g, self.joined(gauss_newton_product(outputs, self.params, curvature)))

    def value(self, closure: Callable[[], Any] | None) -> float:
        outputs, loss_of = self.parts_of(self.evaluated(closure, record=False), recorded=False)
        return float((strip(outputs) ** 2).sum()) / 2 if loss_of is None else float(loss_of(outputs))

    def parts_of(self, result: Any, recorded: bool = True) -> tuple[Any, Any]:
        """Return the outputs and the function of the loss, None for residuals."""
        pair = result if isinstance(result, tuple) and len(result) == 2 else (result, None)
        if pair[1] is not None and not callable(pair[1]):
            kinds = " and ".join(type(part).__name__ for part in pair)
            raise TypeError(message("GaussNewton.step", f"a closure that returns ({kinds})", WANTED))
        return (self.checked(pair[0], WANTED) if recorded else pair[0]), pair[1]

    def beginning(self, model: Model) -> dict[str, Any]:
        if "damping" in self.memory:
            return {name: float(self.memory[name]) for name in ("damping", "growth")}
        g = model.g / abs(model.g).max()  # whose square does not vanish
        unit = float(g @ model.product(g)) / float(g @ g)
        return {"damping": self.param_groups[0]["damping"] * unit, "growth": 2.0}

    def minimum(self, model: Model, kept: dict[str, Any]) -> ConjugateGradients:
        mu = kept["damping"]
        found = self.solve(lambda v: model.product(v) + mu * v, model.g)
        return found._replace(curvature=found.curvature - mu * float(found.x @ found.x))

    def adapted(
        self, kept: dict[str, Any], ratio: float, found: ConjugateGradients
    ) -> dict[str, Any]:
        mu, growth = kept["damping"], kept["growth"]
        if ratio > ACCEPT:
            return {"damping": mu * max(1 / 3, 1 - (2 * ratio - 1) ** 3), "growth": 2.0}
        if not mu:
            mu = 1e-3 * abs(found.curvature) / float(found.x @ found.x)
        return {"damping": mu * growth, "growth": 2 * growth}
