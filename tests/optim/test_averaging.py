"""Averages of parameters: their weights, swapped in and out, stored, and beside PyTorch's."""

from __future__ import annotations

import copy
import pickle
from typing import Any

import numpy as np
import pytest

from autograd_core import nn, optim

RNG = np.random.default_rng(5)


def network(dtype: Any = np.float32) -> Any:
    return nn.Sequential(nn.Linear(4, 3), nn.BatchNorm1d(3), nn.Linear(3, 2)).to(dtype)


def trained(model: Any, steps: int, seed: int = 1) -> Any:
    """Change parameters and statistics, step by step; the parameters after each."""
    rng = np.random.default_rng(seed)
    optimizer = optim.SGD(model.parameters(), lr=0.1)
    for _ in range(steps):
        (model(rng.normal(size=(8, 4))) ** 2).mean().backward()
        optimizer.step()
        optimizer.zero_grad()
        yield [p.numpy().astype(float) for p in model.parameters()]


def weighted(values: list[list[Any]], weights: Any) -> list[Any]:
    shares = np.array(weights) / np.sum(weights)
    return [sum(w * x for w, x in zip(shares, one, strict=True)) for one in zip(*values, strict=True)]


# -- the weights of all values, in closed form ------------------------------------------------------

N = 25
WEIGHTS = {
    "equal": (lambda model: optim.AveragedModel(model), np.ones(N)),
    "ema": (lambda model: optim.ema(model, 0.9), 0.9 ** np.arange(N)[::-1]),
    "ema of decay 1": (lambda model: optim.ema(model, 1.0), np.ones(N)),
    "ema of decay 0": (lambda model: optim.ema(model, 0.0), np.eye(N)[-1]),
    "uncorrected": (
        lambda model: optim.ema(model, 0.9, bias_correction=False),
        np.where(np.arange(N) == 0, 0.9 ** (N - 1), 0.1 * 0.9 ** np.arange(N)[::-1]),
    ),
    "one by one": (
        lambda model: optim.AveragedModel(model, avg_fn=optim.get_ema_avg_fn(0.9, bias_correction=True)),
        0.9 ** np.arange(N)[::-1],
    ),
    "equal, one by one": (
        lambda model: optim.AveragedModel(model, avg_fn=optim.get_swa_avg_fn()), np.ones(N)
    ),
    "of one's own": (lambda model: optim.AveragedModel(model, avg_fn=lambda a, x, n: np.maximum(a, x)), None),
}  # fmt: skip


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("name", WEIGHTS)
def test_the_weight_of_each_value(name: str, dtype: Any) -> None:
    make, weights = WEIGHTS[name]
    model = network(dtype)
    average, values = make(model), []
    for value in trained(model, N):
        values.append(value)
        before = model.state_dict()
        average.update_parameters(model)
        assert all(np.array_equal(x, before[k]) for k, x in model.state_dict().items()), "only read"
    expected = np.max if weights is None else None
    wanted = [expected(x, 0) for x in zip(*values, strict=True)] if expected else weighted(values, weights)
    rtol = 2e-6 if dtype == np.float32 else 1e-12
    for p, x in zip(average.module.parameters(), wanted, strict=True):
        assert p.dtype == dtype
        np.testing.assert_allclose(p.numpy(), x, rtol=rtol, atol=rtol)
    assert average.n_averaged == N


def test_buffers_are_copied_or_averaged_and_counts_always_copied() -> None:
    model = network()
    copied, averaged, values = optim.AveragedModel(model), optim.AveragedModel(model, use_buffers=True), []
    for _ in trained(model, 5):
        values.append(model[1].running_mean.copy())
        copied.update_parameters(model)
        averaged.update_parameters(model)
    assert np.array_equal(copied.module[1].running_mean, values[-1])
    np.testing.assert_allclose(averaged.module[1].running_mean, np.mean(values, 0), rtol=1e-5)
    assert copied.module[1].num_batches_tracked == averaged.module[1].num_batches_tracked == 5


@pytest.mark.parametrize("shape", [(1 << 14,), ((1 << 14) + 1,), (700, 333), (1 << 20,)])
@pytest.mark.parametrize("share", [0.001, 0.4, 0.5, 0.9])
def test_large_arrays_in_pieces(shape: Any, share: float) -> None:
    a, x = RNG.normal(size=shape), RNG.normal(size=shape)
    for arrays in ((a.copy(), x), (np.array(a, order="F"), x), (a.copy(), np.asfortranarray(x))):
        optim.get_ema_multi_avg_fn(1 - share)([arrays[0]], [arrays[1]], 3)
        np.testing.assert_allclose(arrays[0], (1 - share) * a + share * x, rtol=1e-12, atol=1e-15)


def test_parameters_of_no_axes_and_no_elements() -> None:
    model = nn.ParameterList([nn.Parameter(np.float32(1)), nn.Parameter(np.zeros((0, 3)))])
    average = optim.AveragedModel(model)
    for _ in range(2):
        average.update_parameters(model)
        for p in model:
            p.data = p.data * 3
    assert [p.numpy().tolist() for p in average.module] == [2.0, []]


def test_what_two_layers_share_they_share_in_the_average() -> None:
    model = nn.Sequential(nn.Linear(3, 3), nn.Linear(3, 3))
    model[1].weight = model[0].weight
    average = optim.AveragedModel(model)
    assert average.module[0].weight is average.module[1].weight
    average.update_parameters(model)
    assert len(list(average.parameters())) == 3


# -- in place of the model's own ---------------------------------------------------------------------


def test_applied_and_taken_back() -> None:
    model, x = network(), RNG.normal(size=(5, 4))
    average = optim.ema(model, 0.8)
    for _ in trained(model, 6):
        average.update_parameters(model)
    model.eval(), average.eval()
    own, theirs = model(x).numpy(), average(x).numpy()
    state = model.state_dict()
    with average.applied(model) as same:
        assert same is model
        assert np.array_equal(model(x).numpy(), theirs)
        model.train()
        for _ in trained(model, 2):
            pass
        model.eval()
    assert not np.array_equal(own, theirs)
    assert np.array_equal(model(x).numpy(), own)
    assert all(np.array_equal(v, state[k]) for k, v in model.state_dict().items())
    assert np.array_equal(average(x).numpy(), theirs), "the averages are as they were"


def test_an_error_inside_does_no_harm() -> None:
    model = network()
    average = optim.AveragedModel(model)
    for _ in trained(model, 3):
        average.update_parameters(model)
    state = model.state_dict()
    with pytest.raises(ZeroDivisionError), average.applied(model):
        1 / 0  # noqa: B018
    with pytest.raises(KeyboardInterrupt), average.applied(model), average.applied(model):
        raise KeyboardInterrupt
    assert all(np.array_equal(v, state[k]) for k, v in model.state_dict().items())


def test_training_goes_on_in_the_same_memory() -> None:
    """An optimizer keeps its momentum, and the run is the one that never looked at the average."""
    ends = []
    for look in (False, True):
        nn.manual_seed(0)
        model = network()
        average, optimizer = optim.ema(model, 0.9), optim.Adam(model.parameters(), lr=0.01)
        rng = np.random.default_rng(2)
        for _ in range(5):
            (model(rng.normal(size=(8, 4))) ** 2).mean().backward()
            optimizer.step()
            optimizer.zero_grad()
            average.update_parameters(model)
            if look:
                with average.applied(model.eval()):
                    model(np.ones((1, 4)))
                model.train()
        ends.append(model.state_dict())
    assert all(np.array_equal(v, ends[1][k]) for k, v in ends[0].items())


# -- its state ------------------------------------------------------------------------------------------


def test_stored_and_continued(tmp_path: Any) -> None:
    nn.manual_seed(3)
    model = network()
    whole = optim.ema(model, 0.95)
    again = optim.ema(model, 0.95)
    for i, _ in enumerate(trained(model, 12)):
        whole.update_parameters(model)
        if i < 6:
            again.update_parameters(model)
        if i == 5:
            nn.save_file(again, tmp_path / "average.safetensors")
            again = optim.ema(network(), 0.95)
            again.load_state_dict(nn.load_file(tmp_path / "average.safetensors"))
        if i >= 6:
            again.update_parameters(model)
    assert again.n_averaged == 12
    ours, theirs = whole.state_dict(), again.state_dict()
    assert "n_averaged" in ours
    assert all(np.array_equal(v, theirs[k]) for k, v in ours.items())


def test_copied_and_pickled() -> None:
    model = network()
    average = optim.ema(model, 0.9)
    average.update_parameters(model)
    for other in (copy.deepcopy(average), pickle.loads(pickle.dumps(average))):
        other.update_parameters(model)
        assert (other.n_averaged, average.n_averaged) == (2, 1)


# -- batch normalization ---------------------------------------------------------------------------


@pytest.mark.parametrize("as_pairs", [False, True])
def test_update_bn(as_pairs: bool) -> None:
    model = network()
    for _ in trained(model, 3):
        pass
    model.eval()
    model[0].train()
    xs = [RNG.normal(size=(n, 4)).astype(np.float32) for n in (8, 8, 3)]
    optim.update_bn([(x, None) for x in xs] if as_pairs else xs, model)
    hidden = [model[0](x).numpy() for x in xs]
    norm = model[1]
    means = [h.mean(0) for h in hidden]
    np.testing.assert_allclose(norm.running_mean, np.mean(means, 0), rtol=1e-5, atol=1e-7)
    np.testing.assert_allclose(norm.running_var, np.mean([h.var(0, ddof=1) for h in hidden], 0), rtol=1e-5)
    assert norm.num_batches_tracked == 3
    assert norm.momentum == 0.1
    assert [m.training for m in model] == [True, False, False], "each in the mode that it was in"


def test_update_bn_that_fails_changes_nothing() -> None:
    model = network()
    for _ in trained(model, 3):
        pass
    model.eval()
    state = model.state_dict()
    with pytest.raises(ValueError, match=r"\[update_bn\] got a loader without batches, expected at"):
        optim.update_bn(iter([]), model)
    with pytest.raises(ValueError, match="Linear"):
        optim.update_bn([np.ones((8, 4)), np.ones((8, 5))], model)
    assert all(np.array_equal(v, state[k]) for k, v in model.state_dict().items())
    assert model[1].momentum == 0.1
    assert not model[1].training


def test_update_bn_without_such_layers_reads_no_data() -> None:
    def loader() -> Any:
        raise AssertionError
        yield

    optim.update_bn(loader(), nn.Linear(2, 2))


# -- errors ------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("call", "error", "text"),
    [
        (lambda: optim.AveragedModel(3), TypeError, r"\[AveragedModel\] got a int, expected a Module"),
        (lambda: optim.AveragedModel(network(), avg_fn=max, multi_avg_fn=max), ValueError, "one of them"),
        (lambda: optim.AveragedModel(network(), "cuda"), TypeError, "the device 'cuda'"),
        (lambda: optim.AveragedModel(network(), "cpu").update_parameters(nn.Linear(2, 2)), ValueError,
         r"a model with \S+ of shape"),
        (lambda: optim.AveragedModel(nn.Linear(2, 3)).update_parameters(nn.Linear(2, 1)), ValueError,
         r"a model with (weight of shape \(1, 2\), expected \(3, 2\)|bias of shape \(1,\), expected \(3,\))"),
        (lambda: optim.ema(network(), 1.5), ValueError, r"\[ema\] got decay=1.5, expected a number from 0"),
        (lambda: optim.get_ema_avg_fn(-1), ValueError, "decay=-1"),
    ],
)  # fmt: skip
def test_what_makes_no_sense_is_explained(call: Any, error: Any, text: str) -> None:
    with pytest.raises(error, match=text):
        call()
