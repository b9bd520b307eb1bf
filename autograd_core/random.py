"""One seedable source of randomness for the library, and random numbers with gradients.

Initial weights, shuffles and noise come from one generator, which ``manual_seed`` starts. The functions under
NumPy's names make a draw from noise that has no parameters, loc + scale * noise, so that it has gradients in
loc and scale [Kingma and Welling, Auto-Encoding Variational Bayes, 2014]:

>>> import autograd_core as ag
>>> _ = ag.random.manual_seed(0)
>>> scale = ag.tensor(2.0, requires_grad=True)
>>> x = ag.random.normal(1.0, scale)
>>> x.backward()
>>> bool(abs(x.item() - (1.0 + 2.0 * scale.grad)) < 1e-6)
True
"""

from __future__ import annotations

from typing import Any, cast

import numpy as np

from . import ops
from .calls import as_array
from .ducks import check
from .errors import message
from .node import has_box, strip

__all__ = [
    "exponential", "generator", "get_state", "gumbel", "gumbel_softmax", "laplace", "logistic", "manual_seed",
    "multivariate_normal", "normal", "set_state", "uniform",
]  # fmt: skip

Size = int | tuple[int, ...] | None

_generator: np.random.Generator | None = None


def manual_seed(seed: int) -> np.random.Generator:
    """Start the library's random numbers from ``seed``, and return their generator.

    >>> from autograd_core import nn
    >>> _ = nn.manual_seed(0)
    >>> first = nn.Linear(2, 3).weight.numpy()
    >>> _ = nn.manual_seed(0)
    >>> bool((nn.Linear(2, 3).weight.numpy() == first).all())
    True
    """
    global _generator
    _generator = np.random.default_rng(seed)
    return _generator


def generator() -> np.random.Generator:
    """Return the library's generator; until ``manual_seed`` is called it starts anywhere."""
    global _generator
    if _generator is None:
        _generator = np.random.default_rng()
    return _generator


def get_state() -> dict[str, Any]:
    """Return the state of the generator: plain data, for a checkpoint.

    >>> from autograd_core import nn
    >>> state = nn.random.get_state()
    >>> a = nn.random.generator().random(3)
    >>> nn.random.set_state(state)
    >>> bool((nn.random.generator().random(3) == a).all())
    True
    """
    state: dict[str, Any] = cast(Any, generator().bit_generator).state
    return state


def set_state(state: dict[str, Any]) -> None:
    """Continue the random numbers from a state that ``get_state`` returned."""
    generator().bit_generator.state = state


# -- draws with gradients --------------------------------------------------------------------------


def _dtype(*parameters: Any) -> Any:
    """Return the dtype of a draw: that of the floating arrays among its parameters, else float64."""
    found = [v.dtype for v in parameters if hasattr(v, "dtype") and v.dtype.kind == "f"]
    return np.result_type(*found) if found else np.dtype(float)


def _noise(name: str, kind: str, parameters: Any, size: Size, *given: float) -> Any:
    """Draw noise of ``kind`` for parameters that broadcast to ``size``, which they give if it is None."""
    shape = np.broadcast_shapes(*[np.shape(p) for p in parameters])
    if size is not None:
        wanted = (size,) if isinstance(size, (int, np.integer)) else tuple(size)
        if len(shape) > len(wanted) or any(n not in (1, m) for n, m in zip(shape[::-1], wanted[::-1])):
            raise ValueError(message(name, f"size={size} and parameters of shape {shape}",
                                     "a shape to which the parameters broadcast"))  # fmt: skip
        shape = wanted
    drawn = getattr(generator(), kind)(*given, size=shape)
    plain = not shape and not has_box(parameters)
    return drawn if plain and not np.ndim(drawn) else as_array(drawn, _dtype(*parameters))


def _moved(name: str, kind: str, loc: Any, scale: Any, size: Size, *given: float) -> Any:
    """Return loc + scale * noise."""
    check(np.logical_not(np.less(strip(scale), 0)), ValueError,
          message(name, "a negative scale", "a scale >= 0", "exp or softplus of a parameter"))  # fmt: skip
    loc, scale = _array(loc), _array(scale)
    return loc + scale * _noise(name, kind, (loc, scale), size, *given)


def _array(x: Any) -> Any:
    return np.asarray(x, float) if isinstance(x, (list, tuple)) else x


def normal(loc: Any = 0.0, scale: Any = 1.0, size: Size = None) -> Any:
    """Draw from the normal distribution: dy/dloc = 1, dy/dscale = (y - loc)/scale.

    Args:
        loc: mean, a number, array or Tensor.
        scale: standard deviation, likewise; with ``loc`` it broadcasts to ``size``.
        size: shape of the result; by default that of the parameters together.

    With parameters that are differentiated the result is recorded; of numbers and arrays it is an array.

    >>> import numpy as np, autograd_core as ag
    >>> ag.random.normal(np.zeros((2, 1)), np.ones(3)).shape
    (2, 3)
    >>> ag.grad(lambda loc: ag.random.normal(loc, 0.1, size=5).sum())(0.0)
    np.float64(5.0)
    """
    return _moved("normal", "standard_normal", loc, scale, size)


def uniform(low: Any = 0.0, high: Any = 1.0, size: Size = None) -> Any:
    """Draw evenly from [low, high): y = low + (high - low) u."""
    low, high = _array(low), _array(high)
    return low + (high - low) * _noise("uniform", "random", (low, high), size)


def exponential(scale: Any = 1.0, size: Size = None) -> Any:
    """Draw from the exponential distribution of mean ``scale``: dy/dscale = y/scale."""
    return _moved("exponential", "standard_exponential", 0.0, scale, size)


def gumbel(loc: Any = 0.0, scale: Any = 1.0, size: Size = None) -> Any:
    """Draw from Gumbel's distribution of the largest of many: dy/dloc = 1, dy/dscale = (y - loc)/scale."""
    return _moved("gumbel", "gumbel", loc, scale, size, 0.0, 1.0)


def laplace(loc: Any = 0.0, scale: Any = 1.0, size: Size = None) -> Any:
    """Draw from Laplace's distribution: dy/dloc = 1, dy/dscale = (y - loc)/scale."""
    return _moved("laplace", "laplace", loc, scale, size, 0.0, 1.0)


def logistic(loc: Any = 0.0, scale: Any = 1.0, size: Size = None) -> Any:
    """Draw from the logistic distribution: dy/dloc = 1, dy/dscale = (y - loc)/scale."""
    return _moved("logistic", "logistic", loc, scale, size, 0.0, 1.0)


def multivariate_normal(mean: Any, cov: Any, size: Size = None) -> Any:
    """Draw vectors of the normal distribution: y = mean + L z, where cov = L L^T.

    Args:
        mean: (d,).
        cov: (d, d), positive definite; its lower triangle is read.
        size: number or shape of the draws; the result is (*size, d).

    Raises:
        ValueError: the shapes do not fit.
        numpy.linalg.LinAlgError: cov is not positive definite.

    >>> import numpy as np, autograd_core as ag
    >>> ag.random.multivariate_normal(np.zeros(2), np.eye(2), 3).shape
    (3, 2)
    """
    from .stats.multivariate import root_of

    mean, cov = _array(mean), _array(cov)
    d = (np.shape(mean) or (0,))[0]
    if np.shape(mean) != (d,) or np.shape(cov) != (d, d):
        raise ValueError(message("multivariate_normal", f"shapes {np.shape(mean)} and {np.shape(cov)}",
                                 "mean (d,) and cov (d, d)"))  # fmt: skip
    root = root_of(cov, "multivariate_normal")
    shape = () if size is None else (size,) if isinstance(size, (int, np.integer)) else tuple(size)
    z = as_array(generator().standard_normal((*shape, d)), _dtype(mean, cov))
    return mean + ops.matmul(z, ops.matrix_transpose(root))


def gumbel_softmax(logits: Any, tau: float = 1.0, hard: bool = False, axis: int = -1) -> Any:
    """Draw from the categories of an axis, softly: softmax((logits + Gumbel noise) / tau).

    With ``hard`` the result is one-hot, and its gradient that of the soft draw (straight through).
    [Jang, Gu and Poole, Categorical Reparameterization with Gumbel-Softmax, 2017]

    >>> import numpy as np, autograd_core as ag
    >>> float(ag.random.gumbel_softmax(np.zeros(4), hard=True).sum())
    1.0
    """
    logits = _array(logits)
    noise = -np.log(_noise("gumbel_softmax", "standard_exponential", (logits,), None))
    y = ops.softmax((logits + noise) / tau, axis=axis)
    if not hard:
        return y
    plain = as_array(strip(y))
    one = np.zeros_like(plain)
    np.put_along_axis(one, plain.argmax(axis=axis, keepdims=True), 1, axis=axis)
    return one + (y - plain) if has_box(y) else one
