"""What flows through a network, in numbers: layers' outputs, their gradients, the parameters.

    model = nn.MLP([784, 4096, 4096, 10], activation="tanh")
    print(nn.statistics.layer_statistics(model, images))

To look at a network does not change it: random numbers, running averages and ``grad`` are afterwards
what they were before.
"""

from .layers import *
from .parameters import *
from .record import *
from .table import *
