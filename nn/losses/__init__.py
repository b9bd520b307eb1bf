"""Losses as modules: what they are, with their options, apart from what they are given.

The names and arguments are PyTorch's, without ``size_average`` and ``reduce``, which it has deprecated in
favour of ``reduction``: arguments that PyTorch has behind them are given by name here.
"""

from .adaptive import *
from .binary import *
from .classes import *
from .contrast import *
from .ctc import *
from .divergence import *
from .likelihood import *
from .margin import *
from .ranking import *
from .regression import *
