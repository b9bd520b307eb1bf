"""A model's table and tree: shapes, parameters and operations, counted by hand."""

from __future__ import annotations

from html.parser import HTMLParser
from typing import Any

import numpy as np
import pytest

import autograd_core as ag
from autograd_core import nn, random


class Twice(nn.Module):
    """One layer, called two times, and a product of its own."""

    def __init__(self) -> None:
        super().__init__()
        self.layer = nn.Linear(3, 3, bias=False)
        self.same = self.layer
        self.calls = 0
        self.register_buffer("seen", np.zeros(1))

    def forward(self, x: Any) -> Any:
        self.calls += 1
        self.seen[0] += 1
        noise = random.generator().random(3).astype("f")
        h = self.layer(self.layer(x)) * noise
        return np.einsum("bi,bj->ij", h, h), h.T


def test_counts_by_hand() -> None:
    s = nn.summary(Twice(), np.ones((5, 3)))
    root, layer = s.lines
    assert (layer.path, layer.shapes, layer.parameters) == ("layer", ["(5, 3)", "(5, 3)"], 9)
    assert layer.flops == 2 * (2 * 5 * 3 * 3)
    assert root.shapes == ["((3, 3), (3, 5))"]
    assert s.parameters == root.parameters == 9  # shared, so once
    assert s.flops == layer.flops + 15 + 2 * 5 * 3 * 3  # a transpose costs nothing
    assert "layer: Linear" in str(s)
    assert "(5, 3) ×2" in str(s)


@pytest.mark.parametrize(
    ("f", "shapes", "flops"),
    [
        (lambda a, b: a @ b, ((2, 3), (3, 4)), 2 * 2 * 3 * 4),
        (lambda a, b: a @ b, ((5, 2, 3), (5, 3, 4)), 2 * 5 * 2 * 3 * 4),
        (lambda a, b: a @ b, ((3,), (3,)), 2 * 3),
        (lambda a, b: np.einsum("...ij,...jk->...ik", a, b), ((5, 2, 3), (3, 4)), 2 * 5 * 2 * 3 * 4),
        (lambda a, b: np.einsum("ii->", a) * b, ((3, 3), (1,)), 3 + 1),
        (lambda a, b: (a + b).sum(), ((2, 3), (3,)), 6 + 6),
        (lambda a, b: a.reshape(3, 2), ((2, 3), (3,)), 0),
    ],
)
def test_costs_of_operations(f: Any, shapes: Any, flops: int) -> None:
    class Of(nn.Module):
        def forward(self, a: Any, b: Any) -> Any:
            return f(a, b)

    assert nn.summary(Of(), *map(np.ones, shapes)).flops == flops


def test_nothing_of_the_model_changes() -> None:
    model = Twice()
    weight, state = model.layer.weight.numpy().copy(), random.get_state()
    nn.summary(model, np.ones((5, 3), "f"))
    assert model.calls == 0
    assert model.seen[0] == 0
    assert random.get_state() == state
    assert model.layer.weight.grad is None
    np.testing.assert_array_equal(model.layer.weight.numpy(), weight)
    assert "forward" not in vars(model)
    assert (ag.tensor([1.0], requires_grad=True) * 2).requires_grad  # recorded as always


def test_without_inputs_and_wrong_ones() -> None:
    s = nn.summary(nn.MLP([3, 4, 2]))
    assert s.flops is None
    assert [line.depth for line in s.lines] == [0, 1, 1, 1]
    with pytest.raises(TypeError, match=r"\[summary\] got a int, expected a Module"):
        nn.summary(3)  # type: ignore[arg-type]
    with pytest.raises(ValueError, match=r"\[0 Linear\]"):
        nn.summary(nn.MLP([3, 4, 2]), np.ones((5, 7)))
    assert (ag.tensor([1.0], requires_grad=True) * 2).requires_grad


def test_the_tree_of_a_notebook_is_whole_and_escaped() -> None:
    class Evil(nn.Module):
        pass

    Evil.__name__ = "<script>alert(1)</script>"
    model = nn.Sequential(nn.Sequential(nn.Linear(2, 2), Evil()), nn.Tanh())
    html = model._repr_html_()
    assert "<script>" not in html
    opened: list[str] = []

    class Reader(HTMLParser):
        def handle_starttag(self, tag: str, attrs: Any) -> None:
            opened.append(tag)

        def handle_endtag(self, tag: str) -> None:
            assert opened.pop() == tag

    Reader().feed(html)
    assert not opened
    assert html.count("<details") == 2
    assert html.count("6 parameters") == 3
