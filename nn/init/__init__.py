"""First values of parameters, under PyTorch's names: each function fills a Tensor in place."""

from .draws import *
from .patterns import *
from .variance import *
