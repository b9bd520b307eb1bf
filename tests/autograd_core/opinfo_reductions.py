"""Calls of PyTorch's sums, moments, orders and scans."""

from __future__ import annotations

from typing import Any

import numpy as np

import autograd_core as ag

from .opinfo import Call, alike, named, same

AXES = "dim keepdim dtype"


def axis_of(x: Any, dim: Any) -> Any:
    """Return PyTorch's ``dim`` as NumPy's axis: () means every axis, and a number has axis 0 too."""
    return None if dim is None or np.size(dim) == 0 or x.ndim == 0 else tuple(dim) if np.ndim(dim) else dim


def _over(f: Call, order: str = AXES) -> Call:
    """Return a reduction, whose axes PyTorch calls ``dim``."""
    return named(lambda x, axis=None, **kwargs: f(x, axis=axis_of(x, axis), **kwargs), order)


def _moment(f: Call) -> Call:
    """Return a call of a variance or deviation, which PyTorch takes with n - 1 by default."""

    def call(x: Any, *args: Any, **kwargs: Any) -> Any:
        words = ["unbiased"] if args and isinstance(args[0], bool) else ["dim", "unbiased", "keepdim"]
        given = dict(zip(words, args, strict=False)) | kwargs
        ddof = given["correction"] if given.get("correction") is not None else given.get("unbiased", True)
        keepdim = given.get("keepdim", False)
        return f(x, axis=axis_of(x, given.get("dim")), ddof=float(ddof), keepdims=keepdim)

    return call


def _with_mean(f: Call) -> Call:
    def call(x: Any, *args: Any, **kwargs: Any) -> Any:
        dim = kwargs.get("dim", args[0] if args and not isinstance(args[0], bool) else None)
        mean = np.mean(x, axis_of(x, dim), keepdims=kwargs.get("keepdim", False))
        return _moment(f)(x, *args, **kwargs), mean

    return call


def _quantile(f: Call) -> Call:
    return named(lambda x, q, axis=None, **kwargs: f(x, q, axis_of(x, axis), **kwargs), "dim keepdim", 2)


def _cumulative(f: Call) -> Call:
    def call(x: Any, dim: int, dtype: Any = None) -> Any:
        return np.reshape(f(np.atleast_1d(x), dim, dtype), x.shape)

    return call


def _logcumsumexp(x: Any, dim: int) -> Any:
    """Return the logarithm of the running sum, relative to the largest of all."""
    top = np.max(x.detach(), axis=dim, keepdims=True) if x.size else 0.0
    return np.log(np.reshape(np.cumsum(np.atleast_1d(np.exp(x - top)), axis=dim), x.shape)) + top


def _diff(x: Any, n: int = 1, dim: int = -1, prepend: Any = None, append: Any = None) -> Any:
    ends = {"prepend": prepend, "append": append}
    return np.diff(x, n, dim, **{k: v for k, v in ends.items() if v is not None})


def _gradient(x: Any, *, spacing: Any = None, dim: Any = None, edge_order: int = 1) -> Any:
    spacing = [1.0] if spacing is None else spacing if isinstance(spacing, (list, tuple)) else [spacing]
    out = np.gradient(x, *spacing, axis=None if dim is None else dim, edge_order=edge_order)
    return out


def _trapezoid(y: Any, x: Any = None, *, dx: float = 1.0, dim: int = -1) -> Any:
    return np.trapezoid(y, x, dx, axis=dim)


def _running_trapezoid(y: Any, x: Any = None, *, dx: float = 1.0, dim: int = -1) -> Any:
    y = np.moveaxis(y, dim, -1)
    step = dx if x is None else np.diff(x) if x.ndim == 1 else np.diff(np.moveaxis(x, dim, -1))
    return np.moveaxis(np.cumsum(step * (y[..., 1:] + y[..., :-1]) / 2, axis=-1), -1, dim)


def _cov(x: Any, correction: int = 1, fweights: Any = None, aweights: Any = None) -> Any:
    return np.cov(x, ddof=correction, fweights=fweights, aweights=aweights)


def _dist(x: Any, y: Any, p: float = 2) -> Any:
    return ag.vector_norm(x - y, ord=p)


def _renorm(x: Any, p: float, dim: int, maxnorm: float) -> Any:
    """Shrink the parts along ``dim`` that are longer than ``maxnorm``."""
    others = tuple(i for i in range(x.ndim) if i != dim % x.ndim)
    size = ag.vector_norm(x, ord=p, axis=others, keepdims=True)
    return x * np.where(size > maxnorm, maxnorm / (size + 1e-7), 1.0)


CALLS: dict[str, Call] = {
    **{name: _over(f) for name, f in same("sum mean amax amin nansum nanmean").items()},
    **alike("max/reduction_no_dim max/reduction_with_dim", _over(np.max)),
    **alike("min/reduction_no_dim min/reduction_with_dim", _over(np.min)),
    **alike("std std/unbiased", _moment(np.std)),
    **alike("var var/unbiased", _moment(np.var)),
    **alike("std_mean std_mean/unbiased", _with_mean(np.std)),
    **alike("var_mean var_mean/unbiased", _with_mean(np.var)),
    **alike("trapz trapezoid", _trapezoid),
    "aminmax": lambda x, **where: (_over(np.min)(x, **where), _over(np.max)(x, **where)),
    "corrcoef": np.corrcoef,
    "cov": _cov,
    "cumprod": _cumulative(np.cumprod),
    "cumsum": _cumulative(ag.Tensor.cumsum),
    "cumulative_trapezoid": _running_trapezoid,
    "diff": _diff,
    "dist": _dist,
    "gradient": _gradient,
    "logcumsumexp": _logcumsumexp,
    "logsumexp": _over(ag.logsumexp),
    "nanquantile": _quantile(np.nanquantile),
    "renorm": _renorm,
    "prod": _over(np.prod),
    "quantile": _quantile(np.quantile),
}
