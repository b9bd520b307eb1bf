"""What a step reads and what it leaves behind, as programs that change Python state: eager beside compiled.

Each program is given ``compile`` (or what leaves a function as it is) and yields values after each call of a
step. Those of both ways are the same to the last bit, or compiling is refused with the text that LOUD has.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import autograd_core as ag
from autograd_core import CompileError
from autograd_core.compile.traced import Traced
from autograd_core.compile.trial import Trial
from autograd_core.tensor import Tensor

from . import (  # noqa: F401 (they fill the table)
    state_calls,
    state_carried,
    state_changes,
    state_functions,
    state_names,
    state_random,
    state_training,
    state_values,
)
from .state import PROGRAMS

LOUD = {
    "counter": r"Obj.n: \d became \d", "counter_used": r"Obj.n: \d became \d", "list_append": "items became",
    "own_optimizer_count": r"Opt.t: \d became \d",
    "metrics_dict_arg": "the keys of args", "list_arg_append": "items became",
    "np_random": "global random numbers",
    "py_random": "global random numbers",
    "np_random_state": "RandomState moved on",
    "py_random_obj": "Random moved on", "itercount": "count moved on", "iter_list": "list_iterator moved on",
    "iter_gen": "generator moved on", "iter_arrays": "list_iterator moved on",
    "seed_in_step": "another generator",
}  # fmt: skip
CAPTURES = {"alternate_modules": 6, "alternate_modes": 7, "many_shapes": 26, "dtypes_layouts": 14}  # at most


def frozen(x: Any) -> Any:
    """Return a value as bytes that tell every bit of it."""
    assert type(x) is not Traced
    if isinstance(x, Tensor):
        return "Tensor", frozen(x.data), frozen(x.grad)
    if isinstance(x, (np.ndarray, np.generic)):
        return x.dtype.str, x.shape, x.tobytes()
    if isinstance(x, (tuple, list)):
        return type(x).__name__, *map(frozen, x)
    if isinstance(x, dict):
        return {k: frozen(v) for k, v in x.items()}
    return repr(x.bit_generator.state) if isinstance(x, np.random.Generator) else repr(x)


@pytest.mark.parametrize("name", PROGRAMS)
@pytest.mark.filterwarnings("ignore::RuntimeWarning")
def test_program(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    captures = []
    run = Trial.run
    monkeypatch.setattr(Trial, "run", lambda self: captures.append(1) or run(self))
    expected = [frozen(x) for x in PROGRAMS[name](lambda f: f)]
    if name in LOUD:
        with pytest.raises(CompileError, match=LOUD[name]):
            list(PROGRAMS[name](ag.compile))
        return
    for i, x in enumerate(PROGRAMS[name](ag.compile)):
        assert frozen(x) == expected[i], f"value {i} of {len(expected)}, after {len(captures)} captures"
    assert captures
    assert len(captures) <= CAPTURES.get(name, len(captures))
