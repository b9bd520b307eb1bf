"""Normalization: what the rows of cases_normalization.py do not reach."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import autograd_core as ag
from autograd_core import kernels, nn
from autograd_core.kernels import normalization
from autograd_core.node import strip

F = nn.functional
RNG = np.random.default_rng


@pytest.fixture(scope="module")
def torch() -> Any:
    return pytest.importorskip(
        "torch", reason="PyTorch is not installed: pip install 'autograd-core[oracle]'"
    )


# -- the kernels -----------------------------------------------------------------------------------


def every_kernel(shape: tuple[int, int], dtype: Any) -> list[Any]:
    rng, (rows, n) = RNG(0), shape
    g, x = (rng.normal(1, 2, shape).astype(dtype) for _ in range(2))
    mean, a, b, c = (rng.normal(size=rows).astype(dtype) for _ in range(4))
    w, bias = (rng.normal(size=n).astype(dtype) for _ in range(2))
    dx, dw, db, rms, out = (np.full(s, 7, dtype) for s in (shape, n, n, shape, shape))
    normalization.layer_gradients(g, x, w, mean, a, True, dx, dw, db)
    normalization.layer_gradients(g, x, w, mean, a, False, rms, np.empty_like(w), np.empty_like(w))
    normalization.combined(g, x, mean, a, b, c, out)
    column = (np.ascontiguousarray(v) for v in (w, bias, w * 2))
    wide = [np.full(s, 7, dtype) for s in (n, n, shape)]
    normalization.column_products(g, x, w, *wide[:2])
    normalization.column_combined(g, x, w, bias, w + 1, bias + 1, wide[2])
    return [*normalization.moments(x), *normalization.moments(x, False), normalization.scaled(x, mean, a, b),
            *normalization.products(g, x, mean), normalization.layer(x, w, bias, mean, a), out, dx, dw, db,
            rms,
            *normalization.column_moments(x), normalization.column_scaled(x, *column), *wide]  # fmt: skip


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("shape", [(5, 3), (1, 1), (2, 1300), (700, 2), (0, 3)], ids=str)
def test_the_loops_are_as_the_numpy_versions(shape: Any, dtype: Any, monkeypatch: Any) -> None:
    pytest.importorskip("numba", reason="numba is not installed: pip install 'autograd-core[fast]'")
    with kernels.using(numba=True):
        fast = every_kernel(shape, dtype)
    with kernels.using(numba=False):
        plain = every_kernel(shape, dtype)
    monkeypatch.setattr(normalization, "ALONE", 2)  # in parts
    parts = every_kernel(shape, dtype)
    for one, other, third in zip(plain, fast, parts, strict=True):
        assert one.dtype == other.dtype == dtype
        size = np.abs(one).max(initial=1)
        np.testing.assert_allclose(other, one, rtol=0, atol=size * (2e-5 if dtype == np.float32 else 1e-12))
        np.testing.assert_allclose(third, one, rtol=0, atol=size * (2e-5 if dtype == np.float32 else 1e-12))


@pytest.mark.parametrize("numba", [False, True])
@pytest.mark.parametrize(
    ("layer", "shape"),
    [(nn.BatchNorm2d(2), (4, 2, 6, 5)), (nn.BatchNorm1d(5), (40, 5)), (nn.LayerNorm(50), (4, 50)),
     (nn.GroupNorm(1, 2), (2, 2, 50))],
    ids=lambda v: type(v).__name__,
)  # fmt: skip
def test_a_large_mean_costs_no_digits(layer: Any, shape: Any, numba: bool) -> None:
    if numba:
        pytest.importorskip("numba", reason="numba is not installed: pip install 'autograd-core[fast]'")
    x = (RNG(1).normal(size=shape) + 3e4).astype(np.float32)
    with kernels.using(numba=numba):
        y = layer(x)
        exact = layer.double()(x.astype(float))
        layer.float()
    assert y.dtype == np.float32
    # the mean is right to half its last digit, 1e-3; a variance from mean(x^2) - mean(x)^2 would be noise
    np.testing.assert_allclose(y.numpy(), exact.numpy(), atol=2e-3)


@pytest.mark.parametrize("numba", [False, True])
def test_sums_over_long_rows_are_exact(numba: bool) -> None:
    if numba:
        pytest.importorskip("numba", reason="numba is not installed: pip install 'autograd-core[fast]'")
    x = (RNG(2).random((2, 1_000_000)) + 1).astype(np.float32)
    with kernels.using(numba=numba):
        mean, square = normalization.moments(x)
    np.testing.assert_allclose(mean, x.mean(1, dtype=float), rtol=3e-7)
    np.testing.assert_allclose(square / x.shape[1], x.var(1, dtype=float), rtol=3e-6)


def test_memory_in_any_order() -> None:
    x = RNG(3).normal(size=(3, 4, 2, 5))
    for layer in (nn.BatchNorm2d(4).double(), nn.LayerNorm(5).double(), nn.GroupNorm(2, 4).double()):
        grads = []
        for given in (x, np.asfortranarray(x), x[::-1][::-1]):
            t = ag.tensor(x, requires_grad=True)
            t.data = given
            y = layer(t)
            y.backward(np.asfortranarray(np.cos(x)))
            grads.append((y.numpy(), t.grad))
        for y, g in grads[1:]:
            np.testing.assert_allclose(y, grads[0][0], atol=1e-13)
            np.testing.assert_allclose(g, grads[0][1], atol=1e-13)


def test_the_result_is_not_kept_for_backward() -> None:
    x = ag.tensor(RNG(4).normal(size=(8, 16)).astype(np.float32), requires_grad=True)
    for layer in (nn.BatchNorm1d(16), nn.LayerNorm(16), nn.RMSNorm(16), nn.GroupNorm(4, 16)):
        node: Any = layer(x).node
        while "normalize" not in node.primitive.name:
            node = node.edges[0]
        assert node.output is None


# -- statistics ------------------------------------------------------------------------------------


def test_without_momentum_the_running_statistics_are_averages_of_all_batches() -> None:
    layer = nn.BatchNorm1d(3, momentum=None, dtype=np.float64)
    batches = [RNG(i).normal(i, 1 + i, (5, 3)) for i in range(4)]
    for x in batches:
        layer(x)
    np.testing.assert_allclose(layer.running_mean, np.mean([x.mean(0) for x in batches], 0))
    np.testing.assert_allclose(layer.running_var, np.mean([x.var(0, ddof=1) for x in batches], 0))
    assert layer.num_batches_tracked == 4
    layer.reset_running_stats()
    assert layer.num_batches_tracked == 0
    assert (layer.running_mean == 0).all()
    assert (layer.running_var == 1).all()


def test_in_evaluation_the_statistics_stay_and_an_example_is_by_itself() -> None:
    layer = nn.BatchNorm2d(2)
    x = RNG(5).normal(size=(4, 2, 3, 3)).astype(np.float32)
    layer(x)
    before = layer.state_dict()
    layer.eval()
    np.testing.assert_allclose(layer(x)[:1].numpy(), layer(x[:1]).numpy(), rtol=1e-6)
    assert layer(x[:1, :, :1, :1]).shape == (1, 2, 1, 1)
    for name, value in layer.state_dict().items():
        np.testing.assert_array_equal(value, before[name])


def test_an_empty_batch_changes_nothing() -> None:
    layer = nn.BatchNorm1d(3)
    assert layer(np.zeros((0, 3))).shape == (0, 3)
    assert (layer.running_mean == 0).all()
    assert (layer.running_var == 1).all()
    assert nn.LayerNorm(3)(np.zeros((0, 3))).shape == (0, 3)


# -- beside PyTorch --------------------------------------------------------------------------------

LAYERS = [
    ("BatchNorm1d", (3,), (4, 3)), ("BatchNorm2d", (3,), (2, 3, 2, 2)), ("LayerNorm", (4,), (3, 4)),
    ("GroupNorm", (2, 4), (2, 4, 3)), ("InstanceNorm1d", (3,), (2, 3, 4)), ("RMSNorm", (4,), (3, 4)),
]  # fmt: skip


@pytest.mark.parametrize(("name", "args", "shape"), LAYERS, ids=[name for name, _, _ in LAYERS])
def test_a_gradient_penalty_as_pytorch(name: str, args: Any, shape: Any, torch: Any) -> None:
    data, ours = RNG(6).normal(size=shape), getattr(nn, name)(*args).double()
    theirs = getattr(torch.nn, name)(*args).double()
    x, z = ag.tensor(data, requires_grad=True), torch.tensor(data, requires_grad=True)
    critic = ours(x).tanh().sum()
    critic.backward(create_graph=True)
    grad: Any = x.grad
    x.grad = None
    ours.zero_grad()
    (grad * grad).sum().backward()
    (slope,) = torch.autograd.grad(torch.tanh(theirs(z)).sum(), z, create_graph=True)
    (slope * slope).sum().backward()
    np.testing.assert_allclose(strip(x.grad), z.grad.numpy(), atol=1e-10)
    for p, q in zip(ours.parameters(), theirs.parameters(), strict=True):
        if q.grad is not None:
            np.testing.assert_allclose(strip(p.grad), q.grad.numpy(), atol=1e-10)


FORMS: list[tuple[str, tuple[int, ...], tuple[Any, ...], dict[str, Any]]] = [
    ("batch_norm", (4, 3), ("m", "v"), {}),
    ("batch_norm", (4, 3), ("m", "v", "w", "w"), {"training": True, "momentum": 0.3, "eps": 0.1}),
    ("batch_norm", (2, 3, 4), ("m", "v", "w", None), {"eps": 0.1}),
    ("batch_norm", (2, 3, 4), (None, None, None, "w"), {"training": True}),
    ("instance_norm", (2, 3, 4), (), {}),
    ("instance_norm", (2, 3, 4), ("m", "v", "w", "w"), {"momentum": 0.3, "eps": 0.1}),
    ("instance_norm", (2, 3, 4), ("m", "v"), {"use_input_stats": False}),
    ("group_norm", (2, 4, 3), (2,), {}),
    ("group_norm", (2, 6), (2, "w6"), {"eps": 0.1}),
    ("layer_norm", (2, 3, 4), ((3, 4),), {}),
    ("layer_norm", (2, 3), ((3,), None, "w"), {"eps": 0.1}),
    ("rms_norm", (2, 3), ((3,), "w"), {"eps": 0.1}),
    ("rms_norm", (2, 3, 4), ((3, 4),), {}),
    ("local_response_norm", (2, 5, 3), (3,), {"alpha": 0.5, "beta": 1.5, "k": 2.0}),
    *[("normalize", (2, 3, 4), (), given) for given in [{}, {"p": 1.0}, {"p": 3.0}, {"p": np.inf}, {"dim": 0},
                                                        {"dim": -1}, {"dim": (1, 2)}, {"eps": 5.0}]],
]  # fmt: skip


@pytest.mark.parametrize(("name", "shape", "args", "given"), FORMS, ids=lambda v: str(v).replace(" ", ""))
def test_functional_forms_as_pytorch(name: str, shape: Any, args: Any, given: Any, torch: Any) -> None:
    rng = RNG(7)
    values = {"m": rng.normal(size=3), "v": rng.random(3) + 1, "w": rng.normal(size=3),
              "w6": rng.normal(size=6)}  # fmt: skip
    data, up = rng.normal(size=shape), rng.normal(size=shape)
    x, z = ag.tensor(data, requires_grad=True), torch.tensor(data, requires_grad=True)
    mine = [values[a].copy() if isinstance(a, str) else a for a in args]
    other = [torch.tensor(values[a]) if isinstance(a, str) else a for a in args]
    y, u = getattr(F, name)(x, *mine, **given), getattr(torch.nn.functional, name)(z, *other, **given)
    np.testing.assert_allclose(y.numpy(), u.detach().numpy(), atol=1e-10)
    y.backward(up)
    u.backward(torch.tensor(up))
    np.testing.assert_allclose(x.grad, z.grad.numpy(), atol=1e-10)
    for a, b in zip(mine, other, strict=True):
        if isinstance(a, np.ndarray):
            np.testing.assert_allclose(a, b.numpy(), atol=1e-10)  # running statistics, updated in place


def test_group_norm_is_between_layer_and_instance_norm() -> None:
    x = RNG(8).normal(size=(2, 4, 5))
    np.testing.assert_allclose(F.group_norm(x, 1), F.layer_norm(x, (4, 5)))
    np.testing.assert_allclose(F.group_norm(x, 4), F.instance_norm(x))


def test_vectors_of_length_zero_are_left() -> None:
    x = ag.tensor(np.array([[0.0, 0.0], [3.0, 4.0]]), requires_grad=True)
    y = F.normalize(x)
    np.testing.assert_allclose(y.numpy(), [[0, 0], [0.6, 0.8]])
    y.sum().backward()
    assert np.isfinite(strip(x.grad)).all()


# -- errors ----------------------------------------------------------------------------------------

WRONG: list[tuple[Any, str]] = [
    (lambda: nn.BatchNorm2d(3)(np.zeros((2, 1, 8, 8))),
     r"BatchNorm2d\] got 1 channel \(an input of shape \(2, 1, 8, 8"),
    (lambda: nn.BatchNorm2d(3)(np.zeros((2, 3))),
     r"BatchNorm2d\] got an input of shape \(2, 3\), expected \(N, C, H, W"),
    (lambda: nn.BatchNorm1d(3)(np.zeros((1, 3))),
     r"BatchNorm1d\] got one value per channel in training .* try eval\(\)"),
    (lambda: nn.InstanceNorm1d(3)(np.zeros((2, 3, 1))),
     r"InstanceNorm1d\] got one value per channel in training"),
    (lambda: nn.GroupNorm(3, 3)(np.zeros((1, 3))), r"GroupNorm\] got one value per channel"),
    (lambda: nn.InstanceNorm2d(3)(np.zeros((2, 5, 5))), r"InstanceNorm2d\] got 2 channels"),
    (lambda: nn.BatchNorm1d(0), r"BatchNorm1d\] got num_features=0"),
    (lambda: nn.BatchNorm1d(2, momentum=1.5), r"got momentum=1.5, expected a number in \[0, 1\]"),
    (lambda: nn.GroupNorm(2, 3), r"GroupNorm\] got num_groups=2 and num_channels=3"),
    (lambda: nn.GroupNorm(2, 4)(np.zeros((2, 6))),
     r"GroupNorm\] got an input of shape \(2, 6\), expected \(N, 4"),
    (lambda: nn.LayerNorm(()), r"LayerNorm\] got normalized_shape=\(\)"),
    (lambda: nn.LayerNorm((3, 4))(np.zeros((2, 4))),
     r"LayerNorm\] got an input of shape \(2, 4\) for normalized_shape"),
    (lambda: nn.RMSNorm(3)(np.zeros((2, 4))), r"RMSNorm\] got an input of shape \(2, 4\)"),
    (lambda: nn.LocalResponseNorm(0), r"LocalResponseNorm\] got size=0"),
    (lambda: nn.CrossMapLRN2d(4), r"CrossMapLRN2d\] got size=4, expected an odd number"),
    (lambda: F.local_response_norm(np.zeros((2, 3)), 3),
     r"local_response_norm\] got size=3 and an input of shape \(2, 3"),
    (lambda: F.batch_norm(np.zeros((2, 3)), None, None), r"batch_norm\] got no running statistics"),
    (lambda: F.batch_norm(np.zeros((2, 3)), np.zeros(3), None, training=True), r"got one of two statistics"),
    (lambda: F.batch_norm(np.zeros((2, 3)), np.zeros(4), np.ones(4)), r"a weight or bias of shape \(4,\)"),
    (lambda: F.batch_norm(np.zeros((2, 3)), None, None, np.ones(2), training=True),
     r"of shape \(2,\), expected"),
    (lambda: F.instance_norm(np.zeros((2, 3, 4)), use_input_stats=False),
     r"instance_norm\] got no running statistics"),
    (lambda: F.group_norm(np.zeros((2, 3)), 2), r"group_norm\] got 3 channels"),
    (lambda: F.layer_norm(np.zeros((2, 3)), 3, np.ones(2)),
     r"layer_norm\] got a weight or bias of shape \(2,\)"),
]  # fmt: skip


@pytest.mark.parametrize(("call", "text"), WRONG, ids=[text[:40] for _, text in WRONG])
def test_errors(call: Any, text: str) -> None:
    with pytest.raises(ValueError, match=text):
        call()
