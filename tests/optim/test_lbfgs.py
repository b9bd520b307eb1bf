"""L-BFGS: PyTorch's iterates, its state, what it refuses, and minima that SciPy agrees with."""

from __future__ import annotations

import copy
import pickle
from typing import Any

import numpy as np
import pytest

import autograd_core as ag
from autograd_core import nn, optim

F = nn.functional


def rosenbrock(x: Any) -> Any:
    """The valley of N dimensions; written for Tensors of either library."""
    return (100 * (x[1:] - x[:-1] ** 2) ** 2 + (1 - x[:-1]) ** 2).sum()


def closure_of(optimizer: Any, loss: Any) -> Any:
    def closure() -> Any:
        optimizer.zero_grad()
        value = loss()
        value.backward()
        return value

    return closure


# -- PyTorch's iterates ------------------------------------------------------------------------------

OPTIONS: dict[str, dict[str, Any]] = {
    "wolfe": {"line_search_fn": "strong_wolfe"},
    "one iteration a step": {"line_search_fn": "strong_wolfe", "max_iter": 1},
    "four, ten evaluations": {"line_search_fn": "strong_wolfe", "max_iter": 4, "max_eval": 10},
    "short history": {"line_search_fn": "strong_wolfe", "history_size": 2, "max_iter": 7},
    "history of one": {"line_search_fn": "strong_wolfe", "history_size": 1, "max_iter": 3},
    "small rate": {"line_search_fn": "strong_wolfe", "lr": 0.1, "max_iter": 5},
    "large rate": {"line_search_fn": "strong_wolfe", "lr": 30.0, "max_iter": 5},
    "loose": {"line_search_fn": "strong_wolfe", "tolerance_grad": 1e-2, "tolerance_change": 1e-4},
    "fixed": {"lr": 0.02, "max_iter": 5},
    "fixed, one iteration": {"lr": 0.05, "max_iter": 1},
    "fixed, few evaluations": {"lr": 0.05, "max_iter": 9, "max_eval": 4, "history_size": 3},
    "fixed, loose": {"lr": 0.05, "tolerance_grad": 1e-2, "tolerance_change": 1e-3},
}


def torch() -> Any:
    reason = "PyTorch is not installed: pip install 'autograd-core[oracle]'"
    return pytest.importorskip("torch", reason=reason)


def close(p: Any, q: Any, tolerance: float) -> None:
    np.testing.assert_allclose(p.numpy(), q.detach().numpy(), rtol=tolerance, atol=tolerance)


def put(ours: list[Any], theirs: list[Any]) -> None:
    with ag.no_grad():
        for p, q in zip(ours, theirs, strict=True):
            p[...] = q.detach().numpy()


def both(problem: str, dtype: Any) -> Any:
    """Return our parameters and loss, and PyTorch's."""
    rng = np.random.default_rng(5)
    shapes = {"bowl": [(3, 2), (4,), ()], "network": [(3, 8), (8,), (8, 2), (2,)]}[problem]
    starts = [rng.normal(size=s).astype(dtype) for s in shapes]
    ours, theirs = [nn.Parameter(x) for x in starts], [torch().tensor(x, requires_grad=True) for x in starts]
    stretch = [10 ** rng.uniform(-1, 2, s).astype(dtype) for s in shapes]
    x, y = rng.normal(size=(20, 3)).astype(dtype), rng.normal(size=(20, 2)).astype(dtype)

    def loss(params: list[Any], given: Any) -> Any:
        if problem == "bowl":
            return sum((given(c) * p * p + 0.1 * p**4).sum() for c, p in zip(stretch, params, strict=True))
        a, b, c, d = params
        return (((given(x) @ a + b).tanh() @ c + d - given(y)) ** 2).mean()

    return ours, lambda: loss(ours, lambda v: v), theirs, lambda: loss(theirs, torch().tensor)


@pytest.mark.parametrize("problem", ["bowl", "network"])
@pytest.mark.parametrize("options", OPTIONS.values(), ids=OPTIONS)
@pytest.mark.parametrize("steps", [4, 25], ids=["by itself", "from its states"])
def test_the_iterates_are_those_of_pytorch(steps: int, options: Any, problem: str) -> None:
    """Four steps of up to 20 iterations; and 25, each of which begins at PyTorch's state.

    In the valleys of these problems rounding grows by a factor of ten in ten iterations.
    """
    ours, our_loss, theirs, their_loss = both(problem, np.float64)
    a, b = optim.LBFGS(ours, **options), torch().optim.LBFGS(theirs, **options)
    assert {**a.param_groups[0], "params": 0} == {**b.param_groups[0], "params": 0}
    start = [p.numpy().copy() for p in ours]
    for n in range(steps):
        if steps == 25:
            put(ours, theirs)
            a.load_state_dict(b.state_dict())
        ours_now = a.step(closure_of(a, our_loss)).item()
        theirs_now = b.step(closure_of(b, their_loss)).item()
        np.testing.assert_allclose(ours_now, theirs_now, rtol=1e-8, err_msg=f"step {n}")
        for p, q in zip(ours, theirs, strict=True):
            close(p, q, 1e-8)
        for name in ("func_evals", "n_iter"):
            assert a.state[ours[0]][name] == b.state[theirs[0]][name]
    assert all((p.numpy() != before).any() for p, before in zip(ours, start, strict=True))


@pytest.mark.parametrize(
    "options",
    [{}, {"lr": 0.3}, {"history_size": 3, "lr": 0.5},
     {"line_search_fn": "strong_wolfe"}, {"line_search_fn": "strong_wolfe", "history_size": 3}],
    ids=str,
)  # fmt: skip
def test_a_hundred_steps_are_those_of_pytorch(options: Any) -> None:
    """Of one iteration each, in a logistic regression, where rounding does not grow."""
    rng = np.random.default_rng(0)
    x = rng.normal(size=(40, 6))
    t = (x @ rng.normal(size=6) > 0).astype(float)
    p, q = nn.Parameter(np.zeros(6)), torch().nn.Parameter(torch().zeros(6, dtype=torch().float64))
    a, b = optim.LBFGS([p], max_iter=1, **options), torch().optim.LBFGS([q], max_iter=1, **options)
    xs, ts = torch().tensor(x), torch().tensor(t)

    def ours() -> Any:
        z = x @ p
        return (np.log1p(np.exp(-z)) + (1 - t) * z).mean() + 0.05 * (p * p).sum()

    def theirs() -> Any:
        z = xs @ q
        return ((-z).exp().log1p() + (1 - ts) * z).mean() + 0.05 * (q * q).sum()

    for n in range(100):
        a.step(closure_of(a, ours))
        b.step(closure_of(b, theirs))
        np.testing.assert_allclose(p.numpy(), q.detach().numpy(), rtol=1e-10, err_msg=f"step {n}")
    assert abs(p.numpy()).max() > 0.5


@pytest.mark.parametrize("name", ["wolfe", "fixed"])
def test_float32_stays_float32_and_close(name: str) -> None:
    ours, our_loss, theirs, their_loss = both("network", np.float32)
    a, b = optim.LBFGS(ours, **OPTIONS[name]), torch().optim.LBFGS(theirs, **OPTIONS[name])
    a.step(closure_of(a, our_loss))
    b.step(closure_of(b, their_loss))
    for p, q in zip(ours, theirs, strict=True):
        assert p.dtype == np.float32
        np.testing.assert_allclose(p.numpy(), q.detach().numpy(), rtol=1e-2, atol=1e-3)
    memory = a.state[ours[0]]
    assert all(memory[k].dtype == np.float32 for k in ("d", "prev_flat_grad", "old_dirs", "old_stps"))


def test_a_state_of_pytorch_is_continued() -> None:
    ours, our_loss, theirs, their_loss = both("network", np.float64)
    options = {"line_search_fn": "strong_wolfe", "max_iter": 3, "history_size": 4}
    b = torch().optim.LBFGS(theirs, **options)
    for _ in range(3):
        b.step(closure_of(b, their_loss))
    put(ours, theirs)
    a = optim.LBFGS(ours)
    a.load_state_dict(b.state_dict())
    for _ in range(4):
        a.step(closure_of(a, our_loss))
        b.step(closure_of(b, their_loss))
        for p, q in zip(ours, theirs, strict=True):
            close(p, q, 1e-8)


# -- minima ------------------------------------------------------------------------------------------


@pytest.mark.parametrize("n", [2, 100])
def test_rosenbrock_is_solved_where_scipy_solves_it(n: int) -> None:
    start = np.tile([-1.2, 1.0], n // 2)
    x = nn.Parameter(start)
    optimizer = optim.LBFGS([x], max_iter=1000, tolerance_change=0, line_search_fn="strong_wolfe")
    optimizer.step(closure_of(optimizer, lambda: rosenbrock(x)))
    assert rosenbrock(x).item() < 1e-14
    np.testing.assert_allclose(x.numpy(), 1, atol=1e-6)
    reason = "SciPy is not installed: pip install 'autograd-core[scipy]'"
    optimize = pytest.importorskip("scipy.optimize", reason=reason)
    options = {"maxiter": 10_000, "maxfun": 10_000, "ftol": 0, "gtol": 1e-7}
    f = ag.value_and_grad(rosenbrock)
    theirs = optimize.minimize(f, start, jac=True, method="L-BFGS-B", options=options)
    np.testing.assert_allclose(x.numpy(), theirs.x, atol=1e-6)
    memory = optimizer.state[x]
    print(f"{n}-D: {memory['n_iter']} iterations, {memory['func_evals']} evaluations;",
          f"SciPy's L-BFGS-B: {theirs.nit}, {theirs.nfev}")  # fmt: skip
    assert memory["func_evals"] < 1.5 * theirs.nfev


def test_a_network_learns_its_samples() -> None:
    nn.manual_seed(0)
    rng = np.random.default_rng(0)
    x, y = rng.normal(size=(40, 3)), rng.integers(0, 3, 40)
    model = nn.MLP([3, 20, 3], activation="tanh")
    optimizer = optim.LBFGS(model.parameters(), line_search_fn="strong_wolfe")
    closure = closure_of(optimizer, lambda: F.cross_entropy(model(x), y))
    losses = [optimizer.step(closure).item() for _ in range(15)]
    assert losses[-1] < 1e-3 < 1 < losses[0] + 0.2
    assert (model(x).argmax(1) == y).all()
    assert all(p.dtype == np.float32 for p in model.parameters())


# -- its state ---------------------------------------------------------------------------------------


def bowl(params: list[Any]) -> Any:
    return sum(((p - 1) ** 4 + p * p).sum() for p in params)


def problem() -> tuple[list[Any], Any]:
    rng = np.random.default_rng(3)
    params = [nn.Parameter(rng.normal(size=s)) for s in ((3, 2), (), (4,))]
    return params, lambda: bowl(params)


def values(params: list[Any]) -> Any:
    return np.concatenate([p.numpy().ravel() for p in params])


@pytest.mark.parametrize(
    "options", [{"line_search_fn": "strong_wolfe"}, {"lr": 0.01}], ids=["wolfe", "fixed"]
)
@pytest.mark.parametrize("history_size", [3, 100])
def test_a_run_continues_bit_for_bit(options: Any, history_size: int, tmp_path: Any) -> None:
    options = {**options, "max_iter": 2, "max_eval": 99, "history_size": history_size}
    params, loss = problem()
    optimizer = optim.LBFGS(params, **options)
    for _ in range(4):
        optimizer.step(closure_of(optimizer, loss))
    state, at = optimizer.state_dict(), [p.numpy().copy() for p in params]
    rows = state["state"][0]["old_dirs"]
    assert rows.shape == (min(history_size, 7), 11), "the history and no more, the oldest first"
    nn.save_file({f"0.{k}": v for k, v in state["state"][0].items()}, tmp_path / "state.safetensors")
    loaded = nn.load_file(tmp_path / "state.safetensors")
    for _ in range(4):
        optimizer.step(closure_of(optimizer, loss))
    again, loss_again = problem()
    with ag.no_grad():
        for p, v in zip(again, at, strict=True):
            p[...] = v
    other = optim.LBFGS(again)
    saved = {0: {k.removeprefix("0."): v for k, v in loaded.items()}}
    other.load_state_dict({**copy.deepcopy(state), "state": saved})
    for _ in range(4):
        other.step(closure_of(other, loss_again))
    assert np.array_equal(values(params), values(again))
    assert (values(params) != np.concatenate([v.ravel() for v in at])).any()
    one, two = optimizer.state_dict()["state"][0], other.state_dict()["state"][0]
    assert one.keys() == two.keys()
    assert all(np.array_equal(one[k], two[k]) for k in one)


@pytest.mark.parametrize(
    "copier", [copy.deepcopy, lambda x: pickle.loads(pickle.dumps(x))], ids=["copy", "pickle"]
)
def test_it_is_copied_with_its_parameters(copier: Any) -> None:
    params, loss = problem()
    optimizer = optim.LBFGS(params, max_iter=3, line_search_fn="strong_wolfe")
    optimizer.step(closure_of(optimizer, loss))
    twins, twin = copier((params, optimizer))
    optimizer.step(closure_of(optimizer, loss))
    twin.step(closure_of(twin, lambda: bowl(twins)))
    assert np.array_equal(values(params), values(twins))


def test_the_history_may_change_its_size() -> None:
    params, loss = problem()
    optimizer = optim.LBFGS(params, max_iter=6, history_size=4, line_search_fn="strong_wolfe")
    optimizer.step(closure_of(optimizer, loss))
    rows = optimizer.state_dict()["state"][0]["old_dirs"]
    for size in (8, 2):
        optimizer.param_groups[0].update(history_size=size, max_iter=1)
        optimizer.step(closure_of(optimizer, loss))
        new = optimizer.state_dict()["state"][0]["old_dirs"]
        assert len(new) == min(size, len(rows) + 1)
        np.testing.assert_array_equal(new[:-1], rows[len(rows) - len(new) + 1 :])
        rows = new


def test_a_state_that_does_not_fit_changes_nothing() -> None:
    params, loss = problem()
    optimizer = optim.LBFGS(params, line_search_fn="strong_wolfe")
    optimizer.step(closure_of(optimizer, loss))
    state = optimizer.state_dict()
    before = copy.deepcopy(state)
    state["state"][0]["d"] = np.ones(5)
    with pytest.raises(ValueError, match=r"d of shape \(5,\), expected a last axis of 11"):
        optimizer.load_state_dict(state)
    now = optimizer.state_dict()["state"][0]
    assert all(np.array_equal(now[k], v) for k, v in before["state"][0].items())


# -- what is frozen, what has no gradient, what goes wrong --------------------------------------------


@pytest.mark.parametrize("search", ["strong_wolfe", None])
def test_frozen_parameters_stay(search: Any) -> None:
    """It is the run without them, before, and the frozen stay also when frozen on the way."""
    a, b, c = (nn.Parameter(np.array([x, 2.0])) for x in (1.0, 3.0, 1.0))
    b.requires_grad = False
    b.grad = np.array([7.0, 7.0])  # left from before
    whole = optim.LBFGS([b, a], lr=0.1, max_iter=3, line_search_fn=search)
    alone = optim.LBFGS([c], lr=0.1, max_iter=3, line_search_fn=search)

    def loss(p: Any, frozen: Any) -> Any:
        return lambda: ((p * frozen.detach() - 1) ** 4).sum() + (p * p).sum()

    for _ in range(3):
        whole.zero_grad()
        whole.step(closure_of(whole, loss(a, b)))
        alone.step(closure_of(alone, loss(c, b)))
    np.testing.assert_allclose(a.numpy(), c.numpy(), rtol=1e-12)
    assert b.numpy().tolist() == [3.0, 2.0]
    b.requires_grad, a.requires_grad = True, False
    before = a.numpy().copy()
    both = lambda: ((a * b - 1) ** 4).sum() + (b * b).sum()
    losses = [whole.step(closure_of(whole, both)).item() for _ in range(10)]
    assert np.array_equal(a.numpy(), before)
    assert (b.numpy() != [3.0, 2.0]).all()
    assert losses[-1] < losses[0]


def test_the_change_of_the_gradient_by_freezing_is_no_curvature() -> None:
    a, b = (nn.Parameter(np.array([x, 2.0])) for x in (1.0, 3.0))
    optimizer = optim.LBFGS([a, b], lr=0.05, max_iter=1)
    loss = lambda: (a**4).sum() + (b**4).sum()
    for _ in range(3):
        optimizer.step(closure_of(optimizer, loss))
    a.requires_grad = False
    optimizer.step(closure_of(optimizer, loss))
    state = optimizer.state_dict()["state"][0]
    for name in ("old_dirs", "old_stps"):
        assert len(state[name]) == 3
        assert (state[name][:2] != 0).all()
        assert (state[name][2, :2] == 0).all()
        assert (state[name][2, 2:] != 0).all()


def test_what_does_not_reach_the_loss_stays() -> None:
    a, b = nn.Parameter(np.array([1.0, -2.0])), nn.Parameter(np.array([5.0]))
    optimizer = optim.LBFGS([b, a], line_search_fn="strong_wolfe")
    optimizer.step(closure_of(optimizer, lambda: ((a - 3) ** 2).sum()))
    np.testing.assert_allclose(a.numpy(), 3, atol=1e-6)
    assert b.numpy().tolist() == [5.0]


def test_a_gradient_that_overflows_on_the_way_does_not_spoil_the_parameters() -> None:
    p = nn.Parameter(np.array([1.0]))
    optimizer = optim.LBFGS([p], lr=1e3)
    closure = closure_of(optimizer, lambda: np.exp(p * p).sum())
    with np.errstate(over="ignore"):
        optimizer.step(closure)
        assert p.item() == 1 - 1e3  # the first step; no second one has been made
        with pytest.raises(FloatingPointError, match="a smaller lr"):
            optimizer.step(closure)


@pytest.mark.parametrize("search", ["strong_wolfe", None])
@pytest.mark.parametrize("error", [KeyboardInterrupt, ValueError])
def test_a_closure_that_fails_leaves_all_whole(error: Any, search: Any) -> None:
    """At any evaluation; and the step afterwards is as if nothing had been."""
    options = {"lr": 0.05, "max_iter": 4, "max_eval": 99, "line_search_fn": search, "history_size": 2}
    for fails in range(4):
        params, loss = problem()
        optimizer = optim.LBFGS(params, **options)
        optimizer.step(closure_of(optimizer, loss))
        calls = 0

        def failing(fails: int = fails, loss: Any = loss, optimizer: Any = optimizer) -> Any:
            nonlocal calls
            calls += 1
            if calls == fails + 1:
                raise error("stop")
            return closure_of(optimizer, loss)()

        with pytest.raises(error, match="stop"):
            optimizer.step(failing)
        memory = optimizer.state[params[0]]
        straight, straight_loss = problem()
        reference = optim.LBFGS(straight, **options)
        reference.step(closure_of(reference, straight_loss))
        done = int(memory["n_iter"]) - 4
        if done:
            reference.param_groups[0].update(max_iter=done)
            reference.step(closure_of(reference, straight_loss))
        assert np.array_equal(values(params), values(straight))
        for o in (optimizer, reference):
            o.param_groups[0].update(max_iter=4)
        optimizer.step(closure_of(optimizer, loss))
        reference.step(closure_of(reference, straight_loss))
        assert np.array_equal(values(params), values(straight))


def test_a_gradient_that_is_not_finite_changes_nothing() -> None:
    w = nn.Parameter(np.array([0.0, 1.0]))
    optimizer = optim.LBFGS([w])
    text = r"\[LBFGS.step\] got a gradient that is not finite.*strong_wolfe"
    with pytest.raises(FloatingPointError, match=text), np.errstate(divide="ignore"):
        optimizer.step(closure_of(optimizer, lambda: np.log(w).sum()))
    assert w.numpy().tolist() == [0.0, 1.0]


def test_a_wall_of_the_undefined_is_not_crossed() -> None:
    """log is undefined below 0, where the first step of a search with a large rate ends."""
    w = nn.Parameter(np.array([0.1]))
    optimizer = optim.LBFGS([w], lr=10, line_search_fn="strong_wolfe")
    with np.errstate(invalid="ignore"):
        optimizer.step(closure_of(optimizer, lambda: (w - np.log(w)).sum()))
    np.testing.assert_allclose(w.numpy(), 1, atol=1e-5)


W = nn.Parameter([1.0])


@pytest.mark.parametrize(
    ("call", "error", "text"),
    [
        (lambda: optim.LBFGS([{"params": [W]}, {"params": [nn.Parameter([2.0])]}]), ValueError,
         r"\[LBFGS\] got a second group of parameters, expected one"),
        (lambda: optim.LBFGS([W]).add_param_group({"params": []}), ValueError, "second group"),
        (lambda: optim.LBFGS([W], max_iter=0), ValueError, "max_iter=0, expected a number of at least 1"),
        (lambda: optim.LBFGS([W], max_eval=0), ValueError, "max_eval=0"),
        (lambda: optim.LBFGS([W], history_size=0), ValueError, "history_size=0"),
        (lambda: optim.LBFGS([W], lr=-1), ValueError, "lr=-1"),
        (lambda: optim.LBFGS([W], line_search_fn="armijo"), ValueError, "'armijo', expected 'strong_wolfe'"),
        (lambda: optim.LBFGS([W]).step(), TypeError, r"a closure of type NoneType.*step\(closure\)"),
        (lambda: optim.LBFGS([W]).step((W * W).sum()), TypeError, "a closure of type Tensor"),
        (lambda: optim.LBFGS([W]).step(lambda: (W * W).sum()), ValueError, r"calls loss.backward\(\)"),
    ],
)  # fmt: skip
def test_what_makes_no_sense_is_explained(call: Any, error: Any, text: str) -> None:
    with pytest.raises(error, match=text):
        call()
