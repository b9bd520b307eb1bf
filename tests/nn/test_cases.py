"""What every layer and loss does, over the rows of cases.py: copies, pickles, states, dtypes."""

from __future__ import annotations

import copy
import pickle

import numpy as np
import pytest

from autograd_core import nn
from autograd_core.node import strip

from .cases import Case, every_case, leaves, named

CASES = every_case()


@pytest.mark.parametrize("case", CASES, ids=named(CASES))
def test_copies_pickles_and_states(case: Case) -> None:
    module = case.build()
    given = case.data()
    nn.manual_seed(1)
    expected = leaves(module.eval()(*given, **case.call))
    other = case.build()
    for p in other.parameters():
        p.data[...] = 7
    other.load_state_dict(module.state_dict())
    for copied in (copy.deepcopy(module), pickle.loads(pickle.dumps(module)), other.eval()):
        assert repr(copied) == repr(module)
        nn.manual_seed(1)
        for x, y in zip(leaves(copied(*given, **case.call)), expected, strict=True):
            np.testing.assert_array_equal(strip(x), strip(y))
    assert repr(module).startswith(type(module).__name__ + "(")


@pytest.mark.parametrize("case", CASES, ids=named(CASES))
def test_data_is_taken_in_the_dtype_of_the_parameters(case: Case) -> None:
    module = case.build()
    kinds = {p.dtype for p in module.parameters()}
    for x in leaves(module(*case.data(), **case.call)):
        dtype = np.asarray(strip(x)).dtype
        if dtype.kind == "f" and kinds:
            assert dtype == np.float32, "float64 data made a float32 module compute in float64"
