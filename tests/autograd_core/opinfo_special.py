"""Calls of PyTorch's error functions, gamma functions, and what is made of them.

Its igamma and zeta are missing: the samples ask for derivatives that neither library has.
"""

from __future__ import annotations

import importlib.util
import math
from typing import Any

import numpy as np

import autograd_core as ag

from .opinfo import Call, alike, same


def _gelu(x: Any, approximate: str = "none") -> Any:
    if approximate == "tanh":
        return 0.5 * x * (1 + np.tanh(math.sqrt(2 / math.pi) * (x + 0.044715 * x**3)))
    return 0.5 * x * (1 + ag.erf(x / math.sqrt(2)))


CALLS: dict[str, Call] = {
    **same("erf erfc erfinv digamma", ag),
    **alike(" ".join(f"polygamma/polygamma_n_{n}" for n in range(5)), lambda x, n: ag.polygamma(n, x)),
    "special.polygamma/special_polygamma_n_0": lambda x, n: ag.polygamma(n, x),
    "lgamma": ag.gammaln,
    "nn.functional.gelu": _gelu,
    "special.erfcx": ag.erfcx,
    **same("i1 log_ndtr ndtr ndtri", ag, "special."),
    **alike("mvlgamma/mvlgamma_p_1 mvlgamma/mvlgamma_p_3 mvlgamma/mvlgamma_p_5", ag.multigammaln),
}
WITHOUT_SCIPY = {"erf", "erfc", "nn.functional.gelu", "special.i1", "special.ndtr"}
if importlib.util.find_spec("scipy") is None:
    CALLS = {name: call for name, call in CALLS.items() if name in WITHOUT_SCIPY}
