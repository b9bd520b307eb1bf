"""Metrics: each against its definition written out in loops, over batches of all sizes, and their errors."""

from __future__ import annotations

import itertools
import math
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import autograd_core as ag
from autograd_core import nn, optim

M = optim.metrics
Array = np.ndarray[Any, Any]


def over_batches(metric: Any, output: Array, target: Array, cuts: tuple[int, ...]) -> Any:
    """Feed batches of uneven sizes, empty ones among them."""
    for x, t in zip(np.split(output, cuts), np.split(target, cuts), strict=True):
        metric.update(x, t)
    return metric.compute()


def samples(seed: int, n: int, classes: int) -> tuple[Array, Array]:
    """Draw scores with many ties and class indices, of which some classes may be missing."""
    rng = np.random.default_rng(seed)
    return rng.integers(0, 4, (n, classes)).astype(np.float32), rng.integers(0, classes, n)


# -- the definitions, sample by sample -------------------------------------------------------------


def first_largest(row: Array) -> int:
    best = 0
    for c in range(len(row)):
        if row[c] > row[best]:
            best = c
    return best


def counts(predicted: list[int], actual: list[int], c: int) -> tuple[int, int, int]:
    """True positives, false positives, false negatives of class c."""
    tp = fp = fn = 0
    for p, t in zip(predicted, actual, strict=True):
        tp += p == c and t == c
        fp += p == c and t != c
        fn += p != c and t == c
    return tp, fp, fn


def quotient(a: float, b: float, zero: float) -> float:
    return a / b if b else zero


def ratio(kind: str, tp: int, fp: int, fn: int, zero: float) -> float:
    if kind == "precision":
        return quotient(tp, tp + fp, zero)
    if kind == "recall":
        return quotient(tp, tp + fn, zero)
    b2 = {"f1": 1.0, "f2": 4.0}[kind]
    return quotient((1 + b2) * tp, (1 + b2) * tp + b2 * fn + fp, zero)


def averaged(kind: str, average: str, predicted: list[int], actual: list[int], zero: float) -> float:
    classes = sorted(set(predicted) | set(actual))
    each = [counts(predicted, actual, c) for c in classes]
    if average == "micro":
        return ratio(kind, *(sum(column) for column in zip(*each)), zero)
    weights = [tp + fn if average == "weighted" else 1 for tp, _, fn in each]
    values = [ratio(kind, *three, zero) for three in each]
    pairs = [(v, w) for v, w in zip(values, weights) if not math.isnan(v)]
    if not pairs:
        return math.nan
    if not sum(w for _, w in pairs):
        pairs = [(v, 1) for v, _ in pairs]
    return sum(v * w for v, w in pairs) / sum(w for _, w in pairs)


KINDS: dict[str, Callable[..., Any]] = {
    "precision": M.Precision, "recall": M.Recall, "f1": M.F1, "f2": lambda *a, **k: M.FBeta(2.0, *a, **k),
}  # fmt: skip
SIZES = [(1, 3), (2, 2), (17, 5), (40, 10)]
CUTS = [(), (1,), (0, 3, 3, 11)]


# -- classes ---------------------------------------------------------------------------------------


@pytest.mark.parametrize("cuts", CUTS, ids=str)
@pytest.mark.parametrize(("n", "classes"), SIZES)
def test_accuracy_top_k_and_confusion(n: int, classes: int, cuts: tuple[int, ...]) -> None:
    x, t = samples(n, n, classes)
    predicted = [first_largest(row) for row in x]
    right = sum(p == a for p, a in zip(predicted, t, strict=True))
    assert over_batches(M.Accuracy(), x, t, cuts) == right / n
    assert over_batches(M.Accuracy(), np.array(predicted), t, cuts) == right / n
    assert over_batches(M.Accuracy(), x, np.eye(classes, dtype=np.float32)[t], cuts) == right / n
    for kind in (np.int32, np.uint8):
        assert over_batches(M.Accuracy(), x, t.astype(kind), cuts) == right / n
    assert over_batches(M.Accuracy(), x.astype(int), np.flip(t)[::-1], cuts) == right / n
    assert over_batches(M.TopK(1), x, t, cuts) == right / n  # also where scores are equal
    for k in range(1, classes + 1):
        hits = 0
        for row, a in zip(x, t, strict=True):
            order = sorted(range(classes), key=lambda c: (-row[c], c))
            hits += a in order[:k]
        assert over_batches(M.TopK(k), x, t, cuts) == hits / n
    matrix = np.zeros((classes, classes), int)
    for p, a in zip(predicted, t, strict=True):
        matrix[a, p] += 1
    assert np.array_equal(over_batches(M.ConfusionMatrix(), x, t, cuts), matrix)
    assert np.array_equal(over_batches(M.ConfusionMatrix(classes), np.array(predicted), t, cuts), matrix)


@pytest.mark.parametrize("zero", [0.0, 1.0, math.nan])
@pytest.mark.parametrize("average", ["micro", "macro", "weighted"])
@pytest.mark.parametrize("kind", KINDS)
def test_precision_recall_and_f(kind: str, average: str, zero: float) -> None:
    for (n, classes), cuts in itertools.product(SIZES, CUTS):
        x, t = samples(n + 1, n, classes)
        predicted = [first_largest(row) for row in x]
        expected = averaged(kind, average, predicted, t.tolist(), zero)
        for output in (x, np.array(predicted)):
            got = over_batches(KINDS[kind](average, zero_division=zero), output, t, cuts)
            assert got == pytest.approx(expected, rel=1e-12, nan_ok=True)
        each = over_batches(KINDS[kind](None, zero_division=zero), x, t, cuts)
        assert each.tolist() == pytest.approx(
            [ratio(kind, *counts(predicted, t.tolist(), c), zero) for c in range(classes)],
            rel=1e-12, nan_ok=True,
        )  # fmt: skip


@pytest.mark.parametrize("kind", KINDS)
def test_binary_looks_at_class_one(kind: str) -> None:
    x = np.array([0.5, -2.0, 3.0, 0.0, -1.0, 0.1])
    t = np.array([1, 1, 0, 0, 1, 1])
    predicted = [1, 0, 1, 0, 0, 1]  # 0 is not above the threshold
    expected = ratio(kind, *counts(predicted, t.tolist(), 1), 0.0)
    for output, target in [
        (x, t), (x, t.astype(np.float32)), (x[:, None], t[:, None].astype(float)),
        (np.array(predicted), t), (np.stack([-x, x], 1), t), (np.array(predicted, bool), t > 0),
    ]:  # fmt: skip
        assert over_batches(KINDS[kind](), output, target, (2,)) == pytest.approx(expected)
    probabilities = 1 / (1 + np.exp(-x))
    assert KINDS[kind](threshold=0.5)(probabilities, t) == pytest.approx(expected)


@pytest.mark.parametrize("kind", KINDS)
def test_several_labels(kind: str) -> None:
    rng = np.random.default_rng(5)
    x, t = rng.normal(size=(9, 4)), rng.integers(0, 2, (9, 4))
    x[:, 3], t[:, 3] = -1, 0  # a label that occurs nowhere still counts among the labels
    each = [ratio(kind, *counts((x[:, c] > 0).astype(int).tolist(), t[:, c].tolist(), 1), 0.0)
            for c in range(4)]  # fmt: skip
    metric = KINDS[kind]("macro", task="multilabel")
    assert over_batches(metric, x, t, (0, 4)) == pytest.approx(sum(each) / 4)
    assert KINDS[kind](None, task="multilabel")(x, t).tolist() == pytest.approx(each)


def test_accuracy_of_several_labels() -> None:
    x = np.array([[1.0, -1.0], [2.0, 2.0]])
    t = np.array([[1, 0], [1, 0]])
    assert M.accuracy(x, t, "multilabel") == 0.75
    assert M.accuracy(x, t, "multilabel", subset=True) == 0.5
    assert M.accuracy(np.array([[0.4, 0.6]]), np.array([[1, 1]]), "multilabel", threshold=0.5) == 0.5


def test_the_places_of_a_prediction_count_each() -> None:
    rng = np.random.default_rng(0)
    x, t = rng.normal(size=(2, 3, 4, 5)), rng.integers(0, 3, (2, 4, 5))
    t[0, 0, 0] = -100  # does not count
    x[0, :, 0, 0] = np.nan
    right = sum(
        first_largest(x[n, :, i, j]) == t[n, i, j] for n in range(2) for i in range(4) for j in range(5)
        if t[n, i, j] >= 0
    )  # fmt: skip
    assert M.accuracy(x, t) == right / 39
    assert M.confusion_matrix(x, t).sum() == 39
    assert M.accuracy(np.zeros((1, 3, 2)), np.array([[2, 0]]), ignore_index=2) == 1.0


def test_a_matrix_in_shares() -> None:
    p, t = np.array([0, 1, 1, 3]), np.array([0, 0, 1, 1])
    counted = M.confusion_matrix(p, t)
    assert counted.tolist() == [[1, 1, 0, 0], [0, 1, 0, 1], [0] * 4, [0] * 4]
    assert M.confusion_matrix(p, t, normalize="true")[0].tolist() == [0.5, 0.5, 0, 0]
    assert M.confusion_matrix(p, t, normalize="pred")[:, 1].tolist() == [0.5, 0.5, 0, 0]
    assert M.confusion_matrix(p, t, normalize="all").tolist() == (counted / 4).tolist()
    assert M.confusion_matrix(p, t, num_classes=5).shape == (5, 5)


def test_the_report() -> None:
    text = M.classification_report(np.array([0, 2, 2, 2, 1]), np.array([0, 1, 2, 2, 1]), digits=3)
    rows = [line.split() for line in text.splitlines()]
    assert rows[1:4] == [["0", "1.000", "1.000", "1.000", "1"], ["1", "1.000", "0.500", "0.667", "2"],
                         ["2", "0.667", "1.000", "0.800", "2"]]  # fmt: skip
    assert rows[5] == ["accuracy", "0.800", "5"]
    assert rows[6][2:5] == ["0.889", "0.833", "0.822"]
    with pytest.raises(ValueError, match="got 2 names, expected 3"):
        M.classification_report(np.arange(3), np.arange(3), target_names=["a", "b"])


# -- numbers ---------------------------------------------------------------------------------------


@pytest.mark.parametrize("cuts", CUTS, ids=str)
def test_errors_of_numbers(cuts: tuple[int, ...]) -> None:
    rng = np.random.default_rng(1)
    t = rng.normal(size=(13, 3)) * [1.0, 2.0, 5.0] + [0.0, 1e8, 3.0]  # a mean far above the variance
    x = t + rng.normal(size=t.shape)
    each = []
    for c in range(3):
        mean = math.fsum(t[:, c]) / 13
        residual = math.fsum((a - b) ** 2 for a, b in zip(x[:, c], t[:, c]))
        each.append(1 - residual / math.fsum((b - mean) ** 2 for b in t[:, c]))
    spread = t.var(axis=0)
    assert over_batches(M.R2("raw_values"), x, t, cuts).tolist() == pytest.approx(each, abs=1e-7)
    assert over_batches(M.R2(), x, t, cuts) == pytest.approx(sum(each) / 3, abs=1e-7)
    got = over_batches(M.R2("variance_weighted"), x, t, cuts)
    assert got == pytest.approx((each * spread).sum() / spread.sum(), abs=1e-7)
    square = math.fsum(((x - t) ** 2).ravel()) / 39
    assert over_batches(M.MeanSquaredError(), x, t, cuts) == pytest.approx(square, rel=1e-12)
    assert over_batches(M.get("rmse"), x, t, cuts) == pytest.approx(math.sqrt(square), rel=1e-12)
    absolute = math.fsum(np.abs(x - t).ravel()) / 39
    assert over_batches(M.MeanAbsoluteError(), x, t, cuts) == pytest.approx(absolute, rel=1e-12)


def test_r2_of_targets_that_never_change() -> None:
    same = np.full(4, 3.0)
    assert M.r2_score(same, same) == 1.0
    assert M.r2_score(same + 1, same) == 0.0
    assert M.r2_score(np.zeros(4), np.arange(4)) == pytest.approx(1 - 14 / 5)  # integers are numbers too


@pytest.mark.parametrize("cuts", CUTS, ids=str)
def test_perplexity(cuts: tuple[int, ...]) -> None:
    rng = np.random.default_rng(2)
    x, t = rng.normal(size=(13, 6)).astype(np.float32) * 30, rng.integers(0, 6, 13)
    t[[0, 5]] = -100
    terms = [math.log(math.fsum(math.exp(float(v)) for v in row)) - float(row[a])
             for row, a in zip(x, t) if a >= 0]  # fmt: skip
    got = over_batches(M.Perplexity(), x, t, cuts)
    assert math.log(got) == pytest.approx(math.fsum(terms) / 11, rel=1e-12)
    whole = nn.functional.cross_entropy(x.astype(float), t).item()
    assert math.log(M.perplexity(x, t)) == pytest.approx(whole, rel=1e-12)


def test_perplexity_of_the_impossible() -> None:
    assert M.perplexity(np.array([[0.0, -np.inf]]), np.array([0])) == 1.0
    assert M.perplexity(np.array([[0.0, -np.inf]]), np.array([1])) == math.inf
    assert M.perplexity(np.array([[2000.0, 0.0]]), np.array([1])) == math.inf
    assert M.perplexity(np.zeros((1, 7, 4)), np.zeros((1, 4), int)) == pytest.approx(7)


def test_mean() -> None:
    mean = M.Mean()
    mean.update(2.0, 3)
    mean.update(np.array([1.0, 5.0]), np.array([2, 1]))
    mean.update(ag.tensor(4.0), 0)
    assert mean.compute() == (6 + 2 + 5) / 6
    mean.update(math.nan)
    assert math.isnan(mean.compute())
    with pytest.raises(ValueError, match=r"\[Mean\] got values of shape \(2,\) and the weight -1"):
        mean.update(np.ones(2), -1)


# -- what they all do ------------------------------------------------------------------------------

ALL: list[tuple[str, Any]] = [
    ("accuracy", M.Accuracy()), ("top_2_accuracy", M.TopK(2)), ("confusion_matrix", M.ConfusionMatrix()),
    ("precision_macro", M.Precision("macro")), ("recall_micro", M.Recall("micro")),
    ("f1_weighted", M.F1("weighted")), ("f2", M.FBeta(2, None)), ("perplexity", M.Perplexity()),
    ("r2", M.R2("raw_values")), ("mse", M.MeanSquaredError()), ("mae", M.MeanAbsoluteError()),
    ("gap", M.Function(lambda x, t: np.mean(x.argmax(1) - t), "gap")),
]  # fmt: skip


@pytest.mark.parametrize(("name", "metric"), ALL, ids=[name for name, _ in ALL])
def test_state(name: str, metric: Any) -> None:
    """One call changes nothing; a state goes through a file and goes on; reset forgets; Tensors serve."""
    x, t = samples(3, 12, 4)
    if name in ("r2", "mse", "mae"):
        t = np.flip(x, 0).copy()
    assert metric.name == name
    metric.reset()
    whole = metric(x, t)
    with pytest.raises(ValueError, match="no samples that count"):
        metric.compute()
    metric.update(x[:5], t[:5])
    state = metric.state_dict()
    assert all(type(value) is np.ndarray for value in state.values())
    saved = {key: value.copy() for key, value in state.items()}
    first = metric.compute()
    assert np.array_equal(metric(x, t), whole)
    assert np.array_equal(metric.compute(), first)
    metric.update(ag.tensor(x[5:], requires_grad=True), t[5:])
    np.testing.assert_allclose(metric.compute(), whole, rtol=1e-12)
    metric.reset()
    metric.load_state_dict(state)
    assert np.array_equal(metric.compute(), first)
    metric.update(x[5:], t[5:])
    np.testing.assert_allclose(metric.compute(), whole, rtol=1e-12)
    assert all(np.array_equal(state[key], saved[key]) for key in saved)  # a copy, which nothing changed
    with pytest.raises(ValueError, match=r"load_state_dict\] got the names \['x'\]"):
        metric.load_state_dict({"x": np.zeros(())})
    wrong = {key: np.zeros((1, 1, 1)) for key in state}
    with pytest.raises(ValueError, match=r"of shape \(1, 1, 1\) and dtype float64"):
        metric.load_state_dict(wrong)
    if name not in ("f2", "gap", "r2"):
        assert repr(M.get(name)) == repr(metric)


def test_get() -> None:
    assert isinstance(M.get("ACC"), M.Accuracy)
    assert repr(M.get("top5")) == "TopK(k=5, ignore_index=-100)"
    assert M.get("f1-macro").average == "macro"
    assert isinstance(M.get(M.R2), M.R2)
    metric = M.Accuracy()
    assert M.get(metric) is metric
    with pytest.raises(ValueError, match=r"\[metrics.get\] got 'acuracy'.*; try 'accuracy'"):
        M.get("acuracy")
    with pytest.raises(TypeError, match="got a int, expected a name"):
        M.get(3)  # type: ignore[arg-type]


# -- the wrong task --------------------------------------------------------------------------------

X, T = np.eye(4, 3), np.array([0, 1, 2, 0])
NAN = np.where(X > 0.5, np.nan, X)
WRONG: list[tuple[str, Callable[[], Any], type[Exception], str]] = [
    ("float classes", lambda: M.accuracy(X, T * 1.0), ValueError,
     r"a target of dtype float64, expected class indices.*try target.astype\(int\)"),
    ("regression", lambda: M.accuracy(X, T + 0.5), ValueError, "try R2, for a regression"),
    ("regression, one output", lambda: M.accuracy(X[:, 0], T + 0.5), ValueError, "try R2 or Mean"),
    ("column against row", lambda: M.accuracy(X[:, :1], T), ValueError,
     r"shape \(4, 1\) and a target of shape \(4,\).*try target.reshape\(\(4, 1\)\)"),
    ("row against column", lambda: M.accuracy(X[:, 0], T[:, None]), ValueError,
     r"try target.reshape\(\(4,\)\)"),
    ("column of classes", lambda: M.accuracy(X, T[:, None]), ValueError, r"try target\[:, 0\]"),
    ("r2 broadcast", lambda: M.r2_score(X[:, :1], T), ValueError, r"as nothing is broadcast"),
    ("mse of a column", lambda: M.MeanSquaredError()(X, T[:, None]), ValueError, r"the same shape$"),
    ("mse broadcast", lambda: M.MeanSquaredError()(X[:, 0], X[:, :1]), ValueError, "nothing is broadcast"),
    ("class out of range", lambda: M.accuracy(X, T + 1), IndexError,
     "class 3, expected 0 to 2; try target - 1"),
    ("negative class", lambda: M.accuracy(X, -T), IndexError, "class -1, expected 0 to 2"),
    ("class too many", lambda: M.confusion_matrix(T, T, 2), IndexError, "class 2, expected 0 to 1"),
    ("perplexity", lambda: M.perplexity(X, T + 5), IndexError, "class 5, expected 0 to 2"),
    ("other classes", lambda: M.ConfusionMatrix(5)(X, T), ValueError, "an output for 3 classes, expected 5"),
    ("several labels", lambda: M.accuracy(X, np.ones((4, 3))), ValueError, "try task='multilabel'"),
    ("minus one", lambda: M.accuracy(X[:, 0], np.array([-1, 1, 1, 1])), ValueError,
     r"try \(target \+ 1\) / 2"),
    ("one score, classes", lambda: M.accuracy(X[:, 0], T), ValueError, r"labels 0, 1, 2 for one score"),
    ("k", lambda: M.top_k_accuracy(X, T, 4), ValueError, "k=4 and 3 classes"),
    ("k zero", lambda: M.TopK(0), ValueError, "k=0, expected a positive"),
    ("k without scores", lambda: M.top_k_accuracy(T, T, 1), ValueError, "expected scores"),
    ("binary of many", lambda: M.f1_score(X, T), ValueError, "3 classes.*try average='macro'"),
    ("r2 of classes", lambda: M.r2_score(X, T), ValueError, "class indices of shape.*try Accuracy"),
    ("r2 of one", lambda: M.r2_score([1.0], [1.0]), ValueError, "1 sample, expected at least 2"),
    ("r2 of other outputs", lambda: over_two(M.R2()), ValueError, "2 numbers a sample, expected 3"),
    ("nan in scores", lambda: M.accuracy(NAN, T), ValueError, "NaN among the scores of 3 of 4 samples"),
    ("nan in logits", lambda: M.accuracy(NAN[:, 0], T > 0), ValueError, "NaN in 1 of 4 scores"),
    ("nan in numbers", lambda: M.r2_score(NAN, X), ValueError, "NaN in 3 of 12 numbers of the output"),
    ("nan in targets", lambda: M.MeanAbsoluteError()(X, NAN), ValueError, "of the target"),
    ("channels last", lambda: M.perplexity(np.zeros((2, 5, 7)), np.zeros((2, 5), int)), ValueError,
     r"try np.moveaxis\(output, -1, 1\)"),
    ("text", lambda: M.accuracy(X, np.array(list("abca"))), TypeError, "try np.unique"),
    ("two outputs", lambda: M.MeanSquaredError()((X, X), X), TypeError, "an output that is a tuple of 2"),
    ("average", lambda: M.F1("mean"), ValueError, "average='mean'"),
    ("zero division", lambda: M.F1(zero_division=2), ValueError, "zero_division=2"),
    ("beta", lambda: M.FBeta(-1), ValueError, "beta=-1"),
    ("task", lambda: M.Accuracy("regression"), ValueError, "task='regression', expected one of"),
    ("subset", lambda: M.Accuracy(subset=True), ValueError, "try|expected task='multilabel'"),
    ("normalize", lambda: M.ConfusionMatrix(normalize="rows"), ValueError, "normalize='rows'"),
    ("labels' matrix", lambda: M.ConfusionMatrix(task="multilabel"), ValueError, "a matrix for each label"),
    ("function", lambda: M.get(lambda x, t: x - t)(X, X), ValueError, "a value of shape"),
]  # fmt: skip


WRONG += [
    ("function of one", lambda: M.get(lambda x, t: 0.0)(np.ones(()), np.ones(())), ValueError,
     r"an output of shape \(\)"),
    ("state of other classes", lambda: M.ConfusionMatrix(2).load_state_dict({"counts": np.eye(3, dtype=int)}),
     ValueError, r"ConfusionMatrix.load_state_dict\] got counts of \[3\] classes, expected 2"),
    ("state of no square", lambda: M.ConfusionMatrix().load_state_dict({"counts": np.ones((2, 3), int)}),
     ValueError, r"counts of \[2, 3\] classes, expected one number"),
    ("state that disagrees", lambda: M.Recall().load_state_dict(
        {name: np.arange(i + 2) for i, name in enumerate(M.Recall.states)}),
     ValueError, r"counts of \[2, 3, 4\] classes"),
]  # fmt: skip


def over_two(metric: Any) -> None:
    metric.update(X, X)
    metric.update(X[:, :2], X[:, :2])


def test_of_rows_of_probabilities_the_likeliest_class_counts() -> None:
    mixed = np.array([[0.7, 0.3, 0.0], [0.1, 0.3, 0.6], [0.2, 0.5, 0.3], [1.0, 0.0, 0.0]], np.float32)
    assert M.accuracy(X, mixed) == M.accuracy(X, np.array([0, 2, 1, 0]))
    with pytest.raises(ValueError, match="rows that are not one-hot"):
        M.accuracy(X, mixed * 1.1)


@pytest.mark.parametrize(("call", "error", "text"), [row[1:] for row in WRONG], ids=[row[0] for row in WRONG])
def test_the_wrong_task(call: Callable[[], Any], error: type[Exception], text: str) -> None:
    with pytest.raises(error, match=text):
        call()


def test_an_error_leaves_the_state() -> None:
    metric = M.ConfusionMatrix()
    metric.update(X, T)
    before = metric.compute()
    with pytest.raises(IndexError):
        metric.update(X, T + 1)
    assert np.array_equal(metric.compute(), before)
