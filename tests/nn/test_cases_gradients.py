"""The gradients of every layer and loss against finite differences, over the rows of cases.py."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import autograd_core as ag
from autograd_core import nn

from .cases import Case, every_case, leaves, mapped, named

CASES = [case for case in every_case() if case.order]


@pytest.mark.parametrize("case", CASES, ids=named(CASES))
def test_gradients(case: Case) -> None:
    given = case.data()
    if any(x.size == 0 for x in leaves(given)):
        rng = np.random.default_rng(7)
        given = [mapped(x, lambda v: _filled(v, rng)) for x in given]
    call = dict(case.call)
    module = case.build()
    ag.check_gradients(_With(module, call) if call else module, *given, wrt=case.wrt, order=case.order)


def _filled(v: Any, rng: np.random.Generator) -> Any:
    """Return an array that has one element where ``v`` has none, no two alike and within (0, 1)."""
    shape = [n or 1 for n in v.shape]
    return rng.uniform(0.2, 0.8, shape).astype(v.dtype) if v.dtype.kind == "f" else np.ones(shape, v.dtype)


class _With(nn.Module):
    """A module called with some keywords."""

    def __init__(self, module: Any, call: dict[str, Any]) -> None:
        super().__init__()
        self.module, self.keywords = module, call

    def forward(self, *args: Any) -> Any:
        return self.module(*args, **self.keywords)
