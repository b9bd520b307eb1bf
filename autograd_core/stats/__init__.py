"""Probability densities under SciPy's names and arguments, differentiable in all that is continuous.

>>> import numpy as np, autograd_core as ag
>>> x = np.array([0.5, -1.0, 2.0])
>>> ag.grad(lambda scale: ag.stats.norm.logpdf(x, 0.0, scale).sum())(1.0)  # sum(x^2) - 3
np.float64(2.25)

Outside the support a density is 0 and its logarithm -infinity, with gradient 0; where a parameter is not
allowed, NaN. Densities that contain gamma functions, and integrals, need SciPy for its special functions.
"""

from . import multivariate, univariate
from .multivariate import *
from .univariate import *

__all__ = [*multivariate.__all__, *univariate.__all__]
