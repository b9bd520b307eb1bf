"""Helpers around layers, under PyTorch's names."""

from . import parametrizations as parametrizations
from . import parametrize as parametrize
from . import rnn as rnn
from .clip_grad import clip_grad_norm_ as clip_grad_norm_
from .clip_grad import clip_grad_value_ as clip_grad_value_
from .parametrizations import spectral_norm as spectral_norm
from .parametrizations import weight_norm as weight_norm
