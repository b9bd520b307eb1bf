"""Values, input gradients and parameter gradients against PyTorch, over the arguments of each."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import autograd_core as ag
from autograd_core import nn

torch = pytest.importorskip(
    "torch", reason="PyTorch is not installed: pip install 'autograd-core[oracle]'"
)
F = nn.functional
TF = torch.nn.functional
DTYPES = [np.float32, np.float64]
RTOL = {np.dtype(np.float32): 3e-5, np.dtype(np.float64): 1e-10}


def close(ours: Any, theirs: Any, dtype: Any) -> None:
    ours = ours.numpy() if isinstance(ours, ag.Tensor) else ours
    theirs = theirs.detach().numpy()
    assert ours.dtype == dtype
    assert ours.shape == theirs.shape
    rtol = RTOL[np.dtype(dtype)]
    np.testing.assert_allclose(ours, theirs, rtol=rtol, atol=rtol)


def compare(ours: Any, theirs: Any, arrays: list[Any], dtype: Any, rng: Any, constants: Any = ()) -> None:
    """Compare two functions of the same arrays: results, and the gradients of all of them."""
    a = [ag.tensor(np.asarray(x, dtype), requires_grad=True) for x in arrays]
    b = [torch.tensor(np.asarray(x, dtype), requires_grad=True) for x in arrays]
    y, z = ours(*a, *constants), theirs(*b, *map(torch.as_tensor, constants))
    close(y, z, dtype)
    g = rng.normal(size=y.shape).astype(dtype)
    y.backward(g)
    z.backward(torch.tensor(g))
    for mine, other in zip(a, b, strict=True):
        close(mine.grad, other.grad, dtype)


def compare_modules(ours: Any, theirs: Any, x: Any, dtype: Any, rng: Any) -> None:
    """Compare two modules, the first with the state of the second."""
    theirs = theirs.to(torch.tensor(np.zeros(1, dtype)).dtype)
    ours = ours.to(dtype)
    ours.load_state_dict(theirs.state_dict())
    ours.zero_grad()
    theirs.zero_grad()
    compare(ours, theirs, [x], dtype, rng)
    state = dict(theirs.named_parameters())
    assert [name for name, _ in ours.named_parameters()] == list(state)
    for name, p in ours.named_parameters():
        close(p.grad, state[name].grad, dtype)


@pytest.fixture
def rng() -> np.random.Generator:
    return np.random.default_rng(3)


POINTS = [-1000.0, -30.0, -2.0, -0.5, -0.0, 0.0, 1e-6, 0.3, 2.0, 30.0, 1000.0]
ACTIVATIONS = [
    (nn.Sigmoid(), torch.nn.Sigmoid()),
    (nn.Tanh(), torch.nn.Tanh()),
    (nn.ReLU(), torch.nn.ReLU()),
    (nn.LeakyReLU(), torch.nn.LeakyReLU()),
    (nn.LeakyReLU(0.1), torch.nn.LeakyReLU(0.1)),
    (nn.LeakyReLU(0.0), torch.nn.LeakyReLU(0.0)),
    (nn.LeakyReLU(1.0), torch.nn.LeakyReLU(1.0)),
    (nn.LeakyReLU(1.5), torch.nn.LeakyReLU(1.5)),
    (nn.LeakyReLU(-0.5), torch.nn.LeakyReLU(-0.5)),
    (nn.ELU(), torch.nn.ELU()),
    (nn.ELU(0.3), torch.nn.ELU(0.3)),
    (nn.ELU(0.0), torch.nn.ELU(0.0)),
    (nn.Softplus(), torch.nn.Softplus()),
    (nn.Softplus(3.0), torch.nn.Softplus(3.0)),
    (nn.PReLU(), torch.nn.PReLU()),
    (nn.PReLU(init=-0.5), torch.nn.PReLU(init=-0.5)),
]


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("pair", ACTIVATIONS, ids=lambda pair: repr(pair[0]).split("  #")[0])
def test_activations_at_every_kind_of_point(pair: Any, dtype: Any, rng: Any) -> None:
    ours, theirs = pair
    for x in (POINTS, rng.normal(size=(4, 3)), rng.normal(size=(2, 3, 4)), 0.5):
        compare_modules(ours, theirs, x, dtype, rng)


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("shape", [(5, 3), (2, 3, 4), (2, 3, 4, 2)])
def test_prelu_with_a_weight_per_channel(shape: Any, dtype: Any, rng: Any) -> None:
    ours, theirs = nn.PReLU(3), torch.nn.PReLU(3)
    with torch.no_grad():
        theirs.weight[:] = torch.tensor([0.1, 0.5, -0.3])
    compare_modules(ours, theirs, rng.normal(size=shape), dtype, rng)


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("dim", [0, 1, -1])
@pytest.mark.parametrize("name", ["Softmax", "LogSoftmax"])
def test_softmax(name: str, dim: int, dtype: Any, rng: Any) -> None:
    for scale in (1, 1000):
        x = rng.normal(size=(3, 4)) * scale
        compare(getattr(nn, name)(dim), getattr(torch.nn, name)(dim), [x], dtype, rng)


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("bias", [True, False])
@pytest.mark.parametrize("shape", [(4,), (5, 4), (2, 5, 4), (1, 4), (0, 4), (2, 0, 4)])
def test_linear(shape: Any, bias: bool, dtype: Any, rng: Any) -> None:
    ours, theirs = nn.Linear(4, 3, bias), torch.nn.Linear(4, 3, bias)
    compare_modules(ours, theirs, rng.normal(size=shape), dtype, rng)


@pytest.mark.parametrize("dtype", DTYPES)
def test_a_network(dtype: Any, rng: Any) -> None:
    ours = nn.MLP([5, 4, 3, 2], activation="tanh", output_activation="sigmoid")
    theirs = torch.nn.Sequential(
        torch.nn.Linear(5, 4), torch.nn.Tanh(), torch.nn.Linear(4, 3), torch.nn.Tanh(),
        torch.nn.Linear(3, 2), torch.nn.Sigmoid())  # fmt: skip
    compare_modules(ours, theirs, rng.normal(size=(6, 5)), dtype, rng)


@pytest.mark.parametrize("args", [(), (1, 2), (0, -1), (-2, -1)])
def test_flatten(args: Any, rng: Any) -> None:
    x = rng.normal(size=(2, 3, 4))
    compare(nn.Flatten(*args), torch.nn.Flatten(*args), [x], np.float64, rng)


# -- losses ----------------------------------------------------------------------------------------

REDUCTIONS = ["mean", "sum", "none"]


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("reduction", REDUCTIONS)
@pytest.mark.parametrize("shape", [(), (4,), (4, 3), (2, 3, 4)])
def test_mse(shape: Any, reduction: str, dtype: Any, rng: Any) -> None:
    arrays = [rng.normal(size=shape), rng.normal(size=shape)]
    ours, theirs = nn.MSELoss(reduction), torch.nn.MSELoss(reduction=reduction)
    compare(ours, theirs, arrays, dtype, rng)


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("reduction", REDUCTIONS)
@pytest.mark.parametrize("smoothing", [0.0, 0.1, 1.0])
@pytest.mark.parametrize("weighted", [False, True])
@pytest.mark.parametrize("ignore_index", [-100, 1, -1])
@pytest.mark.parametrize("shape", [(6, 4), (4,), (3, 4, 2), (2, 4, 2, 3)])
def test_cross_entropy(
    shape: Any, ignore_index: int, weighted: bool, smoothing: float, reduction: str, dtype: Any, rng: Any
) -> None:
    classes = shape[1] if len(shape) > 1 else shape[0]
    target = rng.integers(0, classes, size=shape[:1] + shape[2:] if len(shape) > 1 else ())
    if len(shape) > 1:
        target.flat[0] = 2
        target.flat[1] = ignore_index if ignore_index != -100 else 0
    weight = np.asarray([0.5, 1.0, 2.0, 0.25], dtype) if weighted else None
    options = {"ignore_index": ignore_index, "reduction": reduction, "label_smoothing": smoothing}
    ours = nn.CrossEntropyLoss(weight, **options)
    theirs = torch.nn.CrossEntropyLoss(None if weight is None else torch.tensor(weight), **options)
    compare(ours, theirs, [rng.normal(size=shape) * 3], dtype, rng, [target])


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("reduction", REDUCTIONS)
@pytest.mark.parametrize("smoothing", [0.0, 0.1])
@pytest.mark.parametrize("weighted", [False, True])
@pytest.mark.parametrize("shape", [(6, 4), (4,), (3, 4, 2)])
def test_cross_entropy_of_probabilities(
    shape: Any, weighted: bool, smoothing: float, reduction: str, dtype: Any, rng: Any
) -> None:
    weight = np.asarray([0.5, 1.0, 2.0, 0.25], dtype) if weighted else None
    options = {"reduction": reduction, "label_smoothing": smoothing}
    ours = nn.CrossEntropyLoss(weight, **options)
    theirs = torch.nn.CrossEntropyLoss(None if weight is None else torch.tensor(weight), **options)
    q = rng.random(shape)
    compare(ours, theirs, [rng.normal(size=shape) * 3, q], dtype, rng)


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("reduction", REDUCTIONS)
@pytest.mark.parametrize("weighted", [False, True])
@pytest.mark.parametrize("ignore_index", [-100, 1])
@pytest.mark.parametrize("shape", [(6, 4), (4,), (3, 4, 2)])
def test_nll(shape: Any, ignore_index: int, weighted: bool, reduction: str, dtype: Any, rng: Any) -> None:
    target = rng.integers(0, 4, size=shape[:1] + shape[2:] if len(shape) > 1 else ())
    target[...] = np.where(target == 1, 2, target)
    if len(shape) > 1:
        target.flat[1] = ignore_index
    weight = np.asarray([0.5, 1.0, 2.0, 0.1], dtype) if weighted else None
    options = {"ignore_index": ignore_index, "reduction": reduction}
    ours = nn.NLLLoss(weight, **options)
    theirs = torch.nn.NLLLoss(None if weight is None else torch.tensor(weight), **options)
    compare(ours, theirs, [rng.normal(size=shape)], dtype, rng, [target])


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("reduction", REDUCTIONS)
@pytest.mark.parametrize("weighted", [False, True])
def test_bce(weighted: bool, reduction: str, dtype: Any, rng: Any) -> None:
    weight = np.asarray([0.5, 1.0, 2.0], dtype) if weighted else None
    ours = nn.BCELoss(weight, reduction=reduction)
    theirs = torch.nn.BCELoss(None if weight is None else torch.tensor(weight), reduction=reduction)
    compare(ours, theirs, [rng.uniform(0.01, 0.99, (4, 3)), rng.random((4, 3))], dtype, rng)
    edges = np.array([[0.0, 1.0, 0.5]])
    for target in ([[0.0, 1.0, 1.0]], [[1.0, 0.0, 1.0]]):  # of the target, theirs is infinite
        a, b = ag.tensor(edges.astype(dtype), requires_grad=True), torch.tensor(
            edges.astype(dtype), requires_grad=True)  # fmt: skip
        y, z = ours(a, np.array(target)), theirs(b, torch.tensor(np.array(target, dtype)))
        close(y, z, dtype)
        y.sum().backward()
        z.sum().backward()
        np.testing.assert_allclose(a.grad, b.grad.numpy(), rtol=1e-6)  # their 1e-12 is a float32


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("reduction", REDUCTIONS)
@pytest.mark.parametrize("weighted", [False, True])
@pytest.mark.parametrize("positive", [False, True])
def test_bce_with_logits(positive: bool, weighted: bool, reduction: str, dtype: Any, rng: Any) -> None:
    weight = np.asarray([0.5, 1.0, 2.0], dtype) if weighted else None
    more = np.asarray([3.0, 1.0, 0.5], dtype) if positive else None
    ours = nn.BCEWithLogitsLoss(weight, reduction=reduction, pos_weight=more)
    theirs = torch.nn.BCEWithLogitsLoss(
        None if weight is None else torch.tensor(weight), reduction=reduction,
        pos_weight=None if more is None else torch.tensor(more))  # fmt: skip
    for x in (rng.normal(size=(4, 3)), rng.normal(size=(4, 3)) * 1000):
        compare(ours, theirs, [x, rng.random((4, 3))], dtype, rng)


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("reduction", REDUCTIONS)
def test_hinges(reduction: str, dtype: Any, rng: Any) -> None:
    x, t = rng.normal(size=8) * 2, rng.choice([-1.0, 1.0], 8).astype(dtype)
    compare(
        lambda x, t: nn.HingeLoss(reduction)(x, t),
        lambda x, t: getattr(TF.relu(1 - t * x), reduction, lambda: TF.relu(1 - t * x))(),
        [x], dtype, rng, [t],
    )  # fmt: skip
    scores, classes = rng.normal(size=(6, 4)), rng.integers(0, 4, 6)
    compare(
        lambda x, t: nn.OneVsAllHingeLoss(reduction)(x, t),
        lambda x, t: 4 * TF.multi_margin_loss(x, t, reduction=reduction),  # theirs divides by C
        [scores], dtype, rng, [classes],
    )  # fmt: skip


def test_one_hot() -> None:
    t = np.array([[0, 2], [1, 0]])
    assert np.array_equal(F.one_hot(t), TF.one_hot(torch.tensor(t)).numpy())
    assert np.array_equal(F.one_hot(t, 5), TF.one_hot(torch.tensor(t), 5).numpy())


# -- what checkpoints and habits rely on -----------------------------------------------------------


def test_a_state_of_pytorch_loads_and_gives_the_same_outputs(rng: Any) -> None:
    theirs = torch.nn.Sequential(torch.nn.Linear(4, 3), torch.nn.PReLU(), torch.nn.Linear(3, 2))
    ours = nn.Sequential(nn.Linear(4, 3), nn.PReLU(), nn.Linear(3, 2))
    assert list(ours.state_dict()) == list(theirs.state_dict())
    ours.load_state_dict(theirs.state_dict())
    x = rng.normal(size=(5, 4)).astype(np.float32)
    close(ours(x), theirs(torch.tensor(x)), np.float32)


@pytest.mark.parametrize(
    "name", ["linear", "sigmoid", "tanh", "relu", "leaky_relu", "selu", "conv2d"]
)
def test_gains(name: str) -> None:
    assert nn.init.calculate_gain(name) == pytest.approx(torch.nn.init.calculate_gain(name))
    assert nn.init.calculate_gain("leaky_relu", 0.3) == pytest.approx(
        torch.nn.init.calculate_gain("leaky_relu", 0.3)
    )


INITIALISERS = [
    ("uniform_", {}), ("uniform_", {"a": -2, "b": 3}), ("normal_", {}),
    ("normal_", {"mean": 1, "std": 0.1}), ("trunc_normal_", {}),
    ("trunc_normal_", {"mean": 0.5, "std": 2, "a": -1, "b": 4}), ("xavier_uniform_", {}),
    ("xavier_uniform_", {"gain": 2}), ("xavier_normal_", {"gain": 2}), ("kaiming_uniform_", {}),
    ("kaiming_uniform_", {"a": 1, "mode": "fan_out"}),
    ("kaiming_normal_", {"nonlinearity": "relu"}), ("kaiming_normal_", {"mode": "fan_out"}),
    ("orthogonal_", {"gain": 3}), ("sparse_", {"sparsity": 0.3, "std": 2}), ("eye_", {}),
    ("constant_", {"val": 3}), ("ones_", {}), ("zeros_", {}),
]  # fmt: skip


@pytest.mark.parametrize(("name", "options"), INITIALISERS)
def test_initialisers_draw_from_the_same_distribution(name: str, options: Any) -> None:
    torch.manual_seed(0)
    nn.manual_seed(0)
    ours, theirs = nn.Parameter(np.full((300, 200), np.nan)), torch.empty(300, 200)
    assert getattr(nn.init, name)(ours, **options) is ours
    getattr(torch.nn.init, name)(theirs, **options)
    a, b = np.sort(ours.numpy().ravel()), np.sort(theirs.numpy().ravel())
    np.testing.assert_allclose(a[300::600], b[300::600], atol=0.05 * max(b.std(), 1e-3))  # quantiles


def test_layers_start_as_theirs() -> None:
    nn.manual_seed(0)
    torch.manual_seed(0)
    for ours, theirs in (
        (nn.Linear(100, 400).weight, torch.nn.Linear(100, 400).weight),
        (nn.Linear(100, 9000).bias, torch.nn.Linear(100, 9000).bias),
    ):
        a, b = np.sort(ours.numpy().ravel()), np.sort(theirs.detach().numpy().ravel())
        np.testing.assert_allclose(a[100::200], b[100::200], atol=0.003)
        assert a[0] < -0.099
        assert a[-1] > 0.099
