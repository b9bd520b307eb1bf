"""Noise on gradients, which falls with time."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

import numpy as np
from numpy import ndarray

from autograd_core import random
from autograd_core.errors import message
from autograd_core.node import strip
from autograd_core.primitive import duck, kernel
from autograd_core.tensor import Tensor

from .penalties import listed

__all__ = ["GradientNoise", "add_gradient_noise"]

Parameters = Tensor | Iterable[Tensor]


def add_gradient_noise(
    parameters: Parameters,
    step: Any = 0,
    eta: float = 0.01,
    gamma: float = 0.55,
    generator: np.random.Generator | None = None,
) -> float:
    """Add Gaussian noise to every gradient: ``g <- g + N(0, sigma^2)``, ``sigma^2 = eta / (1 + step)^gamma``.

    Call it between ``loss.backward()`` and ``optimizer.step()``. :class:`GradientNoise` counts the steps.

    Args:
        parameters: as ``model.parameters()`` gives them, or one; those without a gradient are passed over.
        step: the number of steps before this one.
        eta: the variance at step 0; its authors take 0.01, 0.3 or 1.
        gamma: how fast it falls.
        generator: of the noise; the library's (``nn.manual_seed``) by default.

    Returns:
        sigma.

    Raises:
        ValueError: a negative argument.
        TypeError: something else than parameters.

    Source: A. Neelakantan and others, "Adding gradient noise improves learning for very deep networks", 2015.

    >>> import numpy as np
    >>> from autograd_core import nn, optim
    >>> p = nn.Parameter(np.zeros(100_000, np.float32))
    >>> p.grad = np.ones_like(p.numpy())
    >>> optim.add_gradient_noise([p], step=99, eta=1.0, gamma=0.5)
    0.31622776601683794
    >>> bool(abs(p.grad.std() - 0.316) < 0.01)
    True
    """
    _check(step, eta, gamma)
    sigma = (eta / (1 + step) ** gamma) ** 0.5
    draws = random.generator() if generator is None else generator
    for p in listed("add_gradient_noise", parameters):
        if p.grad is not None:
            g = strip(p.grad)
            noise = draws.standard_normal(g.shape)  # the same draws whatever the dtype
            p.grad = g + (sigma * noise).astype(g.dtype)
    return sigma if duck((sigma,)) is not None else float(sigma)


@kernel  # so that a replayed step looks at its numbers too
def _check(step: Any, eta: Any, gamma: Any) -> None:
    if not (step >= 0 and eta >= 0 and gamma >= 0):
        raise ValueError(message("add_gradient_noise", f"step={step}, eta={eta}, gamma={gamma}",
                                 "numbers that are not negative"))  # fmt: skip


class GradientNoise:
    """:func:`add_gradient_noise` that counts its steps, and continues from a checkpoint.

    A Trainer takes it as one of its ``callbacks``.

    Args:
        eta: the variance at the first step.
        gamma: how fast it falls.
        generator: of the noise; the library's by default.

    Attributes:
        step: the number of calls so far, an array without axes.

    >>> import numpy as np
    >>> from autograd_core import nn, optim
    >>> noise = optim.GradientNoise(eta=0.3)
    >>> p = nn.Parameter([1.0])
    >>> for _ in range(3):
    ...     p.grad = np.zeros(1, np.float32)
    ...     sigma = noise([p])  # before optimizer.step()
    >>> noise.step, sigma
    (array(3.), 0.4049)
    """

    def __init__(
        self, eta: float = 0.01, gamma: float = 0.55, generator: np.random.Generator | None = None
    ) -> None:
        if not (eta >= 0 and gamma >= 0):
            raise ValueError(message("GradientNoise", f"eta={eta}, gamma={gamma}",
                                     "numbers that are not negative"))  # fmt: skip
        self.eta, self.gamma, self.generator = eta, gamma, generator
        self.step: ndarray[Any, Any] = np.zeros(())

    def __call__(self, parameters: Parameters) -> float:
        """Add noise to the gradients, count a step, and return the standard deviation."""
        sigma = add_gradient_noise(parameters, self.step, self.eta, self.gamma, self.generator)
        self.step += 1
        return sigma

    def on_backward_end(self, trainer: Any) -> None:
        """Add noise to the gradients of a Trainer's step."""
        self([p for group in trainer.optimizer.param_groups for p in group["params"]])

    def state_dict(self) -> dict[str, Any]:
        """Return the step, and the state of the generator if it is one of its own."""
        state: dict[str, Any] = {"step": self.step.copy()}
        if self.generator is not None:
            state["generator"] = dict(self.generator.bit_generator.state)
        return state

    def load_state_dict(self, state_dict: Mapping[str, Any]) -> None:
        """Continue from what ``state_dict()`` returned.

        Raises:
            ValueError: one of the two has a generator of its own and the other has not.
        """
        if ("generator" in state_dict) != (self.generator is not None):
            kinds = ["the library's generator", "a generator of its own"]
            raise ValueError(message(
                "GradientNoise.load_state_dict", f"a state with {kinds['generator' in state_dict]}",
                kinds[self.generator is not None], "the same generator= as then"))  # fmt: skip
        if self.generator is not None:
            self.generator.bit_generator.state = state_dict["generator"]
        self.step = np.array(strip(state_dict["step"]), np.float64).reshape(())

    def __repr__(self) -> str:
        return f"GradientNoise(eta={self.eta}, gamma={self.gamma}, step={self.step:.0f})"
