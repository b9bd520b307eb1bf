"""Search over settings, and the diagnosis of learning curves."""

from __future__ import annotations

import math
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

from autograd_core import nn, optim
from optim import practice

F = nn.functional
SPACE = {"lr": practice.log_uniform(1e-4, 1.0), "layers": practice.integers(1, 4), "decay": [0, 1e-4]}


def score(lr: float, layers: int, decay: float) -> float:
    if lr > 0.5:
        raise FloatingPointError(f"the loss of rate {lr:.3f} is not finite\nsecond line")
    return -abs(math.log10(lr) + 2) - 0.1 * abs(layers - 2) - decay


# -- spaces ---------------------------------------------------------------------------------------


def test_draws_are_even_over_the_range_or_its_logarithm() -> None:
    trials = practice.search(lambda **params: 0.0, {
        "log": practice.log_uniform(1e-4, 1.0), "even": practice.uniform(-1.0, 3.0),
        "whole": practice.integers(1, 4), "log whole": practice.integers(1, 1000, log=True),
        "choice": ("a", "b"), "array": np.array([1, 2]),
    }, n=2000)  # fmt: skip
    drawn = {name: [t.params[name] for t in trials] for name in trials.space}
    logs = np.log10(drawn["log"])
    assert -4 <= logs.min() < -3.9
    assert -0.1 < logs.max() <= 0
    np.testing.assert_allclose(np.histogram(logs, 4)[0] / 2000, 0.25, atol=0.05)
    np.testing.assert_allclose(np.histogram(drawn["even"], 4, (-1, 3))[0] / 2000, 0.25, atol=0.05)
    np.testing.assert_allclose(np.bincount(drawn["whole"])[1:] / 2000, 0.25, atol=0.05)
    assert abs(np.median(drawn["log whole"]) - 1000**0.5) < 6
    assert {type(n) for n in drawn["whole"] + drawn["log whole"] + drawn["array"]} == {int}
    assert abs(drawn["choice"].count("a") / 2000 - 0.5) < 0.05


def test_a_grid_takes_all_combinations() -> None:
    trials = practice.search(lambda **params: 0.0, SPACE, n=3, kind="grid")
    rates, layers = [1e-4, 1e-2, 1.0], [1, 2, 4]
    got = [(t.params["lr"], t.params["layers"], t.params["decay"]) for t in trials]
    expected = [(r, k, d) for r in rates for k in layers for d in (0, 1e-4)]
    np.testing.assert_allclose(got, expected)


def test_distributions_of_scipy_are_taken() -> None:
    stats = pytest.importorskip("scipy.stats", reason="SciPy is missing: pip install 'autograd-core[scipy]'")
    space = {"lr": stats.loguniform(1e-3, 1.0)}
    trials = practice.search(lambda lr: lr, space, n=50)
    assert all(type(t.params["lr"]) is float and 1e-3 <= t.params["lr"] <= 1 for t in trials)
    assert [t.params for t in trials] == [t.params for t in practice.search(lambda lr: lr, space, n=50)]
    assert practice.refine(trials) == space
    with pytest.raises(ValueError, match="a distribution for lr, expected a range or choices in a grid"):
        practice.search(lambda lr: lr, space, kind="grid")


@pytest.mark.parametrize(
    ("make", "text"),
    [
        (lambda: practice.log_uniform(0, 1), r"\[log_uniform\] got low=0.0, expected a number above 0"),
        (lambda: practice.uniform(2, 1), r"\[uniform\] got low=2.0 and high=1.0, expected low <= high"),
        (lambda: practice.integers(1, math.inf), r"\[integers\].*both finite"),
        (lambda: practice.search(score, {}), "expected a range or choices for each name"),
        (lambda: practice.search(score, {"lr": 0.1}), r"lr=0.1, expected a range or a list .*; try \[0.1\]"),
        (lambda: practice.search(score, {"lr": "abc"}), r"lr='abc'"),
        (lambda: practice.search(score, SPACE, n=0), "n=0"),
        (lambda: practice.search(score, SPACE, kind="bayes"), "kind='bayes', expected 'random' or 'grid'"),
        (lambda: practice.search(score, SPACE, mode="best"), "mode='best', expected 'max' or 'min'"),
        (lambda: practice.refine(practice.search(score, SPACE, n=3), 2.0), "factor=2.0"),
    ],
    ids=["log of 0", "reversed", "infinite", "empty", "number", "text", "none", "kind", "mode", "factor"],
)
def test_a_search_that_cannot_be(make: Any, text: str) -> None:
    with pytest.raises(ValueError, match=text):
        make()


# -- the search -----------------------------------------------------------------------------------


def test_trials_are_sorted_and_failed_ones_kept_and_shown() -> None:
    trials = practice.search(score, SPACE, n=30)
    ended = [t.score for t in trials if not t.error]
    assert ended == sorted(ended, reverse=True)
    failed = [t for t in trials if t.params["lr"] > 0.5]
    assert failed
    assert trials[-len(failed) :] == failed
    assert all(math.isnan(t.score) for t in failed)
    assert {t.error.split(" of")[0] for t in failed} == {"FloatingPointError: the loss"}
    text = str(trials).splitlines()
    assert len(text) == 31 + len(trials.borders)
    assert text[0].split() == ["trial", "score", "lr", "layers", "decay", "seconds"]
    assert "failed" in text[30]
    assert "second line" not in str(trials)
    assert trials.best is trials[0]
    least = practice.search(lambda **params: -score(**params), SPACE, n=30, mode="min")
    assert least.best.params == trials.best.params


def test_a_search_is_repeatable_and_leaves_the_random_numbers_alone() -> None:
    def train(lr: float) -> float:
        return float(nn.random.generator().random())

    space = {"lr": practice.uniform(0, 1)}
    state = str(nn.random.get_state())
    trials = practice.search(train, space, n=5)
    assert str(nn.random.get_state()) == state
    assert len({t.score for t in trials}) == len({t.seed for t in trials}) == 5
    more = {t.number: t for t in practice.search(train, space, n=9)}
    assert all((more[t.number].score, more[t.number].params) == (t.score, t.params) for t in trials)
    assert practice.search(train, space, n=5, seed=1).best.params != trials.best.params
    nn.manual_seed(trials.best.seed)
    assert train(0.0) == trials.best.score


def test_more_results_become_columns(capsys: Any) -> None:
    space = {"lr": [1.0, 2.0]}
    trials = practice.search(lambda lr: {"score": lr, "epochs": 3}, space, n=1, kind="grid", quiet=False)
    assert "2/2" in capsys.readouterr().err
    assert trials.best.more == {"epochs": 3}
    assert str(trials).splitlines()[0].split() == ["trial", "score", "lr", "epochs", "seconds"]


def test_faults_of_the_training_function_are_not_hidden() -> None:
    def broken(lr: float) -> float:
        raise KeyError("no such layer")

    with pytest.raises(KeyError) as caught:
        practice.search(broken, {"lr": [0.5]})
    assert "in trial 0 of search, with {'lr': 0.5}" in caught.value.__notes__[0]
    assert practice.search(broken, {"lr": [0.5]}, n=1, catch=(KeyError,))[0].error.startswith("KeyError")
    with pytest.raises(TypeError, match="got None from the training function, expected a number"):
        practice.search(lambda lr: None, {"lr": [0.5]})
    failed = practice.search(lambda lr: math.nan, {"lr": [0.5]}, n=2)
    with pytest.raises(ValueError, match="2 trials, all failed, the first with the score is nan"):
        _ = failed.best
    assert failed.borders == {}


def test_ctrl_c_keeps_what_is_done() -> None:
    def train(lr: float) -> float:
        calls.append(lr)
        if len(calls) == 4:
            raise KeyboardInterrupt
        return lr

    calls: list[float] = []
    trials = practice.search(train, {"lr": practice.uniform(0, 1)}, n=10)
    assert len(trials) == 3
    assert str(trials).endswith("stopped after 3 of 10 trials")


def test_refine_narrows_around_the_best_and_stays_inside() -> None:
    trials = practice.search(score, SPACE, n=40)
    fine = practice.refine(trials, 0.25)
    best, lr = trials.best.params, fine["lr"]
    assert 1e-4 <= lr.low <= best["lr"] <= lr.high <= 1
    assert math.log(lr.high / lr.low) == pytest.approx(0.25 * math.log(1e4))
    assert best["decay"] in fine["decay"]
    assert fine["layers"].low <= best["layers"] <= fine["layers"].high
    assert practice.search(score, fine, n=40).best.score > trials.best.score

    edge = practice.search(lambda lr: lr, {"lr": practice.uniform(0, 1)}, n=30)
    assert edge.borders == {"lr": "upper"}
    assert "the best lr is at the upper end of its range: search beyond it too" in str(edge)
    inside = practice.refine(edge, 0.5)["lr"]
    assert (inside.low, inside.high) == (0.5, 1.0)


def test_a_search_finds_a_rate_for_digits() -> None:
    x, x_test, y, y_test = nn.data.train_test_split(*nn.data.digits(), generator=np.random.default_rng(0))

    def train(lr: float) -> float:
        model = nn.MLP([64, 20, 10])
        optimizer = optim.SGD(model.parameters(), lr=lr)
        for _ in range(3):
            for images, labels in nn.data.batches(x, y):
                optimizer.zero_grad()
                F.cross_entropy(model(images), labels).backward()
                optimizer.step()
        return float((model(x_test).argmax(1) == y_test).mean())

    with np.errstate(all="ignore"):
        trials = practice.search(train, {"lr": practice.log_uniform(1e-5, 1e3)}, n=12)
    assert 0.03 < trials.best.params["lr"] < 3
    assert trials.best.score > 0.7 > 0.3 > trials[-1].score


# -- learning curves ------------------------------------------------------------------------------

K = np.arange(40)
FALL = np.exp(-K / 6)
NOISE = np.random.default_rng(0).normal(size=2000)
STEPS = np.exp(-np.arange(2000) / 250)
CURVES: dict[str, tuple[str, Any]] = {
    "fine": ("fine", 2.3 * FALL + 0.02),
    "fine with validation": ("fine", {"loss": 2.3 * FALL + 0.02, "val_loss": 2.3 * FALL + 0.1}),
    "fine steps": ("fine", 2.2 * STEPS + 0.1 + 0.1 * NOISE),
    "fine, noisy": ("fine", {"loss": 2.3 * FALL, "val_loss": 2.3 * FALL + 0.1 + 0.03 * NOISE[:40]}),
    "NaN": ("diverging", np.r_[2.3 * FALL, np.nan]),
    "infinite": ("diverging", np.r_[2.3 * FALL, np.inf, np.inf]),
    "up again": ("diverging", [2.3, 1.5, 1.2, 2.0, 4.0, 8.0]),
    "only up": ("diverging", [2.3, 2.5, 3.0, 4.0, 5.0, 8.0]),
    "flat": ("not learning", np.full(40, 2.3)),
    "flat steps": ("not learning", 2.3 + 0.0 * NOISE),
    "rises later": ("over-fitting", {"loss": 2.3 * FALL, "val_loss": 2.3 * FALL + 0.02 * K}),
    "large gap": ("over-fitting", {"train_loss": 2.3 * FALL, "valid_loss": 2.3 * FALL + 0.9 * (1 - FALL)}),
    "straight line": ("too low a rate", 2.3 - 0.01 * K),
    "slow": ("too low a rate", {"loss": 2.3 * np.exp(-K / 80), "val_loss": 2.35 * np.exp(-K / 80)}),
    "high plateau": ("under-fitting", 1.7 + 0.6 * FALL),
    "noise": ("noisy", 2.3 * STEPS + 0.6 * NOISE),
    "validation jumps": ("noisy", {"loss": 2.3 * FALL, "val_loss": 2.3 * FALL + 0.1 + 1.5 * (K == 30)}),
    "validation infinite": ("diverging", {"loss": 2.3 * FALL, "val_loss": np.r_[FALL[:-1], np.inf]}),
    "validation not measured": ("fine", {"loss": 2.3 * FALL, "val_loss": np.full(40, np.nan)}),
    "each third epoch": ("over-fitting", {
        "loss": 2.3 * FALL, "val_loss": np.where(K % 3 == 2, 2.3 * FALL + 0.02 * K, np.nan)}),
    "negative": ("fine", 3 * FALL - 2),
}


@pytest.mark.parametrize("curve", CURVES)
def test_curves_are_diagnosed(curve: str) -> None:
    verdict, history = CURVES[curve]
    found = practice.diagnose(history)
    assert found.verdict == verdict, found
    assert found.evidence
    assert found.suggestion
    assert str(found).startswith(f"{verdict}: {found.evidence}; {found.suggestion}")


def test_the_diagnosis_does_not_depend_on_the_scale() -> None:
    for verdict, history in CURVES.values():
        curves = history if isinstance(history, dict) else {"loss": history}
        if curves is not CURVES["negative"][1]:
            scaled = {name: 1000 * np.asarray(values) for name, values in curves.items()}
            assert practice.diagnose(scaled).verdict == verdict


def test_the_evidence_says_where() -> None:
    found = practice.diagnose(SimpleNamespace(history=CURVES["rises later"][1]))
    best = int(np.argmin(2.3 * FALL + 0.02 * K))
    assert f"at point {best + 1} of 40" in found.evidence
    assert found.suggestion.startswith(f"stop at point {best + 1}, regularise")
    assert "nan at point 41" in practice.diagnose(CURVES["NaN"][1]).evidence


def test_the_trainers_history_is_read() -> None:
    history = optim.History({"loss": [2.3, 1.0], "val_loss": [2.0, 1.0]})
    history.steps["loss"] = list(2.3 * FALL)
    assert practice.diagnose(history).verdict == "fine"
    assert "fell from 2.3 to 0.00346" in practice.diagnose(history).evidence
    for train, validation in zip(2.3 * FALL[2:], (2.3 * FALL + 0.02 * K)[2:], strict=True):
        history.append({"loss": train, "val_loss": validation})
    assert practice.diagnose(history).verdict == "over-fitting"


def test_real_over_fitting_is_seen() -> None:
    nn.manual_seed(0)
    x, y = nn.data.digits()
    rng = np.random.default_rng(0)
    train_y = np.where(rng.random(60) < 0.3, rng.integers(10, size=60), y[:60])  # some labels are wrong
    model = nn.MLP([64, 100, 10])
    optimizer = optim.Adam(model.parameters(), lr=0.01)
    history: dict[str, list[float]] = {"loss": [], "val_loss": []}
    for _ in range(60):
        loss = F.cross_entropy(model(x[:60]), train_y)
        history["loss"].append(loss.item())
        history["val_loss"].append(F.cross_entropy(model(x[1000:]), y[1000:]).item())
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
    assert practice.diagnose(history).verdict == "over-fitting"


@pytest.mark.parametrize(
    ("history", "text"),
    [
        ({"accuracy": [1.0] * 9}, "a history of accuracy, expected the training losses as 'loss'"),
        ([1.0, 0.5], "2 points, expected 5 or more"),
        ({"loss": FALL, "val_loss": FALL[:9]}, "40 training and 9 validation losses, expected as many"),
        ({"loss": np.ones((5, 2))}, r"loss of shape \(5, 2\)"),
    ],
    ids=["no loss", "short", "lengths", "shape"],
)
def test_histories_that_cannot_be_read(history: Any, text: str) -> None:
    with pytest.raises(ValueError, match=text):
        practice.diagnose(history)
