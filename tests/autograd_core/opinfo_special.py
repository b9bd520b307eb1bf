"""Calls of PyTorch's error functions, gamma functions, and what is made of them."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

import autograd_core as ag

from .opinfo import Call, alike, same


def _gelu(x: Any, approximate: str = "none") -> Any:
    if approximate == "tanh":
        return 0.5 * x * (1 + np.tanh(math.sqrt(2 / math.pi) * (x + 0.044715 * x**3)))
    return 0.5 * x * (1 + ag.erf(x / math.sqrt(2)))


def _log_gamma_of_matrices(x: Any, p: int) -> Any:
    shifts = np.arange(p) / 2
    return np.sum(ag.gammaln(x[..., None] - shifts), axis=-1) + p * (p - 1) / 4 * math.log(math.pi)


CALLS: dict[str, Call] = {
    **same("erf erfc erfinv digamma", ag),
    **alike("mvlgamma/mvlgamma_p_1 mvlgamma/mvlgamma_p_3 mvlgamma/mvlgamma_p_5", _log_gamma_of_matrices),
    **alike(" ".join(f"polygamma/polygamma_n_{n}" for n in range(5)), lambda x, n: ag.polygamma(n, x)),
    "special.polygamma/special_polygamma_n_0": lambda x, n: ag.polygamma(n, x),
    "lgamma": ag.gammaln,
    "nn.functional.gelu": _gelu,
    "special.erfcx": ag.erfcx,
    "special.ndtr": lambda x: 0.5 * ag.erfc(-x / math.sqrt(2)),
    "special.ndtri": lambda p: math.sqrt(2) * ag.erfinv(2 * p - 1),
}
