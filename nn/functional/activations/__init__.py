"""Activation functions: what bends the line, on each element or along one axis."""

from typing import TYPE_CHECKING

from . import along, exponentials, gates, limits, rectifiers
from .along import *
from .exponentials import *
from .gates import *
from .limits import *
from .rectifiers import *

if not TYPE_CHECKING:  # which knows what a star brings; the parts themselves are not names of nn
    PARTS = (along, exponentials, gates, limits, rectifiers)
    __all__ = [name for part in PARTS for name in part.__all__]
