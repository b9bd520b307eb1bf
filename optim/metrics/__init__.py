"""Metrics: what a model's outputs are worth, exact over batches of any sizes.

    accuracy = optim.metrics.Accuracy()
    for x, target in loader:
        accuracy.update(model(x), target)
    accuracy.compute()

    optim.metrics.accuracy(model(x), target)  # of one batch
"""

from .base import *
from .classwise import *
from .confusion import *
from .correct import *
from .likelihood import *
from .names import *
from .regression import *
from .report import *
