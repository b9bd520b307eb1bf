"""Values and gradients agree with PyTorch, an independent implementation, where it is installed.

Also where no difference can be taken: kinks, ties, and edges of domains, for which PyTorch's choice
is the published one. Cases and points are those of ``table.py``.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import autograd_core as ag

from .table import PARTS, ROWS, Case, Row
from .test_table import arrays, backward, close, located, upstream

torch: Any = pytest.importorskip(
    "torch", reason="PyTorch is not installed: nothing to compare with"
)


F = torch.nn.functional


def _axes(f: Callable[..., Any]) -> Callable[..., Any]:
    """Translate NumPy's ``axis`` and ``keepdims`` to ``dim`` and ``keepdim``, always given."""

    def call(x: Any, axis: Any = None, keepdims: bool = False, **params: Any) -> Any:
        dim = tuple(range(x.ndim)) if axis is None else axis if isinstance(axis, tuple) else (axis,)
        return f(x, dim, keepdims, **params) if dim else f(x[None], (0,), False, **params)

    return call


def _moments(f: Any) -> Any:
    return _axes(lambda x, dim, keep, ddof=0: f(x, dim, correction=ddof, keepdim=keep))


def _along(f: Any) -> Any:
    return lambda x, axis=-1: f(x, dim=axis)


def _index(x: Any, *, index: Any) -> Any:
    items = list(index) if isinstance(index, tuple) else [index]
    axis = 0
    for k, i in enumerate(items):
        if isinstance(i, slice) and (i.step or 1) < 0:  # PyTorch has no negative steps
            x = x.index_select(
                axis, torch.tensor(range(*i.indices(x.shape[axis])), dtype=torch.long)
            )
            items[k] = slice(None)
        axis += i is not None
    return x[tuple(torch.tensor(i) if isinstance(i, (np.ndarray, list)) else i for i in items)]


def _cumsum(x: Any, axis: Any = None) -> Any:
    return torch.cumsum(x.reshape(-1) if axis is None else x, 0 if axis is None else axis)


def _permute(x: Any, *, axes: Any = None) -> Any:
    return torch.permute(x, tuple(range(x.ndim))[::-1] if axes is None else axes)


def _flip(x: Any, axis: Any = None) -> Any:
    every = tuple(range(x.ndim))
    return torch.flip(x, every if axis is None else axis if isinstance(axis, tuple) else (axis,))


def _concatenate(*x: Any, axis: Any = 0) -> Any:
    return torch.cat(x, axis) if axis is not None else torch.cat([v.reshape(-1) for v in x])


def _roll(x: Any, shift: Any, axis: Any = None) -> Any:
    if isinstance(axis, tuple) or isinstance(shift, tuple):
        n = max(len(v) for v in (shift, axis) if isinstance(v, tuple))
        shift, axis = (v if isinstance(v, tuple) else (v,) * n for v in (shift, axis))
    return torch.roll(x, shift, axis)


# fmt: off
ORACLES: dict[str, Callable[..., Any]] = {
    "add": torch.add, "subtract": torch.sub, "multiply": torch.mul, "divide": torch.div,
    "negative": torch.neg, "positive": torch.positive, "power": torch.pow, "square": torch.square,
    "reciprocal": torch.reciprocal, "sqrt": torch.sqrt, "remainder": torch.remainder,
    "fmod": torch.fmod, "hypot": torch.hypot, "absolute": torch.abs, "maximum": torch.maximum,
    "minimum": torch.minimum, "fmax": torch.fmax, "fmin": torch.fmin,
    "clip": lambda *x: torch.clamp(*torch.broadcast_tensors(*x)),
    "where": torch.where, "relu": torch.relu, "exp": torch.exp, "exp2": torch.exp2,
    "expm1": torch.expm1, "log": torch.log, "log2": torch.log2, "log10": torch.log10,
    "log1p": torch.log1p, "logaddexp": torch.logaddexp, "logaddexp2": torch.logaddexp2,
    "sigmoid": torch.sigmoid, "softplus": F.softplus, "sin": torch.sin, "cos": torch.cos,
    "tan": torch.tan, "arcsin": torch.arcsin, "arccos": torch.arccos, "arctan": torch.arctan,
    "arctan2": torch.arctan2, "sinh": torch.sinh, "cosh": torch.cosh, "tanh": torch.tanh,
    "arcsinh": torch.arcsinh, "arccosh": torch.arccosh, "arctanh": torch.arctanh,
    "degrees": torch.rad2deg, "radians": torch.deg2rad,
    "sum": _axes(lambda x, dim, keep, dtype=None: torch.sum(x, dim, keep)),
    "mean": _axes(lambda x, dim, keep, dtype=None: torch.mean(x, dim, keep)),
    "max": _axes(torch.amax), "min": _axes(torch.amin), "var": _moments(torch.var),
    "std": _moments(torch.std),
    "norm": _axes(lambda x, dim, keep: torch.linalg.vector_norm(x, 2, dim, keep)),
    "norm_p": _axes(lambda x, dim, keep, p: torch.linalg.vector_norm(x, p, dim, keep)),
    "cumsum": _cumsum, "logsumexp": _axes(torch.logsumexp), "softmax": _along(F.softmax),
    "log_softmax": _along(F.log_softmax), "getitem": _index, "matmul": torch.matmul,
    "einsum": lambda *x, subscripts: torch.einsum(subscripts, *x),
    "reshape": lambda x, *, shape: torch.reshape(x, (shape,) if isinstance(shape, int) else shape),
    "transpose": _permute,
    "broadcast_to": lambda x, *, shape: torch.broadcast_to(x, shape),
    "flip": _flip,
    "roll": _roll,
    "concatenate": _concatenate,
    "stack": lambda *x, axis=0: torch.stack(x, axis),
    "copy": torch.clone,
    "cross_entropy": lambda x, t, **p: F.cross_entropy(x, t, **p),
    "linear": F.linear,
}
WITHOUT = {  # what PyTorch does not have, by primitive
    "cbrt", "scatter", "setitem", "cumsum_from_end", "astype", "pick", "place", "cross_entropy_error",
}
OWN = {  # where a kink's published choice is not PyTorch's, and why
    "hypot": "PyTorch gives NaN at (0, 0); a norm has derivative 0 there",
}
# fmt: on
COMPARED = [row for row in ROWS if str(row) in ORACLES]
every_row = pytest.mark.parametrize("row", COMPARED, ids=str)


def test_every_row_is_compared_or_named_as_absent() -> None:
    elsewhere = {str(row) for row in PARTS}  # the files test_ops_*.py compare these
    assert {str(row) for row in ROWS} - elsewhere == set(ORACLES) | WITHOUT
    assert not set(ORACLES) & WITHOUT


def theirs(row: Row, case: Case, xs: list[Any], which: list[int], v: Any) -> tuple[Any, list[Any]]:
    """Return PyTorch's value, and gradients."""
    leaves = [torch.tensor(x).requires_grad_(i in which) for i, x in enumerate(xs)]
    y = ORACLES[str(row)](*leaves, **case.params)
    y.backward(torch.tensor(v).reshape(y.shape))
    grads = [
        torch.zeros_like(leaves[i]) if leaves[i].grad is None else leaves[i].grad for i in which
    ]
    return y.detach().numpy().reshape(np.shape(v)), [g.numpy() for g in grads]


@every_row
@pytest.mark.parametrize("dtype", ["f8", "f4"])
def test_values_and_gradients(row: Row, dtype: str) -> None:
    compared = 0
    for case in row.cases:
        xs, which = arrays(row, case, dtype), row.differentiable(case)
        v = upstream(row, case, row.numpy(*xs, **case.params))
        if v.dtype != dtype or not supported(row, case):
            continue
        y, expected = theirs(row, case, xs, which, v)
        got, mine = backward(row, case, xs, which, v)
        rtol = 1e-12 if dtype == "f8" else 5e-6
        close(mine.detach().data, y, rtol, case)
        for g, e in zip(got, expected, strict=True):
            assert g.dtype == dtype
            close(g, e, rtol, case)
        compared += 1
    assert compared > 1 or len(row.cases) < 3


def supported(row: Row, case: Case) -> bool:
    """Tell what PyTorch's function does not take."""
    match str(row):
        case "getitem":  # booleans as numbers, and masks beside None
            index = case.params["index"]
            return index is not True
        case "flip":
            return case.params.get("axis") != ()
        case "var" | "std" if 0 in case.shapes[0]:
            return False  # it warns
        case "logsumexp" | "sum" | "mean" | "max" | "min" | "norm" | "norm_p" | "var" | "std":
            return case.params.get("axis") != () and not (
                case.shapes[0] == () and case.params.get("keepdims")
            )
        case "einsum":
            return case.params["subscripts"].count("ii") == 0 or "->" in case.params["subscripts"]
    return True


@every_row
@pytest.mark.parametrize("dtype", ["f8", "f4"])
def test_kinks(row: Row, dtype: str) -> None:
    for point in row.kinks:
        case, xs, _, which = located(row, point, dtype)
        v = np.ones(np.shape(row.numpy(*xs, **case.params)), dtype)
        _, expected = theirs(row, case, xs, which, v)
        got, _ = backward(row, case, xs, which, v)
        if str(row) in OWN:
            assert not all(np.allclose(g, e) for g, e in zip(got, expected)), "it agrees by now"
            continue
        for i, g, e in zip(which, got, expected, strict=True):
            close(g, e, 1e-6, (point, i))


ZEROS = np.array([[0.0, 2.0, 0.0], [3.0, -1.0, 0.0]])
TIES = np.array([[1.0, 3.0, 3.0], [2.0, 2.0, 2.0]])
SQUARE = np.array([[0.3, -1.2, 0.7], [2.0, 0.1, -0.4], [0.9, 1.1, -2.0]])
NONE = np.zeros((2, 3))
# fmt: off
COMPOSED: list[tuple[str, Callable[..., Any], Callable[..., Any], list[Any]]] = [
    ("prod, zeros", lambda x: np.prod(x), lambda x: torch.prod(x), [ZEROS]),
    ("prod, axis", lambda x: np.prod(x, axis=1), lambda x: torch.prod(x, 1), [ZEROS]),
    ("norm, zeros", lambda x: np.linalg.norm(x), lambda x: torch.linalg.norm(x), [NONE]),
    ("norm, row of zeros", lambda x: np.linalg.norm(x, axis=1),
     lambda x: torch.linalg.norm(x, dim=1), [ZEROS * [[0], [1]]]),
    ("norm 1, zeros", lambda x: np.linalg.norm(x, 1, axis=1),
     lambda x: torch.linalg.norm(x, 1, dim=1), [ZEROS]),
    ("norm 3, zeros", lambda x: np.linalg.norm(x, 3, axis=1),
     lambda x: torch.linalg.norm(x, 3, dim=1), [ZEROS * [[0], [1]]]),
    ("norm inf, ties", lambda x: np.linalg.norm(x, np.inf, axis=1),
     lambda x: torch.linalg.norm(x, math.inf, dim=1), [TIES]),
    ("norm -inf, ties", lambda x: np.linalg.norm(x, -np.inf, axis=1),
     lambda x: torch.linalg.norm(x, -math.inf, dim=1), [TIES]),
    ("matrix norm 1", lambda x: np.linalg.norm(x, 1), lambda x: torch.linalg.norm(x, 1), [SQUARE]),
    ("matrix norm inf", lambda x: np.linalg.norm(x, np.inf),
     lambda x: torch.linalg.norm(x, math.inf), [SQUARE]),
    ("clip, edges", lambda x: np.clip(x, -1, 2), lambda x: torch.clamp(x, -1, 2), [ZEROS]),
    ("clip, one side", lambda x: np.clip(x, None, 2), lambda x: torch.clamp(x, max=2), [ZEROS]),
    ("sort", lambda x: np.sort(x), lambda x: torch.sort(x, stable=True)[0], [SQUARE]),
    ("sort, ties", lambda x: np.sort(x, axis=1),
     lambda x: torch.sort(x, dim=1, stable=True)[0], [TIES]),
    ("take", lambda x: np.take(x, [2, 0, 0], axis=1), lambda x: x[:, [2, 0, 0]], [SQUARE]),
    ("diagonal", lambda x: np.diagonal(x, 1), lambda x: torch.diagonal(x, 1), [SQUARE]),
    ("diag", lambda x: np.diag(x[0], -1), lambda x: torch.diag(x[0], -1), [SQUARE]),
    ("trace", lambda x: np.trace(x), lambda x: torch.trace(x), [SQUARE]),
    ("tril", lambda x: np.tril(x, -1), lambda x: torch.tril(x, -1), [SQUARE]),
    ("triu", lambda x: np.triu(x, 1), lambda x: torch.triu(x, 1), [SQUARE]),
    ("pad", lambda x: np.pad(x, ((1, 0), (2, 1))), lambda x: F.pad(x, (2, 1, 1, 0)), [ZEROS]),
    ("tile", lambda x: np.tile(x, (2, 1, 3)), lambda x: torch.tile(x, (2, 1, 3)), [ZEROS]),
    ("repeat", lambda x: np.repeat(x, [1, 0, 2], axis=1),
     lambda x: torch.repeat_interleave(x, torch.tensor([1, 0, 2]), 1), [ZEROS]),
    ("moveaxis", lambda x: np.moveaxis(x, 0, -1), lambda x: torch.movedim(x, 0, -1), [ZEROS]),
    ("stack", lambda a, b: np.stack([a, b], axis=1),
     lambda a, b: torch.stack([a, b], 1), [ZEROS, TIES]),
    ("split", lambda x: np.split(x, [1], axis=1)[1],
     lambda x: torch.tensor_split(x, [1], 1)[1], [ZEROS]),
    ("outer", lambda a, b: np.outer(a, b),
     lambda a, b: torch.outer(a.reshape(-1), b.reshape(-1)), [ZEROS, TIES]),
    ("inner", lambda a, b: np.inner(a, b), lambda a, b: torch.inner(a, b), [ZEROS, TIES]),
    ("kron", lambda a, b: np.kron(a, b), lambda a, b: torch.kron(a, b), [ZEROS, SQUARE]),
    ("tensordot", lambda a, b: np.tensordot(a, b, 1),
     lambda a, b: torch.tensordot(a, b, 1), [ZEROS, SQUARE]),
    ("vecdot", lambda a, b: ag.vecdot(a, b), lambda a, b: torch.linalg.vecdot(a, b), [ZEROS, TIES]),
    ("sqrt of relu", lambda x: np.sqrt(ag.relu(x)).sum(),
     lambda x: torch.sqrt(torch.relu(x)).sum(), [SQUARE]),
    ("relu, kink", lambda x: ag.relu(x), lambda x: torch.relu(x), [ZEROS]),
    ("tiny sigmoid", lambda x: np.log(ag.sigmoid(x * 20)),
     lambda x: torch.log(torch.sigmoid(x * 20)), [ZEROS]),
]
# fmt: on


@pytest.mark.parametrize(
    ("ours", "torchs", "xs"), [c[1:] for c in COMPOSED], ids=[c[0] for c in COMPOSED]
)
@pytest.mark.parametrize("dtype", ["f8", "f4"])
def test_composed_functions(ours: Any, torchs: Any, xs: list[Any], dtype: str) -> None:
    xs = [x.astype(dtype) for x in xs]
    left = [ag.tensor(x, requires_grad=True) for x in xs]
    right = [torch.tensor(x, requires_grad=True) for x in xs]
    y, expected = ours(*left), torchs(*right)
    v = np.random.default_rng(0).uniform(0.5, 1.5, y.shape).astype(dtype)
    y.backward(v)
    expected.backward(torch.tensor(v))
    rtol = 1e-12 if dtype == "f8" else 5e-6
    close(y.detach().data, expected.detach().numpy(), rtol)
    for a, b in zip(left, right, strict=True):
        assert a.grad.dtype == dtype
        close(a.grad, b.grad.numpy(), rtol)
