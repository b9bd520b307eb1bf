"""``python -m autograd_core.ops`` tells of every operation, and of every function of NumPy's."""

from __future__ import annotations

import subprocess
import sys
from typing import Any

import numpy as np
import pytest

import autograd_core as ag
from autograd_core import ops
from autograd_core.ops.__main__ import TORCH, WHY, entries, main
from autograd_core.primitive import NUMPY

from .evidence import compared
from .table import ROWS


def test_every_operation_and_every_function_of_numpy_is_in_the_catalogue(
    capsys: pytest.CaptureFixture[str],
) -> None:
    main()
    text = capsys.readouterr().out
    words = set(text.replace(",", " ").split())
    assert {str(row) for row in ROWS if row.op.__module__.startswith("autograd_core")} <= words
    functions = {n for n in np.__all__ if callable(getattr(np, n)) and not isinstance(getattr(np, n), type)}
    assert functions <= words
    assert {f"linalg.{n}" for n in np.linalg.__all__ if n.islower()} <= words
    lines = [" ".join(line.split()) for line in text.splitlines()]
    assert "tanh 1 yes yes any PyTorch tanh" in lines
    assert "recurrence 2 yes yes any -" in lines
    assert "hypot 2 yes yes any PyTorch hypot a = b = 0: 0" in lines
    for e in entries():
        assert any(e.kinks and line.endswith(e.kinks) for line in lines) or not e.kinks, "cut"


def test_every_public_operation_has_a_line() -> None:
    public = {f.__name__ for name, f in vars(ops).items() if callable(f) and getattr(ag, name, None) is f
              and not hasattr(f, "constant")}  # fmt: skip
    names = [e.name for e in entries()]
    assert len(set(names)) == len(names)
    assert public <= set(names)


def test_every_operation_has_both_modes() -> None:
    """Or the two columns, and the order, have something to say, and are worth a test of their own."""
    assert {(e.reverse, e.forward, e.order) for e in entries()} == {(True, True, "any")}


def test_what_is_said_to_be_compared_with_pytorch_is() -> None:
    pytest.importorskip("torch", reason="PyTorch is not installed: its table cannot be read")
    from . import test_oracle

    names = {e.name for e in entries()}
    told = TORCH.split()
    tables = set(test_oracle.ORACLES) | compared() | {c[0].split(",")[0] for c in test_oracle.COMPOSED}
    assert len(set(told)) == len(told)
    assert set(told) <= names
    assert {name.removeprefix("linalg.") for name in told} <= tables
    assert set(test_oracle.ORACLES) & names <= set(told)


X, V = np.array([[0.3, -1.2, 0.7], [2.0, 0.1, -0.4]]), np.array([0.9, 1.1, -2.0])
REST = {  # what no other test compares with differences, which the catalogue says of everything
    "broadcast_arrays": lambda x, v: ag.broadcast_arrays(v, x)[0] * x,
    "column_stack": lambda x, v: ag.column_stack([v, x.T, v * v]),
    "copyto": lambda x, v: _written(ag.copyto, v, where=[True, False, True]),
    "dot": lambda x, v: ag.dot(x, v) + ag.dot(x, x.T)[0],
    "fill_diagonal": lambda x, v: _written(ag.fill_diagonal, v[:2]),
    "fliplr": lambda x, v: ag.fliplr(x) * v,
    "flipud": lambda x, v: ag.flipud(x) * x + v,
    "hsplit": lambda x, v: ag.hsplit(x, [1])[1] * v[1:],
    "hstack": lambda x, v: ag.hstack([v, x[0], v * v]),
    "inner": lambda x, v: ag.inner(x, x) * ag.inner(v, v),
    "kron": lambda x, v: ag.kron(x, v),
    "linalg.trace": lambda x, v: np.linalg.trace(x * x + v, offset=1),
    "place": lambda x, v: _written(ag.place, np.eye(2, 3, dtype=bool), v),
    "put": lambda x, v: _written(ag.put, [4, 0, 1], v),
    "put_along_axis": lambda x, v: _written(ag.put_along_axis, np.array([[2], [0]]), x[:, :1], 1) + v,
    "putmask": lambda x, v: _written(ag.putmask, np.eye(2, 3, dtype=bool), x * v),
    "repeat": lambda x, v: ag.repeat(x, [2, 0, 1], 1) * v,
    "sort": lambda x, v: ag.sort(x, axis=1) * ag.sort(v),
    "tile": lambda x, v: ag.tile(x, (2, 1)) * ag.tile(v, (4, 1)),
    "trace": lambda x, v: ag.trace(x * x, 1) * v,
    "vdot": lambda x, v: ag.vdot(x, x * x) * v,
    "vecdot": lambda x, v: ag.vecdot(x, v),
    "vsplit": lambda x, v: ag.vsplit(x, 2)[1] * v,
    "vstack": lambda x, v: ag.vstack([v, x, v * v]),
}


def _written(write: Any, *args: Any, **params: Any) -> Any:
    y = ag.tensor(np.ones((2, 3))) * 1.0
    write(y, *args, **params)
    return y * y


@pytest.mark.parametrize("name", REST)
def test_beside_differences(name: str) -> None:
    ag.check_gradients(REST[name], X, V)


def test_no_function_has_two_reasons() -> None:
    names = [name for text in WHY.values() for name in text.split()]
    assert len(set(names)) == len(names)


def test_no_reason_is_given_for_what_is_there() -> None:
    for name in (name for text in WHY.values() for name in text.split()):
        space = np.linalg if name.startswith("linalg.") else np
        function = getattr(space, name.removeprefix("linalg."), None)  # None: of another version of NumPy
        assert function is None or function not in NUMPY, name


def test_a_reader_that_stops_early_is_no_error() -> None:
    command = [sys.executable, "-m", "autograd_core.ops"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, bufsize=0) as run:
        assert run.stdout is not None
        assert run.stderr is not None
        run.stdout.close()
        assert run.stderr.read() == b""
    assert run.returncode == 0
