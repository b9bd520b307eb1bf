"""Errors that name the layer and its path in the model."""

from __future__ import annotations

import copy
import pickle
import re
from typing import Any

import numpy as np
import pytest

import autograd_core as ag
from autograd_core import nn
from autograd_core.errors import message

X = np.ones((2, 3), np.float32)


class Block(nn.Module):
    """A module that calls its layers itself, through containers of every kind."""

    def __init__(self, act: Any = None) -> None:
        super().__init__()
        self.layers = nn.ModuleList([nn.Linear(3, 3), nn.Linear(4, 3)])
        self.heads = nn.ModuleDict({"a": nn.Linear(5, 1)})
        self.act = act

    def forward(self, x: Any, which: str = "act") -> Any:
        if which == "act":
            return self.act(x)
        return self.heads["a"](x) if which == "head" else self.layers[1](x)


def fails(module: Any, *args: Any, kind: Any = Exception) -> Any:
    try:
        module(*args)
    except kind as error:
        return error
    raise AssertionError("no error")


def notes(error: Any) -> list[str]:
    return getattr(error, "__notes__", [])


def matmul(x: Any) -> Any:
    return ag.matmul(x, np.ones((7, 2), np.float32))


def test_the_outermost_module_is_named_alone() -> None:
    error = fails(nn.Linear(4, 1), X, kind=ValueError)
    assert str(error).startswith("[Linear] got an input of shape (2, 3) for 4 in_features")
    assert not notes(error)


@pytest.mark.parametrize("which", ["layer", "head"])
def test_the_path_is_that_of_named_modules(which: str) -> None:
    block = Block()
    net = nn.Sequential(nn.Tanh(), nn.Sequential({"block": block}))
    expected = {"layer": "layers.1", "head": "heads.a"}[which]
    assert str(fails(block, X, which)).startswith(f"[{expected} Linear] got an input of shape (2, 3)")

    class Outer(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.net = net

        def forward(self, x: Any) -> Any:
            return self.net[1].block(self.net[0](x), which)

    outer = Outer()
    path = f"net.1.block.{expected}"
    assert dict(outer.named_modules())[path] is outer.get_submodule(path)
    assert str(fails(outer, X)).startswith(f"[{path} Linear] got an input of shape (2, 3)")


def test_an_operation_of_another_name_is_kept_behind_the_layer() -> None:
    net = nn.Sequential(nn.Linear(3, 3), Block(nn.Tanh()), Block(matmul))
    error = fails(net, X, kind=ValueError)
    assert str(error).startswith("[2 Block, matmul] got shapes (2, 3), (7, 2)")
    assert not notes(error), "the shape of the input is in the text"


class MyLayer2d(nn.Module):
    def __init__(self, said: Any) -> None:
        super().__init__()
        self.said = said

    def forward(self, x: Any) -> Any:
        raise self.said


class Sub(MyLayer2d):
    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        return super().__call__(*args, **kwargs)


@pytest.mark.parametrize(
    ("operation", "shown"),
    [
        ("my_layer2d", "MyLayer2d"), ("MyLayer2d", "MyLayer2d"), ("mylayer2d", "MyLayer2d"),
        ("MyLayer2d(sizes=[2, 3])", "MyLayer2d(sizes=[2, 3])"), ("MyLayer2d.weight", "MyLayer2d.weight"),
        ("layer2d", "MyLayer2d, layer2d"), ("in-place add", "MyLayer2d, in-place add"),
    ],
)  # fmt: skip
@pytest.mark.parametrize("kind", [ValueError, TypeError, IndexError, RuntimeError, ag.GraphError])
def test_the_own_name_is_replaced_whatever_its_spelling(operation: str, shown: str, kind: Any) -> None:
    error = kind(message(operation, "3", "4", "5"))
    assert fails(nn.Sequential(nn.Sequential(MyLayer2d(error))), X) is error
    assert str(error) == f"[0.0 {shown}] got 3, expected 4; try 5"
    assert notes(error) == ["input shapes: (2, 3)"]
    assert type(error) is kind


def test_a_subclass_has_its_own_name_and_counts_once() -> None:
    error = fails(nn.Sequential(Sub(ValueError("[my_layer2d] got 3"))), X)
    assert str(error) == "[0 Sub] got 3"


@pytest.mark.parametrize(
    "error",
    [
        ValueError("a text of the user's own"), ValueError("[1, 2] is no shape"), ValueError("a", 2),
        ValueError(), KeyError("k"), ZeroDivisionError("division by zero"), OSError(2, "no such file"),
        ValueError(["[linear] got a list"]), StopIteration(3),
    ],
    ids=repr,
)  # fmt: skip
def test_other_errors_keep_their_text_and_get_a_note(error: Any) -> None:
    args, text = error.args, str(error)
    assert fails(nn.Sequential(nn.Tanh(), nn.Sequential(MyLayer2d(error))), X) is error
    assert error.args == args
    assert str(error) == text
    assert notes(error) == ["in 1.0 (MyLayer2d)", "input shapes: (2, 3)"]


def test_an_error_of_numpy_gets_a_note() -> None:
    error = fails(nn.Sequential(nn.Tanh(), Block(lambda x: x + np.ones(4))), X, kind=ValueError)
    assert "could not be broadcast" in str(error)
    assert notes(error) == ["in 1 (Block)"]
    assert notes(fails(Block(lambda x: 1 / 0), X)) == ["in Block", "input shapes: (2, 3)"]


def test_what_lies_between_may_catch_change_and_replace_the_error() -> None:
    class Catching(nn.Module):
        def __init__(self, change: Any) -> None:
            super().__init__()
            self.inner, self.change = nn.Linear(4, 1), change

        def forward(self, x: Any) -> Any:
            try:
                return self.inner(x)
            except ValueError as error:
                return self.change(error)

    def reraise(error: Any) -> Any:
        raise error

    def replace(error: Any) -> Any:
        raise ValueError("[mine] got something") from error

    def rewrite(error: Any) -> Any:
        error.args = ("another text",)
        raise error

    assert nn.Sequential(Catching(lambda error: 3))(X) == 3
    assert str(fails(nn.Sequential(Catching(reraise)), X)).startswith("[0.inner Linear] got an input")
    assert str(fails(nn.Sequential(Catching(replace)), X)) == "[0 Catching, mine] got something"
    assert str(fails(nn.Sequential(Catching(rewrite)), X)) == "another text"


def test_a_module_that_is_nobodys_keeps_its_own_place() -> None:
    stray = nn.Sequential(nn.Linear(4, 1))
    error = fails(nn.Sequential(Block(lambda x: stray(x))), X)
    assert str(error).startswith("[0 Linear] got an input")  # 0 of the stray one: no way leads to it


def test_errors_that_passed_can_be_copied_and_pickled() -> None:
    error = fails(nn.Sequential(nn.Linear(4, 1)), X)
    for other in (copy.copy(error), pickle.loads(pickle.dumps(error))):
        assert str(other) == str(error)


def test_wrong_dtypes_name_the_layer_that_they_reach() -> None:
    net = nn.Sequential(nn.Linear(3, 3), nn.Sequential(nn.Linear(3, 1).double()))
    with pytest.raises(TypeError, match=r"^\[1.0 Linear\] got a Tensor of dtype float32, expected float64"):
        net(X)


def test_transforms_and_readers_show_the_path() -> None:
    net = nn.Sequential(nn.Tanh(), nn.Sequential(nn.Linear(4, 1)))
    text = re.escape("[1.0 Linear] got an input of shape (2, 3)")
    for run in (
        lambda: ag.grad(lambda x: net(x).sum())(X),
        lambda: ag.jvp(net, (X,), (X,)),
        lambda: nn.summary(net, X),
        lambda: ag.checkpoint(net)(ag.tensor(X, requires_grad=True)),
    ):
        with pytest.raises(ValueError, match=text):
            run()
    with pytest.raises(ValueError, match=text):
        ag.check_gradients(net, X)


def test_a_failed_run_is_drawn() -> None:
    net = nn.Sequential(nn.Tanh(), nn.Sequential(nn.Linear(4, 1)))
    assert "[1.0 Linear] got an input of shape (2, 3)" in str(ag.draw(net, X))


def test_the_place_is_in_the_text_of_an_axis_error() -> None:
    error = fails(nn.Sequential(nn.Linear(3, 2), nn.Softmax(dim=2)), X, kind=np.exceptions.AxisError)
    assert str(error).startswith("[1 Softmax] got shape (2, 2): axis 2 is out of bounds")


class Silent(nn.Module):
    """A module that forgot its return."""

    def forward(self, x: Any) -> None:
        pass


@pytest.mark.parametrize(
    ("net", "x", "note"),
    [
        (nn.Sequential(Silent(), nn.Linear(3, 1)), X, "the input is None: does each forward"),
        (nn.Sequential(Silent(), nn.Conv2d(3, 1, 1)), X, "the input is None: does each forward"),
        (nn.Sequential(Silent(), nn.ReLU()), X, "the input is None: does each forward"),
        (nn.Linear(3, 1), nn.Linear, "the input is the class Linear, not data"),
        (nn.Linear(3, 1), nn.Tanh(), "the input is a Tanh"),
        (nn.Linear(3, 1), "x", "the input is a str"),
        (nn.Sequential(nn.LSTM(3, 2), nn.ReLU()), X, "the input is a tuple, (Tensor, tuple): nn.LSTM and"),
    ],
)  # fmt: skip
def test_what_is_no_data_is_named(net: Any, x: Any, note: str) -> None:
    assert [text for text in notes(fails(net, x)) if text.startswith(note)]


def test_what_the_text_names_is_no_note() -> None:
    error = fails(nn.Sequential(nn.LSTM(3, 2), nn.Linear(2, 1)), X, kind=TypeError)
    assert str(error).startswith("[1 Linear] got a tuple of Tensor, tuple")
    assert not notes(error)


def viewed(x: Any) -> Any:
    return x.view(-1)


def summed(x: Any) -> Any:
    return x.sum(dim=1)


def misspelt(x: Any) -> Any:
    return x.vieww(-1)


def of_another(x: Any) -> Any:
    return nn.Linear(2, 1).view(-1)


@pytest.mark.parametrize(
    ("function", "expected"),
    [
        (viewed, ["PyTorch's x.view is x.reshape(...), and x.size(0) is x.shape[0] here"]),
        (summed, ["PyTorch's dim= is axis= in methods of arrays and Tensors"]),
        (misspelt, []),
        (of_another, []),
    ],
)
def test_pytorchs_spellings_are_translated(function: Any, expected: list[str]) -> None:
    error = fails(nn.Sequential(nn.Linear(3, 2), nn.Lambda(function)), X)
    assert [note for note in notes(error) if note.startswith("PyTorch")] == expected


def test_what_is_translated_is_not_there_and_what_it_becomes_is() -> None:
    from nn.porting import HERE

    t = ag.tensor(X)
    assert not [name for name in HERE if hasattr(t, name)]
    for text in HERE.values():
        for name in re.findall(r"x\.(\w+)", text):
            assert hasattr(t, name), name
        for name in re.findall(r"np\.(\w+)", text):
            assert getattr(np, name)
