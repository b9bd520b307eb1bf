"""Recurrent layers: packed and padded sequences, long ones, what the memory of an LSTM does, errors."""

from __future__ import annotations

import tracemalloc
from typing import Any

import numpy as np
import pytest

import autograd_core as ag
from autograd_core import nn, optim
from autograd_core.node import strip

KINDS = ["RNN", "LSTM", "GRU"]
LENGTHS = [2, 5, 1, 5, 3]
RNG = np.random.default_rng(0)


@pytest.fixture(scope="module")
def torch() -> Any:
    return pytest.importorskip("torch", reason="PyTorch is not installed: pip install autograd-core[oracle]")


def flat(nest: Any) -> list[Any]:
    return [x for part in nest for x in flat(part)] if isinstance(nest, (tuple, list)) else [nest]


def pair_of(torch: Any, kind: str, *args: Any, **kwargs: Any) -> tuple[Any, Any]:
    """Make our layer and theirs with the same parameters, in float64."""
    theirs = getattr(torch.nn, kind)(*args, **kwargs).double()
    ours = getattr(nn, kind)(*args, **kwargs).double()
    ours.load_state_dict(theirs.state_dict())
    return ours, theirs


def same(ours: Any, theirs: Any) -> None:
    for x, y in zip(flat(ours), flat(theirs), strict=True):
        np.testing.assert_allclose(np.asarray(strip(x)), y.detach().numpy(), rtol=1e-10, atol=1e-12)


def same_gradients(ours: Any, theirs: Any, outputs: Any, expected: Any) -> None:
    gs = [RNG.normal(size=y.shape) for y in flat(outputs)]
    pytorch = [y.new_tensor(g) for y, g in zip(flat(expected), gs, strict=True)]
    sum((y * g).sum() for y, g in zip(flat(outputs), gs, strict=True)).backward()
    sum((y * g).sum() for y, g in zip(flat(expected), pytorch, strict=True)).backward()
    same([p.grad for p in ours.parameters()], [p.grad for p in theirs.parameters()])


# -- sequences of different lengths ----------------------------------------------------------------

OPTIONS = [{}, {"num_layers": 2, "bidirectional": True}, {"batch_first": True, "bidirectional": True}]


@pytest.mark.parametrize("options", OPTIONS, ids=["plain", "deep", "batch_first"])
@pytest.mark.parametrize("kind", KINDS)
def test_packed_sequences_as_pytorch(kind: str, options: dict[str, Any], torch: Any) -> None:
    ours, theirs = pair_of(torch, kind, 3, 4, **options)
    first = options.get("batch_first", False)
    x = RNG.normal(size=(5, 6, 3) if first else (6, 5, 3))
    count = len(ours.all_weights)
    hx = tuple(RNG.normal(size=(count, 5, 4)) for _ in range(1 + (kind == "LSTM")))
    mine, other = ag.tensor(x, requires_grad=True), torch.tensor(x, requires_grad=True)
    state, their_state = [ag.tensor(h, requires_grad=True) for h in hx], [torch.tensor(h) for h in hx]
    packed = nn.utils.rnn.pack_padded_sequence(mine, LENGTHS, first, enforce_sorted=False)
    their_packed = torch.nn.utils.rnn.pack_padded_sequence(other, LENGTHS, first, enforce_sorted=False)
    same(list(packed), list(their_packed))
    y, last = ours(packed, tuple(state) if kind == "LSTM" else state[0])
    z, their_last = theirs(their_packed, tuple(their_state) if kind == "LSTM" else their_state[0])
    same(list(y), list(z))
    padded, lengths = nn.utils.rnn.pad_packed_sequence(y, first)
    their_padded, their_lengths = torch.nn.utils.rnn.pad_packed_sequence(z, first)
    same([padded, lengths, last], [their_padded, their_lengths, their_last])
    same_gradients(ours, theirs, [padded, last], [their_padded, their_last])
    same(mine.grad, other.grad)


@pytest.mark.parametrize("options", OPTIONS, ids=["plain", "deep", "batch_first"])
@pytest.mark.parametrize("kind", KINDS)
def test_lengths_do_what_packing_does(kind: str, options: dict[str, Any], torch: Any) -> None:
    ours, theirs = pair_of(torch, kind, 3, 4, **options)
    first = options.get("batch_first", False)
    x = RNG.normal(size=(5, 6, 3) if first else (6, 5, 3))
    hx = tuple(RNG.normal(size=(len(ours.all_weights), 5, 4)) for _ in range(1 + (kind == "LSTM")))
    y, last = ours(x, hx if kind == "LSTM" else hx[0], lengths=LENGTHS)
    pack = torch.nn.utils.rnn.pack_padded_sequence(torch.tensor(x), LENGTHS, first, enforce_sorted=False)
    state = tuple(map(torch.tensor, hx))
    z, their_last = theirs(pack, state if kind == "LSTM" else state[0])
    padded, _ = torch.nn.utils.rnn.pad_packed_sequence(z, first, total_length=6)
    same([y, last], [padded, their_last])
    same_gradients(ours, theirs, [y, last], [padded, their_last])


def test_lengths_that_are_sorted_need_no_order() -> None:
    layer = nn.GRU(2, 3)
    x = RNG.normal(size=(4, 3, 2))
    y, h = layer(x, lengths=np.array([4, 2, 2]))
    z, k = layer(x[:, ::-1], lengths=np.array([2, 2, 4]))
    np.testing.assert_array_equal(y.numpy(), z.numpy()[:, ::-1])
    np.testing.assert_array_equal(h.numpy(), k.numpy()[:, ::-1])
    alone, last = layer(x[:2, 1])
    np.testing.assert_allclose(y.numpy()[:2, 1], alone.numpy(), rtol=1e-5)
    np.testing.assert_allclose(h.numpy()[:, 1], last.numpy(), rtol=1e-5)
    assert not y.numpy()[2:, 1].any()


# -- the lectures' picture ---------------------------------------------------------------------------


def test_an_lstm_copies_its_memory_and_its_gradient_over_100_steps() -> None:
    """Forget gate open, input gate closed: dc_100/dc_0 = 1; a plain RNN's gradient vanishes."""
    lstm = nn.LSTM(1, 1).double()
    for name, p in lstm.named_parameters():
        nn.init.zeros_(p)
        if name == "bias_ih_l0":  # the gates i, f, g, o
            p.data[...] = [-100, 100, 1, 0]
    c0 = ag.tensor(np.full((1, 1, 1), 0.75), requires_grad=True)
    _, (_, c) = lstm(RNG.normal(size=(100, 1, 1)), (np.zeros((1, 1, 1)), c0))
    c.sum().backward()
    assert c.item() == pytest.approx(0.75, rel=1e-12)
    assert c0.grad.item() == pytest.approx(1, rel=1e-12)

    w, h0 = 0.9, ag.tensor(np.full((1, 1, 1), 0.75), requires_grad=True)
    rnn = nn.RNN(1, 1).double()
    for name, p in rnn.named_parameters():
        p.data[...] = w if name == "weight_hh_l0" else 0
    y, h = rnn(np.zeros((100, 1, 1)), h0)
    h.sum().backward()
    by_hand = np.prod(w * (1 - y.numpy() ** 2))  # the product of the steps' derivatives w (1 - h_t^2)
    assert h0.grad.item() == pytest.approx(by_hand, rel=1e-10)
    assert 0 < h0.grad.item() < 1e-4


# -- long sequences ------------------------------------------------------------------------------------


@pytest.mark.parametrize("kind", KINDS)
def test_ten_thousand_steps_train(kind: str) -> None:
    """No recursion, and memory in proportion to the length."""
    model, peaks = getattr(nn, kind)(2, 4), []
    optimizer = optim.SGD(model.parameters(), lr=0.1)
    x = RNG.normal(size=(10_000, 1, 2)).astype(np.float32)
    for steps in (10, 5_000, 10_000):  # the first compiles
        tracemalloc.start()
        optimizer.zero_grad()
        y, _ = model(x[:steps])
        loss = (y * y).mean()
        loss.backward()
        optimizer.step()
        peaks.append(tracemalloc.get_traced_memory()[1])
        tracemalloc.stop()
    after = model(x)[0]
    assert (after * after).mean().item() < loss.item()
    assert peaks[2] < 2.2 * peaks[1]
    assert peaks[2] < 10_000 * 4 * 4 * 40  # bytes: 40 numbers of float32 for each state of each step


def test_a_layer_is_two_operations_however_long_the_sequence() -> None:
    """And of what backward read nothing large is left."""
    model = nn.GRU(2, 3)
    for steps in (5, 500):
        y, _ = model(RNG.normal(size=(steps, 2, 2)).astype(np.float32))
        scan = y.node
        product = scan.edges[0]
        assert (scan.primitive.name, product.primitive.name) == ("gru", "linear")
        kept = [x for x in scan.inputs if isinstance(x, np.ndarray) and x.size == steps * 4 * 2 * 3]
        assert len(kept) == 1, "the gates"
        y.sum().backward()
        assert not any(isinstance(x, np.ndarray) and x.size > 64 for x in scan.inputs)


# -- cells and layers, peepholes, gated feedback ---------------------------------------------------------


@pytest.mark.parametrize("kind", KINDS)
def test_a_loop_of_cells_is_the_layer(kind: str) -> None:
    layer, cell = getattr(nn, kind)(2, 3), getattr(nn, f"{kind}Cell")(2, 3)
    cell.load_state_dict({name.removesuffix("_l0"): p for name, p in layer.state_dict().items()})
    x, state, found = RNG.normal(size=(4, 2, 2)), None, []
    for step in x:
        state = cell(step, state)
        found.append(state[0] if kind == "LSTM" else state)
    y, last = layer(x)
    np.testing.assert_allclose(np.stack([h.numpy() for h in found]), y.numpy(), rtol=1e-5, atol=1e-7)
    for a, b in zip(flat(state), flat(last), strict=True):
        np.testing.assert_allclose(a.numpy(), b.numpy()[0], rtol=1e-5, atol=1e-7)


def sigmoid(x: Any) -> Any:
    return 1 / (1 + np.exp(-x))


def test_peepholes_are_the_equations_of_gers_and_schmidhuber() -> None:
    layer = nn.LSTM(2, 3, peephole=True).double()
    v = layer.state_dict()
    assert [n for n in v if "weight_c" in n] == ["weight_ci_l0", "weight_cf_l0", "weight_co_l0"]
    x, h, c = RNG.normal(size=(4, 2, 2)), np.zeros((2, 3)), np.zeros((2, 3))
    y, (last, cells) = layer(x)
    for t in range(4):
        a = x[t] @ v["weight_ih_l0"].T + v["bias_ih_l0"] + h @ v["weight_hh_l0"].T + v["bias_hh_l0"]
        i, f, g, o = np.split(a, 4, axis=1)
        i, f = sigmoid(i + v["weight_ci_l0"] * c), sigmoid(f + v["weight_cf_l0"] * c)
        c = f * c + i * np.tanh(g)
        h = sigmoid(o + v["weight_co_l0"] * c) * np.tanh(c)
        np.testing.assert_allclose(y.numpy()[t], h, rtol=1e-12)
    np.testing.assert_allclose(last.numpy()[0], h, rtol=1e-12)
    np.testing.assert_allclose(cells.numpy()[0], c, rtol=1e-12)


@pytest.mark.parametrize("unit", ["tanh", "lstm", "gru"])
def test_gated_feedback_is_the_equations_of_chung_and_others(unit: str) -> None:
    layers, size = 3, 2
    model = nn.GatedFeedbackRNN(2, size, layers, unit).double()
    v = model.state_dict()
    x = RNG.normal(size=(3, 2, 2))
    h = [RNG.normal(size=(2, size)) for _ in range(layers)]
    c = [RNG.normal(size=(2, size)) for _ in range(layers)]
    y, last = model(x, (np.stack(h), np.stack(c)) if unit == "lstm" else np.stack(h))
    for t in range(3):
        before, below = list(h), x[t]
        star = np.concatenate(before, axis=1)
        for j in range(layers):
            w, b, u = (v[f"{name}_l{j}"] for name in ("weight_ih", "bias", "weight_feedback"))
            s = 0
            for i in range(layers):
                g = sigmoid(below @ v[f"weight_reset_ih_l{j}"][i] + star @ v[f"weight_reset_hh_l{j}"][i])
                s = s + g[:, None] * (before[i] @ u[:, size * i : size * (i + 1)].T)
            a = np.split(below @ w.T + b, len(w) // size, axis=1)
            if unit == "tanh":
                h[j] = np.tanh(a[0] + s)
            else:
                k = np.split(before[j] @ v[f"weight_hh_l{j}"].T, len(w) // size - 1, axis=1)
                if unit == "lstm":
                    c[j] = sigmoid(a[1] + k[1]) * c[j] + sigmoid(a[0] + k[0]) * np.tanh(a[2] + s)
                    h[j] = sigmoid(a[3] + k[2]) * np.tanh(c[j])
                else:
                    z = sigmoid(a[1] + k[1])
                    h[j] = (1 - z) * before[j] + z * np.tanh(a[2] + sigmoid(a[0] + k[0]) * s)
            below = h[j]
        np.testing.assert_allclose(y.numpy()[t], h[-1], rtol=1e-12)
    parts = last if unit == "lstm" else (last,)
    for part, expected in zip(parts, (h, c), strict=False):
        np.testing.assert_allclose(part.numpy(), np.stack(expected), rtol=1e-12)


def test_dropout_between_layers_drops_in_training_only() -> None:
    nn.manual_seed(0)
    model = nn.RNN(2, 50, num_layers=2, dropout=0.5)
    x = RNG.normal(size=(3, 1, 2))
    assert not np.array_equal(model(x)[0].numpy(), model(x)[0].numpy())
    np.testing.assert_array_equal(model.eval()(x)[0].numpy(), model(x)[0].numpy())
    assert model.train()(x)[1].numpy()[0].all(), "the last states are not dropped"
    nn.manual_seed(1)
    all_dropped = nn.RNN(2, 3, num_layers=2, dropout=1.0)
    other = all_dropped(RNG.normal(size=(3, 1, 2)))[0].numpy()
    np.testing.assert_array_equal(other, all_dropped(x)[0].numpy())


def test_layers_start_uniform_and_take_a_dtype() -> None:
    layers = nn.RNN(2, 400), nn.LSTM(2, 400, proj_size=3), nn.GRUCell(2, 400), nn.GatedFeedbackRNN(2, 400)
    for layer in layers:
        for name, p in layer.named_parameters():
            assert np.abs(p.data).max() <= 0.05, name
            if p.size > 500:
                assert p.data.std() == pytest.approx(0.05 / 3**0.5, rel=0.1), name
    assert nn.LSTM(2, 3, dtype=np.float64)(np.ones((2, 1, 2)))[0].dtype == np.float64
    assert nn.GRU(2, 3)([[[1, 2]], [[3, 4]]])[0].dtype == np.float32
    layer = nn.LSTM(2, 3, num_layers=2, bidirectional=True)
    layer.flatten_parameters()
    assert [len(part) for part in layer.all_weights] == [4, 4, 4, 4]
    assert layer.all_weights[3][0] is layer.weight_ih_l1_reverse
    assert repr(layer).startswith("LSTM(2, 3, num_layers=2, bidirectional=True)")


# -- errors --------------------------------------------------------------------------------------------

X = np.ones((4, 2, 3))
WRONG: list[tuple[Any, type[Exception], str]] = [
    (lambda: nn.RNN(3, 4)(np.ones((4, 2, 5))), ValueError,
     r"\[RNN\] got an input of shape \(4, 2, 5\), expected \(T, N, 3\): input_size=3"),
    (lambda: nn.GRU(3, 4, batch_first=True)(np.ones((4, 2, 5))), ValueError, r"expected \(N, T, 3\)"),
    (lambda: nn.LSTM(3, 4)(np.ones(3)), ValueError, r"\[LSTM\] got an input of 1 axes, of shape \(3,\)"),
    (lambda: nn.RNN(3, 4)(np.ones((0, 2, 3))), ValueError, "expected one step or more"),
    (lambda: nn.RNN(3, 4)(X, np.ones((2, 2, 4))), ValueError,
     r"a first state h_0 of shape \(2, 2, 4\), expected \(1, 2, 4\): layers times directions"),
    (lambda: nn.LSTM(3, 4)(X, (None, None)), ValueError, r"a first state h_0 of shape \(\), expected"),
    (lambda: nn.RNN(3, 4)(X[:, 0], np.ones((1, 2, 4))), ValueError, r"\(1, 2, 4\), expected \(1, 4\)"),
    (lambda: nn.LSTM(3, 4, proj_size=2)(X, (np.ones((1, 2, 2)), np.ones((1, 2, 2)))), ValueError,
     r"c_0 of shape \(1, 2, 2\), expected \(1, 2, 4\)"),
    (lambda: nn.LSTM(3, 4)(X, np.ones((1, 2, 4))), TypeError, r"type ndarray, expected a pair \(h_0, c_0\)"),
    (lambda: nn.GRU(3, 4)(X, lengths=[4]), ValueError, r"lengths of shape \(1,\) and dtype int64"),
    (lambda: nn.GRU(3, 4)(X, lengths=[4.0, 1.0]), ValueError, "dtype float64, expected 2 integers"),
    (lambda: nn.GRU(3, 4)(X, lengths=[5, 1]), ValueError, "a length of 5, expected 1 to 4, the length"),
    (lambda: nn.GRU(3, 4)(X, lengths=[4, 0]), ValueError, "a length of 0, expected 1 to 4"),
    (lambda: nn.GRU(3, 4)(nn.utils.rnn.pack_padded_sequence(X, [4, 2]), lengths=[4, 2]), ValueError,
     "a PackedSequence and lengths, expected one of them"),
    (lambda: nn.GRU(2, 4)(nn.utils.rnn.pack_padded_sequence(X, [4, 2])), ValueError,
     r"packed data of shape \(6, 3\), expected \(all steps, 2\)"),
    (lambda: nn.LSTM(3, 4, proj_size=4), ValueError, r"proj_size=4, expected 0 \(no projection\) to 3"),
    (lambda: nn.LSTM(3, 4, proj_size=-1), ValueError, "proj_size=-1"),
    (lambda: nn.RNN(3, 0), ValueError, "hidden_size=0, expected a positive number"),
    (lambda: nn.RNN(3, 4, num_layers=0), ValueError, "num_layers=0, expected a positive number"),
    (lambda: nn.RNN(3, 4.5), TypeError, "hidden_size=4.5, expected a positive whole"),  # type: ignore[arg-type]
    (lambda: nn.RNN(3, 4, nonlinearity="sigmoid"), ValueError, "'sigmoid', expected 'tanh' or 'relu'"),
    (lambda: nn.GRU(3, 4, 2, dropout=1.5), ValueError, "dropout=1.5, expected a number from 0 to 1"),
    (lambda: nn.RNNCell(3, 0), ValueError, r"\[RNNCell\] got hidden_size=0"),
    (lambda: nn.RNNCell(3, 4, nonlinearity="x"), ValueError, "nonlinearity='x'"),
    (lambda: nn.GRUCell(3, 4)(X), ValueError, r"an input of shape \(4, 2, 3\), expected \(N, 3\) or \(3,\)"),
    (lambda: nn.GRUCell(3, 4)(X[0], np.ones((2, 3))), ValueError, r"h of shape \(2, 3\) .*expected \(2, 4\)"),
    (lambda: nn.LSTMCell(3, 4)(X[0], np.ones((2, 4))), TypeError, r"expected a pair \(h, c\)"),
    (lambda: nn.GatedFeedbackRNN(3, 4, unit="relu"), ValueError, "unit='relu', expected one of 'tanh'"),
    (lambda: nn.GatedFeedbackRNN(3, 4, 0), ValueError, "num_layers=0"),
    (lambda: nn.GatedFeedbackRNN(3, 4)(np.ones((2, 2))), ValueError, r"expected \(steps, batch, 3\)"),
    (lambda: nn.GatedFeedbackRNN(3, 4)(X, np.ones((1, 2, 4))), ValueError, r"expected \(2, 2, 4\)"),
    (lambda: nn.GatedFeedbackRNN(3, 4, unit="lstm")(X, np.ones((2, 2, 4))), TypeError, "expected a pair"),
]  # fmt: skip


@pytest.mark.parametrize(("call", "error", "text"), WRONG, ids=[text for *_, text in WRONG])
def test_errors_say_what_came_and_what_is_expected(call: Any, error: type[Exception], text: str) -> None:
    with pytest.raises(error, match=text):
        call()


def test_dropout_of_a_single_layer_warns() -> None:
    with pytest.warns(UserWarning, match=r"\[LSTM\] got dropout=0.5 and num_layers=1, expected"):
        nn.LSTM(2, 3, dropout=0.5)
