"""Order statistics: median, quantiles and percentiles.

They read the elements that stand at a place in the order, so the gradient goes to these, with the
weights of the interpolation. Equal elements stand in the order of their places, as in ``sort``.
"""

from __future__ import annotations

import warnings
from collections.abc import Callable
from typing import Any

import numpy as np

from ..calls import as_array
from ..ducks import may
from ..errors import message
from ..node import strip
from ..primitive import composite, kernel
from .indexing import take_along_axis
from .reductions import axes_of, count, mean, sum
from .shaping import moveaxis, reshape, transpose

__all__ = ["median", "nanmedian", "nanpercentile", "nanquantile", "percentile", "quantile"]


def _lanes(x: Any, axes: tuple[int, ...]) -> Any:
    """Return ``x`` with the axes that are reduced as one, the last."""
    if axes == (x.ndim - 1,):
        return x
    rest = [i for i in range(x.ndim) if i not in axes]
    return reshape(transpose(x, (*rest, *axes)), (*(x.shape[i] for i in rest), count(x, axes)))


def _order(lanes: Any, places: Any, skip: bool) -> tuple[Any, Any, Any]:
    """Return the order of each lane, how many elements count, and where there is no result.

    Only ``places`` are sure to be right. NaN stands last.
    """
    n: Any = lanes.shape[-1]
    floating = lanes.dtype.kind == "f"
    if skip and floating:
        each = np.count_nonzero(~np.isnan(lanes), axis=-1, keepdims=True)
        n = each if may(each < n) else n
        _warn_of_nothing(each)
    order = _ordered(lanes, places(n))
    if np.ndim(n):
        return order, n, n == 0
    return order, n, np.isnan(np.take_along_axis(lanes, order[..., -1:], axis=-1)) if floating else None


@kernel
def _warn_of_nothing(each: Any) -> None:
    if not each.all():
        warnings.warn("All-NaN slice encountered", RuntimeWarning, stacklevel=7)


@kernel
def _ordered(lanes: Any, places: Any) -> Any:
    """Return an order of each lane in which ``places`` and the last are right."""
    wanted = np.unique(places)
    if len(wanted) <= 8:  # at 1e6 elements 8 times as fast as argsort
        order = np.argpartition(lanes, np.append(wanted, lanes.shape[-1] - 1), axis=-1)
    if len(wanted) > 8 or any(_tied(lanes, order[..., i : i + 1]) for i in wanted):
        order = np.argsort(lanes, axis=-1, kind="stable")
    return order


def _tied(lanes: Any, place: Any) -> bool:
    """Tell whether another element equals that at ``place``: then it matters which of them is taken."""
    same = lanes == np.take_along_axis(lanes, place, axis=-1)
    return bool((np.count_nonzero(same, axis=-1) > 1).any())


def _masked(y: Any, bad: Any) -> Any:
    return y if bad is None or not may(bad) else np.where(bad, np.nan, y)


def _middle(n: Any) -> Any:
    return np.maximum(np.stack(((n - 1) // 2, n // 2), axis=-1), 0)


def _median(plain: Any, x: Any, axis: Any, keepdims: bool, skip: bool) -> Any:
    x = as_array(x)
    axes = axes_of(axis, x.ndim)
    if count(x, axes) == 0:  # NumPy knows what to say
        return sum(x, axis=axes, keepdims=keepdims) + plain(strip(x), axis=axis, keepdims=keepdims)
    lanes = _lanes(x, axes)
    order, n, bad = _order(strip(lanes), _middle, skip)
    if np.ndim(n) == 0:
        two = order[..., (n - 1) // 2 : n // 2 + 1]
        y = mean(take_along_axis(lanes, two, -1), axis=-1, keepdims=True)
    else:
        low, high = (np.take_along_axis(order, i, axis=-1) for i in np.moveaxis(_middle(n), -1, 0))
        low, high = take_along_axis(lanes, low, -1), take_along_axis(lanes, high, -1)
        y = np.where(n % 2 == 1, low, (low + high) / 2)
    return _shaped(_masked(y, bad), x, axes, (), keepdims)


def _shaped(y: Any, x: Any, axes: tuple[int, ...], q_shape: tuple[int, ...], keepdims: bool) -> Any:
    """Bring the results, which are the last axis, to the front, in the shape of ``q``."""
    shape = [1 if i in axes else n for i, n in enumerate(x.shape) if keepdims or i not in axes]
    return reshape(moveaxis(y, -1, 0) if q_shape and y.ndim > 1 else y, (*q_shape, *shape))


@composite(np.median, kinks="ties: the element whose place in the stable order is read")
def median(a: Any, axis: Any = None, *, overwrite_input: bool = False, keepdims: bool = False) -> Any:
    """Return the element in the middle of the order, or the mean of the two.

    The gradient goes to that element, or half to each of the two. NaN gives NaN.

    >>> import numpy as np, autograd_core as ag
    >>> ag.grad(ag.median)(np.array([4.0, 1.0, 7.0, 2.0]))
    array([0.5, 0. , 0. , 0.5])
    """
    return _median(np.median, a, axis, keepdims, skip=False)


@composite(np.nanmedian, kinks="ties: the element whose place in the stable order is read")
def nanmedian(a: Any, axis: Any = None, *, overwrite_input: bool = False, keepdims: bool = False) -> Any:
    """Return the median of what is not NaN; the gradient at NaN is 0.

    >>> import numpy as np, autograd_core as ag
    >>> ag.grad(ag.nanmedian)(np.array([1.0, np.nan, 3.0, 2.0]))
    array([0., 0., 0., 1.])
    """
    return _median(np.nanmedian, a, axis, keepdims, skip=True)


def _between(alpha: float, beta: float) -> Callable[[Any, Any], Any]:
    return lambda n, q: n * q + (alpha + q * (1 - alpha - beta)) - 1


# The place in the order, counted from 0, of the quantile q of n elements (Hyndman and Fan, Sample
# Quantiles in Statistical Packages, 1996); a broken place is between two elements.
PLACES: dict[str, Callable[[Any, Any], Any]] = {
    "linear": lambda n, q: (n - 1) * q,
    "hazen": _between(0.5, 0.5),
    "weibull": _between(0.0, 0.0),
    "interpolated_inverted_cdf": _between(0.0, 1.0),
    "median_unbiased": _between(1 / 3, 1 / 3),
    "normal_unbiased": _between(3 / 8, 3 / 8),
}
STEPS: dict[str, Callable[[Any, Any], Any]] = {  # these jump with q: halves are of two elements
    "lower": lambda n, q: np.floor((n - 1) * q),
    "higher": lambda n, q: np.ceil((n - 1) * q),
    "nearest": lambda n, q: np.around((n - 1) * q),
    "midpoint": lambda n, q: 0.5 * (np.floor((n - 1) * q) + np.ceil((n - 1) * q)),
    "inverted_cdf": lambda n, q: np.ceil(n * q - 1),
    "averaged_inverted_cdf": lambda n, q: 0.5 * (np.ceil(n * q - 1) + np.floor(n * q)),
    "closest_observation": lambda n, q: _closest(n * q - 1.5),
}


def _closest(v: Any) -> Any:
    return np.floor(v) + ((v != np.floor(v)) | (np.floor(v) % 2 == 0))


def _neighbours(place: Any, n: Any) -> tuple[Any, Any]:
    low = np.floor(place)
    last = np.maximum(n - 1, 0)
    return np.clip(low, 0, last).astype(int), np.clip(low + 1, 0, last).astype(int)


def _quantile(
    plain: Any, x: Any, q: Any, axis: Any, method: str, keepdims: bool, weights: Any, top: int
) -> Any:
    name, skip = plain.__name__, plain in (np.nanquantile, np.nanpercentile)
    x = as_array(x)
    if method not in PLACES and method not in STEPS:
        raise ValueError(message(name, f"method={method!r}", f"one of {', '.join((*PLACES, *STEPS))}"))
    if weights is not None and method != "inverted_cdf":
        raise ValueError(message(name, f"weights with method={method!r}", "method='inverted_cdf'"))
    weak = type(q) in (int, float) and x.dtype.kind == "f"
    q = q if hasattr(q, "shape") else np.asarray(q, x.dtype if weak else None)
    _check_share(strip(q), name, top)
    axes = axes_of(axis, x.ndim)
    if count(x, axes) == 0:
        value = plain(strip(x), strip(q), axis=axis, method=method, keepdims=keepdims)
        return sum(x, axis=axes, keepdims=keepdims) + value
    lanes, q_shape = _lanes(x, axes), q.shape
    q = reshape(q, (-1,))
    q = q if top == 1 else q / (x.dtype.type(top) if x.dtype.kind == "f" else top)
    if weights is not None:
        places = _weighted(name, lanes, strip(q), _weights(name, strip(weights), x, axes), skip)
        order, n, bad = np.argsort(strip(lanes), axis=-1, kind="stable"), 0, np.isnan(places)
        y = take_along_axis(lanes, np.take_along_axis(order, np.where(bad, 0, places).astype(int), -1), -1)
        return _shaped(_masked(y, bad), x, axes, q_shape, keepdims)
    if method in STEPS:
        q = strip(q)

    def place(n: Any) -> Any:
        n = n.astype(q.dtype) if np.ndim(n) else n  # the number of a lane does not promote
        return (PLACES.get(method) or STEPS[method])(n, q)

    order, n, bad = _order(strip(lanes), lambda n: np.stack(_neighbours(strip(place(n)), n)), skip)
    exact = place(n)
    low, high = _neighbours(strip(exact), n)
    shape = (*order.shape[:-1], low.shape[-1])
    ends = [np.take_along_axis(order, np.broadcast_to(i, shape), axis=-1) for i in (low, high)]
    a = take_along_axis(lanes, ends[0], -1)
    t = exact - np.floor(strip(exact))
    if method in STEPS and method not in ("midpoint", "averaged_inverted_cdf"):
        return _shaped(_masked(a, bad), x, axes, q_shape, keepdims)
    b = take_along_axis(lanes, ends[1], -1)
    step = b - a
    y = np.where(strip(t) < 0.5, a + step * t, b - step * (1 - t))
    return _shaped(_masked(y, bad), x, axes, q_shape, keepdims)


@kernel
def _check_share(q: Any, name: str, top: int) -> None:
    if q.ndim > 1 or not np.all((q >= 0) & (q <= top)):
        raise ValueError(message(name, f"q={q}", f"numbers from 0 to {top}, in at most one axis"))


def _weights(name: str, weights: Any, x: Any, axes: tuple[int, ...]) -> Any:
    weights = as_array(weights)
    if weights.shape == x.shape:
        return _lanes(weights, axes)
    if len(axes) > 1 or weights.shape != (x.shape[axes[0]],):
        raise ValueError(message(name, f"weights of shape {weights.shape}",
                                 f"{x.shape}, or one axis and a weight for each element"))  # fmt: skip
    return np.broadcast_to(weights, _lanes(strip(x), axes).shape)


def _weighted(name: str, lanes: Any, q: Any, weights: Any, skip: bool) -> Any:
    """Return the places of weighted quantiles: those that NumPy finds in the numbers of places."""
    values = strip(lanes)
    order = np.argsort(values, axis=-1, kind="stable")
    ranks = np.where(np.isnan(values), np.nan, np.argsort(order, axis=-1, kind="stable"))
    plain = np.nanquantile if skip else np.quantile
    y = plain(ranks, q, axis=-1, weights=weights, method="inverted_cdf")
    return np.moveaxis(as_array(y), 0, -1)


@composite(
    np.quantile,
    kinks="ties: the element whose place in the stable order is read; a whole place: in q from the right",
)
def quantile(
    a: Any, q: Any, axis: Any = None, *, overwrite_input: bool = False, method: str = "linear",
    keepdims: bool = False, weights: Any = None,
) -> Any:  # fmt: skip
    """Return the quantiles ``q``, one or several, as first axis: ``y = (1 - t) x_low + t x_high``.

    The gradient goes to the two neighbours in the order, with ``1 - t`` and ``t``. For the methods that
    interpolate (``linear``, ``hazen``, ``weibull``, ...) the place is linear in ``q``, and ``q`` has a
    gradient too; for the others, and for the ``weights``, it is 0. NaN gives NaN.

    >>> import numpy as np, autograd_core as ag
    >>> ag.grad(lambda x: ag.quantile(x, 0.25))(np.array([4.0, 1.0, 7.0, 2.0]))
    array([0.  , 0.25, 0.  , 0.75])
    """
    return _quantile(np.quantile, a, q, axis, method, keepdims, weights, top=1)


@composite(
    np.percentile,
    kinks="ties: the element whose place in the stable order is read; a whole place: in q from the right",
)
def percentile(
    a: Any, q: Any, axis: Any = None, *, overwrite_input: bool = False, method: str = "linear",
    keepdims: bool = False, weights: Any = None,
) -> Any:  # fmt: skip
    """Return quantiles that are given in percent: ``quantile(a, q / 100)``.

    The gradient is that of ``quantile``.

    >>> import numpy as np, autograd_core as ag
    >>> ag.grad(lambda x: ag.percentile(x, 25))(np.array([1.0, 2.0, 4.0]))
    array([0.5, 0.5, 0. ])
    """
    return _quantile(np.percentile, a, q, axis, method, keepdims, weights, top=100)


@composite(
    np.nanquantile,
    kinks="ties: the element whose place in the stable order is read; a whole place: in q from the right",
)
def nanquantile(
    a: Any, q: Any, axis: Any = None, *, overwrite_input: bool = False, method: str = "linear",
    keepdims: bool = False, weights: Any = None,
) -> Any:  # fmt: skip
    """Return the quantiles of what is not NaN; the gradient at NaN is 0.

    >>> import numpy as np, autograd_core as ag
    >>> ag.grad(lambda x: ag.nanquantile(x, 0.5))(np.array([1.0, np.nan, 3.0, 2.0]))
    array([0., 0., 0., 1.])
    """
    return _quantile(np.nanquantile, a, q, axis, method, keepdims, weights, top=1)


@composite(
    np.nanpercentile,
    kinks="ties: the element whose place in the stable order is read; a whole place: in q from the right",
)
def nanpercentile(
    a: Any, q: Any, axis: Any = None, *, overwrite_input: bool = False, method: str = "linear",
    keepdims: bool = False, weights: Any = None,
) -> Any:  # fmt: skip
    """Return the percentiles of what is not NaN; the gradient at NaN is 0.

    >>> import numpy as np, autograd_core as ag
    >>> ag.grad(lambda x: ag.nanpercentile(x, 50))(np.array([1.0, np.nan, 3.0, 2.0]))
    array([0., 0., 0., 1.])
    """
    return _quantile(np.nanpercentile, a, q, axis, method, keepdims, weights, top=100)
