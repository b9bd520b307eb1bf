"""PyTorch's name of :mod:`optim.averaging`, with the schedule that goes with it."""

from .averaging import *  # noqa: F403
from .schedules import SWALR as SWALR
