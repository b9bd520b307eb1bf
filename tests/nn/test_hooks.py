"""Hooks of modules: when they are called, what they see, what they change, as PyTorch's do."""

from __future__ import annotations

import copy
import pickle
from collections.abc import Callable
from itertools import pairwise
from typing import Any

import numpy as np
import pytest

import autograd_core as ag
from autograd_core import nn

RNG = np.random.default_rng(0)
X = RNG.normal(size=(2, 3))
W = [RNG.normal(size=(4, 3)), RNG.normal(size=4), RNG.normal(size=(2, 4)), RNG.normal(size=2)]


@pytest.fixture(scope="module")
def torch() -> Any:
    return pytest.importorskip("torch", reason="not installed: pip install 'autograd-core[oracle]'")


def plain(x: Any) -> Any:
    """Return arrays, from either library, as nested lists; None and numbers as they are."""
    if isinstance(x, (tuple, list)):
        return [plain(v) for v in x]
    if isinstance(x, dict):
        return {k: plain(v) for k, v in x.items()}
    if hasattr(x, "detach"):
        x = x.detach().numpy()
    return np.round(x, 12).tolist() if isinstance(x, (np.ndarray, np.generic)) else x


class Both:
    """One script, run with either library: its layers, its Tensors, and a log of what hooks saw."""

    def __init__(self, torch: Any = None) -> None:
        self.torch = torch
        self.nn = torch.nn if torch else nn
        self.log: list[Any] = []

    def tensor(self, x: Any, requires_grad: bool = True) -> Any:
        if self.torch:
            return self.torch.tensor(np.array(x), requires_grad=requires_grad)
        return ag.tensor(x, requires_grad=requires_grad)

    def net(self) -> Any:
        net = self.nn.Sequential(self.nn.Linear(3, 4), self.nn.Tanh(), self.nn.Linear(4, 2)).double()
        given = dict(zip(net.state_dict(), W, strict=True))
        net.load_state_dict({k: self.torch.tensor(v) for k, v in given.items()} if self.torch else given)
        return net

    def module(self, forward: Callable[..., Any]) -> Any:
        """Make a module without parameters from a function."""
        own = {"forward": lambda _, *args, **kwargs: forward(*args, **kwargs)}
        return type("Own", (self.nn.Module,), own)()

    def saw(self, name: str) -> Callable[..., None]:
        def hook(module: Any, *seen: Any) -> None:
            self.log.append([name, type(module).__name__, plain(list(seen))])

        return hook

    def gradients(self, net: Any, *xs: Any) -> None:
        self.log.append([plain(p.grad) for p in [*net.parameters(), *xs]])


def same(torch: Any, script: Callable[[Both], Any]) -> list[Any]:
    """Run a script with both libraries; compare what it returns and what hooks logged."""
    ours, theirs = Both(), Both(torch)
    a, b = plain(script(ours)), plain(script(theirs))
    assert a == Close(b)
    assert len(ours.log) == len(theirs.log)
    for mine, other in zip(ours.log, theirs.log, strict=True):
        assert mine == Close(other)
    return ours.log


class Close:
    """Nested lists of numbers that another nest equals within rounding."""

    def __init__(self, value: Any) -> None:
        self.value = value

    __hash__ = None  # type: ignore[assignment]

    def __eq__(self, other: object) -> bool:
        return close(other, self.value)

    def __repr__(self) -> str:
        return repr(self.value)


def close(a: Any, b: Any) -> bool:
    if isinstance(a, list) and isinstance(b, list):
        return len(a) == len(b) and all(map(close, a, b))
    if isinstance(a, dict) and isinstance(b, dict):
        return a.keys() == b.keys() and all(close(a[k], b[k]) for k in a)
    if isinstance(a, float) and isinstance(b, float):
        return abs(a - b) <= 1e-10 * max(1, abs(b))
    return bool(a == b)


# -- forward ----------------------------------------------------------------------------------------


def test_forward_hooks_see_what_pytorch_shows_them(torch: Any) -> None:
    def script(lib: Both) -> Any:
        net = lib.net()
        for layer in net:
            layer.register_forward_pre_hook(lib.saw("before"))
            layer.register_forward_hook(lib.saw("after"))
        net.register_forward_hook(lib.saw("net"))
        return net(lib.tensor(X))

    log = same(torch, script)
    assert [line[0] for line in log] == ["before", "after"] * 3 + ["net"]


def test_forward_hooks_change_arguments_and_results(torch: Any) -> None:
    def script(lib: Both) -> Any:
        net = lib.net()
        net[0].register_forward_pre_hook(lambda m, args: args[0] * 2)
        net[0].register_forward_pre_hook(lambda m, args: (args[0] + 1,))
        net[2].register_forward_hook(lambda m, args, y: y * args[0].sum())
        net[2].register_forward_hook(lambda m, args, y: y - 1)
        x = lib.tensor(X)
        y = net(x)
        y.sum().backward()
        lib.gradients(net, x)
        return y

    same(torch, script)


def test_keywords_order_and_removal(torch: Any) -> None:
    def script(lib: Both) -> Any:
        module = lib.module(lambda x, *, scale=1.0, shift=0.0: x * scale + shift)
        keep = []
        for i, prepend in enumerate([False, False, True]):
            keep.append(module.register_forward_pre_hook(lib.saw(f"pre {i}"), prepend=prepend))
            keep.append(module.register_forward_hook(lib.saw(f"post {i}"), prepend=prepend))
        module.register_forward_pre_hook(lib.saw("keywords"), with_kwargs=True)
        module.register_forward_pre_hook(
            lambda m, args, kwargs: ((args[0] + 1,), {**kwargs, "shift": 5.0}), with_kwargs=True)  # fmt: skip
        module.register_forward_hook(lib.saw("both"), with_kwargs=True)
        module.register_forward_hook(lambda m, args, kwargs, y: y + kwargs["scale"], with_kwargs=True)
        y = [module(lib.tensor(X), scale=3.0)]
        keep[0].remove()
        keep[0].remove()
        keep[3].remove()
        y.append(module(lib.tensor(X), scale=2.0))
        with module.register_forward_hook(lambda m, args, y: y * 0):
            y.append(module(lib.tensor(X), scale=2.0))
        y.append(module(lib.tensor(X), scale=2.0))
        return y

    log = same(torch, script)
    assert [line[0] for line in log][:8] == [
        "pre 2", "pre 0", "pre 1", "keywords", "post 2", "post 0", "post 1", "both"]  # fmt: skip


@pytest.mark.parametrize("where", ["pre-hook", "forward", "hook", "none"])
def test_hooks_that_are_always_called(torch: Any, where: str) -> None:
    def script(lib: Both) -> Any:
        def fail(*args: Any) -> Any:
            raise ZeroDivisionError("on purpose")

        module = lib.module(fail if where == "forward" else lambda x: x * 2)
        if where == "pre-hook":
            module.register_forward_pre_hook(fail)
        module.register_forward_hook(lib.saw("first always"), always_call=True)
        if where == "hook":
            module.register_forward_hook(fail)
        module.register_forward_hook(lib.saw("not"))
        module.register_forward_hook(lib.saw("always"), always_call=True, with_kwargs=True)
        try:
            return module(lib.tensor(X))
        except ZeroDivisionError as error:
            return str(error)

    log = same(torch, script)
    assert [line[0] for line in log] == ["first always", *["not"] * (where == "none"), "always"]


def test_an_always_called_hook_that_fails_warns(torch: Any) -> None:
    def script(lib: Both) -> Any:
        def fail(*args: Any) -> Any:
            raise ValueError("of the hook")

        module = lib.module(lambda x: x / lib.nn)
        module.register_forward_hook(fail, always_call=True)
        with pytest.warns(UserWarning, match="of the hook"), pytest.raises(TypeError, match="unsupported"):
            module(lib.tensor(X))

    same(torch, script)


def test_wrong_hooks_are_refused() -> None:
    layer = nn.Linear(3, 2)
    with pytest.raises(TypeError, match=r"\[register_hook\] got a int, expected a function"):
        layer.register_forward_hook(3)  # type: ignore[arg-type]
    with layer.register_forward_pre_hook(lambda *args: 3, with_kwargs=True), pytest.raises(
        RuntimeError, match=r"forward pre-hook\] got 3 returned, expected None or a pair"
    ):
        layer(X)
    x = ag.tensor(X.astype("f"), requires_grad=True)
    for register, text in (
        (layer.register_full_backward_hook, r"backward hook\] got 2 gradients returned, expected 1, or None"),
        (layer.register_full_backward_pre_hook, r"backward pre-hook\] got 2 gradients returned, expected 1"),
    ):
        with register(lambda *args: (1, 2)), pytest.raises(RuntimeError, match=text):
            layer(x).sum().backward()
    with layer.register_full_backward_hook(lambda *args: (np.ones(2),)), pytest.raises(
        RuntimeError, match="gradients of inputs returned, expected None, as no input is differentiated"
    ):
        layer(X).sum().backward()
    lists = nn.Lambda(lambda x: [x])
    lists.register_full_backward_hook(lambda *args: None)
    with pytest.warns(UserWarning, match="a result that is a list, so it is not called, expected a Tensor"):
        lists(x)


# -- backward ---------------------------------------------------------------------------------------


@pytest.mark.parametrize("differentiated", [True, False])
@pytest.mark.filterwarnings("ignore:Full backward hook is firing when gradients are computed")
def test_backward_hooks_see_what_pytorch_shows_them(torch: Any, differentiated: bool) -> None:
    def script(lib: Both) -> Any:
        net = lib.net()
        for layer in [*net, net]:
            layer.register_full_backward_pre_hook(lib.saw("pre"))
            layer.register_full_backward_hook(lib.saw("full"))
        x = lib.tensor(X, differentiated)
        y = net(x)
        (y * y).sum().backward()
        lib.gradients(net, x)
        return y

    log = same(torch, script)
    assert sorted(line[0] for line in log[:-1]) == ["full"] * 4 + ["pre"] * 4
    assert [line[1] for line in log if line[0] == "pre"] == ["Sequential", "Linear", "Tanh", "Linear"]


def test_backward_hooks_change_gradients(torch: Any) -> None:
    def script(lib: Both) -> Any:
        net = lib.net()
        net[2].register_full_backward_pre_hook(lambda m, g: (g[0] * 3,))
        net[2].register_full_backward_pre_hook(lambda m, g: (g[0] + 1,), prepend=True)
        net[1].register_full_backward_hook(lambda m, g, h: (g[0] - h[0],))
        net[1].register_full_backward_hook(lib.saw("after"))
        net[1].register_full_backward_hook(lambda m, g, h: (g[0] * 2,), prepend=True)
        x = lib.tensor(X)
        (net(x) ** 2).sum().backward()
        lib.gradients(net, x)

    same(torch, script)


def test_several_inputs_and_outputs(torch: Any) -> None:
    def script(lib: Both) -> Any:
        module = lib.module(lambda a, b, c, n: (a * b + c * n, 7, (a * c).sum()))
        module.register_full_backward_pre_hook(lib.saw("pre"))
        module.register_full_backward_hook(lib.saw("full"))
        module.register_full_backward_hook(lambda m, g, h: (g[0] * 2, g[1] * 0, g[2], None))
        module.register_full_backward_hook(lib.saw("changed"))
        for which in (0, 2, slice(0, 3, 2)):
            a, b, c = lib.tensor(X), lib.tensor(X[:1] + 1), lib.tensor(X * 2)
            outputs = module(a, b, c, 3.0)
            chosen = outputs[which] if isinstance(which, slice) else [outputs[which]]
            sum((y * y).sum() for y in chosen).backward()
            lib.log.append(plain([a.grad, b.grad, c.grad, outputs[1]]))

    log = same(torch, script)
    assert len(log) == 12


def test_constants_have_no_gradient_to_see() -> None:
    seen = []
    product = nn.Lambda(lambda a, b, c: a * b * c)
    product.register_full_backward_hook(lambda module, g, h: seen.append(g))
    a = ag.tensor(2.0, requires_grad=True)
    product(a, ag.tensor(3.0), np.float32(5.0)).backward()
    assert plain(seen) == [[15.0, None, None]]
    assert a.grad == 15
    a, b = ag.tensor(2.0, requires_grad=True), ag.tensor(3.0, requires_grad=True)
    product.register_full_backward_hook(lambda module, g, h: (g[0], None, None))
    product(a, b, 5.0).backward()
    assert (a.grad, b.grad) == (15, 0)


def test_one_input_used_twice_and_not_at_all(torch: Any) -> None:
    def script(lib: Both) -> Any:
        inner = lib.net()[1]
        inner.register_full_backward_hook(lib.saw("full"))
        x = lib.tensor(X)
        (inner(x) * inner(x) + x).sum().backward()
        lib.log.append(plain(x.grad))
        second = lib.module(lambda a, b: a * 2)
        second.register_full_backward_hook(lib.saw("unused"))
        a, b = lib.tensor(X), lib.tensor(X)
        second(a, b).sum().backward()
        lib.log.append(plain([a.grad, b.grad]))

    same(torch, script)


def test_second_derivatives_go_through_hooks(torch: Any) -> None:
    def script(lib: Both) -> Any:
        net = lib.net()
        net[1].register_full_backward_hook(lambda m, g, h: (g[0] * g[0],))
        x = lib.tensor(X)
        y = net(x).sum()
        if lib.torch:
            (g,) = torch.autograd.grad(y, x, create_graph=True)
        else:
            y.backward(create_graph=True)
            g = x.grad
            net.zero_grad()
        x.grad = None
        (g * g).sum().backward()
        lib.gradients(net[0], x)

    same(torch, script)


def test_backward_twice_and_without_recording(torch: Any) -> None:
    def script(lib: Both) -> Any:
        net = lib.net()
        net.register_full_backward_hook(lib.saw("full"))
        x = lib.tensor(X)
        y = net(x).sum()
        y.backward(retain_graph=True)
        y.backward()
        lib.gradients(net, x)
        with (lib.torch or ag).no_grad():
            return net(x)

    assert len(same(torch, script)) == 3


def test_hooks_inside_transforms() -> None:
    seen = []
    net = Both().net()
    net.requires_grad_(False)
    expected = ag.grad(lambda x: net(x).sum())(X)
    net[1].register_full_backward_hook(lambda m, g, h: seen.append((g[0].shape, h[0].shape)))
    np.testing.assert_array_equal(ag.grad(lambda x: net(x).sum())(X), expected)
    assert seen == [((2, 4), (2, 4))]
    net[1].register_full_backward_hook(lambda m, g, h: (g[0] * 2,))
    np.testing.assert_allclose(ag.grad(lambda x: net(x).sum())(X), expected * 2)
    ag.jvp(net, (X,), (X,))  # no backward pass: hooks of it have nothing to say


def test_the_checker_finds_a_hook_that_changes_gradients() -> None:
    net = Both().net()
    net[1].register_full_backward_hook(lambda m, g, h: None)
    ag.check_gradients(net, X, order=2)
    net[1].register_full_backward_hook(lambda m, g, h: (g[0] * 1.01,))
    with pytest.raises(ag.GradientError):
        ag.check_gradients(net, X)


# -- modules with hooks -----------------------------------------------------------------------------


def double(module: Any, args: Any, y: Any) -> Any:
    return y * 2


@pytest.mark.parametrize("copier", [copy.deepcopy, lambda m: pickle.loads(pickle.dumps(m))])
def test_copies_have_hooks_of_their_own(copier: Any) -> None:
    net = Both().net()
    net.handle = net[0].register_forward_hook(double)
    expected = plain(net(X))
    twin = copier(net)
    assert plain(twin(X)) == expected
    net.handle.remove()
    assert plain(net(X)) == plain(Both().net()(X)) != expected
    assert plain(twin(X)) == expected


def test_a_handle_of_a_copy_is_the_copys() -> None:
    net = Both().net()
    net.handle = net.register_forward_hook(double)
    twin = copy.deepcopy(net)
    twin.handle.remove()
    assert plain(twin(X)) == plain(Both().net()(X))
    assert plain(net(X)) == plain(2 * Both().net()(X))


def test_handles_outlive_their_modules() -> None:
    handle = nn.Linear(2, 2).register_forward_hook(double)
    handle.remove()
    pickle.loads(pickle.dumps(handle)).remove()


def test_after_the_last_removal_calls_are_as_fast_as_before() -> None:
    layer = nn.Linear(2, 2)
    handles = [layer.register_forward_hook(double), layer.register_full_backward_hook(double)]
    assert layer._hooks is not None
    for handle in handles:
        handle.remove()
    assert layer._hooks is None


def test_a_hook_may_remove_itself_and_add_others() -> None:
    layer, seen = nn.Tanh(), []

    def once(*args: Any) -> None:
        seen.append(1)
        handle.remove()
        layer.register_forward_hook(lambda *args: seen.append(3))

    handle = layer.register_forward_hook(once)
    layer.register_forward_hook(lambda *args: seen.append(2))
    layer(X)
    layer(X)
    assert seen == [1, 2, 2, 3]


def test_hooks_inside_checkpoints_pictures_and_summaries() -> None:
    seen = []
    net = Both().net()
    net[1].register_full_backward_hook(lambda m, g, h: seen.append("backward"))
    net[1].register_forward_hook(lambda m, args, y: seen.append("forward"))
    net(ag.tensor(X, requires_grad=True)).sum().backward()
    expected = [p.grad for p in net.parameters()]
    net.zero_grad()
    ag.checkpoint(net)(ag.tensor(X, requires_grad=True)).sum().backward()
    for p, g in zip(net.parameters(), expected, strict=True):
        np.testing.assert_array_equal(p.grad, g)
    assert seen == ["forward", "backward", "forward", "forward", "backward"]
    assert "1(0): Tanh" in str(ag.draw(net, X))
    assert [line.kind for line in nn.summary(net, X).lines] == ["Sequential", "Linear", "Tanh", "Linear"]


def test_errors_in_hooks_name_the_layer() -> None:
    net = nn.Sequential(nn.Tanh(), nn.Tanh())
    net[1].register_forward_hook(lambda module, args, y: y.reshape(7))
    with pytest.raises(ValueError, match="cannot reshape") as caught:
        net(X)
    assert caught.value.__notes__[0] == "in 1 (Tanh)"


def test_statistics_of_all_layers_by_hooks() -> None:
    """Glorot and Bengio (2010), figure 2: with small weights the activations of deep layers die out."""
    nn.manual_seed(0)
    net = nn.Sequential(*(layer for _ in range(6) for layer in (nn.Linear(50, 50, bias=False), nn.Tanh())))
    spread: dict[str, float] = {}
    slopes: dict[str, float] = {}
    for name, module in net.named_modules():
        if isinstance(module, nn.Tanh):
            module.register_forward_hook(
                lambda m, args, y, name=name: spread.update({name: float(y.numpy().std())}))  # fmt: skip
            module.register_full_backward_hook(
                lambda m, g, h, name=name: slopes.update({name: float(np.abs(g[0]).mean())}))  # fmt: skip
    net(np.random.default_rng(1).normal(size=(100, 50))).sum().backward()
    assert list(spread) == [str(i) for i in range(1, 12, 2)] == list(slopes)[::-1]
    values = list(spread.values())
    assert all(a > 1.2 * b for a, b in pairwise(values)), values
    gradients = [slopes[name] for name in spread]
    assert all(1.2 * a < b for a, b in pairwise(gradients)), gradients
