"""Operations with kernels of their own beside their definitions: values, derivatives, numba and without.

Rules of these operations run transforms, so neither the table of primitives nor the lint of rules has them.
What has a ``definition`` has rows here; a test fails for one without.
"""

from __future__ import annotations

import importlib.util
from collections.abc import Iterator, Mapping
from typing import Any, NamedTuple

import numpy as np
import pytest

import autograd_core as ag
from autograd_core import kernels
from nn.functional import attention, ctc, recurrent, standardizing
from nn.losses import adaptive

from ..autograd_core.table import modules

NUMBA = pytest.mark.skipif(importlib.util.find_spec("numba") is None, reason="numba is not installed")


class Use(NamedTuple):
    """An operation, its inputs in float64, constants that follow them, and its parameters."""

    operation: Any
    inputs: tuple[Any, ...]
    constants: tuple[Any, ...]
    params: Mapping[str, Any]

    def __str__(self) -> str:
        shapes = " ".join("x".join(map(str, x.shape)) for x in self.inputs)
        given = " ".join(f"{k}={'array' if hasattr(v, 'shape') else v}" for k, v in self.params.items())
        return f"{self.operation.__name__} {shapes} {given}"


def normal(*shapes: tuple[int, ...]) -> tuple[Any, ...]:
    rng = np.random.default_rng(1)
    return tuple(rng.normal(size=shape) for shape in shapes)


# -- attention -------------------------------------------------------------------------------------


def attending() -> Iterator[Use]:
    n, h, length, size, d = 2, 3, 4, 5, 2
    q, k, v, bias = normal((n, h, length, d), (n, h, size, d), (n, h, size, 3), (n, 1, length, size))
    keep = np.random.default_rng(2).integers(0, 2, (n, h, size, length)) * 2.0
    late = np.where(np.tri(length, size, dtype=bool), 0.0, -np.inf)[np.newaxis, np.newaxis]
    late[..., 2, :] = -np.inf  # a query without keys
    how = {"scale": 0.7, "causal": False}
    for more in ({}, {"bias": bias}, {"bias": late}, {"keep": keep}, {"bias": bias, "keep": keep}):
        yield Use(attention._plain, (q, k, v), (), how | more)
    yield Use(attention._plain, (q, k[:, :, :length], v[:, :, :length]), (), how | {"causal": True})
    for shape in ((n, 1, length, size), (1, h, 1, size), (1, 1, length, 1)):
        yield Use(attention._biased, (q, k, v, *normal(shape)), (), how)
    for batch_first in (False, True):
        for causal in (False, True):
            how = {"heads": 3, "batch_first": batch_first, "scale": 0.5, "causal": causal}
            yield Use(attention.self_attention, normal((2, 4, 18)), (), how)


# -- recurrent scans -------------------------------------------------------------------------------

GATES = {"rnn": 1, "lstm": 4, "gru": 3}
BIASES = ("b_ih", "b_hh")
VARIANTS: list[tuple[str, tuple[str, ...], dict[str, Any]]] = [
    *[("rnn", names, {"relu": relu}) for names in ((), BIASES) for relu in (False, True)],
    *[("lstm", (*biases, *more), {"bias": bool(biases), "project": "w_hr" in more, "peephole": "p" in more})
      for biases in ((), BIASES) for more in ((), ("w_hr",), ("p",), ("w_hr", "p"))],
    *[("gru", names, {}) for names in ((), BIASES)],
]  # fmt: skip


def scanning() -> Iterator[Use]:
    t, n, hidden, projected = 4, 3, 3, 2
    for kind, names, params in VARIANTS:
        rows, out = GATES[kind] * hidden, projected if "w_hr" in names else hidden
        shapes = [(t, n, rows), (n, out)] + [(n, hidden)] * (kind == "lstm") + [(rows, out)]
        shapes += [{"w_hr": (projected, hidden), "p": (3, hidden)}.get(name, (rows,)) for name in names]
        for reverse in (False, True):
            for sizes in (None, (3, 3, 2, 1), (2, 1, 1, 0)):
                how = params | {"reverse": reverse, "sizes": sizes}
                yield Use(getattr(recurrent, f"_{kind}_op"), normal(*shapes), (), how)


# -- connectionist temporal classification ---------------------------------------------------------


def aligning() -> Iterator[Use]:
    labels = np.array([[1, 1, 2], [3, 0, 0], [2, 3, 1]])
    x = ag.ops.log_softmax(normal((6, 3, 4))[0])
    for blank, frames, lengths in [
        (0, (6, 6, 6), (3, 1, 3)), (0, (6, 2, 5), (3, 0, 2)), (3, (5, 6, 4), (2, 0, 1)),
    ]:  # fmt: skip
        how = {"frames": np.array(frames), "lengths": np.array(lengths)}
        yield Use(ctc._losses, (x,), (), {"labels": labels, "blank": blank} | how)


# -- normalization ---------------------------------------------------------------------------------


def normalizing() -> Iterator[Use]:
    eps = 1e-3
    for shape, axes in [
        ((2, 1, 3, 5), (0, 3)), ((2, 3, 1, 5), (2, 3)), ((3, 2, 2, 4), (2, 3)), ((4, 1, 3, 1), (0, 3)),
        ((3, 3, 1, 1), (0, 3)), ((3, 2, 4, 1), (2, 3)),
    ]:  # fmt: skip
        x, w, b = normal(shape, (1, *shape[1:3], 1), (1, *shape[1:3], 1))
        mean, inv = x.mean(axes, keepdims=True), 1 / np.sqrt(x.var(axes, keepdims=True) + eps)
        yield Use(standardizing.normalize_channels, (x, w, b), (mean, inv), {"axes": axes, "eps": eps})
        fixed = normal((1, *shape[1:3], 1))[0]
        yield Use(standardizing.scale_channels, (x, w, b), (fixed, 1 + fixed * fixed), {})
    for shape in ((4, 5), (1, 3), (3, 1)):
        x, w, b = normal(shape, shape[1:], shape[1:])
        for centred in (True, False):
            mean = x.mean(1, keepdims=True) * centred
            inv = 1 / np.sqrt(((x - mean) ** 2).mean(1, keepdims=True) + eps)
            how = {"axes": (1,), "eps": eps, "centred": centred}
            yield Use(standardizing.normalize_vectors, (x, w, b), (mean, inv), how)


# -- classes within clusters -----------------------------------------------------------------------


def within_clusters() -> Iterator[Use]:
    x, *weights = normal((6, 4), (3, 4), (5, 3), (2, 4), (1, 2), (1, 4), (3, 1))
    for cutoffs in ([2, 7], [2, 7, 8], [2, 7, 8, 11]):
        for labels in ([0, 2, 10, 6, 7, 3], [9, 8, 1, 8, 10, 10], [2, 2, 3, 4, 5, 6], [0, 1, 0, 1, 0, 1]):
            how = {"labels": np.minimum(labels, cutoffs[-1] - 1), "cutoffs": cutoffs}
            yield Use(adaptive._within, (x, *weights[: 2 * len(cutoffs) - 2]), (), how)


USES = [*attending(), *scanning(), *aligning(), *normalizing(), *within_clusters()]


def derivatives(f: Any, inputs: list[Any], dtype: Any) -> dict[str, Any]:
    """Return the value of f, its gradients, its derivative along a tangent, and the gradients of these."""
    rng = np.random.default_rng(3)
    ts = [rng.normal(size=x.shape).astype(dtype) for x in inputs]
    y, pull = ag.vjp(f, *inputs)
    g = rng.normal(size=y.shape).astype(dtype)
    g[~np.isfinite(y)] = 0

    def along(*xs: Any) -> Any:
        _, pull = ag.vjp(f, *xs)
        return sum(ag.sum(a * t) for a, t in zip(pull(g), ts, strict=True))

    seconds = ag.grad(along, tuple(range(len(inputs))))(*inputs)
    return {
        "value": y, "along a tangent": ag.jvp(f, inputs, ts)[1],
        **{f"gradient {i}": a for i, a in enumerate(pull(g))},
        **{f"second gradient {i}": a for i, a in enumerate(seconds)},
    }  # fmt: skip


@pytest.mark.parametrize("numba", [False, pytest.param(True, marks=NUMBA)], ids=["NumPy", "numba"])
@pytest.mark.parametrize("dtype", [np.float32, np.float64], ids=["float32", "float64"])
@pytest.mark.parametrize("use", USES, ids=str)
def test_an_operation_is_its_definition(use: Use, dtype: Any, numba: bool) -> None:
    inputs, constants = ([x.astype(dtype) for x in xs] for xs in (use.inputs, use.constants))
    params = {name: value.astype(dtype) if np.asarray(value).dtype.kind == "f" and np.ndim(value) else value
              for name, value in use.params.items()}  # fmt: skip

    def with_constants(f: Any) -> Any:
        return lambda *xs: f(*xs, *constants, **params)

    before = [x.copy() for x in (*inputs, *constants)]
    with kernels.using(numba=numba):
        found = derivatives(with_constants(use.operation), inputs, dtype)
    for x, y in zip((*inputs, *constants), before, strict=True):
        np.testing.assert_array_equal(x, y, err_msg="inputs stay as they are")
    expected = derivatives(with_constants(use.operation.definition), inputs, dtype)
    rtol = 1e-4 if dtype == np.float32 else 1e-11
    for name, value in expected.items():
        assert found[name].dtype == dtype, name
        scale = np.abs(value[np.isfinite(value)]).max(initial=1)
        np.testing.assert_allclose(found[name], value, rtol=rtol, atol=rtol * scale, err_msg=name)


def test_every_operation_with_a_definition_has_rows() -> None:
    tried = {use.operation.primitive for use in USES}
    for module in modules("autograd_core.ops", "nn", "optim"):
        for name, value in vars(module).items():
            if hasattr(value, "definition") and hasattr(value, "primitive"):
                assert value.primitive in tried, f"{module.__name__}.{name}"
