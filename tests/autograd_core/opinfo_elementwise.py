"""Calls of PyTorch's operations that act on each element."""

from __future__ import annotations

import operator
from typing import Any

import numpy as np

import autograd_core as ag

from .opinfo import Call, alike, same


def _divide(x: Any, y: Any, rounding_mode: str | None = None) -> Any:
    if rounding_mode is None:
        return x / y
    return x // y if rounding_mode == "floor" else np.trunc(x / y)


def _clamp(x: Any, min: Any = None, max: Any = None) -> Any:
    return np.clip(x, min, max)


def _xlogy(x: Any, y: Any) -> Any:
    return np.where(x == 0, 0.0, x * np.log(np.where(x == 0, 1.0, y)))


def _xlog1py(x: Any, y: Any) -> Any:
    return np.where(x == 0, 0.0, x * np.log1p(np.where(x == 0, 0.0, y)))


def _logit(x: Any, eps: float | None = None) -> Any:
    x = x if eps is None else np.clip(x, eps, 1 - eps)
    return np.log(x / (1 - x))


def _entr(x: Any) -> Any:
    return np.where(x > 0, -x * np.log(np.where(x > 0, x, 1.0)), np.where(x == 0, 0.0 * x, -np.inf))


CALLS: dict[str, Call] = {
    **same(
        "acos acosh asin asinh atan atan2 atanh ceil copysign cos cosh deg2rad exp exp2 expm1 "
        "float_power floor fmax fmin fmod hypot i0 log log10 log1p log2 logaddexp logaddexp2 "
        "maximum minimum positive rad2deg reciprocal remainder sign sin sinc sinh sqrt "
        "square tan tanh true_divide trunc"
    ),
    "abs": operator.abs,
    "neg": operator.neg,
    "sgn": np.sign,
    **alike("round round/decimals_0 round/decimals_3 round/decimals_neg_3", np.round),
    "pow": operator.pow,
    "mul": operator.mul,
    "add": lambda x, y, alpha=1: x + y * alpha,
    "sub": lambda x, y, alpha=1: x - y * alpha,
    "rsub": lambda x, y, alpha=1: y - x * alpha,
    **alike("div/no_rounding_mode div/floor_rounding div/trunc_rounding", _divide),
    "max/binary": np.maximum,
    "min/binary": np.minimum,
    "clamp": _clamp,
    "clamp_min": np.maximum,
    "clamp_max": np.minimum,
    "frac": lambda x: x - np.trunc(x),
    "ldexp": lambda x, n: x * np.exp2(n),
    "lerp": lambda x, y, w: x + w * (y - x),
    "rsqrt": lambda x: 1 / np.sqrt(x),
    "sigmoid": ag.sigmoid,
    "logit": _logit,
    "xlogy": _xlogy,
    "special.xlog1py": _xlog1py,
    "special.entr": _entr,
    "nan_to_num": np.nan_to_num,
    "addcmul": lambda x, a, b, value=1: x + value * a * b,
    "addcdiv": lambda x, a, b, value=1: x + value * a / b,
    "where": lambda x, condition, y: np.where(condition, x, y),
    "__radd__": lambda x, y: y + x,
    "__rdiv__": lambda x, y: y / x,
    "__rmul__": lambda x, y: y * x,
    "__rmod__": lambda x, y: y % x,
    "__rpow__": lambda x, y: y**x,
    "__rsub__": lambda x, y: y - x,
    **alike("real conj conj_physical resolve_conj resolve_neg", np.positive),
}
