"""Layers and networks on autograd_core, under PyTorch's names.

    from autograd_core import nn, optim

    model = nn.MLP([784, 30, 10], activation="sigmoid")
    loss = nn.functional.cross_entropy(model(images), labels)
"""

from autograd_core.tensor import Parameter as Parameter

from . import data as data
from . import functional as functional
from . import init as init
from . import plots as plots
from . import random as random
from .activations import *
from .containers import *
from .linear import *
from .losses import *
from .mlp import *
from .module import Module as Module
from .random import manual_seed as manual_seed
from .summary import summary as summary
