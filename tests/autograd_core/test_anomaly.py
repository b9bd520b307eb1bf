"""detect_anomaly: which operation, in which line, made the first gradient that is not finite."""

from __future__ import annotations

import gc
import inspect
import threading
from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest

import autograd_core as ag
from autograd_core import nn, optim
from autograd_core.anomaly import _guards

pytestmark = pytest.mark.filterwarnings("ignore:(invalid value|overflow):RuntimeWarning")


def leaf(values: Any, dtype: Any = float) -> ag.Tensor:
    return ag.tensor(np.array(values, dtype=dtype), requires_grad=True)


def line(text: str) -> str:
    """Return "file.py:N" of the line of this file that ends with the marked text."""
    source = inspect.getsource(inspect.getmodule(inspect.currentframe()))
    numbers = [n for n, row in enumerate(source.splitlines(), 1) if row.endswith(text)]
    return f"{__file__}:{numbers[0]}"


def test_it_names_operation_element_values_shapes_and_line() -> None:
    x = leaf([4.0, 0.0])
    with pytest.raises(ag.AnomalyError) as e, ag.detect_anomaly():  # noqa: PT012
        root = x.sqrt()  # here
        (root * 3.0).sum().backward()
    text = str(e.value)
    assert text.startswith("[sqrt] got gradient inf at (1,), from 3.0 above, where its inputs are 0.0")
    assert "of shapes (2,)" in text
    assert f"called at {line('# here')} in test_it_names" in text
    assert "root = x.sqrt()" in text
    assert isinstance(e.value, FloatingPointError)
    assert x.grad is None


class Root(nn.Module):
    def forward(self, x: Any) -> Any:
        return ag.sqrt(x)  # in a module


def test_the_users_lines_come_first_then_the_librarys() -> None:
    model = nn.Sequential(Root(), nn.Tanh())
    x = leaf([[1.0, 0.0]])
    with pytest.raises(ag.AnomalyError) as e, ag.detect_anomaly():  # noqa: PT012
        y = model(x)  # the model
        y.sum().backward()
    first, *more = str(e.value).split("called at ")[1].split("\n  from ")
    assert first.startswith(line("# in a module"))
    assert any(text.startswith(line("# the model")) for text in more)
    assert any("containers.py" in text for text in more)  # how the module was reached


def test_the_first_nan_of_the_forward_pass_is_named() -> None:
    x = leaf([4.0, 1.0])
    with pytest.raises(ag.AnomalyError) as e, ag.detect_anomaly():  # noqa: PT012
        bad = np.log(x - 4.5)  # the first
        (bad * bad).sum().backward()
    assert "[multiply]" in str(e.value)
    assert f"the forward pass made its first NaN in log, at {line('# the first')}" in str(e.value)


def test_what_is_not_finite_from_above() -> None:
    x = leaf([1.0, 2.0])
    with pytest.raises(ag.AnomalyError, match=r"gradient inf at \(1,\) from above"), ag.detect_anomaly():
        (x * 1.0).backward(np.array([1.0, np.inf]))
    x = leaf([0.5, 0.5], "f4")
    with pytest.raises(ag.AnomalyError, match=r"\[multiply\].*sum of gradients"), ag.detect_anomaly():  # noqa: PT012
        y = x * 1.0
        (y * 2e38 + y * 2e38).backward(np.ones(2, "f4"))


def test_masked_infinities_are_no_anomaly() -> None:
    @ag.detect_anomaly()
    def f(x: Any) -> Any:
        return (np.where(x > 0, np.sqrt(x), 0.0) + ag.relu(x) + np.where(x > 0, np.log(x + 1.0), 0)).sum()

    with np.errstate(all="ignore"):
        x = np.array([4.0, 0.0])
        np.testing.assert_array_equal(ag.grad(f)(x), [0.25 + 1 + 0.2, 0])


def test_results_are_the_same_and_higher_orders_work() -> None:
    def f(x: Any) -> Any:
        return (np.exp(np.sin(x)) * x[0] + (x[1:] ** 3).sum()).sum()

    x = np.array([0.3, 0.5, -0.2])
    expected = ag.grad(f)(x), ag.hessian(f)(x)
    with ag.detect_anomaly():
        got = ag.grad(f)(x), ag.hessian(f)(x)
        part = ag.grad(ag.checkpoint(f))(x)
    for a, b in zip(got, expected, strict=True):
        np.testing.assert_array_equal(a, b)
    np.testing.assert_array_equal(part, expected[0])
    w = leaf(x)
    with ag.detect_anomaly():
        f(w).backward(create_graph=True)
        (w.grad**2).sum().backward()
    with pytest.raises(ag.AnomalyError, match="sqrt"), ag.detect_anomaly():
        ag.grad(lambda x: np.sqrt(x).sum())(np.zeros(2))


def test_a_rule_that_raises_tells_the_line() -> None:
    @ag.primitive
    def cube(x: Any) -> Any:
        return x * x * x

    cube.defvjp(lambda g, y, x: g @ np.ones(7))
    x = leaf([1.0, 2.0])
    with pytest.raises(ValueError) as e, ag.detect_anomaly():  # noqa: PT011, PT012
        y = cube(x)  # cubed
        y.sum().backward()
    assert "in the gradient of cube" in e.value.__notes__[0]
    assert line("# cubed") in e.value.__notes__[0]


def test_no_grad_and_other_threads_are_left_alone() -> None:
    x = leaf([0.0])
    with ag.detect_anomaly():
        with ag.no_grad():
            assert not (x * 2).requires_grad
            with ag.enable_grad(), pytest.raises(ag.AnomalyError):
                np.sqrt(x).sum().backward()
        assert ag.is_grad_enabled() is True
    np.sqrt(x).sum().backward()  # outside, an infinite gradient is a gradient
    assert x.grad.tolist() == [np.inf]
    seen: list[Any] = []

    def other() -> None:
        t = leaf([0.0])
        np.sqrt(t).sum().backward()
        seen.append(t.grad)

    with ag.detect_anomaly():
        thread = threading.Thread(target=other)
        thread.start()
        thread.join()
    assert seen[0].tolist() == [np.inf]


@pytest.fixture(autouse=True)
def _nothing_stays_guarded() -> Iterator[None]:
    """Each test leaves every array as it found it."""
    yield
    gc.collect()
    assert not _guards


# -- what a graph saved can not be written to ------------------------------------------------------


@pytest.mark.parametrize("part", [slice(None), slice(0, 2)])
def test_a_reused_batch_is_caught_where_it_is_written(part: slice) -> None:
    batch, w = np.ones((3, 2)), leaf([[2.0], [3.0]])
    with ag.detect_anomaly():
        loss = (batch[part] @ w).sum()
        with pytest.raises(ValueError, match="read-only"):
            batch[:] = 2.0
        loss.backward()
        batch[:] = 2.0  # backward has used it
        loss = (batch[part] @ w).sum()
    with pytest.raises(ValueError, match="read-only"):
        batch[:] = 3.0
    del loss  # nor does a graph that is dropped hold it
    batch[:] = 3.0
    index = np.array([0, 1])
    with ag.detect_anomaly():
        loss = w[index].sum()
        with pytest.raises(ValueError, match="read-only"):
            index[:] = 0
        loss.backward()
    index[:] = 0


def test_an_error_lets_go_of_everything() -> None:
    batch, w = np.ones((3, 2)), leaf([[2.0], [0.0]])
    loss = None
    with pytest.raises(ag.AnomalyError) as error, ag.detect_anomaly():  # noqa: PT012
        loss = (batch @ np.sqrt(w)).sum()
        loss.backward()
    assert error.traceback
    assert loss.requires_grad  # the graph is alive, and so is the traceback
    batch[:] = 2.0


def test_arrays_guarded_by_several_graphs_and_views() -> None:
    a, w = np.ones(100), leaf(np.ones(100))
    view = a[:]
    with ag.detect_anomaly():
        one, two, three = (w * a).sum(), (w * view).sum(), (w * a).sum()
        one.backward()
        for array in (a, view):
            with pytest.raises(ValueError, match="read-only"):
                array[0] = 2.0
        two.backward()
        with pytest.raises(ValueError, match="read-only"):
            a[0] = 2.0
        three.backward()
    a[0] = view[1] = 2.0
    fixed = np.ones(3)
    fixed.flags.writeable = False
    with ag.detect_anomaly():
        (leaf(np.ones(3)) * fixed).sum().backward()
    assert not fixed.flags.writeable


def test_training_and_writes_go_on_as_always() -> None:
    def train() -> np.ndarray:
        nn.manual_seed(0)
        model = nn.MLP([2, 4, 1])
        optimizer = optim.SGD(model.parameters(), lr=0.1)
        batch = np.ones((5, 2), np.float32)
        for _ in range(3):
            y = model(batch)
            y[0] = y[1] * y[2]
            optimizer.zero_grad()
            (y * y).sum().backward()
            optimizer.step()
            batch += 0.1
        return np.concatenate([p.numpy().ravel() for p in model.parameters()])

    expected = train()
    with ag.detect_anomaly():
        np.testing.assert_array_equal(train(), expected)
