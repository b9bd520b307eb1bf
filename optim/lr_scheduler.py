"""PyTorch's name of :mod:`optim.schedules`."""

from .schedules import *  # noqa: F403
