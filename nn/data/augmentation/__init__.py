"""Images anew in each epoch, changed in ways that do not change what they show.

An augmentation is called as ``augment(x, *targets, rng=None)`` with a batch of images, (N, H, W) or
(N, C, H, W), and gives such a batch, each image changed by random numbers of its own; with targets, a tuple
of all: targets stay what they are, except where samples are mixed. It never writes into x and keeps its
dtype. The random numbers come from ``rng``, a generator or a seed, by default from
``nn.random.generator()``; the same ones change images of float32 and of float64 alike.

>>> from autograd_core import nn
>>> images, labels = nn.data.digits()  # each image as a row of 64 pixels
>>> augment = nn.data.Compose([nn.data.RandomShift(1), nn.data.GaussianNoise(0.1)], shape=(8, 8))
>>> for x, y in nn.data.batches(images, labels, batch_size=128, transform=augment):
...     pass  # a step of training
>>> x.shape, y.shape
((5, 64), (5,))
"""

from .base import *
from .erasing import *
from .mixing import *
from .moving import *
from .noise import *
from .warping import *
