"""Losses by numbers of others: PyTorch at kinks, SciPy, definitions written out, lists of all paths."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest

import autograd_core as ag
from autograd_core import kernels, nn

F = nn.functional
RNG = np.random.default_rng(11)


@pytest.fixture(scope="module")
def torch() -> Any:
    return pytest.importorskip("torch", reason="PyTorch is missing: pip install 'autograd-core[oracle]'")


def gradient(f: Any, *xs: Any) -> Any:
    leaves = [ag.tensor(np.asarray(x, float), requires_grad=True) for x in xs]
    f(*leaves).sum().backward()
    return [t.grad.tolist() for t in leaves]


# -- at the kinks: PyTorch's choices, by its own results -------------------------------------------

ONES = np.ones(2)
KINKS = [
    ("hinge_embedding_loss", (ONES,), (np.array([-1, 1]),), {}),
    ("margin_ranking_loss", (ONES, ONES), (np.array([1.0, -1.0]),), {}),
    ("l1_loss", (ONES, ONES), (), {}),
    ("huber_loss", (np.array([1.0, -1.0, 0.0]), np.zeros(3)), (), {}),
    ("smooth_l1_loss", (np.array([0.5, -0.5, 0.0]), np.zeros(3)), (), {"beta": 0.5}),
    ("multi_margin_loss", (np.array([[1.0, 0.0, 0.0]]),), (np.array([0]),), {}),
    ("multilabel_margin_loss", (np.array([[1.0, 0.0, 0.0]]),), (np.array([[0, -1, -1]]),), {}),
    ("cosine_embedding_loss", (np.eye(2)[:1], np.eye(2)[1:]), (np.array([-1]),), {}),
    ("triplet_margin_loss", (np.zeros((1, 2)), np.array([[1.0, 0.0]]), np.array([[0.0, 2.0]])), (),
     {"eps": 0.0}),
    ("triplet_margin_loss", (np.zeros((1, 2)), np.zeros((1, 2)), np.array([[0.0, 0.5]])), (), {"eps": 0.0}),
    ("triplet_margin_loss", (np.zeros((1, 2)), np.array([[2.0, 0.0]]), np.ones((1, 2))), (),
     {"eps": 0.0, "swap": True}),
    ("gaussian_nll_loss", (ONES, np.zeros(2), np.array([0.0, 1e-7])), (), {}),
    ("poisson_nll_loss", (ONES, np.array([0.5, 1.5])), (), {"full": True}),
]  # fmt: skip


@pytest.mark.parametrize(("name", "inputs", "labels", "options"), KINKS, ids=[k[0] for k in KINKS])
def test_at_kinks_as_pytorch(name: str, inputs: Any, labels: Any, options: Any, torch: Any) -> None:
    theirs = [torch.tensor(x, requires_grad=True) for x in inputs]
    f = getattr(torch.nn.functional, name)
    f(*theirs, *map(torch.tensor, labels), reduction="none", **options).sum().backward()
    ours = gradient(lambda *x: getattr(F, name)(*x, *labels, reduction="none", **options), *inputs)
    for a, b in zip(ours, theirs, strict=True):
        np.testing.assert_allclose(a, b.grad.numpy(), rtol=1e-9, atol=1e-12)


# -- functional arguments that no module has -------------------------------------------------------


@pytest.mark.parametrize("reduction", ["mean", "sum", "none"])
@pytest.mark.parametrize("name", ["mse_loss", "l1_loss", "huber_loss"])
def test_weights_as_pytorch(name: str, reduction: str, torch: Any) -> None:
    x, t, w = RNG.normal(size=(3, 2, 4))
    leaf = torch.tensor(x, requires_grad=True)
    z = getattr(torch.nn.functional, name)(leaf, torch.tensor(t), reduction=reduction, weight=torch.tensor(w))
    z.sum().backward()
    y = getattr(F, name)(x, t, reduction, weight=w)
    (g,) = gradient(lambda x: getattr(F, name)(x, t, reduction, weight=w), x)
    np.testing.assert_allclose(y, z.detach().numpy(), rtol=1e-12)
    np.testing.assert_allclose(g, leaf.grad.numpy(), rtol=1e-12)
    single = getattr(F, name)(x.astype(np.float32), t, reduction, weight=w)
    assert single.dtype == np.float32
    with pytest.raises(ValueError, match=rf"\[{name}\] got a weight of shape \(4,\), expected \(2, 4\)"):
        getattr(F, name)(x, t, weight=w[0])


def test_binary_cross_entropy_at_the_ends_as_pytorch(torch: Any) -> None:
    for target in ([0.0, 1.0, 1.0], [1.0, 0.0, 1.0]):  # of the target, theirs is infinite
        a, b = ag.tensor(np.array([0.0, 1.0, 0.5]), requires_grad=True), torch.tensor(
            [0.0, 1.0, 0.5], dtype=torch.float64, requires_grad=True)  # fmt: skip
        y = F.binary_cross_entropy(a, np.array(target))
        z = torch.nn.functional.binary_cross_entropy(b, torch.tensor(target, dtype=torch.float64))
        y.backward()
        z.backward()
        assert y.item() == pytest.approx(z.item(), rel=1e-12)
        np.testing.assert_allclose(a.grad, b.grad.numpy(), rtol=1e-6)  # their 1e-12 is a float32


@pytest.mark.parametrize("numba", [False, True])
def test_a_small_cross_entropy_is_not_lost_beside_large_logits(numba: bool) -> None:
    if numba:
        pytest.importorskip("numba", reason="numba is missing: pip install 'autograd-core[fast]'")
    x = 1000 + np.array([[10.0, 0.0], [0.0, 10.0]])
    with kernels.using(numba=numba):
        losses = F.cross_entropy(x, np.array([0, 1]), reduction="none")
    np.testing.assert_allclose(losses, math.log1p(math.exp(-10)), rtol=1e-11)


def test_a_variance_may_be_a_number() -> None:
    x, t = RNG.normal(size=(2, 4))
    assert float(F.gaussian_nll_loss(x, t, 2.0)) == pytest.approx(
        float(F.gaussian_nll_loss(x, t, np.full(4, 2.0))), rel=1e-14)  # fmt: skip
    assert F.gaussian_nll_loss(x.astype("f4"), t, 2).dtype == np.float32


# -- by hand and by SciPy --------------------------------------------------------------------------


def test_gaussian_likelihoods_are_those_of_scipy() -> None:
    stats = pytest.importorskip("scipy.stats", reason="SciPy is missing: pip install 'autograd-core[scipy]'")
    x, t = RNG.normal(size=(2, 5, 3))
    a = RNG.normal(size=(5, 3, 3))
    s = a @ a.mT + 0.1 * np.eye(3)
    truth = [-stats.multivariate_normal.logpdf(t[i], x[i], s[i]) for i in range(5)]
    root = np.linalg.cholesky(s)
    for given, cholesky in ((s, False), (root, True)):
        got = F.multivariate_gaussian_nll_loss(x, t, given, True, cholesky, reduction="none")
        np.testing.assert_allclose(got, truth, rtol=1e-12)
        without = F.multivariate_gaussian_nll_loss(x, t, given, cholesky=cholesky, reduction="none")
        np.testing.assert_allclose(got - without, 1.5 * math.log(2 * math.pi), rtol=1e-12)
    v = RNG.uniform(0.5, 2, (5, 3))
    np.testing.assert_allclose(F.gaussian_nll_loss(x, t, v, full=True, reduction="none"),
                               -stats.norm.logpdf(t, x, np.sqrt(v)), rtol=1e-12)  # fmt: skip
    diagonal = v[:, :, None] * np.eye(3)
    assert float(F.multivariate_gaussian_nll_loss(x, t, diagonal, reduction="sum")) == pytest.approx(
        float(F.gaussian_nll_loss(x, t, v, reduction="sum")), rel=1e-12)  # fmt: skip


def test_the_gradient_by_a_covariance_is_symmetric_to_first_order() -> None:
    x, t = RNG.normal(size=(2, 3))
    a = RNG.normal(size=(3, 3))
    s, d = a @ a.T + np.eye(3), t - x

    def f(s: Any) -> Any:
        return F.multivariate_gaussian_nll_loss(x, t, 0.5 * (s + s.T))

    inverse = np.linalg.inv(s)  # dL/dS = (S^-1 - S^-1 d d^T S^-1) / 2
    np.testing.assert_allclose(ag.grad(f)(s), (inverse - inverse @ np.outer(d, d) @ inverse) / 2, rtol=1e-10)


def test_gaussian_kl_is_the_mean_difference_of_log_densities() -> None:
    """KL(q || p) = E_q[log q - log p], here by Gauss-Hermite quadrature, exact for these polynomials."""
    m, s = RNG.normal(size=(2, 4))
    nodes, weights = np.polynomial.hermite_e.hermegauss(5)
    z = m + np.exp(s / 2) * nodes[:, None]
    log_q, log_p = -0.5 * (nodes[:, None] ** 2 + s), -0.5 * z**2
    truth = (weights[:, None] * (log_q - log_p)).sum() / weights.sum()
    assert float(F.gaussian_kl(m, s)) == pytest.approx(truth, rel=1e-12)


def test_the_evidence_lower_bound_is_a_sum_of_two() -> None:
    x, t = RNG.normal(size=(4, 2, 3)), RNG.uniform(size=(4, 2, 3))
    m, s = RNG.normal(size=(2, 4, 5))
    bce = F.binary_cross_entropy_with_logits(x, t, reduction="sum")
    kl = F.gaussian_kl(m, s, "sum")
    assert float(F.elbo_loss(x, t, m, s, beta=3.0)) == pytest.approx(float(bce + 3 * kl) / 4, rel=1e-12)
    half = 0.5 * F.mse_loss(x, t, "sum")
    assert float(F.elbo_loss(x, t, m, s, "gaussian", reduction="sum")) == pytest.approx(
        float(half + kl), rel=1e-12)  # fmt: skip


def test_focal_losses_by_their_definition() -> None:
    x, t = RNG.normal(size=(2, 6)) * 3
    t = (t > 0).astype(float)
    p = np.where(t == 1, 1 / (1 + np.exp(-x)), 1 / (1 + np.exp(x)))
    truth = -np.where(t == 1, 0.3, 0.7) * (1 - p) ** 1.5 * np.log(p)
    np.testing.assert_allclose(F.sigmoid_focal_loss(x, t, 0.3, 1.5, "none"), truth, rtol=1e-12)
    np.testing.assert_allclose(F.sigmoid_focal_loss(x, t, None, 0.0),
                               F.binary_cross_entropy_with_logits(x, t), rtol=1e-12)  # fmt: skip
    logits, k = RNG.normal(size=(5, 3)), np.array([0, 2, 1, 1, 0])
    p = (np.exp(logits) / np.exp(logits).sum(1, keepdims=True))[np.arange(5), k]
    w = np.array([0.5, 1.0, 2.0])
    np.testing.assert_allclose(F.focal_loss(logits, k, w, 1.5, reduction="none"),
                               -w[k] * (1 - p) ** 1.5 * np.log(p), rtol=1e-12)  # fmt: skip
    assert float(F.focal_loss(logits, k, w, 1.5)) == pytest.approx(
        (-w[k] * (1 - p) ** 1.5 * np.log(p)).sum() / w[k].sum(), rel=1e-12)  # fmt: skip


def test_hinges_of_several_classes() -> None:
    f, y = np.array([[2.0, 1.5, 1.2, 0.0], [0.0, 3.0, 0.0, 0.0]]), np.array([0, 0])
    assert F.one_vs_all_hinge_loss(f, y, "none").tolist() == pytest.approx([0.5 + 0.2, 4 + 1 + 1])
    assert F.crammer_singer_loss(f, y, "none").tolist() == [0.5, 4.0]
    np.testing.assert_allclose(4 * F.multi_margin_loss(f, y), F.one_vs_all_hinge_loss(f, y), rtol=1e-15)
    (g,) = gradient(lambda x: F.crammer_singer_loss(x, y, "sum"), f)
    assert g == [[-1, 1, 0, 0], [-1, 1, 0, 0]]
    assert F.crammer_singer_loss(np.array([[3.0]]), np.array([0]), "none").tolist() == [0.0]  # no other class


def test_contrast_by_loops() -> None:
    a, b = RNG.normal(size=(2, 4, 3))
    unit = [v / np.linalg.norm(v, axis=1, keepdims=True) for v in (a, b)]
    s = unit[0] @ unit[1].T / 0.2
    truth = [np.log(np.exp(s[i]).sum()) - s[i, i] for i in range(4)]
    np.testing.assert_allclose(F.info_nce_loss(a, b, 0.2, reduction="none"), truth, rtol=1e-12)
    z = np.concatenate(unit)
    s = z @ z.T / 0.5
    truth = [np.log(sum(np.exp(s[i, k]) for k in range(8) if k != i)) - s[i, (i + 4) % 8] for i in range(8)]
    np.testing.assert_allclose(F.nt_xent_loss(a, b, reduction="none"), truth, rtol=1e-12)


# -- alignments ------------------------------------------------------------------------------------


def all_paths(x: Any, label: list[int], blank: int) -> float:
    """Return -log of the sum over a list of all paths."""
    total = 0.0
    for path in np.ndindex(*[x.shape[1]] * len(x)):
        joined = [c for i, c in enumerate(path) if i == 0 or c != path[i - 1]]
        if [c for c in joined if c != blank] == label:
            total += math.exp(sum(x[t, c] for t, c in enumerate(path)))
    return -math.log(total) if total else math.inf


def sequences() -> tuple[Any, ...]:
    """Return five samples: a repeated label, one frame to spare, none, no label, and too few frames."""
    x = np.log(RNG.dirichlet(np.ones(4), (5, 5)))
    labels = np.array([[1, 1, 2], [3, 2, 0], [1, 2, 3], [0, 0, 0], [2, 2, 0]])
    return x, labels, np.array([5, 4, 3, 4, 2]), np.array([3, 2, 3, 0, 2])


@pytest.fixture(params=["loops", "NumPy"])
def numba(request: Any) -> Any:
    if request.param == "loops":
        pytest.importorskip("numba", reason="numba is not installed: pip install 'autograd-core[fast]'")
    with kernels.using(numba=request.param == "loops"):
        yield


@pytest.mark.usefixtures("numba")
def test_ctc_is_the_sum_over_all_paths() -> None:
    x, labels, frames, lengths = sequences()
    truth = [all_paths(x[:n, i], labels[i, :k].tolist(), 0)
             for i, (n, k) in enumerate(zip(frames, lengths, strict=True))]  # fmt: skip
    assert math.isinf(truth[4])
    got = F.ctc_loss(x, labels, frames, lengths, reduction="none")
    np.testing.assert_allclose(got, truth, rtol=1e-12)
    mean = F.ctc_loss(x[:, :4], labels[:4], frames[:4], lengths[:4])
    assert float(mean) == pytest.approx(np.mean(np.array(truth[:4]) / np.maximum(lengths[:4], 1)), rel=1e-12)
    flat = np.concatenate([row[:k] for row, k in zip(labels, lengths, strict=True)])
    np.testing.assert_array_equal(F.ctc_loss(x, flat, frames, lengths, reduction="none"), got)
    one = F.ctc_loss(x[:, 0], labels[0], np.array(5), np.array(3), reduction="none")
    assert one.shape == ()
    assert float(one) == pytest.approx(truth[0], rel=1e-12)


@pytest.mark.usefixtures("numba")
def test_the_gradients_of_ctc() -> None:
    x, labels, frames, lengths = sequences()

    def f(x: Any) -> Any:
        return F.ctc_loss(x, labels, frames, lengths, reduction="none", zero_infinity=True)

    ag.check_gradients(f, x, order=2)
    t = ag.tensor(x, requires_grad=True)
    f(t).sum().backward()
    for i, n in enumerate(frames[:4]):  # the shares of a frame sum to 1
        np.testing.assert_allclose(t.grad[:n, i].sum(1), -1, rtol=1e-12)
        assert not t.grad[n:, i].any()
    assert not t.grad[:, 4].any()
    t.grad = None
    F.ctc_loss(t, labels, frames, lengths, reduction="sum").backward()
    assert np.isnan(t.grad[:2, 4]).all()
    assert np.isfinite(t.grad[:, :4]).all()


@pytest.mark.usefixtures("numba")
@pytest.mark.parametrize("dtype", ["f4", "f8"])
def test_long_sequences_as_pytorch(dtype: str, torch: Any) -> None:
    x = RNG.normal(size=(60, 7, 12)).astype(dtype) * 3
    labels, lengths = RNG.integers(1, 12, (7, 25)), RNG.integers(0, 26, 7)
    frames = RNG.integers(52, 61, 7)
    a, b = ag.tensor(x, requires_grad=True), torch.tensor(x, requires_grad=True)
    y = F.ctc_loss(F.log_softmax(a, -1), labels, frames, lengths)
    z = torch.nn.functional.ctc_loss(b.log_softmax(-1), *map(torch.tensor, (labels, frames, lengths)))
    y.backward()
    z.backward()
    rtol = 1e-10 if dtype == "f8" else 3e-4  # theirs keeps logarithms of -100 in float32
    assert y.item() == pytest.approx(z.item(), rel=rtol)
    np.testing.assert_allclose(a.grad, b.grad.numpy(), rtol=rtol, atol=rtol * abs(a.grad).max())


# -- a softmax in two steps ------------------------------------------------------------------------


def test_adaptive_softmax_is_a_distribution_and_predicts_as_pytorch(torch: Any) -> None:
    theirs = torch.nn.AdaptiveLogSoftmaxWithLoss(8, 20, [3, 9], 2.0)
    ours = nn.AdaptiveLogSoftmaxWithLoss(8, 20, [3, 9], 2.0)
    ours.load_state_dict(theirs.state_dict())
    x = RNG.normal(size=(30, 8)).astype("f4") * 5
    log_p = ours.log_prob(x)
    np.testing.assert_allclose(np.exp(log_p.numpy()).sum(1), 1, rtol=1e-5)
    np.testing.assert_allclose(log_p.numpy(), theirs.log_prob(torch.tensor(x)).detach(), rtol=1e-4, atol=1e-5)
    predicted = ours.predict(x)
    assert predicted.tolist() == theirs.predict(torch.tensor(x)).tolist()
    assert (predicted < 3).any()
    assert (predicted >= 3).any()
    t = RNG.integers(0, 20, 30)
    expected = log_p.numpy()[np.arange(30), t]
    np.testing.assert_allclose(ours(x, t).output.numpy(), expected, rtol=1e-4, atol=1e-5)


def test_the_gradient_of_cross_entropy_by_itself_refuses_a_wrong_class() -> None:
    """A compiled step may leave out the loss, which nobody reads, and with it the check there."""
    error: Any = nn.functional.classes.error
    x, t = np.zeros((3, 4), np.float32), np.array([0, 4, 1])
    with pytest.raises(IndexError, match="class 4, expected 0 to 3"):
        error(x, t)
    with kernels.using(numba=False), pytest.raises(IndexError, match="class 4, expected 0 to 3"):
        error(x, t)
