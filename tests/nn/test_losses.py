"""Losses and activations by themselves: extremes, derivatives of every order, wrong inputs."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest

import autograd_core as ag
from autograd_core import nn

F = nn.functional
RNG = np.random.default_rng(5)
X = RNG.normal(size=(4, 3))
SHARES = RNG.uniform(0.1, 0.9, (4, 3))
Q = RNG.dirichlet(np.ones(3), 4)
K = np.array([0, 2, 1, 2])
W = np.array([0.5, 1.0, 2.0])

# A function of each argument that has a derivative, and a point where it is smooth.
SMOOTH: dict[str, tuple[Any, tuple[Any, ...]]] = {
    "sigmoid": (F.sigmoid, (X,)),
    "tanh": (F.tanh, (X,)),
    "relu": (F.relu, (X,)),
    "leaky_relu": (lambda x: F.leaky_relu(x, 0.1), (X,)),
    "leaky_relu up": (lambda x: F.leaky_relu(x, 2.0), (X,)),
    "prelu": (F.prelu, (X, W)),
    "elu": (lambda x: F.elu(x, 0.7), (X,)),
    "softplus": (lambda x: F.softplus(x, 2.0), (X,)),
    "softmax": (F.softmax, (X,)),
    "log_softmax": (F.log_softmax, (X,)),
    "linear": (F.linear, (X, RNG.normal(size=(2, 3)), RNG.normal(size=2))),
    "linear without bias": (F.linear, (X, RNG.normal(size=(2, 3)))),
    "linear of a vector": (F.linear, (X[0], RNG.normal(size=(2, 3)), RNG.normal(size=2))),
    "linear of a batch of batches":
        (F.linear, (X.reshape(2, 2, 3), RNG.normal(size=(2, 3)), RNG.normal(size=2))),
}  # fmt: skip
smooth = pytest.mark.parametrize(("f", "args"), SMOOTH.values(), ids=SMOOTH)


def directional(f: Any, args: Any, along: Any, h: float = 1e-5) -> Any:
    ahead, behind = (f(*[a + s * d for a, d in zip(args, along, strict=True)]) for s in (h, -h))
    return (np.asarray(ahead) - np.asarray(behind)) / (2 * h)


@smooth
def test_first_and_second_derivatives_are_those_of_finite_differences(f: Any, args: Any) -> None:
    rng = np.random.default_rng(0)
    along = [rng.normal(size=a.shape) for a in args]
    weights = rng.normal(size=np.shape(f(*args)))
    which = tuple(range(len(args)))

    def total(*a: Any) -> Any:
        return ag.sum(f(*a) * weights)

    def slope(*a: Any) -> Any:
        return sum(ag.sum(g * d) for g, d in zip(ag.grad(total, which)(*a), along, strict=True))

    expected = directional(total, args, along)
    np.testing.assert_allclose(slope(*args), expected, rtol=1e-7, atol=1e-8)
    np.testing.assert_allclose(ag.jvp(f, args, along)[1], directional(f, args, along), atol=1e-8)
    second = directional(slope, args, along)
    reverse = sum(
        np.sum(g * d) for g, d in zip(ag.grad(slope, which)(*args), along, strict=True)
    )
    np.testing.assert_allclose(reverse, second, rtol=1e-6, atol=1e-7)
    np.testing.assert_allclose(ag.jvp(slope, args, along)[1], second, rtol=1e-6, atol=1e-7)


@smooth
def test_the_other_dtype_stays_itself(f: Any, args: Any) -> None:
    leaves = [ag.tensor(a.astype(np.float32), requires_grad=True) for a in args]
    y = f(*leaves)
    assert y.dtype == np.float32
    y.sum().backward(create_graph=True)
    assert {t.grad.dtype for t in leaves} == {np.dtype(np.float32)}
    exact = [ag.tensor(a, requires_grad=True) for a in args]
    f(*exact).sum().backward()
    for a, b in zip(leaves, exact, strict=True):
        np.testing.assert_allclose(a.grad.numpy(), b.grad, rtol=2e-4, atol=2e-5)


HUGE = np.array([[1000.0, -1000.0, 0.0], [-1000.0, 1000.0, 1000.0], [-1000.0, -1000.0, -1000.0]])


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize(
    ("loss", "target", "expected"),
    [
        (F.mse_loss, np.zeros((3, 3)), 8e6 / 9),
        (F.cross_entropy, np.array([1, 0, 2]), (2000 + 2000 + math.log(2) + math.log(3)) / 3),
        (F.cross_entropy, np.full((3, 3), 1 / 3), None),
        (lambda x, t: F.cross_entropy(x, t, label_smoothing=0.1), np.array([1, 0, 2]), None),
        (lambda x, t: F.cross_entropy(x, t, W), np.array([1, 0, 2]), None),
        (lambda x, t: F.nll_loss(F.log_softmax(x), t), np.array([1, 0, 2]), None),
        (F.binary_cross_entropy_with_logits, np.ones((3, 3)), (5000 + math.log(2)) / 9),
        (F.binary_cross_entropy_with_logits, np.zeros((3, 3)), (3000 + math.log(2)) / 9),
        (lambda x, t: F.binary_cross_entropy_with_logits(x, t, pos_weight=W), np.ones((3, 3)), None),
        (lambda x, t: F.binary_cross_entropy(F.sigmoid(x), t), np.ones((3, 3)), None),
        (F.hinge_loss, np.ones((3, 3)), (5 * 1001 + 1) / 9),
        (F.l1_loss, np.zeros((3, 3)), 8000 / 9),
        (F.huber_loss, np.zeros((3, 3)), 8 * 999.5 / 9),
        (F.smooth_l1_loss, np.zeros((3, 3)), 8 * 999.5 / 9),
        (F.soft_margin_loss, np.ones((3, 3)), (5000 + math.log(2)) / 9),
        (F.hinge_embedding_loss, -np.ones((3, 3)), (5 * 1001 + 1) / 9),
        (F.multilabel_soft_margin_loss, np.ones((3, 3)), (5000 + math.log(2)) / 9),
        (F.sigmoid_focal_loss, np.ones((3, 3)), 0.25 * (5000 + math.log(2) / 4) / 9),
        (F.focal_loss, np.array([1, 0, 2]), (4000 + math.log(2) + math.log(3) * 4 / 9) / 3),
        (F.crammer_singer_loss, np.array([1, 0, 2]), (2001 + 2001 + 1) / 3),
        (F.multi_margin_loss, np.array([1, 0, 2]), None),
        (lambda x, t: F.multi_margin_loss(x, t, p=2), np.array([1, 0, 2]), None),
        (F.multilabel_margin_loss, np.array([[1, -1, 0], [0, 1, -1], [2, 1, 0]]), None),
        (lambda x, t: F.kl_div(F.log_softmax(x), t, "sum"), np.eye(3)[[1, 0, 2]],
         4000 + math.log(2) + math.log(3)),
        (lambda x, t: F.cosine_embedding_loss(x, -x.detach(), t), np.array([1, -1, 1]), (2 + 0 + 2) / 3),
        (lambda x, t: F.triplet_margin_loss(x, t, -t), HUGE.copy(), None),
        (lambda x, t: F.info_nce_loss(x, t), HUGE[::-1].copy(), None),
        (lambda x, t: F.gaussian_nll_loss(x, t, 1.0), np.zeros((3, 3)), 4e6 / 9),
        (lambda x, t: F.elbo_loss(x, t, x, x * 0), np.ones((3, 3)), None),
        (F.one_vs_all_hinge_loss, np.array([1, 0, 2]), (2001 + 1001 + 2 * 2001 + 2) / 3),
    ],
)
def test_losses_are_finite_at_a_thousand(loss: Any, target: Any, expected: Any, dtype: Any) -> None:
    for turn in (1, 2):
        x = ag.tensor(HUGE.astype(dtype), requires_grad=True)
        y = loss(x, target)
        y.backward(create_graph=turn == 2)
        grad = x.grad if turn == 1 else x.grad.numpy()
        assert np.isfinite(y.item())
        assert np.isfinite(grad).all()
        if expected is not None:
            assert y.item() == pytest.approx(expected, rel=1e-6)
        if turn == 2 and x.grad.requires_grad:  # hinges are straight lines
            x.grad.sum().backward()
            assert np.isfinite(x.grad.numpy()).all()


def test_the_gradient_of_cross_entropy_is_the_error() -> None:
    x = ag.tensor(X, requires_grad=True)
    F.cross_entropy(x, K).backward()
    p = np.exp(X) / np.exp(X).sum(1, keepdims=True)
    np.testing.assert_allclose(x.grad, (p - F.one_hot(K, 3)) / 4, rtol=1e-12)


def test_the_gradient_of_the_one_vs_all_hinge() -> None:
    x = ag.tensor([[2.0, 1.5, 0.0, 1.2]], requires_grad=True)
    F.one_vs_all_hinge_loss(x, [0]).backward()
    assert x.grad.tolist() == [[-2.0, 1.0, 0.0, 1.0]]


def test_a_mean_of_nothing_is_nan_as_in_pytorch() -> None:
    for reduction, expected in (("mean", math.nan), ("sum", 0.0)):
        for loss in (F.cross_entropy, F.nll_loss):
            y = loss(X, np.full(4, -100), reduction=reduction)
            assert float(y) == pytest.approx(expected, nan_ok=True)


def test_a_class_can_be_ignored() -> None:
    x = ag.tensor(X, requires_grad=True)
    F.cross_entropy(x, K, ignore_index=2).backward()
    assert (x.grad[[1, 3]] == 0).all()
    assert (x.grad[[0, 2]] != 0).all()


def test_labels_are_read_each_time_not_remembered() -> None:
    """Class indices are inputs of the recorded node, beside the logits."""
    y = F.cross_entropy(ag.tensor(X, requires_grad=True), K)
    assert len(y.grad_fn.edges) == 2
    assert np.array_equal(y.grad_fn.inputs[1], K)


# -- wrong inputs ----------------------------------------------------------------------------------

COLUMN, ROW = np.zeros((4, 1)), np.zeros(4)


OF_TWO = {  # what else each loss is given
    "binary_cross_entropy": (), "binary_cross_entropy_with_logits": (), "gaussian_kl": (), "hinge_loss": (),
    "hinge_embedding_loss": (), "huber_loss": (), "kl_div": (), "l1_loss": (), "mse_loss": (),
    "multilabel_soft_margin_loss": (), "poisson_nll_loss": (), "sigmoid_focal_loss": (), "smooth_l1_loss": (),
    "soft_margin_loss": (),
    "gaussian_nll_loss": (1.0,), "multivariate_gaussian_nll_loss": (np.eye(1),), "elbo_loss": (ROW, ROW),
    "contrastive_loss": (ROW,), "cosine_embedding_loss": (ROW,), "margin_ranking_loss": (ROW,),
    "triplet_margin_loss": (ROW,), "triplet_margin_with_distance_loss": (ROW,), "info_nce_loss": (),
    "nt_xent_loss": (),
}  # fmt: skip


@pytest.mark.parametrize("loss", OF_TWO)
def test_a_target_that_would_broadcast_is_refused(loss: str) -> None:
    for x, t in ((COLUMN, ROW), (ROW, COLUMN), (COLUMN, np.zeros(())), (X, X[:1])):
        with pytest.raises(ValueError, match=r"\[\w+\] got a prediction of shape") as caught:
            getattr(F, loss)(ag.tensor(x), t, *OF_TWO[loss])
        assert f"a target of shape {t.shape}" in str(caught.value)
        assert ("target.reshape(" in str(caught.value)) == (x.size == t.size)


@pytest.mark.parametrize(
    ("call", "error", "text"),
    [
        (lambda: F.mse_loss(X, X, "average"), ValueError, "reduction='average', expected 'mean'"),
        (lambda: nn.MSELoss("average"), ValueError, r"\[MSELoss\] got reduction='average'"),
        (lambda: nn.CrossEntropyLoss(reduction="x"), ValueError, r"\[CrossEntropyLoss\]"),
        (lambda: F.mse_loss(ag.tensor(X), ag.tensor(X, dtype=np.float32)), TypeError,
         r"\[mse_loss\] got a Tensor of dtype float32, expected float64"),
        (lambda: F.cross_entropy(X, K + 1), IndexError, r"\[cross_entropy\] got class 3, expected 0 to 2"),
        (lambda: F.cross_entropy(X, K - 1), IndexError, "got class -1"),
        (lambda: F.nll_loss(X, K + 1), IndexError, r"\[nll_loss\] got class 3"),
        (lambda: F.one_vs_all_hinge_loss(X, K + 1), IndexError, r"\[one_vs_all_hinge_loss\] got class 3"),
        (lambda: F.multi_margin_loss(X, K - 1), IndexError, r"\[multi_margin_loss\] got class -1"),
        (lambda: F.one_hot(K - 1), IndexError, "got class -1, expected 0 to 1"),
        (lambda: F.one_hot(np.array([-1])), IndexError, "got class -1, expected 0 or more"),
        (lambda: F.cross_entropy(X, K[:3]), ValueError, r"target of shape \(3,\)"),
        (lambda: F.cross_entropy(X, K[:, None]), ValueError, r"try target.reshape\(\(4,\)\)"),
        (lambda: F.cross_entropy(X, K * 1.0), ValueError, r"try target.astype\(int\)"),
        (lambda: F.cross_entropy(X, F.one_hot(K, 3)), ValueError, r"try target.argmax\(1\)"),
        (lambda: F.cross_entropy(X[0, 0], 0), ValueError, "a prediction without axes"),
        (lambda: F.cross_entropy(X, K, W[:2]), ValueError, r"weight of shape \(2,\), expected \(3,\)"),
        (lambda: F.cross_entropy(X, K, label_smoothing=2), ValueError, "label_smoothing=2"),
        (lambda: F.binary_cross_entropy(X, Q), ValueError,
         "expected probabilities, from 0 to 1; try binary_cross_entropy_with_logits"),
        (lambda: F.hinge_loss(X[0], np.array([0, 1, 1])), ValueError,
         r"got labels \[0. 1.\], expected -1 and \+1; try 2 \* labels - 1"),
        (lambda: F.huber_loss(X, X, delta=0.0), ValueError,
         r"\[huber_loss\] got delta=0.0, expected a positive"),
        (lambda: nn.HuberLoss(delta=-1), ValueError, r"\[HuberLoss\] got delta=-1"),
        (lambda: F.smooth_l1_loss(X, X, beta=-1), ValueError, r"\[smooth_l1_loss\] got beta=-1"),
        (lambda: nn.SmoothL1Loss(beta=-1), ValueError, r"\[SmoothL1Loss\] got beta=-1"),
        (lambda: F.binary_cross_entropy(Q, Q, np.ones((2, 4, 3))), ValueError,
         r"got a weight of shape \(2, 4, 3\) and losses of shape \(4, 3\)"),
        (lambda: F.binary_cross_entropy_with_logits(X, Q, np.ones(4)), ValueError,
         r"a weight of shape \(4,\)"),
        (lambda: F.binary_cross_entropy_with_logits(X, Q, pos_weight=np.ones((2, 1, 1))), ValueError,
         r"got a pos_weight of shape \(2, 1, 1\)"),
        (lambda: F.multilabel_soft_margin_loss(1.0, 1.0), ValueError, "a prediction without axes"),
        (lambda: F.sigmoid_focal_loss(X, Q, 2.0), ValueError, "alpha=2.0, expected 0 to 1, or None"),
        (lambda: F.sigmoid_focal_loss(X, Q, gamma=-1), ValueError, r"\[sigmoid_focal_loss\] got gamma=-1"),
        (lambda: F.focal_loss(X, K, gamma=-1), ValueError, r"\[focal_loss\] got gamma=-1"),
        (lambda: F.focal_loss(X, K + 1), IndexError, "class 3"),
        (lambda: F.hinge_embedding_loss(X[0], np.array([0, 1, 1])), ValueError,
         r"\[hinge_embedding_loss\] got labels \[0. 1.\], expected -1 and \+1"),
        (lambda: F.multi_margin_loss(X, K, p=3), ValueError,
         r"\[multi_margin_loss\] got p=3, expected 1 or 2"),
        (lambda: nn.MultiMarginLoss(p=3), ValueError, r"\[MultiMarginLoss\] got p=3"),
        (lambda: F.multi_margin_loss(X, K, weight=W[:2]), ValueError, r"a weight of shape \(2,\)"),
        (lambda: F.crammer_singer_loss(X[None], K[None]), ValueError,
         r"outputs of shape \(1, 4, 3\), expected"),
        (lambda: F.multilabel_margin_loss(X, K), ValueError,
         r"outputs of shape \(4, 3\) and a target of shape"),
        (lambda: F.multilabel_margin_loss(X[0], np.array([0, 3, -1])), IndexError,
         "class 3, expected 0 to 2"),
        (lambda: F.multilabel_margin_loss(X[0], np.array([0, -2, -1])), IndexError, "class -2"),
        (lambda: F.cosine_embedding_loss(X, X, K), ValueError, r"got labels \[0. 1. 2.\]"),
        (lambda: F.cosine_embedding_loss(X, X, np.ones((4, 1))), ValueError,
         r"expected \(4,\): one label for each pair; try target.reshape\(\(4,\)\)"),
        (lambda: F.cosine_embedding_loss(X[None], X[None], np.ones((1, 4))), ValueError,
         r"\(N, D\) or \(D,\)"),
        (lambda: F.contrastive_loss(X, X, np.ones(3)), ValueError,
         r"a target of shape \(3,\), expected \(4,\)"),
        (lambda: F.contrastive_loss(X, X, np.ones(4), margin=0), ValueError, "margin=0, expected a positive"),
        (lambda: F.triplet_margin_loss(X, X, X, margin=0), ValueError,
         "margin=0, expected a positive number"),
        (lambda: nn.TripletMarginLoss(margin=0), ValueError, r"\[TripletMarginLoss\] got margin=0"),
        (lambda: nn.TripletMarginWithDistanceLoss(margin=-1), ValueError, "margin=-1"),
        (lambda: F.triplet_margin_loss(X, X, X[:2]), ValueError, r"target of shape \(2, 3\)"),
        (lambda: F.triplet_margin_loss(1.0, 1.0, 1.0), ValueError, "inputs without axes"),
        (lambda: F.info_nce_loss(X, X, 0.0), ValueError, "temperature=0.0, expected a positive"),
        (lambda: nn.NTXentLoss(-1), ValueError, r"\[NTXentLoss\] got temperature=-1"),
        (lambda: F.nt_xent_loss(X[0], X[0]), ValueError, r"vectors of shape \(3,\), expected \(N, D\)"),
        (lambda: F.gaussian_nll_loss(X, X, -1.0), ValueError,
         "a variance of -1.0, expected none below 0; try exp"),
        (lambda: F.gaussian_nll_loss(X, X, np.ones((1, 1))), ValueError, r"a variance of shape \(1, 1\)"),
        (lambda: F.gaussian_nll_loss(X, X, np.ones(3)), ValueError, r"a variance of shape \(3,\)"),
        (lambda: F.multivariate_gaussian_nll_loss(X, X, np.eye(4)), ValueError,
         r"covariance of shape \(4, 4\)"),
        (lambda: F.multivariate_gaussian_nll_loss(X, X, -np.eye(3)), np.linalg.LinAlgError,
         "an eigenvalue -1, expected a positive definite matrix"),
        (lambda: F.multivariate_gaussian_nll_loss(X, X, -np.eye(3), cholesky=True), ValueError,
         "-1.0 on the diagonal of a Cholesky factor, expected positive numbers; try exp"),
        (lambda: F.elbo_loss(X, Q, X, X, "cauchy"), ValueError,
         "likelihood='cauchy', expected 'bernoulli' or"),
        (lambda: nn.ELBOLoss("cauchy"), ValueError, r"\[ELBOLoss\] got likelihood='cauchy'"),
        (lambda: F.elbo_loss(X, Q, X[:2], X[:2]), ValueError, "expected as many samples in both"),
        (lambda: nn.KLDivLoss("batch"), ValueError, r"\[KLDivLoss\] got reduction='batch'"),
        (lambda: nn.L1Loss("batchmean"), ValueError, r"\[L1Loss\] got reduction='batchmean'"),
        (lambda: F.linear_cross_entropy(X, X[:, :2], K), ValueError, r"a linear_weight of shape \(4, 2\)"),
        (lambda: F.linear_cross_entropy(X, X, K, linear_bias=W), ValueError, r"linear_bias of shape \(3,\)"),
        (lambda: F.linear_cross_entropy(X, X[:3], Q, ignore_index=1), ValueError,
         "ignore_index=1 and probab"),
        (lambda: nn.LinearCrossEntropyLoss(3, 2, weight=W), ValueError, r"a weight of shape \(3,\)"),
        (lambda: nn.LinearCrossEntropyLoss(3, 2, label_smoothing=2), ValueError, "label_smoothing=2"),
        (lambda: nn.AdaptiveLogSoftmaxWithLoss(8, 5, [3, 2]), ValueError, r"cutoffs=\[3, 2\], expected incr"),
        (lambda: nn.AdaptiveLogSoftmaxWithLoss(8, 5, [5]), ValueError, "integers from 1 to 4"),
        (lambda: nn.AdaptiveLogSoftmaxWithLoss(2, 5, [3]), ValueError, "cluster 0 has no features"),
        (lambda: nn.AdaptiveLogSoftmaxWithLoss(3, 5, [3], 1.0)(X, K[:2]), ValueError, r"expected \(N, 3\)"),
        (lambda: nn.AdaptiveLogSoftmaxWithLoss(3, 5, [3], 1.0)(X, K + 3), IndexError,
         "classes 3 to 5, expected"),
        (lambda: F.ctc_loss(X, K, np.array(4), np.array(4)), ValueError, "the blank, 0, among the labels"),
        (lambda: F.ctc_loss(X, K + 1, np.array(4), np.array(4)), IndexError, "class 3, expected 0 to 2"),
        (lambda: F.ctc_loss(X, K, np.array(5), np.array(4)), ValueError, r"input_lengths \[5\]"),
        (lambda: F.ctc_loss(X, K, np.array(4), np.array(3)), ValueError,
         "4 targets in one vector for lengths"),
        (lambda: F.ctc_loss(X, K[None], np.array(4), np.array(5)), ValueError, r"targets of shape \(1, 4\)"),
        (lambda: F.ctc_loss(X, K * 1.0, np.array(4), np.array(4)), ValueError,
         "dtype float64, expected integers"),
        (lambda: F.ctc_loss(X[0], K, np.array(4), np.array(4)), ValueError, r"log_probs of shape \(3,\)"),
        (lambda: F.ctc_loss(X, K, np.array([4, 4]), np.array(4)), ValueError,
         r"input_lengths of shape \(2,\)"),
        (lambda: F.prelu(X, np.ones(2)), ValueError, r"expected a weight of shape \(1,\) or \(3,\)"),
        (lambda: F.elu(X, -1), ValueError, "alpha=-1"),
        (lambda: F.mse_loss(X, K), ValueError, "try cross_entropy for class indices, or nn.data.one_hot"),
        (lambda: F.cross_entropy(X[None], K[None]), ValueError, r"try np.moveaxis\(input, -1, 1\)"),
        (lambda: F.one_hot(X), ValueError, "dtype float64, expected integers"),
        (lambda: F.one_hot(K, 2), IndexError, "class 2, expected 0 to 1"),
        (lambda: F.one_hot(-K), IndexError, "class -2"),
        (lambda: F.linear(X, np.ones((2, 5))), ValueError,
         r"\[linear\] got an input of shape \(4, 3\) for 5 in_features"),
    ],
)  # fmt: skip
def test_wrong_inputs_are_explained(call: Any, error: Any, text: str) -> None:
    with pytest.raises(error, match=text):
        call()


@pytest.mark.parametrize(
    "loss",
    [nn.MSELoss(), nn.CrossEntropyLoss(), nn.BCEWithLogitsLoss(), nn.BCELoss(), nn.HingeLoss(), nn.L1Loss(),
     nn.HuberLoss(), nn.SmoothL1Loss(), nn.SoftMarginLoss(), nn.HingeEmbeddingLoss(),
     nn.PoissonNLLLoss(full=True), nn.KLDivLoss(), nn.MultiLabelSoftMarginLoss(),
     nn.SigmoidFocalLoss(), nn.FocalLoss()],
    ids=repr,
)
def test_targets_are_taken_in_the_dtype_of_the_prediction(loss: Any) -> None:
    x = ag.tensor(SHARES.astype(np.float32), requires_grad=True)
    target = K if isinstance(loss, nn.FocalLoss) else np.ones((4, 3), np.float64)
    y = loss(x, target)
    assert y.dtype == np.float32
    if not isinstance(loss, (nn.CrossEntropyLoss, nn.FocalLoss)):
        assert loss(x, np.ones((4, 3), np.int64)).dtype == np.float32
        assert loss(x, np.ones((4, 3), np.int64).tolist()).dtype == np.float32
    else:
        assert loss(x, K.tolist()).dtype == np.float32
        assert loss(x, ag.tensor(K)).item() == loss(x, K).item()
        assert loss(x, K.astype(np.uint8)).item() == loss(x, K).item()
