"""The layers as functions, under PyTorch's names; each file holds forward functions and rules."""

from .activations import *
from .binary import *
from .classes import *
from .linear import *
from .margin import *
from .regression import *
