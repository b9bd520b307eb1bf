"""Data: mini-batches, preprocessing, and images of handwritten digits."""

from .batches import *
from .images import *
from .preprocessing import *
