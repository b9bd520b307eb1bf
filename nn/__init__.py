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
from . import statistics as statistics
from . import utils as utils
from .activations import *
from .adaptive_pooling import *
from .attention import *
from .batchnorm import *
from .cells import *
from .containers import *
from .convolution import *
from .distance import *
from .dropout import *
from .embedding import *
from .files import load_file as load_file
from .files import save_file as save_file
from .folding import *
from .gated_feedback import *
from .linear import *
from .losses import *
from .mlp import *
from .module import Module as Module
from .noise import *
from .normalization import *
from .padding import *
from .parameterlists import *
from .pooling import *
from .positions import *
from .random import manual_seed as manual_seed
from .recurrent import *
from .resampling import *
from .summary import summary as summary
from .transformer import *
from .unpooling import *
from .wrappers import *
