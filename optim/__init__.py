"""Optimizers on autograd_core, under PyTorch's names, with its arguments and its numbers.

    from autograd_core import nn, optim

    optimizer = optim.SGD(model.parameters(), lr=0.1, momentum=0.9)
    loss.backward()
    optimizer.step()
    optimizer.zero_grad()
"""

from .adam import *
from .optimizer import *
from .sgd import *
