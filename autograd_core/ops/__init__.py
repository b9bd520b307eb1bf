"""The operations, a file per family; each is its forward function with its rules beside it.

Names, arguments and results are NumPy's. An operation answers ``ag.tanh(t)``, ``np.tanh(t)`` and
``t.tanh()`` alike; given no Tensor it returns what NumPy returns.
"""

from .arranging import *
from .constants import *
from .convolution import *
from .elementwise import *
from .equations import *
from .erfs import *
from .exponential import *
from .factorizations import *
from .gammas import *
from .indexing import *
from .joining import *
from .laying import *
from .linalg import *
from .padding import *
from .polynomials import *
from .products import *
from .quantiles import *
from .reciprocals import *
from .reductions import *
from .scans import *
from .selecting import *
from .sequences import *
from .shaping import *
from .special import *
from .spectra import *
from .statistics import *
from .writing import *
