"""Initialisers: their distributions, their patterns, and what they do to the signals of a deep network."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest

from autograd_core import nn

SHAPE = (300, 200)  # fan_in 200, fan_out 300
# What each draws from: its bound (inf: none), and its standard deviation.
SPREADS: list[tuple[str, dict[str, Any], float, float]] = [
    ("uniform_", {"a": -2.0, "b": 2.0}, 2, 2 / math.sqrt(3)),
    ("normal_", {"std": 0.3}, math.inf, 0.3),
    ("trunc_normal_", {}, 2, 0.879625661),  # sqrt(1 - 4 phi(2) / (2 Phi(2) - 1))
    ("trunc_normal_", {"std": 0.5, "a": -1.0, "b": 1.0}, 1, 0.5 * 0.879625661),
    ("xavier_uniform_", {}, math.sqrt(6 / 500), math.sqrt(2 / 500)),
    ("xavier_uniform_", {"gain": 5 / 3}, 5 / 3 * math.sqrt(6 / 500), 5 / 3 * math.sqrt(2 / 500)),
    ("xavier_normal_", {"gain": 2.0}, math.inf, 2 * math.sqrt(2 / 500)),
    ("lecun_uniform_", {}, math.sqrt(3 / 200), 1 / math.sqrt(200)),
    ("lecun_uniform_", {"gain": 2.0}, 2 * math.sqrt(3 / 200), 2 / math.sqrt(200)),
    ("lecun_normal_", {}, math.inf, 1 / math.sqrt(200)),
    ("lecun_normal_", {"gain": 0.5}, math.inf, 0.5 / math.sqrt(200)),
    ("kaiming_uniform_", {}, math.sqrt(6 / 200), math.sqrt(2 / 200)),
    ("kaiming_uniform_", {"a": 1.0, "mode": "fan_out"}, math.sqrt(3 / 300), math.sqrt(1 / 300)),
    ("kaiming_uniform_", {"nonlinearity": "tanh"}, 5 / 3 * math.sqrt(3 / 200), 5 / 3 / math.sqrt(200)),
    ("kaiming_normal_", {"nonlinearity": "relu"}, math.inf, math.sqrt(2 / 200)),
    ("kaiming_normal_", {"mode": "fan_out", "nonlinearity": "selu"}, math.inf, 0.75 / math.sqrt(300)),
    ("kaiming_normal_", {"nonlinearity": "conv_transpose2d"}, math.inf, 1 / math.sqrt(200)),
    ("orthogonal_", {}, math.inf, 1 / math.sqrt(300)),
    ("directions_", {}, 1, 1 / math.sqrt(200)),
    ("directions_", {"gain": 3.0}, 3, 3 / math.sqrt(200)),
]


def empty(*shape: int, dtype: Any = np.float32) -> nn.Parameter:
    return nn.Parameter(np.full(shape, np.nan, dtype))


@pytest.fixture(scope="module")
def torch() -> Any:
    return pytest.importorskip("torch", reason="PyTorch is not installed: nothing to compare with")


@pytest.mark.parametrize(("name", "options", "bound", "std"), SPREADS)
def test_bounds_and_spread(name: str, options: dict[str, Any], bound: float, std: float) -> None:
    nn.manual_seed(0)
    p = empty(*SHAPE)
    assert getattr(nn.init, name)(p, **options) is p
    w = p.numpy().astype(float)
    n = w.size
    error = std / math.sqrt(n)  # of the mean of n draws; of their deviation at most that, for these
    assert abs(w).max() <= bound * (1 + 1e-6)
    assert abs(w.mean()) < 5 * error
    assert abs(w.std() - std) < 5 * error
    if bound < math.inf and name not in ("directions_",):
        assert abs(w).max() > 0.99 * bound


DRAWS = [
    ("uniform_", {}), ("uniform_", {"a": -2, "b": 3}), ("normal_", {}), ("normal_", {"mean": 1, "std": 0.1}),
    ("trunc_normal_", {}), ("trunc_normal_", {"mean": 0.5, "std": 2, "a": -1, "b": 4}),
    ("xavier_uniform_", {}), ("xavier_uniform_", {"gain": 2}), ("xavier_normal_", {"gain": 2}),
    ("kaiming_uniform_", {}), ("kaiming_uniform_", {"a": 1, "mode": "fan_out"}),
    ("kaiming_normal_", {"nonlinearity": "relu"}), ("kaiming_normal_", {"mode": "fan_out"}),
    ("orthogonal_", {"gain": 3}), ("sparse_", {"sparsity": 0.3, "std": 2}), ("eye_", {}),
    ("constant_", {"val": 3}), ("ones_", {}), ("zeros_", {}),
]  # fmt: skip


@pytest.mark.parametrize(("name", "options"), DRAWS)
def test_they_draw_from_the_distribution_of_theirs(name: str, options: Any, torch: Any) -> None:
    torch.manual_seed(0)
    nn.manual_seed(0)
    ours, theirs = empty(*SHAPE), torch.empty(SHAPE)
    assert getattr(nn.init, name)(ours, **options) is ours
    getattr(torch.nn.init, name)(theirs, **options)
    a, b = np.sort(ours.numpy().ravel()), np.sort(theirs.numpy().ravel())
    np.testing.assert_allclose(a[300::600], b[300::600], atol=0.05 * max(b.std(), 1e-3))  # quantiles


def test_layers_start_as_theirs(torch: Any) -> None:
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


def test_all_of_theirs_are_here(torch: Any) -> None:
    theirs = {name for name in vars(torch.nn.init) if name.endswith("_") and not name.startswith("_")}
    assert {name for name in theirs if not hasattr(nn.init, name)} == set()


@pytest.mark.parametrize("name", [
    "linear", "conv1d", "conv2d", "conv3d", "conv_transpose1d", "conv_transpose2d", "conv_transpose3d",
    "sigmoid", "tanh", "relu", "leaky_relu", "selu",
])  # fmt: skip
def test_gains(name: str, torch: Any) -> None:
    for param in (None, 0.3):
        theirs = torch.nn.init.calculate_gain(name, param)
        assert nn.init.calculate_gain(name, param) == pytest.approx(theirs, rel=1e-12)


@pytest.mark.parametrize("shape", [(3, 2), (8, 4, 3), (8, 4, 3, 5), (2, 3, 4, 5, 6), (0, 3), (3, 0, 2)])
def test_fans(shape: tuple[int, ...], torch: Any) -> None:
    assert nn.init.fans(empty(*shape)) == torch.nn.init._calculate_fan_in_and_fan_out(torch.empty(shape))


def test_nothing_to_fill_is_no_error() -> None:
    for name in ("xavier_uniform_", "xavier_normal_", "kaiming_normal_", "lecun_uniform_", "lecun_normal_"):
        assert getattr(nn.init, name)(empty(0, 0)).shape == (0, 0)


def test_they_write_in_place_and_take_a_generator() -> None:
    w = nn.Parameter(np.zeros((4, 3), np.float32))
    version = w.version
    a = nn.init.normal_(w, generator=np.random.default_rng(1)).numpy().copy()
    assert w.version > version
    assert w.requires_grad
    assert w.is_leaf
    assert w.dtype == np.float32
    for name, _ in {(name, 0) for name, *_ in SPREADS}:
        first = getattr(nn.init, name)(empty(4, 3), generator=np.random.default_rng(1)).numpy()
        assert np.array_equal(getattr(nn.init, name)(w, generator=np.random.default_rng(1)).numpy(), first)
    assert np.array_equal(nn.init.normal_(w, generator=np.random.default_rng(1)).numpy(), a)


# -- patterns --------------------------------------------------------------------------------------


@pytest.mark.parametrize("shape", [(3, 5), (5, 3), (4, 4), (4, 2, 3), (2, 3, 2, 2), (1, 3)])
def test_orthogonal_rows_or_columns(shape: tuple[int, ...]) -> None:
    q = nn.init.orthogonal_(empty(*shape, dtype=np.float64), gain=2).numpy().reshape(shape[0], -1)
    small = q @ q.T if q.shape[0] <= q.shape[1] else q.T @ q
    np.testing.assert_allclose(small, 4 * np.eye(len(small)), atol=1e-14)


def test_orthogonal_matrices_are_drawn_evenly() -> None:
    nn.manual_seed(0)
    draws = np.array([nn.init.orthogonal_(empty(3, 3)).numpy() for _ in range(400)])
    positive = np.mean(draws > 0, axis=0)  # of each entry: a decomposition alone has signs of its own
    assert abs(positive - 0.5).max() < 5 * 0.5 / math.sqrt(400)


def test_sparse_and_eye() -> None:
    w = nn.init.sparse_(empty(10, 4), 0.25, std=2.0).numpy()
    assert ((w == 0).sum(0) == 3).all(), "a quarter of each column, rounded up"
    assert np.array_equal(nn.init.eye_(empty(4, 3)).numpy(), np.eye(4, 3))


@pytest.mark.parametrize(("shape", "groups"), [
    ((3, 3, 3), 1), ((2, 4, 3), 1), ((5, 2, 3, 5), 1), ((4, 2, 3, 3), 2), ((6, 2, 4), 3),
    ((3, 2, 1, 3, 5), 1),
])  # fmt: skip
def test_dirac_is_the_identity_of_convolution(shape: tuple[int, ...], groups: int, torch: Any) -> None:
    w = nn.init.dirac_(empty(*shape), groups).numpy()
    assert np.array_equal(w, torch.nn.init.dirac_(torch.empty(shape), groups).numpy())
    x = np.random.default_rng(0).normal(size=(2, shape[1] * groups, 6, 6, 6)[: len(shape)]).astype(np.float32)
    if not all(n % 2 for n in shape[2:]):
        return  # an even filter has no middle
    convolve = (torch.conv1d, torch.conv2d, torch.conv3d)[len(shape) - 3]
    y = convolve(torch.tensor(x), torch.tensor(w), padding=[n // 2 for n in shape[2:]], groups=groups).numpy()
    each, channels = shape[0] // groups, shape[1]
    for i in range(shape[0]):
        group, j = divmod(i, each)
        expected = x[:, group * channels + j] if j < channels else np.zeros_like(x[:, 0])
        assert np.array_equal(y[:, i], expected)


def test_directions_are_even_over_the_sphere() -> None:
    nn.manual_seed(0)
    n, d = 20_000, 3
    w = nn.init.directions_(empty(n, d), gain=2.0).numpy().astype(float)
    np.testing.assert_allclose(np.linalg.norm(w, axis=1), 2, rtol=1e-6)
    assert abs(w.mean(0)).max() < 5 * 2 / math.sqrt(3 * n)
    # Along any axis through a sphere of radius 2 in three dimensions the places are uniform on [-2, 2].
    for axis in np.eye(3)[:2]:
        share = np.sort(w @ axis) / 4 + 0.5
        assert abs(share - (np.arange(n) + 0.5) / n).max() < 2 / math.sqrt(n)  # Kolmogorov and Smirnov: 1e-3
    filters = nn.init.directions_(empty(5, 2, 3, 3)).numpy()
    np.testing.assert_allclose((filters**2).sum((1, 2, 3)), 1, rtol=1e-5)


# -- hinges ------------------------------------------------------------------------------------------


def test_hinges_of_one_input_are_evenly_spaced() -> None:
    nn.manual_seed(0)
    layer = nn.Linear(1, 8)
    nn.init.hinges_(layer.bias, layer.weight, (-2.0, 6.0))
    places = (-layer.bias / layer.weight[:, 0]).detach().numpy()
    assert (layer.weight.numpy() < 0).any()
    np.testing.assert_allclose(places, np.arange(8) - 1.5, rtol=1e-5, atol=1e-5)


def test_hinges_have_equal_shares_of_the_data_between_them() -> None:
    nn.manual_seed(0)
    rng = np.random.default_rng(0)
    x = rng.exponential(size=(4000, 3)) @ rng.normal(size=(3, 3)) + 5  # skewed, far from the origin
    layer = nn.Linear(3, 10, dtype=np.float64)
    before = np.mean(layer(x).numpy() > 0, axis=0)
    assert ((before == 0) | (before == 1)).sum() >= 5, "as they come, half of the units do not bend"
    nn.init.hinges_(layer.bias, layer.weight, x)
    share = np.mean(layer(x).numpy() > 0, axis=0)
    ends = np.minimum(share, 1 - share)  # a unit is on for what lies on either side of its hinge
    np.testing.assert_allclose(np.sort(ends), np.repeat([0.05, 0.15, 0.25, 0.35, 0.45], 2), atol=2 / 4000)
    nn.init.hinges_(layer.bias, layer.weight, (4.0, 6.0))
    corners = np.array(np.meshgrid(*[[4.0, 6.0]] * 3)).reshape(3, -1).T
    z = layer(corners).numpy()
    assert (z.min(0) < 0).all(), "every hinge cuts the cube"
    assert (z.max(0) > 0).all()


# -- six layers, as the lectures draw them ---------------------------------------------------------


WIDTH, BATCH = 400, 200


def signals(fill: Any, activation: str) -> list[Any]:
    """Return the activations after each of six layers."""
    nn.manual_seed(0)
    x: Any = np.random.default_rng(1).normal(size=(BATCH, WIDTH)).astype(np.float32)  # of another seed than w
    out = []
    for _ in range(6):
        w = fill(empty(WIDTH, WIDTH)).detach()
        x = getattr(nn.functional, activation)(x @ w.numpy().T)
        out.append(x)
    return out


def predicted(std: float, activation: str) -> list[float]:
    """Return the mean square after each layer: E f(s z)^2 for a normal z, s^2 the one before times n std^2.

    So it is for infinitely many units [Poole et al., Exponential expressivity, 2016].
    """
    z, weight = np.polynomial.hermite_e.hermegauss(100)
    squares, before = [], 1.0
    for _ in range(6):
        u = math.sqrt(before * WIDTH) * std * z
        y = np.tanh(u) if activation == "tanh" else np.maximum(u, 0)
        before = float((y * y) @ weight / weight.sum())
        squares.append(before)
    return squares


def squares(fill: Any, activation: str) -> list[float]:
    return [float(np.mean(np.square(x))) for x in signals(fill, activation)]


def test_small_weights_let_a_deep_tanh_network_vanish() -> None:
    got = squares(lambda w: nn.init.normal_(w, std=0.01), "tanh")
    np.testing.assert_allclose(got, predicted(0.01, "tanh"), rtol=0.15)
    factor = 0.01 * math.sqrt(WIDTH)  # of each layer, where tanh x = x
    assert math.sqrt(got[-1]) == pytest.approx(factor**6, rel=0.1)
    assert math.sqrt(got[-1]) < 1e-4


def test_large_weights_saturate_it() -> None:
    std = 0.05 * math.sqrt(4096 / WIDTH)  # the same sums as of 0.05 and 4,096 units
    outputs = signals(lambda w: nn.init.normal_(w, std=std), "tanh")
    np.testing.assert_allclose([np.mean(x**2) for x in outputs], predicted(std, "tanh"), rtol=0.05)
    assert np.mean(abs(outputs[-1]) > 0.9) > 0.5, "most units are at their ends"
    assert np.median(1 - outputs[-1] ** 2) < 0.2, "where little of the gradient passes"


def test_xavier_keeps_the_spread_of_tanh_and_not_of_relu() -> None:
    n = math.sqrt(WIDTH)
    for gain in (1.0, 5 / 3):
        got = squares(lambda w, gain=gain: nn.init.xavier_normal_(w, gain=gain), "tanh")
        np.testing.assert_allclose(got, predicted(gain / n, "tanh"), rtol=0.1)
        assert got[-1] > 0.08
    halved = squares(nn.init.xavier_normal_, "relu")
    _nearly(halved, [0.5**layer for layer in range(1, 7)])


@pytest.mark.parametrize("fill", [nn.init.kaiming_normal_, nn.init.kaiming_uniform_])
def test_the_correction_for_relu_keeps_it(fill: Any) -> None:
    got = squares(lambda w: fill(w, nonlinearity="relu"), "relu")
    _nearly(got, predicted(math.sqrt(2 / WIDTH), "relu"))
    np.testing.assert_allclose(predicted(math.sqrt(2 / WIDTH), "relu"), 1, rtol=1e-9)


def _nearly(squares: Any, expected: Any) -> None:
    """Compare up to chance: a mean of n squares of rectified normals varies by 5 / n, in each layer anew."""
    for layer, (a, b) in enumerate(zip(squares, expected, strict=True), 1):
        assert abs(math.log(a / b)) < 3 * math.sqrt(5 * layer / WIDTH)


def test_selu_stays_standardised_with_lecun() -> None:
    last = signals(nn.init.lecun_normal_, "selu")[-1]
    assert abs(last.mean()) < 0.1
    assert last.var() == pytest.approx(1, rel=0.15)


@pytest.mark.parametrize(
    ("call", "text"),
    [
        (lambda w: nn.init.xavier_uniform_(w), r"\[xavier_uniform_\] got a Tensor of shape \(3,\)"),
        (lambda w: nn.init.lecun_normal_(w), r"\[lecun_normal_\] got a Tensor of shape \(3,\)"),
        (lambda w: nn.init.directions_(w), r"\[directions_\] got a Tensor of shape \(3,\)"),
        (lambda w: nn.init.orthogonal_(w), "at least two axes"),
        (lambda w: nn.init.eye_(w), "expected two axes"),
        (lambda w: nn.init.dirac_(w), "expected three, four or five axes"),
        (lambda w: nn.init.dirac_(empty(3, 2, 3), groups=2), "3 channels in 2 groups"),
        (lambda w: nn.init.calculate_gain("swish"), "'swish', expected one of linear"),
        (lambda w: nn.init.kaiming_normal_(w, mode="fan"), "mode='fan', expected 'fan_in' or"),
        (lambda w: nn.init.trunc_normal_(w, a=2, b=1), "expected a < b"),
        (lambda w: nn.init.trunc_normal_(w, mean=100), "within four std"),
        (lambda w: nn.init.hinges_(w, empty(2, 3)), r"a bias of shape \(3,\), expected \(2,\)"),
        (lambda w: nn.init.hinges_(w, empty(3, 3), np.ones((5, 2))), r"two numbers, or data \(N, 3\)"),
    ],
)
def test_wrong_ones_are_explained(call: Any, text: str) -> None:
    with pytest.raises(ValueError, match=text):
        call(nn.Parameter(np.zeros(3)))


def test_a_layer_is_no_tensor_to_fill() -> None:
    with pytest.raises(TypeError, match=r"\[xavier_uniform_\] got a Linear, .*; try module.weight"):
        nn.init.xavier_uniform_(nn.Linear(2, 3))
