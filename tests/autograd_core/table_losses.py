"""Rows of the losses that are one operation with their reduction."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from nn.functional import binary, divergence, likelihood, margin, regression

from .table import (
    EXTREMES,
    HUGE,
    KINKS,
    PAIRED,
    POSITIVE,
    REAL,
    SHARE,
    SINGULAR,
    TINY,
    TRIPLES,
    Case,
    Domain,
    at,
    case,
    each,
    reduced,
    row,
)

LABEL = Domain("-1 or +1", lambda rng, shape: rng.choice([-1.0, 1.0], shape))
ODD = [-2.85, -1.75, -0.65, -0.15, 0.15, 0.65, 1.75]
APART = Domain("tenths apart", lambda rng, shape: rng.choice(ODD, shape))
LISTED = Domain("classes of 4, and -1 after the last", lambda rng, shape: rng.integers(-1, 4, shape))
TENTHS = Domain("tenths", lambda rng, shape: 0.01 * rng.integers(-3, 4, shape))


def settings(**values: list[Any]) -> list[Case]:
    """Return PAIRED for each of the settings, which are given side by side."""
    names = list(values)
    return [case(*c.shapes, **c.params, **dict(zip(names, v)))
            for v in zip(*values.values(), strict=True) for c in PAIRED]  # fmt: skip


def paired(losses: Callable[..., Any]) -> Callable[..., Any]:
    """Return the formula of a loss with its reduction."""
    def f(x: Any, t: Any, *, reduction: str = "none", **params: Any) -> Any:
        return reduced(losses(x, t, **params), np.size(x), reduction)
    return f


# -- formulas --------------------------------------------------------------------------------------


def _bce(x: Any, t: Any) -> Any:
    with np.errstate(divide="ignore"):
        return -t * np.maximum(np.log(x), -100) - (1 - t) * np.maximum(np.log1p(-x), -100)


def _bce_logits(x: Any, t: Any) -> Any:
    return np.logaddexp(x, 0) - x * t


def _huber(x: Any, t: Any, *, delta: float, height: float) -> Any:
    d = abs(x - t)
    return np.where(d < delta, d * d / 2, delta * (d - delta / 2)) * height


def _hinge_embedding(x: Any, t: Any, *, margin: float) -> Any:
    return np.where(t == 1, x, np.maximum(0, margin - x))


def _multilabel(x: Any, t: Any) -> Any:
    losses = []
    for f, listed in zip(x, t.tolist(), strict=True):
        right = listed[: listed.index(-1)] if -1 in listed else listed
        wrong = [c for c in range(len(f)) if c not in right]
        losses.append(sum([max(0, 1 - (f[y] - f[c])) for y in right for c in wrong]) / len(f))
    return np.array(losses, (x / 1).dtype)


def _poisson(x: Any, t: Any, *, log_input: bool = False, eps: float = 0.0) -> Any:
    return np.exp(x) - x * t if log_input else x - np.log(x + eps) * t


def _kl(x: Any, t: Any, *, log_target: bool = False) -> Any:
    if log_target:
        return np.exp(t) * (t - x)
    return np.where(t == 0, 0 * t, t * (np.log(np.where(t == 0, 1, t)) - x))


def _gaussian(x: Any, t: Any, v: Any) -> Any:
    return 0.5 * (np.log(v) + np.square(x - t) / v)


# -- points ----------------------------------------------------------------------------------------

# fmt: off
KINKS |= {
    regression._l1:           {(2.0, 2.0): (0, 0), (0.0, -0.0): (0, 0)},
    margin._hinge:            {(1.0, 1.0): (0, 0), (-0.5, -2.0): (0, 0)},
    margin._hinge_embedding:  [at((2.0, -1.0), (-1, 0), margin=2.0)],
    margin._multilabel:       [at((np.array([[1.5, 0.5, 1.0]]), np.array([[0, 0, -1]])),
                                  (np.array([[-2, 0, 2]]) / 3,))],
    divergence._kl_div:       {(-1.0, 0.0): (0, 2)},
}
SINGULAR |= {
    binary._bce:              [(0.0, 0.0), (1.0, 1.0), (0.0, 1.0)],
    likelihood._gaussian:     [(1.0, 2.0, 0.0), (1.0, 1.0, 0.0)],
}
EXTREMES |= {
    binary._bce:              {(0.5, 0.5): (0, 0), (0.0, 0.0): (0, 100), (1.0, 1.0): (0, -100)},
    binary._bce_logits:       {(1e3, 1.0): (0, -1e3), (-1e3, 0.0): (0, 1e3), (1e3, 0.0): (1, -1e3),
                               (0.0, 0.5): (0, 0)},
    regression._l1:           {(HUGE, 0.0): (1, -1), (TINY, 0.0): (1, -1)},
    regression._huber:        [at((HUGE, 0.0), (2, -2), delta=2.0, height=1),
                               at((TINY, 0.0), (TINY, -TINY), delta=2.0, height=1),
                               at((2.0, 0.0), (2, -2), delta=2.0, height=1)],
    margin._hinge:            {(HUGE, -1.0): (1, 0), (HUGE, 1.0): (0, 0)},
    margin._soft_margin:      {(1e3, 1.0): (0, 0), (-1e3, 1.0): (-1, 1e3), (0.0, 1.0): (-0.5, 0)},
    divergence._kl_div:       [at((-1e3, 1.0), (-1, 1e3 + 1)), at((0.0, -1e3), (0, 0), log_target=True)],
    likelihood._gaussian:     {(0.0, 0.0, TINY): (0, 0, 0.5 / TINY),
                               (1.0, 0.0, HUGE): (1 / HUGE, -1 / HUGE, 0.5 / HUGE)},
}

# -- rows ------------------------------------------------------------------------------------------

ROWS = [
    #    operation                  formula                               domains        calls
    row(regression._mse,            paired(lambda x, t: np.square(x - t)), REAL, REAL,   cases=PAIRED),
    row(regression._l1,             paired(lambda x, t: abs(x - t)),      APART, TENTHS, cases=PAIRED),
    row(regression._huber,          paired(_huber),                       APART, TENTHS,
        cases=settings(delta=[1.0, 0.4], height=[1, 2.5])),
    row(binary._bce,                paired(_bce),                         SHARE, SHARE,  cases=PAIRED),
    row(binary._bce_logits,         paired(_bce_logits),                  REAL, REAL,    cases=PAIRED),
    row(margin._hinge,              paired(lambda x, t: np.maximum(1 - x * t, 0)), APART, LABEL,
        cases=PAIRED),
    row(margin._hinge_embedding,    paired(_hinge_embedding),             APART, LABEL,
        cases=settings(margin=[1.0, 0.5])),
    row(margin._multilabel,         _multilabel,                          APART, LISTED,
        cases=[case((n, 4), (n, 4)) for n in (5, 1, 0)]),
    row(margin._soft_margin,        paired(lambda x, t: np.logaddexp(-x * t, 0)), REAL, REAL, cases=PAIRED),
    row(likelihood._poisson,        paired(_poisson),                     POSITIVE, REAL,
        cases=settings(log_input=[False, True, False], eps=[0.0, 0.0, 0.25])),
    each(likelihood._gaussian,      _gaussian,                            REAL, REAL, POSITIVE,
         cases=TRIPLES),
    row(divergence._kl_div,         paired(_kl),                          REAL, POSITIVE,
        cases=settings(log_target=[False, True])),
]
# fmt: on
