"""The library's random numbers, under the name that layers and users know."""

from autograd_core.random import exponential as exponential
from autograd_core.random import generator as generator
from autograd_core.random import get_state as get_state
from autograd_core.random import gumbel as gumbel
from autograd_core.random import gumbel_softmax as gumbel_softmax
from autograd_core.random import laplace as laplace
from autograd_core.random import logistic as logistic
from autograd_core.random import manual_seed as manual_seed
from autograd_core.random import multivariate_normal as multivariate_normal
from autograd_core.random import normal as normal
from autograd_core.random import set_state as set_state
from autograd_core.random import uniform as uniform

__all__ = [
    "exponential", "generator", "get_state", "gumbel", "gumbel_softmax", "laplace", "logistic", "manual_seed",
    "multivariate_normal", "normal", "set_state", "uniform",
]  # fmt: skip
