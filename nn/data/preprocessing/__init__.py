"""Numbers learnt from the training set that bring inputs into a shape in which training is easy.

The squared error of a linear neuron is a bowl over its weights, whose curvature, the Hessian, is made of the
inputs alone. Where these have means and different scales, it is a long valley, in which gradient descent
creeps. Standardised inputs make it rounder; whitened ones make it round:

>>> import numpy as np
>>> import autograd_core as ag
>>> from autograd_core import nn
>>> rng = np.random.default_rng(0)
>>> x = rng.normal(size=(500, 2)) @ np.array([[1.0, 6.0], [0.0, 8.0]]) + np.array([3.0, 5.0])
>>> y = rng.normal(size=500)
>>> def valley(x):
...     hessian = ag.hessian(lambda w: np.mean((x @ w - y) ** 2))(np.zeros(2))
...     return np.linalg.cond(hessian).item()
>>> valley(x), valley(nn.data.standardise(x)), valley(nn.data.Whiten().fit(x)(x))
(18.9, 4.1, 1.0)
"""

from .principal import *
from .scaling import *
from .whitening import *
