"""What the quick ways through where, scatter and einsum must not change: they start at some size."""

from __future__ import annotations

import re
from typing import Any

import numpy as np
import pytest

import autograd_core as ag

SIDE = 40  # 1600 elements: beyond every size at which another way is taken


@pytest.mark.parametrize("dtype", ["e", "f", "d"])
def test_where_stops_what_is_not_finite(dtype: str) -> None:
    c = np.arange(SIDE * SIDE).reshape(SIDE, SIDE) % 3 == 0
    a, b = np.where(c, 1.0, np.nan).astype(dtype), np.where(c, np.inf, -0.0).astype(dtype)
    x, z = ag.tensor(a, requires_grad=True), ag.tensor(b, requires_grad=True)
    y = ag.where(c, x, z)
    np.testing.assert_array_equal(y.data, np.where(c, 1.0, -0.0))
    assert np.signbit(y.data[~c]).all()
    above = np.full((SIDE, SIDE), np.nan, dtype)
    above[::2] = np.inf
    y.backward(above)
    np.testing.assert_array_equal(x.grad, np.where(c, above, 0))
    np.testing.assert_array_equal(z.grad, np.where(c, 0, above))
    assert y.dtype == x.grad.dtype == z.grad.dtype == dtype


@pytest.mark.parametrize("c", [np.arange(SIDE * SIDE) % 4 - 1, np.arange(SIDE * SIDE) % 3 * 0.5])
def test_where_takes_any_number_for_a_condition(c: Any) -> None:
    gradient = ag.grad(lambda x: ag.where(c, x, 2.0).sum())(np.ones(SIDE * SIDE))
    np.testing.assert_array_equal(gradient, c != 0)


@pytest.mark.parametrize(("axis", "index"), [
    (0, np.full(SIDE, 20)), (0, np.full(SIDE, -21)), (1, (np.full((SIDE, SIDE), 0), np.full(SIDE, 30))),
    (1, (np.full((SIDE, SIDE), 0), np.full(SIDE, -31))),
])  # fmt: skip
def test_scatter_refuses_places_that_are_not_there(axis: int, index: Any) -> None:
    g = np.ones((SIDE, 30) if axis == 0 else (SIDE, SIDE))
    with pytest.raises(IndexError, match=r"out of bounds for axis \d"):
        ag.scatter(g, index=index, shape=(20, 30))


@pytest.mark.parametrize(("rows", "width"), [(30, 20), (3, 300), (900, 1)])
@pytest.mark.parametrize("dtype", [np.int64, np.uint8])
def test_rows_are_added_into_a_gradient_that_is_there(rows: int, width: int, dtype: Any) -> None:
    """The array of the sum is laid out by columns, after the gradient that came first."""
    index = (np.arange(SIDE * 20) * 7 % min(rows, 250)).astype(dtype)
    x = ag.tensor(np.zeros((rows, width), np.float32), requires_grad=True)
    weights = np.arange(rows * width, dtype=np.float32).reshape(rows, width)
    (x[index].sum() + (x.T * weights.T.copy()).sum()).backward()
    times = np.bincount(index, minlength=rows)
    np.testing.assert_array_equal(x.grad, weights + times[:, None])
    assert x.grad.dtype == np.float32


@pytest.mark.parametrize("shapes", [((3,), (3, 4)), ((2, 3), (3,)), ((2, 3), (4, 5))])
def test_einsum_refuses_as_numpy_does(shapes: Any) -> None:
    a, b = map(np.ones, shapes)
    with pytest.raises(ValueError, match="operand") as numpys:
        np.einsum("ij,jk->ik", a, b)
    with pytest.raises(ValueError, match=re.escape(str(numpys.value).strip())):
        ag.einsum("ij,jk->ik", ag.tensor(a), ag.tensor(b))


@pytest.mark.parametrize("subscripts", ["bij,bjk->bik", "jbi,bkj->kbi", "...ij,...jk", "bij,bjk -> kbi"])
@pytest.mark.parametrize("dtype", ["f", "d"])
def test_einsum_of_arrays_in_any_order(subscripts: str, dtype: str) -> None:
    draw = np.random.default_rng(0)
    a, b = (draw.standard_normal((4, 4, 4)).astype(dtype).transpose(p) for p in ((2, 0, 1), (1, 2, 0)))
    y = ag.einsum(subscripts, ag.tensor(a), ag.tensor(b[::-1]))
    np.testing.assert_allclose(y.data, np.einsum(subscripts, a, b[::-1]), rtol=1e-5, atol=1e-5)
    assert y.dtype == dtype
