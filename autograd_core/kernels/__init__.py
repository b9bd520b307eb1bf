"""The heavy loops of layers: a function each, not a rule.

Each kernel is a NumPy function, which is always there and is the definition. Where it pays, a function of
the same name and arguments stands in :mod:`kernels.loops`, written for numba, and runs where numba is
installed.
"""

from .blas import rest as _rest
from .threads import get_num_threads as get_num_threads
from .threads import set_num_threads as set_num_threads
from .twins import using as using

_rest()
