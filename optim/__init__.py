"""Optimizers on autograd_core, under PyTorch's names, with its arguments and its numbers.

    from autograd_core import nn, optim

    optimizer = optim.SGD(model.parameters(), lr=0.1, momentum=0.9)
    loss.backward()
    optimizer.step()
    optimizer.zero_grad()
"""

from . import lr_scheduler as lr_scheduler
from . import metrics as metrics
from . import practice as practice
from . import schedules as schedules
from . import swa_utils as swa_utils
from .adadelta import *
from .adafactor import *
from .adagrad import *
from .adam import *
from .adamax import *
from .asgd import *
from .averaging import *
from .conjugate_gradients import *
from .ensembles import *
from .gauss_newton import *
from .gradient_noise import *
from .lbfgs import *
from .line_search import *
from .lion import *
from .muon import *
from .nadam import *
from .newton import *
from .optimizer import *
from .penalties import *
from .radam import *
from .rmsprop import *
from .rprop import *
from .sgd import *
from .trainer import *
