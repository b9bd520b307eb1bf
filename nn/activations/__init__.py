"""Activation functions as modules, so that they can stand between layers."""

from typing import TYPE_CHECKING

from . import along, exponentials, gates, limits, maxout, rectifiers
from .along import *
from .exponentials import *
from .gates import *
from .limits import *
from .maxout import *
from .rectifiers import *

if not TYPE_CHECKING:  # which knows what a star brings; the parts themselves are not names of nn
    PARTS = (along, exponentials, gates, limits, maxout, rectifiers)
    __all__ = [name for part in PARTS for name in part.__all__]
