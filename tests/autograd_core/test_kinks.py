"""At every kink that the catalogue publishes, the gradient is the published one.

The kinks of primitives stand in ``table.py`` and are walked by ``test_table.py`` and, beside PyTorch,
``test_oracle.py``; those of composed functions stand here. A kink that nobody tests fails.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np
import pytest

import autograd_core as ag
from autograd_core.ops.__main__ import entries

from .table import ROWS

NAN = math.nan
TIES, EQUAL = np.array([2.0, 1.0, 2.0, 0.0, 2.0]), np.full(3, 2.0)
ZEROS, MATRIX = np.zeros(3), np.array([[1.0, -2.0], [2.0, 1.0]])


class Kink(NamedTuple):
    """A call at a kink, the published gradient of each input, and PyTorch's call if there is one."""

    call: Callable[..., Any]
    inputs: tuple[Any, ...]
    gradients: tuple[Any, ...]
    torch: Callable[..., Any] | None = None
    why: str = ""  # where the choice is not PyTorch's


def one(call: Any, x: Any, gradient: Any, torch: Any = None, why: str = "") -> Kink:
    return Kink(call, (x,), (gradient,), torch, why)


def t(name: str, *args: Any, **params: Any) -> Any:
    """Return a call of PyTorch's function, which is looked up when it is called."""

    def call(torch: Any, *xs: Any) -> Any:
        f = torch
        for part in name.split("."):
            f = getattr(f, part)
        return f(*xs, *args, **params)

    return call


def along(method: str) -> Kink:
    """A tie of the third and fourth of four: the places 0 and 2 of [2, 1, 2, 0, 2] in stable order."""
    half = [("quantile", 0.5), ("percentile", 50)][method.endswith("percentile")][1]
    f = getattr(ag, method)
    x = np.append(TIES, NAN) if method.startswith("nan") else TIES
    theirs = t(method, half) if method.endswith("quantile") else None
    return one(lambda x: f(x, half), x, np.eye(x.size)[0], theirs)


def at_a_place(method: str) -> Kink:
    """In q at 0.25, a whole place of five: the step to the next one in the order, times 4."""
    f, top = getattr(ag, method), 100 if method.endswith("percentile") else 1
    x = np.array([0.0, 1.0, 5.0, 6.0, 7.0])
    theirs = (lambda torch, q: getattr(torch, method)(torch.tensor(x), q)) if top == 1 else None
    return one(lambda q: f(x, q), 0.25 * top, 16.0 / top, theirs, "PyTorch gives q no gradient there")


def norms(f: Any, theirs: str) -> list[Kink]:
    def of(p: Any) -> Any:
        return lambda x: f(x, ord=p)

    return [
        one(f, ZEROS, ZEROS, t(theirs)), one(of(3), ZEROS, ZEROS, t(theirs, 3)),
        one(of(3), np.array([0.0, -2.0]), [0, -1], t(theirs, 3)),
        one(of(1), np.array([0.0, -2.0]), [0, -1], t(theirs, 1)),
        one(of(math.inf), TIES, np.array([1, 0, 1, 0, 1]) / 3, t(theirs, math.inf)),
        one(of(-math.inf), np.array([1.0, -1.0, 3.0]), [0.5, -0.5, 0], t(theirs, -math.inf)),
    ]  # fmt: skip


def _line(x: Any) -> Any:
    return ag.interp(x, [0.0, 1.0, 3.0], [0.0, 1.0, 7.0])


# fmt: off
COMPOSED: dict[str, list[Kink]] = {
    "clip": [Kink(ag.clip, (x, 0.0, 2.0), (1, 0, 0), t("clamp")) for x in (0.0, 2.0)],
    "ptp": [one(ag.ptp, TIES, np.array([1, 0, 1, -3, 1]) / 3, lambda torch, x: x.amax() - x.amin())],
    "norm": [
        *norms(ag.norm, "linalg.norm"),
        one(lambda x: ag.norm(x, 1), MATRIX, [[0.5, -0.5], [0.5, 0.5]], t("linalg.norm", 1)),
        one(lambda x: ag.norm(x, math.inf), MATRIX, [[0.5, -0.5], [0.5, 0.5]], t("linalg.norm", math.inf)),
    ],
    "vector_norm": norms(ag.vector_norm, "linalg.vector_norm"),
    "matrix_norm": [
        one(ag.matrix_norm, MATRIX * 0, MATRIX * 0, t("linalg.matrix_norm")),
        *(one(lambda x, p=p: ag.matrix_norm(x, ord=p), MATRIX, g, t("linalg.matrix_norm", p)) for p, g in [
            (1, [[0.5, -0.5], [0.5, 0.5]]), (-1, [[0.5, -0.5], [0.5, 0.5]]),
            (math.inf, [[0.5, -0.5], [0.5, 0.5]]), (-math.inf, [[0.5, -0.5], [0.5, 0.5]])]),
    ],
    "sort": [one(lambda x, k=k: ag.sort(x)[k], TIES, np.eye(5)[i],
                 lambda torch, x, k=k: torch.sort(x, stable=True)[0][k])
             for k, i in enumerate([3, 1, 0, 2, 4])],
    "median": [one(ag.median, TIES, np.eye(5)[0], t("median"),
                   "PyTorch shares evenly without dim=, and with it takes any of the equal ones"),
               one(ag.median, EQUAL[:2], [0.5, 0.5])],
    "nanmedian": [one(ag.nanmedian, np.append(TIES, NAN), np.eye(6)[0], t("nanmedian"), "as of median")],
    "quantile": [along("quantile"), at_a_place("quantile")],
    "percentile": [along("percentile"), at_a_place("percentile")],
    "nanquantile": [along("nanquantile"), at_a_place("nanquantile")],
    "nanpercentile": [along("nanpercentile"), at_a_place("nanpercentile")],
    "interp": [one(_line, 0.0, 1), one(_line, 1.0, 3), one(_line, 3.0, 0)],
    "partition": [one(lambda x: ag.partition(x, 2)[2], TIES, np.eye(5)[np.argpartition(TIES, 2)[2]])],
    "unwrap": [one(lambda p: ag.unwrap(p)[1], np.array([0.0, s * math.pi]), [0, 1]) for s in (1, -1)],
    "nanstd": [one(ag.nanstd, np.append(EQUAL, NAN), np.zeros(4))],
    "fabs": [one(ag.fabs, 0.0, 0, t("abs"))],
    "float_power": [Kink(ag.float_power, (0.0, 0.0), (0, 0), t("float_power"))],
    "divmod": [Kink(lambda a, b: ag.divmod(a, b)[1], (4.0, 2.0), (1, -2), t("remainder")),
               Kink(lambda a, b: ag.divmod(a, b)[1], (-4.0, 2.0), (1, 2), t("remainder"))],
}
# fmt: on
POINTS = [pytest.param(k, id=f"{name}-{i}") for name, ks in COMPOSED.items() for i, k in enumerate(ks)]


def test_every_published_kink_is_tested() -> None:
    of_rows = {str(row) for row in ROWS if row.kinks}
    composed = {e.name for e in entries() if e.kinks and not e.inputs}
    published = {e.name for e in entries() if e.kinks}
    assert composed <= set(COMPOSED) <= published
    assert published - set(COMPOSED) <= of_rows


def test_every_kink_that_is_tested_is_published() -> None:
    assert all(bool(row.kinks) == bool(row.primitive.kinks) for row in ROWS)


@pytest.mark.parametrize("kink", POINTS)
def test_the_gradient_is_the_published_one(kink: Kink) -> None:
    which = tuple(range(len(kink.inputs)))
    got = ag.grad(kink.call, which)(*kink.inputs)
    for g, expected in zip(got, kink.gradients, strict=True):
        np.testing.assert_allclose(g, expected, rtol=1e-12, atol=1e-12)
    tangents = tuple(np.ones_like(x) for x in kink.inputs)
    _, pushed = ag.jvp(kink.call, kink.inputs, tangents)
    np.testing.assert_allclose(pushed, sum(np.sum(g) for g in kink.gradients), rtol=1e-12, atol=1e-12)


@pytest.mark.parametrize("kink", [p for p in POINTS if p.values[0].torch])
def test_the_choice_is_pytorchs(kink: Kink) -> None:
    torch: Any = pytest.importorskip("torch", reason="PyTorch is not installed: nothing to compare with")
    xs = [torch.tensor(x, dtype=torch.float64, requires_grad=True) for x in kink.inputs]
    assert kink.torch is not None
    kink.torch(torch, *xs).backward()
    same = all(np.allclose(x.grad, g, rtol=1e-12, atol=1e-12)
               for x, g in zip(xs, kink.gradients, strict=True))  # fmt: skip
    assert same is not bool(kink.why), [x.grad for x in xs]
