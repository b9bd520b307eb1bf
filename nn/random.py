"""The library's random numbers, under the name that layers and users know."""

from autograd_core.random import generator as generator
from autograd_core.random import get_state as get_state
from autograd_core.random import manual_seed as manual_seed
from autograd_core.random import set_state as set_state

__all__ = ["generator", "get_state", "manual_seed", "set_state"]
