"""Schedules: how the learning rate changes from epoch to epoch, under PyTorch's names.

    schedule = optim.schedules.CosineAnnealingLR(optimizer, T_max=epochs)
    for epoch in range(epochs):
        train(model, optimizer)
        schedule.step()

``optim.lr_scheduler`` has the same. A schedule of one's own is a :class:`FactorLR` with a method
``factor(t)``.
"""

from .base import *
from .cosine import *
from .curve import *
from .cyclic import *
from .decay import *
from .functions import *
from .inverse_root import *
from .joined import *
from .one_cycle import *
from .plateau import *
from .swa import *
