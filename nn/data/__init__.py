"""Data: datasets, mini-batches, splits, preprocessing, images of digits and clothes, text."""

from .augmentation import *
from .batches import *
from .collate import *
from .datasets import *
from .images import *
from .labels import *
from .loader import *
from .mnist import *
from .preprocessing import *
from .samplers import *
from .splitting import *
from .text import *
