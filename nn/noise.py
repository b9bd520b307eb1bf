"""Noise as a regulariser: on inputs and hidden values, on weights, on targets; and averages over it.

In evaluation there is none. What is drawn comes from ``nn.random.generator()``, so that ``nn.manual_seed``
repeats it, and is the same in float32 and in float64.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any, NamedTuple

import numpy as np
from numpy import ndarray

from autograd_core import no_grad, random
from autograd_core.calls import as_array
from autograd_core.errors import message
from autograd_core.node import strip
from autograd_core.tensor import Parameter, Tensor

from . import functional as F
from .module import Module
from .settings import check_shares, check_sizes

__all__ = ["DropConnect", "GaussianNoise", "LabelNoise", "Prediction", "WeightNoise", "monte_carlo"]

# -- on values -------------------------------------------------------------------------------------


class GaussianNoise(Module):
    """Add normal noise of mean 0 in training: ``y = x + std * noise``.

    On inputs it is the Tikhonov regulariser of small ``std``; it stands as well between layers, and around
    the targets of a regression. [Bishop, Training with Noise is Equivalent to Tikhonov Regularization, 1995]

    Args:
        std: standard deviation of the noise.

    Shapes:
        x: any -> y: the same.

    Raises:
        ValueError: std is negative.

    >>> import numpy as np
    >>> from autograd_core import nn
    >>> _ = nn.manual_seed(0)
    >>> nn.GaussianNoise(0.1)(np.zeros(1000)).std().round(2)
    np.float64(0.1)
    """

    draws = True

    def __init__(self, std: float = 0.1) -> None:
        super().__init__()
        if not std >= 0:
            raise ValueError(message("GaussianNoise", f"std={std}", "a number that is not negative"))
        self.std = std

    def forward(self, x: Any) -> Tensor:
        return F.gaussian_noise(x, self.std, self.training)

    def extra_repr(self) -> str:
        return f"std={self.std}"


class LabelNoise(Module):
    """Replace each class index, with probability p, by one drawn evenly from all classes, in training.

    The mean of the cross-entropy over these draws is ``cross_entropy(label_smoothing=p)``.

    Args:
        num_classes: number of classes.
        p: the probability to draw anew.

    Shapes:
        target: integers of any shape -> the same.

    Raises:
        ValueError: num_classes is not positive, or p is outside [0, 1].
        TypeError: targets that are not integers.

    >>> import numpy as np
    >>> from autograd_core import nn
    >>> _ = nn.manual_seed(0)
    >>> round(float((nn.LabelNoise(10, p=0.5)(np.zeros(10_000, int)) == 0).mean()), 1)
    0.6
    """

    draws = True

    def __init__(self, num_classes: int, p: float = 0.1) -> None:
        super().__init__()
        check_sizes("LabelNoise", num_classes=num_classes)
        check_shares("LabelNoise", p=p)
        self.num_classes, self.p = num_classes, p

    def forward(self, target: Any) -> Any:
        t = as_array(strip(target))
        if t.dtype.kind not in "iu":
            raise TypeError(message("LabelNoise", f"targets of dtype {t.dtype}", "class indices, integers",
                                    "GaussianNoise"))  # fmt: skip
        if not self.training or not self.p:
            return target
        rng = random.generator()
        return np.where(rng.random(t.shape) < self.p, rng.integers(0, self.num_classes, t.shape, t.dtype), t)

    def extra_repr(self) -> str:
        return f"{self.num_classes}, p={self.p}"


# -- on weights ------------------------------------------------------------------------------------


@contextmanager
def _replaced(places: Iterable[tuple[Module, str, Any]]) -> Iterator[None]:
    """Let attributes of modules have other values within a ``with`` block."""
    before = []
    try:
        for module, name, value in places:
            before.append((module, name, module.__dict__[name]))
            module.__dict__[name] = value
        yield
    finally:
        for module, name, value in reversed(before):
            module.__dict__[name] = value


class _NoisyWeights(Module):
    """A layer whose weights are disturbed, anew in each call, while it is trained."""

    draws = True
    takes_integers = True

    def __init__(self, layer: Module, names: Sequence[str] | None) -> None:
        super().__init__()
        self.layer = layer
        self.names = None if names is None else tuple(names)
        own = dict(layer.named_parameters())
        missing = [name for name in self.names or () if name not in own]
        if missing or not self._chosen():
            what = f"the names {missing}" if missing else "a layer without weight matrices"
            raise ValueError(message(type(self).__name__, what, f"some of {list(own)}"))

    def _chosen(self) -> list[Parameter]:
        """Return the parameters that are disturbed: those named, or all but vectors such as biases."""
        return [p for name, p in self.layer.named_parameters()
                if (p.ndim > 1 if self.names is None else name in self.names)]  # fmt: skip

    def _disturbed(self, weight: Parameter) -> Tensor:
        raise NotImplementedError

    def forward(self, *args: Any, **kwargs: Any) -> Any:
        if not self.training:
            return self.layer(*args, **kwargs)
        new = {id(p): self._disturbed(p) for p in self._chosen()}
        places = [(module, name, new[id(p)]) for module in self.layer.modules()
                  for name in module._parameters if id(p := module.__dict__[name]) in new]  # fmt: skip
        with _replaced(places):
            return self.layer(*args, **kwargs)


class DropConnect(_NoisyWeights):
    """A layer whose weights, instead of its outputs, are dropped in training.

    In each call every weight is 0 with probability p and divided by 1 - p otherwise, one draw for all
    examples (and all time steps of a recurrent layer). So the mean over the draws of ``W x + b`` is that of
    the whole weights, which evaluation uses.
    [Wan, Zeiler, Zhang, LeCun and Fergus, Regularization of Neural Networks using DropConnect, 2013]

    Args:
        layer: a module; calls are passed on to it.
        p: the probability to drop a weight.
        names: dotted names of the parameters that are dropped; by default all that have two axes or more,
            which leaves biases.

    Raises:
        ValueError: p is outside [0, 1]; a name that the layer does not have.

    >>> import numpy as np
    >>> from autograd_core import nn
    >>> layer = nn.DropConnect(nn.Linear(1000, 1, bias=False), p=0.75)
    >>> nn.init.ones_(layer.layer.weight).shape
    (1, 1000)
    >>> np.unique(layer(np.eye(1000)).numpy())
    array([0., 4.], dtype=float32)
    """

    def __init__(self, layer: Module, p: float = 0.5, names: Sequence[str] | None = None) -> None:
        check_shares("DropConnect", p=p)
        super().__init__(layer, names)
        self.p = p

    def _disturbed(self, weight: Parameter) -> Tensor:
        return F.dropout(weight, self.p)

    def extra_repr(self) -> str:
        return f"p={self.p}" + f", names={self.names}" * (self.names is not None)


class WeightNoise(_NoisyWeights):
    """A layer to whose weights normal noise is added in training, anew in each call.

    Within a call of a recurrent layer the noise is the same in all time steps.
    [Jim, Giles and Horne, An Analysis of Noise in Recurrent Neural Networks, 1996]

    Args:
        layer: a module; calls are passed on to it.
        std: standard deviation of the noise.
        names: dotted names of the parameters; by default all that have two axes or more.

    Raises:
        ValueError: std is negative; a name that the layer does not have.

    >>> import numpy as np
    >>> from autograd_core import nn
    >>> _ = nn.manual_seed(0)
    >>> layer = nn.WeightNoise(nn.Linear(1000, 1, bias=False), std=0.1)
    >>> float((layer(np.eye(1000)) - layer.eval()(np.eye(1000))).numpy().std().round(2))
    0.1
    """

    def __init__(self, layer: Module, std: float = 0.075, names: Sequence[str] | None = None) -> None:
        if not std >= 0:
            raise ValueError(message("WeightNoise", f"std={std}", "a number that is not negative"))
        super().__init__(layer, names)
        self.std = std

    def _disturbed(self, weight: Parameter) -> Tensor:
        return F.gaussian_noise(weight, self.std)

    def extra_repr(self) -> str:
        return f"std={self.std}" + f", names={self.names}" * (self.names is not None)


# -- averages --------------------------------------------------------------------------------------


class Prediction(NamedTuple):
    """What :func:`monte_carlo` returns: mean and standard deviation over the draws, and the draws.

    >>> import numpy as np
    >>> from autograd_core import nn
    >>> nn.Prediction(np.array([0.5]), np.array([0.1]), np.array([[0.4], [0.6]])).mean
    array([0.5])
    """

    mean: ndarray[Any, Any]
    std: ndarray[Any, Any]
    samples: ndarray[Any, Any]


def monte_carlo(model: Module, *inputs: Any, samples: int = 20) -> Prediction:
    """Average a network over its dropout masks and other noise, which also tells how sure it is.

    Layers that draw (those whose ``draws`` is True: dropout, noise, a layer of yours) work as in training,
    all others, such as batch normalization, as in evaluation. Nothing is recorded; the modes are restored.
    [Gal and Ghahramani, Dropout as a Bayesian Approximation, 2016]

    Args:
        model: a module that returns one array.
        inputs: what it is called with.
        samples: number of draws.

    Returns:
        mean and standard deviation (of one draw, with samples - 1 in the denominator; 0 of a single one),
        shaped as the output, and the draws, (samples, ...).

    Raises:
        ValueError: samples is less than 1, or nothing in the model draws.

    >>> import numpy as np
    >>> from autograd_core import nn
    >>> _ = nn.manual_seed(0)
    >>> net = nn.Sequential(nn.Linear(3, 50), nn.Tanh(), nn.Dropout(), nn.Linear(50, 1))
    >>> guess = nn.monte_carlo(net, np.ones((5, 3)), samples=100)
    >>> guess.mean.shape, guess.std.shape, guess.samples.shape
    ((5, 1), (5, 1), (100, 5, 1))
    >>> bool((abs(guess.mean - net.eval()(np.ones((5, 3))).numpy()) < guess.std).all())
    True
    """
    modes = [(module, module.training) for module in model.modules()]
    check_sizes("monte_carlo", samples=samples)
    if not any(getattr(module, "draws", False) for module, _ in modes):
        raise ValueError(message("monte_carlo", "a model without noise", "a layer that draws",
                                 "nn.Dropout()"))  # fmt: skip
    try:
        for module, _ in modes:
            module.training = getattr(module, "draws", False)
        with no_grad():
            drawn = np.stack([np.asarray(strip(model(*inputs))) for _ in range(samples)])
    finally:
        for module, mode in modes:
            module.training = mode
    return Prediction(drawn.mean(0), drawn.std(0, ddof=min(1, samples - 1)), drawn)
