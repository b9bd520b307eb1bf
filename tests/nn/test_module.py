"""Module: what it finds, how it is saved and loaded, copied, converted and shown."""

from __future__ import annotations

import copy
import pickle
from typing import Any

import numpy as np
import pytest

import autograd_core as ag
from autograd_core import nn, optim


class Block(nn.Module):
    """A module of every kind of member; it does not call super().__init__()."""

    def __init__(self) -> None:
        self.scale = nn.Parameter(np.ones(3, np.float32))
        self.first = nn.Linear(2, 3)
        self.register_parameter("off", None)
        self.register_buffer("mean", np.zeros(3, np.float32))
        self.register_buffer("cache", np.zeros(2, np.float32), persistent=False)
        self.inner = nn.Sequential(nn.Linear(3, 2, bias=False), nn.Tanh())

    def forward(self, x: Any) -> Any:
        return self.inner(self.first(x) * self.scale - self.mean)


NAMES = ["scale", "first.weight", "first.bias", "inner.0.weight"]


def test_members_are_found_in_order_under_dotted_names() -> None:
    block = Block()
    assert [name for name, _ in block.named_parameters()] == NAMES
    assert [p.shape for p in block.parameters()] == [(3,), (3, 2), (3,), (2, 3)]
    assert [name for name, _ in block.named_parameters("a", recurse=False)] == ["a.scale"]
    assert [name for name, _ in block.named_buffers()] == ["mean", "cache"]
    assert [name for name, _ in block.named_children()] == ["first", "inner"]
    assert [name for name, _ in block.named_modules()] == ["", "first", "inner", "inner.0", "inner.1"]
    assert len(list(block.modules())) == 5
    assert list(block.state_dict()) == ["scale", "mean", "first.weight", "first.bias", "inner.0.weight"]


def test_what_is_shared_is_listed_once_and_saved_under_each_name() -> None:
    layer = nn.Linear(2, 2)
    net = nn.Sequential(layer, nn.Tanh(), layer)
    assert [name for name, _ in net.named_parameters()] == ["0.weight", "0.bias"]
    assert [name for name, _ in net.named_children()] == ["0", "1"]
    assert repr(net).count("Linear(") == 2
    assert list(net.state_dict()) == ["0.weight", "0.bias", "2.weight", "2.bias"]
    net.load_state_dict(net.state_dict())


def test_assignment_registers_replaces_and_refuses() -> None:
    block = Block()
    block.scale = nn.Parameter(np.zeros(3, np.float32))
    assert [name for name, _ in block.named_parameters()] == NAMES
    with pytest.raises(TypeError, match=r"\[Block.scale\] got a Tensor, expected a Parameter or None"):
        block.scale = ag.tensor([1.0])
    with pytest.raises(TypeError, match=r"\[Block.first\] got a ndarray, expected a Module or None"):
        block.first = np.ones(3)
    block.scale = None
    assert [name for name, _ in block.named_parameters()] == NAMES[1:]
    del block.first
    assert [name for name, _ in block.named_parameters()] == NAMES[3:]
    block.mean = [1.0, 2.0]  # a buffer stays an array
    assert isinstance(block.mean, np.ndarray)
    with pytest.raises(ValueError, match=r"'a\.b', expected a name without dots"):
        block.add_module("a.b", nn.Tanh())
    with pytest.raises(TypeError, match=r"try nn.Lambda\(function\)"):
        block.add_module("f", np.tanh)  # type: ignore[arg-type]
    with pytest.raises(TypeError, match=r"try nn.Parameter\(array\)"):
        block.register_parameter("p", np.ones(2))  # type: ignore[arg-type]


def test_a_module_without_forward_says_so() -> None:
    with pytest.raises(NotImplementedError, match=r"\[Empty\] got a call, expected a method forward"):
        type("Empty", (nn.Module,), {})()()


def test_what_is_there_is_found_by_its_dotted_name() -> None:
    block = Block()
    assert block.get_submodule("") is block
    assert block.get_submodule("inner.0") is block.inner[0]
    assert block.get_parameter("inner.0.weight") is block.inner[0].weight
    assert block.get_parameter("scale") is block.scale
    assert block.get_buffer("mean") is block.mean
    for get, name, text in (
        (block.get_submodule, "inner.2", r"'inner.2', expected the name of a submodule: Sequential has 0, 1"),
        (block.get_submodule, "first.weight", "of a submodule: Linear has none"),
        (block.get_submodule, "a..b", "Block has first, inner"),
        (block.get_parameter, "inner.0.bias", "of a parameter: Linear has weight"),
        (block.get_parameter, "off", "of a parameter: Block has scale"),
        (block.get_parameter, "mean", r"\[get_parameter\] got 'mean', expected the name of a parameter"),
        (block.get_buffer, "scale", r"\[get_buffer\] got 'scale', .* of a buffer: Block has mean, cache"),
    ):
        with pytest.raises(AttributeError, match=text):
            get(name)


def test_a_submodule_is_put_in_the_place_of_a_name() -> None:
    block = Block()
    block.set_submodule("inner.1", nn.ReLU())
    assert repr(block.inner[1]) == "ReLU()"
    block.set_submodule("inner.2", nn.Sigmoid())
    assert [name for name, _ in block.inner.named_children()] == ["0", "1", "2"]
    block.set_submodule("first", nn.Tanh(), strict=True)
    for name, module, kind, text in (
        ("inner.3", nn.Tanh(), AttributeError, r"\[set_submodule\] got 'inner.3', .*Sequential has 0, 1, 2"),
        ("other.0", nn.Tanh(), AttributeError, "'other', expected the name of a submodule"),
        ("scale", nn.Tanh(), AttributeError, "'scale', expected the name of a submodule"),
        ("", nn.Tanh(), ValueError, "a name that is not empty, and a Module"),
        ("first", 3, ValueError, "the name 'first' and a int"),
    ):
        with pytest.raises(kind, match=text):
            block.set_submodule(name, module, strict=True)
    with pytest.raises(AttributeError, match="'scale', expected the name of a submodule"):
        block.set_submodule("scale", nn.Tanh())


def test_a_module_within_itself_is_named() -> None:
    class Node(nn.Module):
        parent: Any

    parent, child = Node(), Node()
    parent.child, child.parent = child, parent
    assert [name for name, _ in parent.named_modules()] == ["", "child"]
    with pytest.raises(ValueError, match=r"got the module 'child.parent', which is one that contains it"):
        parent.state_dict()


def test_dir_lists_what_can_be_typed() -> None:
    net = nn.Sequential(nn.Linear(2, 2))
    net.scale = nn.Parameter(np.ones(1))
    assert {"scale", "append", "forward"} <= set(dir(net))
    assert "0" not in dir(net)


def test_modules_and_buffers_can_be_registered_again() -> None:
    block = Block()
    block.register_module("first", nn.Tanh())
    assert repr(block.first) == "Tanh()"
    block.register_buffer("cache", np.ones(1))
    assert "cache" in block.state_dict()
    block.register_parameter("mean", nn.Parameter(np.ones(1)))
    assert [name for name, _ in block.named_buffers()] == ["cache"]


# What torch.nn.Module has and ours has not, and why.
ABSENT = {
    "bfloat16": "NumPy has no such numbers; files of them are read as float32",
    "cpu": "there is one place for arrays",
    "cuda": "there is one place for arrays",
    "ipu": "there is one place for arrays",
    "mtia": "there is one place for arrays",
    "xpu": "there is one place for arrays",
    "to_empty": "there is one place for arrays",
    "share_memory": "one process",
    "compile": "the whole training step is what is compiled",
    "register_backward_hook": "PyTorch itself says not to use it: register_full_backward_hook",
    "get_extra_state": "what is state is a parameter or a buffer: arrays only, so files are safe to load",
    "set_extra_state": "what is state is a parameter or a buffer: arrays only, so files are safe to load",
    "register_state_dict_pre_hook": "override state_dict",
    "register_state_dict_post_hook": "override state_dict",
    "register_load_state_dict_pre_hook": "override load_state_dict",
    "register_load_state_dict_post_hook": "override load_state_dict",
    "call_super_init": "no module has to call it",
    "dump_patches": "PyTorch's own history",
    "T_destination": "a type variable",
}


def test_the_names_of_pytorchs_module_are_here_or_have_a_reason() -> None:
    torch = pytest.importorskip("torch", reason="not installed: pip install 'autograd-core[oracle]'")
    theirs = {name for name in dir(torch.nn.Module) if not name.startswith("_")}
    ours = set(dir(nn.Module))
    assert theirs - ours == ABSENT.keys() & theirs
    assert not ABSENT.keys() & ours


# -- state ---------------------------------------------------------------------------------------


def test_state_round_trip_copies() -> None:
    a, b = Block(), Block()
    a.mean[:] = 7
    state = a.state_dict()
    memory = [p.data.ctypes.data for p in b.parameters()]
    versions = [p.version for p in b.parameters()]
    assert b.load_state_dict(state) == ([], [])
    for (_, p), (_, q) in zip(a.named_parameters(), b.named_parameters(), strict=True):
        assert np.array_equal(p.numpy(), q.numpy())
    assert np.array_equal(b.mean, [7, 7, 7])
    assert [p.data.ctypes.data for p in b.parameters()] == memory, "not in place"
    assert all(p.version > v for p, v in zip(b.parameters(), versions, strict=True))
    state["scale"][:] = 5
    assert not (a.scale.numpy() == 5).any()
    assert not (b.scale.numpy() == 5).any()


def test_a_backward_across_a_load_is_an_error() -> None:
    layer = nn.Linear(2, 2)
    loss = layer(layer(np.ones((1, 2)))).sum()
    layer.load_state_dict(layer.state_dict())
    with pytest.raises(ag.GraphError, match="written to"):
        loss.backward()


def test_a_state_that_does_not_fit_changes_nothing_and_lists_everything() -> None:
    block = Block()
    before = block.state_dict()
    state = {name: value + 1 for name, value in before.items()}
    del state["mean"], state["scale"]
    state["extra"] = np.ones(1)
    state["first.bias"] = np.ones(4)
    state["inner.0.weight"] = np.array(["text"])
    with pytest.raises(ValueError, match="does not fit") as caught:
        block.load_state_dict(state)
    for text in (
        "mean is missing", "scale is missing", "extra is not expected",
        "first.bias has shape (4,), expected (3,)", "inner.0.weight has dtype <U4, expected numbers",
    ):  # fmt: skip
        assert text in str(caught.value)
    for name, value in block.state_dict().items():
        assert np.array_equal(value, before[name]), name
    with pytest.raises(ValueError, match="has dtype complex128, expected float32"):
        block.load_state_dict({"scale": np.ones(3) * 1j}, strict=False)


def test_not_strict_passes_over_names_but_not_over_shapes() -> None:
    block = Block()
    result = block.load_state_dict({"scale": [3, 3, 3], "extra": 1}, strict=False)
    assert result.missing_keys == ["mean", *NAMES[1:]]
    assert result.unexpected_keys == ["extra"]
    assert np.array_equal(block.scale.numpy(), [3, 3, 3])
    with pytest.raises(ValueError, match=r"scale has shape \(2,\), expected \(3,\)"):
        block.load_state_dict({"scale": [3, 3]}, strict=False)


@pytest.mark.parametrize("copier", [copy.deepcopy, lambda m: pickle.loads(pickle.dumps(m))])
def test_copies_are_whole_and_independent(copier: Any) -> None:
    block = Block().eval()
    block.scale.requires_grad = False
    twin = copier(block)
    x = np.ones((2, 2), np.float32)
    assert np.array_equal(twin(x).numpy(), block(x).numpy())
    assert [name for name, _ in twin.named_parameters()] == NAMES
    assert [p.requires_grad for p in twin.parameters()] == [False, True, True, True]
    assert not twin.training
    assert not twin.inner[0].training
    with ag.no_grad():
        twin.first.weight += 1
        twin.mean += 1
    assert not np.array_equal(twin.first.weight.numpy(), block.first.weight.numpy())
    assert (block.mean == 0).all()


def used() -> Any:
    """Return a module with gradients, hooks, and a graph that is alive."""
    block = Block()
    block.first.register_forward_hook(hook)
    block.first.register_full_backward_hook(hook)
    block(np.ones((2, 2))).sum().backward()
    block.alive = [block(np.ones((2, 2), np.float32)).detach()]
    return block


def hook(*args: Any) -> None:
    """Do nothing, at a place from which it can be pickled."""


@pytest.mark.parametrize("protocol", range(pickle.HIGHEST_PROTOCOL + 1))
def test_what_was_used_is_pickled_in_every_protocol(protocol: int) -> None:
    block = used()
    y = block(np.ones((2, 2)))
    twin = pickle.loads(pickle.dumps(block, protocol))
    for p, q in zip(block.parameters(), twin.parameters(), strict=True):
        np.testing.assert_array_equal(p.grad, q.grad)
        assert not np.shares_memory(p.data, q.data)
    np.testing.assert_array_equal(twin(np.ones((2, 2))).numpy(), y.numpy())
    y.sum().backward()  # the graph is as it was


def test_pickles_lend_their_memory() -> None:
    """Protocol 5 hands arrays out of band: to another process without a copy."""
    block = used()
    lent: list[Any] = []
    data = pickle.dumps(block, 5, buffer_callback=lent.append)
    assert len(lent) >= 4
    assert len(data) < 3000
    twin = pickle.loads(data, buffers=[bytes(b) for b in lent])  # memory that cannot be written to
    optimizer = optim.SGD(twin.parameters(), lr=0.1)
    twin.zero_grad()
    twin(np.ones((2, 2))).sum().backward()
    optimizer.step()
    twin.load_state_dict(block.state_dict())


def test_copies_of_what_is_shared_share() -> None:
    layer = nn.Linear(2, 2)
    net = nn.Sequential(layer, nn.Tanh(), layer)
    net.append(nn.Linear(2, 2))
    net[3].bias = layer.bias
    for twin in (copy.deepcopy(net), pickle.loads(pickle.dumps(net))):
        assert twin[0] is twin[2]
        assert twin[3].bias is twin[0].bias
        assert len(list(twin.parameters())) == 3
        assert twin[0] is not layer


def test_a_copy_after_a_recorded_gradient() -> None:
    net = nn.MLP([2, 3, 1], activation="tanh")
    net(np.ones((1, 2))).sum().backward(create_graph=True)
    assert net[0].weight.grad.grad_fn is not None
    for twin in (copy.deepcopy(net), pickle.loads(pickle.dumps(net))):
        np.testing.assert_array_equal(twin[0].weight.grad, net[0].weight.grad.numpy())


# -- what is done to all of it ---------------------------------------------------------------------


def test_train_and_eval_reach_everything() -> None:
    block = Block()
    assert all(m.training for m in block.modules())
    assert block.eval() is block
    assert not any(m.training for m in block.modules())
    assert all(m.training for m in block.train().modules())


def test_gradients_are_switched_and_forgotten() -> None:
    block = Block()
    block(np.ones((1, 2))).sum().backward()
    assert all(p.grad is not None for p in block.parameters())
    block.zero_grad(set_to_none=False)
    assert all((p.grad == 0).all() for p in block.parameters())
    block.zero_grad()
    assert all(p.grad is None for p in block.parameters())
    block.requires_grad_(False)
    assert block(np.ones((1, 2))).requires_grad is False
    assert block.requires_grad_() is block
    assert block(np.ones((1, 2))).requires_grad is True


def test_frozen_parameters_cost_nothing() -> None:
    called = []

    def rule(name: str) -> Any:
        return lambda g, y, x, w: (called.append(name), g * (w if name == "x" else x))[1]

    scaled = ag.elementwise(np.multiply, rule("x"), rule("w"), name="scaled", numpy=())

    class Scale(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.w = nn.Parameter(np.ones(2, np.float32))

        def forward(self, x: Any) -> Any:
            return scaled(x, self.w)

    net = nn.Sequential(Scale(), Scale(), Scale())
    net[1].requires_grad_(False)
    net(np.ones(2)).sum().backward()
    assert called == ["x", "w", "x", "w"], "of the last both, of the frozen one x, of the first w"
    assert [p.grad is None for p in net.parameters()] == [False, True, False]
    called.clear()
    net[0].requires_grad_(False)
    net(np.ones(2)).sum().backward()
    assert called == ["w"], "below the last layer nothing is learnt, so nothing goes there"
    assert net[:2](np.ones(2, np.float32)).requires_grad is False


def test_apply_visits_children_first() -> None:
    seen: list[str] = []
    Block().apply(lambda m: seen.append(type(m).__name__))
    assert seen == ["Linear", "Linear", "Tanh", "Sequential", "Block"]


def test_to_converts_floats_in_place() -> None:
    block = Block()
    block.register_buffer("count", np.zeros(1, np.int64))
    block(np.ones((1, 2))).sum().backward()
    parameters = list(block.parameters())
    assert block.double() is block
    assert all(p is q for p, q in zip(parameters, block.parameters(), strict=True))
    assert {p.dtype for p in parameters} == {np.dtype(np.float64)}
    assert {p.grad.dtype for p in parameters} == {np.dtype(np.float64)}
    assert block.mean.dtype == np.float64
    assert block.count.dtype == np.int64
    assert block(np.ones((1, 2), np.float32)).dtype == np.float64
    assert block.float().scale.dtype == np.float32
    assert block.type("float64").scale.dtype == np.float64
    for wrong in ("cuda", np.int64, "int8"):
        with pytest.raises(TypeError, match=r"\[to\] got .*, expected a floating NumPy dtype"):
            block.to(wrong)
    with pytest.raises(TypeError, match=r"\[to\] got float16, which is for storing numbers, expected"):
        block.half()
    assert block.scale.dtype == np.float64


def test_to_keeps_what_is_shared() -> None:
    a, b = nn.Linear(2, 2), nn.Linear(2, 2)
    a.register_buffer("mean", np.zeros(2))
    b.register_buffer("average", a.mean)
    b.weight = a.weight
    nn.Sequential(a, b).float()
    assert a.mean is b.average
    assert a.mean.dtype == np.float32
    assert a.weight is b.weight


# -- data meets parameters ---------------------------------------------------------------------


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize(
    "x", [np.ones((3, 2)), np.ones((3, 2), np.float32), np.ones((3, 2), np.uint8),
          np.ones((3, 2), bool), [[1, 2], [3, 4]], [1.5, 2.5]],
    ids=["float64", "float32", "uint8", "bool", "list of ints", "list"],
)  # fmt: skip
def test_plain_data_is_taken_in_the_dtype_of_the_parameters(x: Any, dtype: str) -> None:
    layer = nn.Linear(2, 3).to(dtype)
    y = layer(x)
    assert y.dtype == dtype
    y.sum().backward()
    assert layer.weight.grad.dtype == dtype
    assert np.allclose(y.numpy(), np.asarray(x, dtype) @ layer.weight.numpy().T + layer.bias.numpy())


def test_a_tensor_of_another_dtype_is_an_error() -> None:
    layer = nn.Linear(2, 3)
    with pytest.raises(TypeError, match=r"\[Linear\] got a Tensor of dtype float64, expected float32"):
        layer(ag.tensor(np.ones((1, 2))))
    with pytest.raises(TypeError, match="Tensor of dtype int64, expected float32, as its param"):
        layer(ag.tensor([[1, 2]]))
    with pytest.raises(TypeError, match="got a Tensor of dtype float64"):
        ag.grad(lambda x: layer(x).sum())(np.ones((1, 2)))


def test_integers_and_other_things_reach_a_module_of_ones_own() -> None:
    class Lookup(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.table = nn.Parameter(np.ones((5, 2), np.float32))

        def forward(self, index: Any, scale: Any, *, flag: Any = None) -> Any:
            assert flag is None or flag.dtype == np.float32
            assert scale.dtype == np.float32
            return self.table[index] * scale

    y = Lookup()(np.array([1, 2]), np.ones(2), flag=np.ones(1))
    assert y.dtype == np.float32


# -- containers and text -------------------------------------------------------------------------


def test_sequential_behaves_as_a_list() -> None:
    net = nn.Sequential(nn.Linear(2, 3), nn.Tanh(), nn.Linear(3, 1))
    assert len(net) == 3
    assert isinstance(net[:2], nn.Sequential)
    assert net[0] is net[:2][0]
    assert [type(m).__name__ for m in net] == ["Linear", "Tanh", "Linear"]
    net.append(nn.Sigmoid()).insert(1, nn.ReLU()).extend([nn.Identity()])
    assert [name for name, _ in net.named_children()] == list("012345")
    del net[1]
    net[1] = nn.Sigmoid()
    assert [type(m).__name__ for m in net] == ["Linear", "Sigmoid", "Linear", "Sigmoid", "Identity"]
    with pytest.raises(IndexError, match="index 9, expected one of 5 modules"):
        net[9]
    with pytest.raises(TypeError, match=r"expected a Module; try nn.Lambda\(function\)"):
        nn.Sequential(nn.Linear(2, 3), np.tanh)  # type: ignore[arg-type]
    with pytest.raises(TypeError, match=r"expected a Module; try Tanh\(\)"):
        nn.Sequential(nn.Linear(2, 3), nn.Tanh)  # type: ignore[arg-type]
    named = nn.Sequential({"a": nn.Linear(2, 2), "b": nn.Tanh()})
    assert [name for name, _ in named.named_parameters()] == ["a.weight", "a.bias"]
    assert named(np.zeros((1, 2))).shape == (1, 2)


def test_lists_and_dictionaries_of_modules() -> None:
    class Net(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.layers = nn.ModuleList([nn.Linear(2, 2) for _ in range(2)])
            self.heads = nn.ModuleDict({"a": nn.Linear(2, 1)})

    net = Net()
    assert list(net.state_dict()) == [
        "layers.0.weight", "layers.0.bias", "layers.1.weight", "layers.1.bias",
        "heads.a.weight", "heads.a.bias",
    ]  # fmt: skip
    net.heads["b"] = nn.Tanh()
    assert list(net.heads) == ["a", "b"]
    assert "b" in net.heads
    assert len(net.heads) == 2
    del net.heads["b"]
    assert [k for k, _ in net.heads.items()] == list(net.heads.keys()) == ["a"]
    assert next(iter(net.heads.values())) is net.heads["a"]
    with pytest.raises(KeyError, match="one of"):
        net.heads["z"]
    with pytest.raises(ValueError, match="the name 'forward'"):
        net.heads["forward"] = nn.Tanh()


def test_text_shows_structure_shapes_and_counts() -> None:
    block = Block()
    block.first.requires_grad_(False)
    assert repr(block).splitlines() == [
        "Block(" + " " * 55 + "# 3: scale (3,)",
        "  (first): Linear(in_features=2, out_features=3, bias=True)  # 9: weight (3, 2), bias (3,)",
        "  (inner): Sequential(",
        "    (0): Linear(in_features=3, out_features=2, bias=False)   # 6: weight (2, 3)",
        "    (1): Tanh()",
        "  )",
        ")  # 18 parameters in 4 arrays, float32, 72 bytes, 9 of them frozen",
    ]  # fmt: skip
    assert repr(nn.Tanh()) == "Tanh()"
    assert repr(nn.MSELoss("sum")) == "MSELoss(reduction='sum')"


def test_large_networks_are_shown_with_their_memory() -> None:
    text = repr(nn.MLP([1000, 1000, 1000], dtype=np.float64))
    assert text.endswith(")  # 2,002,000 parameters in 4 arrays, float64, 15.3 MiB")


@pytest.mark.parametrize(
    ("call", "text"),
    [
        (lambda x: nn.ReLU(x),
         r"\[ReLU\] got data of shape \(2, 3\) where a layer is made, .*; try ReLU\(...\)\(x\)"),
        (lambda x: nn.Softmax(ag.tensor(x)), r"\[Softmax\] got data .*; try Softmax\(...\)\(x\)"),
        (lambda x: nn.MSELoss(x, x), r"\[MSELoss\] got data .*; try MSELoss\(...\)\(x, target\)"),
        (lambda x: nn.CrossEntropyLoss(x, [0, 1]), r"\[CrossEntropyLoss\] got data .*\(x, target\)"),
        (lambda x: nn.Linear(2, 1).train(x), r"\[train\] got mode=array(.|\n)*, expected True or False"),
        (lambda x: nn.Linear(2, 1).to("cuda:0"), r"the device 'cuda:0', expected .*; try leaving it out"),
    ],
)  # fmt: skip
def test_data_where_settings_belong_is_named(call: Any, text: str) -> None:
    with pytest.raises(TypeError, match=text):
        call(np.ones((2, 3), np.float32))


def test_arrays_that_are_settings_are_taken() -> None:
    assert nn.CrossEntropyLoss(np.ones(3)).weight.shape == (3,)
    assert nn.LayerNorm(np.array([3])).weight.shape == (3,)
    assert nn.Linear(2, 1).to("cpu").weight.dtype == np.float32
