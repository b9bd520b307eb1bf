"""Rows of the error function, the gamma function and their kind; those of SciPy's values where SciPy is."""

from __future__ import annotations

import importlib.util
import math
from math import inf
from typing import Any

import numpy as np

import autograd_core as ag
from autograd_core.ops import erfs, gammas

from .table import (
    ABOVE_1,
    EACH,
    EXTREMES,
    INSIDE,
    PAIRS,
    POSITIVE,
    REAL,
    SHARE,
    SINGULAR,
    TRIPLES,
    Case,
    Domain,
    each,
)

SCIPY = importlib.util.find_spec("scipy") is not None
PROPER = [c for c in PAIRS if math.prod(c.shapes[0]) < 60]  # rows of functions that are slow to call
OF_2 = Domain("(0, 2)", lambda rng, shape: rng.uniform(0.1, 1.9, shape), 0, 2)
SHAPE = Domain("shape", lambda rng, shape: rng.uniform(0.5, 2, shape), 0.01, 1e6)  # the density has
# the digits that log gamma(a) leaves: less than ten of them beyond
NOT_WHOLE = Domain("around whole numbers",
                   lambda rng, shape: rng.integers(-2, 4, shape) + rng.uniform(0.2, 0.45, shape))  # fmt: skip

SINGULAR |= {
    ag.xlogy: [(1.0, 0.0), (0.0, 0.0)], ag.xlog1py: [(1.0, -1.0), (0.0, -1.0)],
    ag.erfinv: [1.0, -1.0], ag.erfcinv: [0.0, 2.0], ag.ndtri: [0.0, 1.0],
    ag.gamma: [171.6], ag.gammaln: [0.0, -1.0], ag.loggamma: [0.0, -1.0], ag.digamma: [0.0, -1.0],
    gammas._polygamma_op: [0.0, -1.0],
    ag.entr: [0.0, -1.0], ag.rel_entr: [(0.0, 0.0), (0.0, 1.0), (1.0, 0.0)],
    ag.kl_div: [(0.0, 0.0), (0.0, 1.0), (1.0, 0.0)],
    ag.betaln: [(0.0, 1.0), (1.0, 0.0)],
    gammas._zeta_op: [0.0],
    gammas._gammainc_op: [(0.5, 0.0)], gammas._gammaincc_op: [(0.5, 0.0)],
    gammas._betainc_op: [(0.5, 1.0, 0.0), (1.0, 0.5, 1.0)],
}  # fmt: skip
if SCIPY:
    EXTREMES |= {
        ag.rgamma: {0.0: 1, -1.0: -1, -2.0: 2, -3.0: -6, 1.0: 0.5772156649015329},
        ag.erfcx: {0.0: -2 / math.sqrt(math.pi), -30.0: -inf},
        ag.erfinv: {0.0: math.sqrt(math.pi) / 2, 1.0: inf},
        ag.log_ndtr: {1e3: 0, -1e3: 1e3 + 1e-3 - 2e-9, 0.0: math.sqrt(2 / math.pi)},
        ag.gammaln: {1e10: math.log(1e10) - 0.5e-10, 0.0: -inf},
    }


def _values(name: str, f: Any) -> Any:
    """Return SciPy's function where SciPy is, else ``f`` of each element."""
    if SCIPY:
        return getattr(importlib.import_module("scipy.special"), name)

    def call(x: Any) -> Any:
        x = np.asarray(x)
        dtype = np.result_type(x.dtype, np.float32)
        return np.array([f(v) for v in x.ravel().tolist()], float).reshape(x.shape).astype(dtype)[()]

    return call


def _logged(f: Any) -> Any:
    def call(x: Any, y: Any) -> Any:
        with np.errstate(all="ignore"):
            return np.where(np.equal(x, 0), 0, x * f(y))[()]

    return call


def _normal_share(x: float) -> float:
    return 0.5 * math.erfc(-x / math.sqrt(2))


# fmt: off
ROWS: list[Any] = [
    #    operation            NumPy's                                              domains
    each(ag.erf,              _values("erf", math.erf),                            REAL),
    each(ag.erfc,             _values("erfc", math.erfc),                          REAL),
    each(ag.ndtr,             _values("ndtr", _normal_share),                      REAL),
    each(ag.xlogy,            _logged(np.log),                                     REAL, POSITIVE),
    each(ag.xlog1py,          _logged(np.log1p),                                   REAL, POSITIVE),
]
# fmt: on


def _of_scipy() -> list[Any]:
    from scipy import special

    def polygamma(x: Any, *, n: int = 1) -> Any:
        return special.polygamma(n, x).astype(np.result_type(np.asarray(x), np.float32))

    def hazard(x: Any) -> Any:
        x = np.asarray(x, np.result_type(np.asarray(x), np.float32))
        return math.sqrt(2 / math.pi) / special.erfcx(-x * math.sqrt(0.5))

    def two(f: Any) -> Any:
        """As NumPy promotes: of a Python number and float32 SciPy's functions make float64."""
        return lambda *xs: f(*[np.asarray(x, np.result_type(*xs)) for x in xs])

    def zeta(q: Any, *, s: float = 2.0) -> Any:
        return special.zeta(s, q)

    powers = [Case(c.shapes, {"s": s}) for s in (2.0, 3.5) for c in EACH]
    orders = [Case(c.shapes, {"n": n}) for n in (1, 2, 5) for c in EACH]
    return [
        each(ag.erfcx,             special.erfcx,       REAL),
        each(ag.erfinv,            special.erfinv,      INSIDE),
        each(ag.erfcinv,           special.erfcinv,     OF_2),
        each(ag.log_ndtr,          special.log_ndtr,    REAL),
        each(erfs._hazard,         hazard,              REAL),
        each(ag.ndtri,             special.ndtri,       SHARE),
        each(ag.entr,              special.entr,        POSITIVE),
        each(ag.rel_entr,          two(special.rel_entr),    POSITIVE, POSITIVE),
        each(ag.kl_div,            two(special.kl_div),      POSITIVE, POSITIVE),
        each(ag.gamma,             special.gamma,       NOT_WHOLE),
        each(ag.gammaln,           special.gammaln,     NOT_WHOLE),
        each(ag.loggamma,          special.loggamma,    POSITIVE),
        each(ag.rgamma,            special.rgamma,      NOT_WHOLE),
        each(ag.digamma,           special.digamma,     NOT_WHOLE),
        each(gammas._polygamma_op, polygamma,           ABOVE_1, cases=orders),
        each(gammas._zeta_op,      zeta,                POSITIVE, cases=powers),
        each(ag.beta,              two(special.beta),        POSITIVE, POSITIVE),
        each(ag.betaln,            two(special.betaln),      POSITIVE, POSITIVE),
        each(gammas._gammainc_op,  two(special.gammainc),    SHAPE, POSITIVE, cases=PROPER),
        each(gammas._gammaincc_op, two(special.gammaincc),   SHAPE, POSITIVE, cases=PROPER),
        each(gammas._stdtr_op,     two(special.stdtr),  SHAPE, REAL, cases=PROPER),
        each(gammas._betainc_op,   two(special.betainc),     SHAPE, SHAPE, SHARE, cases=TRIPLES),
    ]  # fmt: skip


ROWS += _of_scipy() if SCIPY else []
