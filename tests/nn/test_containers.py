"""Containers as lists and dictionaries, beside PyTorch's; and what is said of wrong contents."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import autograd_core as ag
from autograd_core import nn


@pytest.fixture(scope="module")
def torch() -> Any:
    return pytest.importorskip("torch", reason="PyTorch is not installed: nothing to compare with")


def seen(container: Any) -> list[tuple[str, str]]:
    """Return the names and kinds of what a container holds."""
    return [(name, type(getattr(container, name)).__name__) for name in container._modules]


def edits_of_a_row(m: Any) -> list[Any]:
    """Do what a list can do, and return what is there after each step."""
    out = []

    def note(row: Any) -> Any:
        out.append(seen(row))
        return row

    a, b, c, d = m.ReLU(), m.Tanh(), m.Sigmoid(), m.Softsign()
    row = note(m.Sequential(a, b, c))
    note(row[1:])
    note(row[::-1])
    note(row[:0])
    note(row.append(d))
    note(row.insert(0, d))
    note(row.insert(2, m.ELU()))
    note(row.extend([a, b]))
    row[1] = m.SELU()
    row[-1] = m.Mish()
    note(row)
    del row[2]
    note(row)
    del row[1:3]
    note(row)
    out.append(type(row.pop(0)).__name__)
    note(row)
    note(row + m.Sequential(a, b))
    row += m.Sequential(c)
    note(row)
    note(row * 2)
    note(3 * row)
    row *= 2
    note(row)
    named = m.Sequential({"a": a, "b": b}) if m is nn else m.Sequential(_ordered({"a": a, "b": b}))
    note(named)
    note(named[1:])
    named[0] = d
    note(named)
    out.append([type(x).__name__ for x in row])
    return out


def _ordered(items: dict[str, Any]) -> Any:
    from collections import OrderedDict

    return OrderedDict(items)


def edits_of_a_list(m: Any) -> list[Any]:
    out = []
    layers = m.ModuleList([m.ReLU(), m.Tanh(), m.Sigmoid()])
    out.append(seen(layers[1:]))
    layers.append(m.ELU()).extend([m.SELU()])
    layers.insert(1, m.Mish())
    out.append(seen(layers))
    out.append(type(layers.pop(-2)).__name__)
    layers += [m.GELU()]
    out.append(seen(layers + m.ModuleList([m.CELU()])))
    del layers[0]
    del layers[1:3]
    layers[0] = m.SiLU()
    out.append(seen(layers))
    out.append(len(m.ModuleList()))
    return out


def edits_of_a_dictionary(m: Any) -> list[Any]:
    out: list[Any] = []
    parts = m.ModuleDict({"a": m.ReLU(), "b": m.Tanh()})
    parts.update([("c", m.ELU()), ("a", m.Sigmoid())])
    parts["d"] = m.SELU()
    out.append(seen(parts))
    out.append((list(parts), list(parts.keys()), "a" in parts, len(parts)))
    out.append([(key, type(value).__name__) for key, value in parts.items()])
    out.append(type(parts.pop("b")).__name__)
    del parts["d"]
    out.append([type(value).__name__ for value in parts.values()])
    parts.clear()
    out.append(len(parts))
    out.append(len(m.ModuleDict()))
    return out


@pytest.mark.parametrize("edits", [edits_of_a_row, edits_of_a_list, edits_of_a_dictionary])
def test_they_are_edited_as_theirs(edits: Any, torch: Any) -> None:
    for mine, other in zip(edits(nn), edits(torch.nn), strict=True):
        assert mine == other


def edits_of_parameters(m: Any, array: Any) -> list[Any]:
    out: list[Any] = []

    def note(held: Any) -> None:
        out.append([(name, tuple(p.shape)) for name, p in held.named_parameters()])

    values = m.ParameterList([m.Parameter(array(1)), array(2)])
    note(values.append(array(3)).extend([array(4), array(5)]))
    values[1] = m.Parameter(array(6))
    values[-1] = array(7)
    values += [array(8)]
    note(values)
    note(values[1:3])
    out.append((len(values), values[2].shape[0], [p.shape[0] for p in values], len(m.ParameterList())))
    held = m.ParameterDict({"a": array(1), "b": m.Parameter(array(2))})
    held["c"] = array(3)
    held.update({"a": array(4)})
    note(held)
    note(held | m.ParameterDict({"d": array(5)}))
    held |= m.ParameterDict({"e": array(6)})
    note(held)
    note(held.copy())
    out.append((list(held), list(reversed(held)), "a" in held, "z" in held, len(held)))
    out.append((held.get("z"), held.get("z", 3), held.pop("b").shape[0], held.popitem()[0]))
    out.append(held.setdefault("s", array(9)).shape[0])
    out.append(held.setdefault("s", array(1)).shape[0])
    note(held.fromkeys(["x", "y"], m.Parameter(array(2))))
    out.append([(key, p.shape[0]) for key, p in held.items()])
    out.append([p.shape[0] for p in held.values()])
    held["none"] = None
    out.append((held["none"], len(held)))
    del held["s"]
    note(held)
    held.clear()
    out.append((list(held.keys()), len(m.ParameterDict())))
    return out


def test_parameters_are_held_as_theirs(torch: Any) -> None:
    ours = edits_of_parameters(nn, lambda n: np.zeros(n, np.float32))
    for mine, other in zip(ours, edits_of_parameters(torch.nn, torch.zeros), strict=True):
        assert mine == other


def test_parameters_of_containers_are_learnt_and_counted() -> None:
    class Net(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.scales = nn.ParameterList([np.full(3, 2.0, np.float32)])
            self.shifts = nn.ParameterDict({"a": ag.tensor(np.ones(3, np.float32))})

        def forward(self, x: Any) -> Any:
            return x * self.scales[0] + self.shifts["a"]

    net = Net()
    assert list(net.state_dict()) == ["scales.0", "shifts.a"]
    net(np.ones((2, 3), np.float32)).sum().backward()
    assert np.array_equal(net.scales[0].grad, [2, 2, 2])
    assert net.to("float64").shifts["a"].dtype == np.float64


def test_a_part_of_a_row_shares_its_modules_and_does_not_lose_one() -> None:
    row = nn.Sequential(nn.Linear(2, 3), nn.Tanh(), nn.Linear(3, 1))
    tail = row[1:]
    assert tail[1] is row[2]
    assert list(tail.state_dict()) == ["2.weight", "2.bias"], "its names stay, as theirs do"
    tail.append(nn.ReLU())
    assert len(tail) == 3
    body = nn.MLP([2, 3, 1])[:2]
    assert isinstance(body, nn.MLP)
    assert body(np.ones((4, 2))).shape == (4, 3)
    row.extend(row)
    assert len(row) == 6


# -- residual, unflatten ---------------------------------------------------------------------------


def test_a_residual_block_passes_the_gradient_beside_its_module() -> None:
    block = nn.Residual(nn.Linear(3, 3))
    nn.init.zeros_(block.module.weight)
    nn.init.zeros_(block.module.bias)
    x = ag.tensor(np.ones((2, 3), np.float32), requires_grad=True)
    y = block(x)
    assert np.array_equal(y.detach().numpy(), x.detach().numpy())
    y.sum().backward()
    assert np.array_equal(x.grad, np.ones((2, 3)))
    assert block(np.ones((2, 3))).dtype == np.float32


def test_unflatten_undoes_flatten() -> None:
    x = np.arange(24.0).reshape(2, 3, 4)
    assert np.array_equal(nn.Unflatten(1, (3, 4))(nn.Flatten()(x)), x)
    assert np.array_equal(nn.Unflatten(1, [3, -1])(nn.Flatten()(x)), x)


# -- wrong ones ------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("call", "error", "text"),
    [
        (lambda: nn.Sequential([nn.Tanh()]), TypeError, r"expected a Module; try Sequential\(\*modules\)"),
        (lambda: nn.Sequential(nn.ReLU), TypeError, r"expected a Module; try ReLU\(\)"),
        (lambda: nn.Sequential(np.tanh), TypeError, r"try nn.Lambda\(function\)"),
        (lambda: nn.Sequential(nn.Tanh()).pop(3), IndexError, "index 3, expected one of 1 modules"),
        (lambda: nn.Sequential(nn.Tanh()) * 0, ValueError, "a row times 0"),
        (lambda: nn.Sequential(nn.Tanh()) * 1.5, TypeError, "a row times 1.5, expected a whole number"),
        (lambda: nn.ModuleList(nn.Tanh()), TypeError,
         r"\[ModuleList\] got one module, Tanh, expected a list of modules; try ModuleList\(\[module\]\)"),
        (lambda: nn.ModuleList([3]), TypeError, r"\[ModuleList\] got 3, expected a Module"),
        (lambda: nn.ModuleDict({"a": nn.Tanh}), TypeError, r"\[ModuleDict\] got .* try Tanh\(\)"),
        (lambda: nn.ModuleDict().pop("a"), KeyError, "expected one of"),
        (lambda: nn.ParameterList([3.0]), TypeError, r"\[ParameterList\] got a float, .*; try nn.Parameter"),
        (lambda: nn.ParameterList(np.ones(3)), TypeError, "one ndarray, expected a list of them; try append"),
        (lambda: nn.ParameterList()[0], IndexError, "index 0, expected one of 0"),
        (lambda: nn.ParameterDict({"a": "b"}), TypeError, r"\[ParameterDict\] got a str"),
        (lambda: nn.ParameterDict({"forward": np.ones(1)}), ValueError, "the name 'forward'"),
        (lambda: nn.ParameterDict()["a"], KeyError, "'a', expected one of"),
        (lambda: nn.ParameterDict().popitem(), KeyError, "popitem of an empty one"),
        (lambda: nn.Residual(nn.Linear(3, 2))(np.ones((1, 3))), ValueError,
         r"\[Residual\] got \(1, 3\) beside \(1, 2\), expected two of one shape; try shortcut="),
        (lambda: nn.Residual(nn.Linear(3, 1), nn.Linear(3, 3))(np.ones((1, 3))), ValueError,
         r"got \(1, 3\) beside \(1, 1\)"),
        (lambda: nn.Residual(np.tanh), TypeError, r"\[Residual\] got .* try nn.Lambda"),
        (lambda: nn.Lambda(3), TypeError, r"\[Lambda\] got 3, expected a function"),
        (lambda: nn.Unflatten(1, 3), ValueError, "unflattened_size=3, expected lengths, one of them -1"),
        (lambda: nn.Unflatten(1, (-1, -1)), ValueError, "one of them -1 at most"),
        (lambda: nn.Unflatten(1, (2, 2))(np.ones((5, 3))), ValueError,
         r"\[Unflatten\(dim=1, unflattened_size=\(2, 2\)\)\] got an input of shape \(5, 3\), expected 4"),
        (lambda: nn.Unflatten(1, (2, -1))(np.ones((5, 3))), ValueError, "a multiple of 2 along axis 1"),
        (lambda: nn.Unflatten(2, (2, -1))(np.ones((5, 4))), ValueError, "along axis 2"),
        (lambda: nn.Linear("3", 2), TypeError, r"\[Linear\] got in_features='3', expected a positive whole"),
        (lambda: nn.Linear(3.5, 2), TypeError, r"\[Linear\] got in_features=3.5, expected a positive whole"),
        (lambda: nn.Linear(3, True), TypeError, "out_features=True"),
        (lambda: nn.Linear(3, -2), ValueError, "out_features=-2, expected a positive number"),
    ],
)  # fmt: skip
def test_wrong_ones_are_explained(call: Any, error: Any, text: str) -> None:
    with pytest.raises(error, match=text):
        call()
