"""Rows of the activation functions."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

import autograd_core as ag
from nn.functional.activations import exponentials, gates, limits, rectifiers

from .table import EACH, EXTREMES, HUGE, KINKS, NONZERO, REAL, TINY, Case, Domain, at, case, each

# On both sides of every kink of every case, 0.1 or more from it.
PLACES = [-4.7, -3.4, -2.6, -1.6, -1.1, -0.7, -0.25, 0.25, 0.7, 1.1, 1.6, 2.6, 3.4, 5.6, 6.4]
PIECES = Domain("between the kinks", lambda rng, shape: rng.choice(PLACES, shape))


def settings(**values: list[Any]) -> list[Case]:
    """Return a case of each shape for each of the settings, which are given side by side."""
    names = list(values)
    return [case(*c.shapes, **dict(zip(names, v))) for v in zip(*values.values(), strict=True) for c in EACH]


def s(x: float) -> float:
    return 1 / (1 + math.exp(-x))


# fmt: off
TOP, BOTTOM = exponentials.SCALE, exponentials.SCALE * exponentials.ALPHA
KINKS |= {
    rectifiers._leaky_relu: [at(0.0, 0.1, slope=0.1), at(-0.0, 0.01, slope=0.01),
                             at(0.0, 0, slope=0),     at(0.0, 2, slope=2.0)],
    rectifiers._prelu:      {(0.0, 0.25): (0.25, 0), (-0.0, 2.0): (2, 0)},
    rectifiers._relu6:      [at(x, 0) for x in (0.0, -0.0, 6.0)],
    rectifiers._threshold:  [at(0.5, 0, threshold=0.5, value=7), at(-0.0, 0, threshold=0, value=0)],
    exponentials._elu:      [at(0.0, 0.5, alpha=0.5), at(-0.0, 2, alpha=2.0), at(0.0, 0, alpha=0.0)],
    exponentials._selu:     [at(x, BOTTOM) for x in (0.0, -0.0)],
    exponentials._softplus: [at(1.5, s(3), beta=2.0, threshold=3.0), at(0.0, 0.5, beta=1.0, threshold=0.0)],
    limits._hardtanh:       [at(x, 0, low=-1.0, high=2.0) for x in (-1.0, 2.0)],
    limits._hardsigmoid:    {-3.0: 0, 3.0: 0},
    limits._hardswish:      {-3.0: 0, 3.0: 1},
    limits._hardshrink:     [at(x, 0, bound=0.5) for x in (-0.5, 0.5)],
    limits._softshrink:     [at(x, 0, bound=0.5) for x in (-0.5, 0.5)],
}
EXTREMES |= {
    rectifiers._leaky_relu: [at(HUGE, 1, slope=0.01), at(-HUGE, 0.01, slope=0.01)],
    rectifiers._prelu:      {(HUGE, 0.5): (1, 0), (-HUGE, 0.5): (0.5, -HUGE)},
    rectifiers._relu6:      {HUGE: 0, -HUGE: 0, TINY: 1},
    rectifiers._threshold:  [at(x, d, threshold=0.5, value=7.0) for x, d in [(HUGE, 1), (-HUGE, 0)]],
    exponentials._elu:      [at(1e3, 1, alpha=1.0), at(-1e3, 0, alpha=1.0), at(TINY, 1, alpha=1.0)],
    exponentials._celu:     [at(1e3, 1, alpha=0.5), at(-1e3, 0, alpha=0.5), at(0.0, 1, alpha=0.5)],
    exponentials._selu:     {1e3: TOP, -1e3: 0, TINY: TOP},
    exponentials._softplus: [at(x, d, beta=b, threshold=t) for b, t in [(1.0, 20.0), (1.0, math.inf)]
                             for x, d in [(1e3, 1), (-1e3, 0), (TINY, 0.5), (-30.0, s(-30)), (HUGE, 1)]],
    exponentials._logsigmoid: {1e3: 0, -1e3: 1, TINY: 0.5, 30.0: s(-30), -HUGE: 1},
    exponentials._softsign: {HUGE: 0, -HUGE: 0, TINY: 1, 0.0: 1},
    limits._hardtanh:       [at(x, d, low=-1.0, high=2.0) for x, d in [(HUGE, 0), (-HUGE, 0), (TINY, 1)]],
    limits._hardsigmoid:    {HUGE: 0, -HUGE: 0, TINY: 1 / 6},
    limits._hardswish:      {HUGE: 1, -HUGE: 0, TINY: 0.5},
    limits._hardshrink:     [at(x, d, bound=0.5) for x, d in [(HUGE, 1), (-HUGE, 1), (TINY, 0)]],
    limits._softshrink:     [at(x, d, bound=0.5) for x, d in [(HUGE, 1), (-HUGE, 1), (TINY, 0)]],
    limits._tanhshrink:     {HUGE: 1, -HUGE: 1, 0.0: 0, 1e3: 1},
    gates._silu:            {1e3: 1, -1e3: 0, 0.0: 0.5, HUGE: 1, -HUGE: 0},
    gates._mish:            {1e3: 1, -1e3: 0, 0.0: 0.6, HUGE: 1, -HUGE: 0},
    gates._share:           {1e3: 0, -1e3: 0, 0.0: 1 / math.sqrt(2 * math.pi), HUGE: 0, -HUGE: 0},
    gates._gelu_tanh:       {1e3: 1, -1e3: 0, 0.0: 0.5},
}
# fmt: on

# -- the truth ------------------------------------------------------------------------------------


def _leaky(x: Any, slope: Any) -> Any:
    return np.where(x > 0, x, x * slope)


def _threshold(x: Any, *, threshold: float, value: float) -> Any:
    return np.where(x > threshold, x, value)


def _elu(x: Any, *, alpha: float) -> Any:
    with np.errstate(over="ignore"):
        return np.where(x > 0, x, alpha * np.expm1(x))


def _celu(x: Any, *, alpha: float) -> Any:
    with np.errstate(over="ignore"):
        return np.where(x > 0, x, alpha * np.expm1(x / alpha))


def _selu(x: Any) -> Any:
    return 1.0507009873554804934193349852946 * _elu(x, alpha=1.6732632423543772848170429916717)


def _softplus(x: Any, *, beta: float, threshold: float) -> Any:
    return np.where(x * beta > threshold, x, np.logaddexp(0, x * beta) / beta)


def _hardtanh(x: Any, *, low: float, high: float) -> Any:
    return np.clip(x, low, high)


def _hardsigmoid(x: Any) -> Any:
    return np.clip(x / 6 + 0.5, 0, 1)


def _hardshrink(x: Any, *, bound: float) -> Any:
    return np.where(abs(x) > bound, x, x * 0)


def _softshrink(x: Any, *, bound: float) -> Any:
    return np.where(abs(x) > bound, x - bound * np.sign(x), x * 0)


def _tanh_of_softplus(x: Any) -> Any:
    return x * np.tanh(np.logaddexp(0, x))


def _gelu_tanh(x: Any) -> Any:
    return x * (1 + np.tanh(math.sqrt(2 / math.pi) * (x + 0.044715 * (x * x * x)))) / 2


# -- rows -----------------------------------------------------------------------------------------

# fmt: off
SLOPES = settings(slope=[0.01, 0.0, 1.0, 2.0, -0.5])
ALPHAS = settings(alpha=[1.0, 0.5, 2.0, 0.0])
ROWS = [
    #    operation                NumPy's           domain           calls
    each(rectifiers._leaky_relu,  _leaky,           NONZERO,         cases=SLOPES, selects=True),
    each(rectifiers._prelu,       _leaky,           NONZERO, REAL,   selects=True),
    each(rectifiers._relu6,       lambda x: np.clip(x, 0, 6), PIECES, selects=True),
    each(rectifiers._threshold,   _threshold,       PIECES,          selects=True,
         cases=settings(threshold=[0.5, -3.0, 0.0], value=[7.0, -0.5, 0.0])),
    each(exponentials._elu,       _elu,             NONZERO,         cases=ALPHAS, selects=True),
    each(exponentials._celu,      _celu,            NONZERO,         cases=settings(alpha=[1.0, 0.5, 2.0])),
    each(exponentials._selu,      _selu,            NONZERO),
    each(exponentials._softplus,  _softplus,        PIECES,
         cases=settings(beta=[1.0, 3.0, 0.5, 2.0], threshold=[20.0, 1.5, math.inf, 0.0])),
    each(exponentials._logsigmoid, lambda x: -np.logaddexp(0, -x), REAL),
    each(exponentials._softsign,  lambda x: x / (1 + abs(x)), NONZERO),
    each(limits._hardtanh,        _hardtanh,        PIECES,          selects=True,
         cases=settings(low=[-1.0, 0.5, -3.0], high=[1.0, 2.0, -2.0])),
    each(limits._hardsigmoid,     _hardsigmoid,     PIECES,          selects=True),
    each(limits._hardswish,       lambda x: x * _hardsigmoid(x), PIECES),
    each(limits._hardshrink,      _hardshrink,      PIECES,          cases=settings(bound=[0.5, 2.0, 0.0]),
         selects=True),
    each(limits._softshrink,      _softshrink,      PIECES,          cases=settings(bound=[0.5, 2.0, 0.0]),
         selects=True),
    each(limits._tanhshrink,      lambda x: x - np.tanh(x), REAL),
    each(gates._silu,             lambda x: x * ag.sigmoid(np.asarray(x)), REAL),
    each(gates._mish,             _tanh_of_softplus, REAL),
    each(gates._share,            lambda x: ag.ndtr(np.asarray(x)), REAL),
    each(gates._gelu_tanh,        _gelu_tanh,       REAL),
]
# fmt: on
