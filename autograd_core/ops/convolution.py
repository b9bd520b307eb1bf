"""Convolution and correlation of vectors, with zeros or their own period beyond the ends.

They are their own gradients: each is a convolution of the gradient from above with the other factor,
at the cost of the forward pass.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from ..calls import as_array
from ..errors import message
from ..primitive import Operation, bilinear, composite
from .shaping import flip, reshape

__all__ = ["convolve", "correlate"]

MODES = {"full": "full", "same": "same", "valid": "valid", 0: "valid", 1: "same", 2: "full"}


def _convolution(a: Any, v: Any, *, mode: Any = "full") -> Any:
    return np.convolve(a, v, mode)


def _convolve_rule(g: Any, x: Any, w: Any, mode: str) -> Any:
    """Return the gradient of the factor x, of which the shape is known, beside w.

    Of ``y_k = sum_i x_i w_(k-i)`` it is ``x_bar_i = sum_k g_k w_(k-i)``: w reversed slides over g.
    """
    reverse, n, m = np.flip(w), x.shape[0], w.shape[0]
    if mode == "valid":  # of each y_k all terms are there, so x_bar has the most that w and g give
        return _convolve(g, reverse, mode="full") if n >= m else _convolve(reverse, g, mode="valid")
    if mode == "same":  # the middle of "full": zeros stand for the rest
        less = min(n, m) - 1
        zeros = np.zeros(less // 2, dtype=g.dtype), np.zeros(less - less // 2, dtype=g.dtype)
        g = np.concatenate((zeros[0], g, zeros[1]))
    return _convolve(g, reverse, mode="valid")


_convolve: Operation = bilinear(
    _convolution,
    lambda g, y, a, v, *, mode="full": _convolve_rule(g, a, v, mode),
    lambda g, y, a, v, *, mode="full": _convolve_rule(g, v, a, mode),
    saves=("v", "a"), name="convolve", doc="Sums y_k = sum_i a_i v_(k-i) of two vectors.",
)  # fmt: skip


def _vector(name: str, which: str, x: Any) -> Any:
    x = reshape(x, (1,)) if np.ndim(x) == 0 else as_array(x)
    if x.ndim != 1 or x.size == 0:
        raise ValueError(message(name, f"{which} of shape {x.shape}", "a vector, not empty",
                                 "np.ravel, or a loop over the rows" if x.ndim > 1 else ""))  # fmt: skip
    return x


def _mode(name: str, mode: Any) -> str:
    if mode not in MODES:
        raise ValueError(message(name, f"mode={mode!r}", "'full', 'same' or 'valid'"))
    return MODES[mode]


def _periodic(a: Any, v: Any, mode: str) -> tuple[Any, Any, str]:
    """Return the longer vector continued in its period, the shorter, and the mode that slides it over."""
    if a.shape[0] < v.shape[0]:
        a, v = v, a
    n, m = a.shape[0], v.shape[0]
    before = {"full": m - 1, "same": m // 2, "valid": 0}[mode]
    size = {"full": n + m - 1, "same": n, "valid": n - m + 1}[mode]
    return a[np.arange(-before, size + m - 1 - before) % n], v, "valid"


def _boundary(name: str, boundary: str) -> bool:
    if boundary not in ("zeros", "periodic"):
        raise ValueError(message(name, f"boundary={boundary!r}", "'zeros' or 'periodic'"))
    return boundary == "periodic"


@composite(np.convolve)
def _with_zeros(a: Any, v: Any, mode: str = "full") -> Any:
    a, v = _vector("convolve", "a", a), _vector("convolve", "v", v)
    return _convolve(a, v, mode=_mode("convolve", mode))


@composite(np.correlate)
def _correlate_with_zeros(a: Any, v: Any, mode: str = "valid") -> Any:
    a, v = _vector("correlate", "a", a), _vector("correlate", "v", v)
    mode = _mode("correlate", mode)
    if v.dtype.kind == "c":
        v = np.conjugate(v)
    if a.size < v.size:  # the middle of an even number of places is not the same from the other end
        return flip(_convolve(v, flip(a), mode=mode))
    return _convolve(a, flip(v), mode=mode)


def convolve(a: Any, v: Any, mode: str = "full", boundary: str = "zeros") -> Any:
    """Return the convolution of two vectors, ``y_k = sum_i a_i v_(k-i)``.

    ``"full"`` gives every overlap, M + N - 1 of them; ``"same"`` the middle max(M, N); ``"valid"``
    those where the shorter one lies within the longer. ``a_bar_i = sum_k g_k v_(k-i)``. Beyond the ends
    of the longer vector are zeros; with ``boundary="periodic"``, which NumPy does not have, it begins
    again.

    Raises:
        ValueError: not two vectors, an empty one, or another mode.

    >>> import numpy as np, autograd_core as ag
    >>> ag.grad(lambda v: ag.convolve([1.0, 2.0, 4.0], v, "valid")[0])(np.zeros(2))
    array([2., 1.])
    >>> ag.convolve([1.0, 2.0, 4.0], [1.0, -1.0], "same", boundary="periodic")
    array([-3.,  1.,  2.])
    """
    if not _boundary("convolve", boundary):
        return _with_zeros(a, v, mode)
    a, v = _vector("convolve", "a", a), _vector("convolve", "v", v)
    return _with_zeros(*_periodic(a, v, _mode("convolve", mode)))


def correlate(a: Any, v: Any, mode: str = "valid", boundary: str = "zeros") -> Any:
    """Return the cross-correlation of two vectors, ``y_k = sum_n a_(n+k) v_n``.

    It is the convolution with v reversed; modes and boundaries are those of :func:`convolve`.
    ``a_bar_i = sum_k g_k v_(i-k)``, ``v_bar_n = sum_k g_k a_(n+k)``.

    >>> import numpy as np, autograd_core as ag
    >>> ag.grad(lambda v: ag.correlate([1.0, 2.0, 4.0], v)[0])(np.zeros(2))
    array([1., 2.])
    """
    if not _boundary("correlate", boundary):
        return _correlate_with_zeros(a, v, mode)
    a, v = _vector("correlate", "a", a), _vector("correlate", "v", v)
    return _with_zeros(*_periodic(a, np.flip(v), _mode("correlate", mode)))
