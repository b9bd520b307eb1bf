"""Dropout layers: in training random parts are 0, in evaluation nothing is done.

What is dropped is drawn from ``nn.random.generator()``, so that ``nn.manual_seed`` repeats it.
"""

from __future__ import annotations

from typing import Any

from autograd_core.tensor import Tensor

from . import functional as F
from .module import Module
from .settings import check_shares

__all__ = [
    "AlphaDropout", "Dropout", "Dropout1d", "Dropout2d", "Dropout3d", "FeatureAlphaDropout",
]  # fmt: skip


class _Dropout(Module):
    """What dropout layers share: a probability."""

    draws = True  # in training: see nn.monte_carlo

    def __init__(self, p: float = 0.5, inplace: bool = False) -> None:
        super().__init__()
        check_shares(type(self).__name__, p=p)
        self.p, self.inplace = p, inplace

    def extra_repr(self) -> str:
        return f"p={self.p}, inplace={self.inplace}"


class Dropout(_Dropout):
    """Set each element to 0 with probability p in training, and divide the others by 1 - p.

    So the mean is the same as in evaluation, where x is returned.
    [Srivastava et al., Dropout: A Simple Way to Prevent Neural Networks from Overfitting, 2014]

    Args:
        p: the probability to drop an element.
        inplace: taken as PyTorch takes it; it changes nothing.

    Shapes:
        x: any -> y: the same.

    Raises:
        ValueError: p is outside [0, 1].

    >>> import numpy as np
    >>> from autograd_core import nn
    >>> layer = nn.Dropout(0.75)
    >>> np.unique(layer(np.ones(1000)))
    array([0., 4.])
    >>> layer.eval()(np.ones(3))
    array([1., 1., 1.])
    """

    def forward(self, x: Any) -> Tensor:
        return F.dropout(x, self.p, self.training)


class Dropout1d(_Dropout):
    """Set whole channels of sequences to 0; arguments as of :class:`Dropout`.

    Shapes:
        x: (N, C, L) or (C, L) -> y: the same.

    >>> import numpy as np
    >>> from autograd_core import nn
    >>> nn.Dropout1d()(np.ones((2, 3, 5))).std(-1).max()
    np.float64(0.0)
    """

    def forward(self, x: Any) -> Tensor:
        return F.dropout1d(x, self.p, self.training)


class Dropout2d(_Dropout):
    """Set whole channels of images to 0, as neighbouring pixels tell the same; arguments of :class:`Dropout`.

    [Tompson et al., Efficient Object Localization Using Convolutional Networks, 2015]

    Shapes:
        x: (N, C, H, W), or (N, C, L) -> y: the same.

    >>> import numpy as np
    >>> from autograd_core import nn
    >>> nn.Dropout2d()(np.ones((2, 3, 5, 4))).std((2, 3)).max()
    np.float64(0.0)
    """

    def forward(self, x: Any) -> Tensor:
        return F.dropout2d(x, self.p, self.training)


class Dropout3d(_Dropout):
    """Set whole channels of volumes to 0; arguments as of :class:`Dropout`.

    Shapes:
        x: (N, C, D, H, W) or (C, D, H, W) -> y: the same.

    >>> import numpy as np
    >>> from autograd_core import nn
    >>> nn.Dropout3d()(np.ones((2, 3, 5, 4, 2))).std((2, 3, 4)).max()
    np.float64(0.0)
    """

    def forward(self, x: Any) -> Tensor:
        return F.dropout3d(x, self.p, self.training)


class AlphaDropout(_Dropout):
    """Dropout for networks of ``nn.SELU``: mean 0 and variance 1 stay; see :func:`F.alpha_dropout`.

    [Klambauer et al., Self-Normalizing Neural Networks, 2017]

    Args:
        p: the probability to set an element to the limit of selu.
        inplace: taken as PyTorch takes it; it changes nothing.

    Shapes:
        x: any -> y: the same.

    Raises:
        ValueError: p is outside [0, 1].

    >>> import numpy as np
    >>> from autograd_core import nn
    >>> np.unique(nn.AlphaDropout(0.5)(np.zeros(1000))).round(3)
    array([-0.779, 0.779])
    """

    def forward(self, x: Any) -> Tensor:
        return F.alpha_dropout(x, self.p, self.training)


class FeatureAlphaDropout(_Dropout):
    """:class:`AlphaDropout` of whole channels.

    Shapes:
        x: (N, C, *) -> y: the same.

    >>> import numpy as np
    >>> from autograd_core import nn
    >>> nn.FeatureAlphaDropout()(np.ones((2, 3, 5))).std(-1).max()
    np.float64(0.0)
    """

    def forward(self, x: Any) -> Tensor:
        return F.feature_alpha_dropout(x, self.p, self.training)
