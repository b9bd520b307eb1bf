"""The Trainer: the same numbers as a loop by hand, over arrays and loaders, and what it says of mistakes."""

from __future__ import annotations

import json
import math
import warnings
from typing import Any

import numpy as np
import pytest

from autograd_core import nn, optim

rng = np.random.default_rng(0)
X = rng.normal(size=(50, 4)).astype(np.float32)
Y = X[:, :3].argmax(1)
T = X[:, :1] * 2


def network(outputs: int = 3, seed: int = 0) -> nn.Module:
    nn.manual_seed(seed)
    return nn.Sequential(nn.Linear(4, 5), nn.Tanh(), nn.Dropout(0.2), nn.Linear(5, outputs))


def made(model: Any = None, loss: Any = None, **options: Any) -> optim.Trainer:
    model = network() if model is None else model
    optimizer = optim.SGD(model.parameters(), lr=0.1, momentum=0.9)
    return optim.Trainer(model, optimizer, loss or nn.CrossEntropyLoss(), **({"quiet": True} | options))


def by_hand(epochs: int, batch_size: int) -> tuple[nn.Module, list[float]]:
    model = network()
    optimizer = optim.SGD(model.parameters(), lr=0.1, momentum=0.9)
    nn.manual_seed(1)
    losses = []
    for _ in range(epochs):
        for x, y in nn.data.batches(X, Y, batch_size=batch_size):
            optimizer.zero_grad()
            loss = nn.functional.cross_entropy(model(x), y)
            loss.backward()
            optimizer.step()
            losses.append(loss.item())
    return model, losses


def same(a: nn.Module, b: nn.Module) -> bool:
    return all(np.array_equal(p, q) for p, q in
               zip(a.state_dict().values(), b.state_dict().values(), strict=True))  # fmt: skip


# -- what it computes ------------------------------------------------------------------------------


def test_it_is_the_loop_by_hand() -> None:
    model, losses = by_hand(3, 8)
    trainer = made(seed=1)
    history = trainer.fit(X, Y, epochs=3, batch_size=8)
    assert history.steps["loss"] == losses
    assert same(model, trainer.model)
    weights = [8] * 6 + [2]  # of 50 samples
    for epoch in range(3):
        assert history["loss"][epoch] == pytest.approx(
            np.average(losses[epoch * 7 : epoch * 7 + 7], weights=weights), rel=1e-12)  # fmt: skip
    assert (trainer.epoch, trainer.step, history.epochs) == (3, 21, 3)


def test_a_seed_repeats_and_another_does_not() -> None:
    runs = [made(seed=seed).fit(X, Y, epochs=2, validation=0.2).steps["loss"] for seed in (1, 1, 2)]
    assert runs[0] == runs[1] != runs[2]


@pytest.mark.parametrize("kind", ["loader", "dataset", "stream", "list", "iterable", "torch"])
def test_it_takes_any_loader(kind: str) -> None:
    pairs = [(X[i : i + 8], Y[i : i + 8]) for i in range(0, 50, 8)]

    class Iterable:
        def __iter__(self) -> Any:
            return iter([list(pair) for pair in pairs])

    loader: Any = {"list": pairs, "iterable": Iterable(),
                   "loader": nn.data.batches(X, Y, batch_size=8, shuffle=False)}.get(kind)  # fmt: skip
    if kind == "torch":
        torch = pytest.importorskip("torch", reason="torch is missing: its loader is not tried")
        data = torch.utils.data.TensorDataset(torch.tensor(X), torch.tensor(Y))
        loader = torch.utils.data.DataLoader(data, batch_size=8)
    options: Any = {}
    if kind == "dataset":
        loader, options = nn.data.TensorDataset(X, Y), {"batch_size": 8, "shuffle": False}
    if kind == "stream":

        class Stream(nn.data.IterableDataset):
            def __iter__(self) -> Any:
                return zip(X, Y, strict=True)

        loader, options = Stream(), {"batch_size": 8}
    held = loader if kind in ("iterable", "torch") else pairs
    history = made(seed=1).fit(loader, epochs=2, validation=held, **options)
    expected = made(seed=1).fit(X, Y, epochs=2, batch_size=8, shuffle=False, validation=(X, Y))
    assert history.steps == expected.steps
    np.testing.assert_allclose(history["val_loss"], expected["val_loss"], rtol=1e-6)
    if kind != "stream":
        np.testing.assert_allclose(made().predict(loader), made().predict(X), rtol=1e-5, atol=1e-6)


def test_several_inputs_and_no_target() -> None:
    class Two(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.body = nn.Linear(4, 3)

        def forward(self, a: Any, b: Any) -> Any:
            return self.body(a - b)

    assert made().fit(X.tolist(), Y.tolist(), epochs=1, validation=(X, Y)).epochs == 1
    nn.manual_seed(0)
    trainer = made(Two())
    history = trainer.fit((X, X * 0.5), Y, epochs=5, validation=0.2)
    assert history["loss"][-1] < history["loss"][0]
    assert trainer.predict((X, X)).shape == (50, 3)
    with pytest.raises(TypeError, match=r"data without a target.*try fit\(x, x\)"):
        made().fit(X, epochs=1)
    data = nn.data.TensorDataset(X, Y)
    assert made().predict(data).shape == (50, 3)
    assert made().evaluate(data) == made().evaluate(X, Y)
    alone = made(nn.Linear(4, 2), lambda output: (output * output).mean())
    assert alone.fit(X, epochs=2).epochs == 2
    assert list(alone.evaluate(X)) == ["loss"]


def test_accumulated_gradients_are_those_of_the_larger_batch() -> None:
    def trained(batch: int, accumulate: int) -> optim.Trainer:
        trainer = made(nn.Linear(4, 3), accumulate=accumulate)
        for p in trainer.model.parameters():
            p.data[...] = 0.1
        trainer.fit(X, Y, epochs=3, batch_size=batch, shuffle=False)
        return trainer

    whole, parts = trained(25, 1), trained(10, 3)  # 50 samples: 30 and 20
    assert len(parts.history.steps["loss"]) == 6
    larger = made(nn.Linear(4, 3))
    for p in larger.model.parameters():
        p.data[...] = 0.1
    larger.fit([(X[:30], Y[:30]), (X[30:], Y[30:])], epochs=3)
    for name, p in larger.model.state_dict().items():
        np.testing.assert_allclose(parts.model.state_dict()[name], p, rtol=1e-5, atol=1e-7)
    assert not same(whole.model, parts.model)
    np.testing.assert_allclose(parts.history["loss"], larger.history["loss"], rtol=1e-5)


@pytest.mark.parametrize("option", ["clip_norm", "clip_value"])
def test_gradients_are_clipped(option: str) -> None:
    seen = []

    class Look(optim.Callback):
        def on_backward_end(self, trainer: Any) -> None:
            grads = np.concatenate([p.grad.ravel() for p in trainer.model.parameters()])
            seen.append(np.linalg.norm(grads) if option == "clip_norm" else np.abs(grads).max())

    made(callbacks=[Look()], **{option: 0.01}).fit(X, Y, epochs=1)
    assert max(seen) == pytest.approx(0.01, rel=1e-3)


def test_an_optimizer_that_asks_for_the_loss() -> None:
    calls = []

    class Searching(optim.SGD):
        needs_closure = True

        def step(self, closure: Any = None) -> Any:
            first = closure()
            closure()
            super().step()
            calls.append(first.item())
            return first

    nn.manual_seed(0)
    model = nn.Linear(4, 3)
    trainer = optim.Trainer(model, Searching(model.parameters(), lr=0.1), nn.CrossEntropyLoss(), quiet=True)
    history = trainer.fit(X, Y, epochs=2)
    assert history.steps["loss"] == calls
    with pytest.raises(ValueError, match=r"accumulate=2 and Searching"):
        optim.Trainer(model, Searching(model.parameters(), lr=0.1), nn.CrossEntropyLoss(), accumulate=2)


@pytest.mark.parametrize("kind", ["LBFGS", "Newton", "GaussNewton"])
def test_optimizers_of_second_order(kind: str) -> None:
    nn.manual_seed(0)
    model = nn.Linear(4, 1).double()
    optimizer = getattr(optim, kind)(model.parameters())
    trainer = optim.Trainer(model, optimizer, nn.MSELoss(), quiet=True)
    x, t = X.astype(float), X @ np.array([[1.0], [2.0], [-1.0], [0.5]]) + 3
    history = trainer.fit(x, t, epochs=10, batch_size=50, shuffle=False)
    assert history["loss"][-1] < 1e-9 < history["loss"][0]
    assert history["loss"][0] == history.steps["loss"][0]
    np.testing.assert_allclose(model.bias.numpy(), [3], rtol=1e-4)


def test_steps_end_an_epoch_early() -> None:
    history = made().fit(X, Y, epochs=2, batch_size=5, steps=3)
    assert len(history.steps["loss"]) == 6


# -- evaluation and prediction ---------------------------------------------------------------------


@pytest.mark.parametrize("batch_size", [1, 7, 50, 256])
def test_evaluation_does_not_depend_on_the_batches(batch_size: int) -> None:
    trainer = made(metrics={"share": optim.metrics.Accuracy()})
    found = trainer.evaluate(X, Y, batch_size=batch_size)
    logits = trainer.model.eval()(X).numpy()
    assert found["share"] == (logits.argmax(1) == Y).mean()
    expected = nn.functional.cross_entropy(logits, Y)
    np.testing.assert_allclose(found["loss"], float(expected), rtol=1e-6)
    np.testing.assert_allclose(trainer.predict(X, batch_size=batch_size), logits, rtol=1e-5, atol=1e-7)


def test_parts_stay_in_the_mode_that_they_were_in() -> None:
    model = network()
    model[2].eval()  # frozen by the user
    trainer = made(model)
    trainer.fit(X, Y, epochs=1, validation=0.2)
    trainer.evaluate(X, Y)
    trainer.predict(X)
    assert [m.training for m in model.modules()] == [True, True, True, False, True]
    model.eval()
    trainer.fit(X, Y, epochs=1)
    assert all(m.training for m in model.modules())


def test_outputs_of_several_parts() -> None:
    model = nn.GRU(4, 3, batch_first=True)
    trainer = made(model, lambda output, target: (output[0] ** 2).mean())
    loader = nn.data.batches(X[:40].reshape(8, 5, 4), np.zeros(8), batch_size=8, shuffle=False)
    outputs, last = trainer.predict(loader)
    assert outputs.shape == (8, 5, 3)
    assert last.shape == (1, 8, 3)


def test_metrics_of_training_and_of_validation() -> None:
    def bias(output: Any, target: Any) -> Any:
        return (output.argmax(1) - target).mean()

    trainer = made(metrics=["accuracy", bias])
    history = trainer.fit(X, Y, epochs=2, validation=(X, Y))
    names = ["loss", "accuracy", "bias"]
    assert list(history) == [*names, *(f"val_{name}" for name in names), "lr", "seconds"]
    found = trainer.evaluate(X, Y)
    assert found["accuracy"] == pytest.approx(history["val_accuracy"][-1])
    with pytest.raises(ValueError, match="two columns of the name 'accuracy'"):
        made(metrics=["accuracy", optim.metrics.Accuracy()])
    matrix = made(metrics=[optim.metrics.ConfusionMatrix()])
    assert "confusion" not in " ".join(matrix.fit(X, Y, epochs=1))  # no number
    assert np.sum(next(v for k, v in matrix.evaluate(X, Y).items() if k != "loss")) == 50


# -- mistakes --------------------------------------------------------------------------------------


class Empty:
    def __iter__(self) -> Any:
        return iter(())


def mse(output: Any, target: Any) -> Any:
    return ((output - target) ** 2).mean()


@pytest.mark.parametrize(
    ("data", "options", "text"),
    [
        ((X, Y[:40]), {}, "50 and 40 samples"),
        ((X[:0], Y[:0]), {}, "no samples"),
        ((X, Y), {"batch_size": 51}, "larger than the data of 50 samples.*try batch_size=50"),
        ((X, Y), {"batch_size": 0}, "batch_size=0, expected a positive integer"),
        ((X, Y), {"epochs": 0}, "epochs=0, expected a positive integer"),
        ((X, Y), {"epochs": 2.5}, "epochs=2.5"),
        ((X, Y), {"steps": 0}, "steps=0"),
        ((X, Y), {"validation": 0.001}, "validation=0.001 of 50 samples, expected a fraction"),
        ((X, Y), {"validation": 1.0}, "validation=1.0"),
        ((X, Y), {"validation": -0.5}, "validation=-0.5"),
        ((X, Y), {"validation": (X,)}, "validation of 1 parts"),
        ((X, Y), {"validation": (X, Y[:3])}, "50 and 3 samples"),
        ((X, Y), {"validation": (X[:, :3], Y)}, r"samples of shape \(4,\), and of shape \(3,\) to validate"),
        (([(X, Y)], None), {"validation": 0.5}, "a loader and validation=0.5"),
        (([(X, Y)], Y), {}, "a loader and y of type ndarray"),
        (([(X, Y)], None), {"batch_size": 3}, "a loader and batch_size=3"),
        ((nn.data.TensorDataset(X, Y), None), {"validation": 0.5}, "a TensorDataset and validation=0.5"),
        ((nn.data.TensorDataset(X, Y), None), {"batch_size": 51}, "larger than the data of 50 samples"),
        (([], None), {}, "no samples"),
        ((iter([(X, Y)]), None), {}, "gives its batches once"),
        ((Empty(), None), {}, "an epoch without a batch"),
        ((1.0, Y), {}, "data of type float, ndarray"),
        ((X, Y), {"validation": "all"}, "validation of type str"),
    ],
)
def test_data_that_make_no_sense(data: Any, options: Any, text: str) -> None:
    with pytest.raises((ValueError, TypeError), match=text):
        made().fit(*data, **({"epochs": 1} | options))


@pytest.mark.parametrize(
    ("loss", "target", "text"),
    [
        (mse, T[:, 0], r"shape \(32, 1\) and a target of shape \(32,\), which broadcast to \(32, 32\)"),
        (nn.MSELoss(), T[:, 0], r"prediction of shape \(32, 1\) and a target of shape \(32,\)"),
        (nn.MSELoss(reduction="none"), T, r"a loss of shape \(32, 1\), expected one number"),
        (lambda o, t: mse(o.detach(), t), T, "a loss that does not depend on any parameter"),
        (lambda o, t: mse(o.numpy(), t), T, "a loss of type float"),
    ],
)
def test_losses_that_cannot_be_learnt_from(loss: Any, target: Any, text: str) -> None:
    with pytest.raises((ValueError, TypeError), match=text):
        made(nn.Linear(4, 1), loss).fit(X, target, epochs=1)


def test_a_loss_that_broadcasts_is_not_measured() -> None:
    trainer = made(nn.Linear(4, 1), mse)
    for call in (lambda: trainer.evaluate(X, T[:, 0]),
                 lambda: trainer.fit(X, T, epochs=1, validation=(X, T[:, 0]))):  # fmt: skip
        with pytest.raises(ValueError, match=r"Trainer.evaluate.*broadcast to \(50, 50\)"):
            call()


def test_a_metric_of_another_task() -> None:
    trainer = made(nn.Linear(4, 1), nn.MSELoss(), metrics=["accuracy"])
    before = trainer.model.state_dict()
    with pytest.raises((ValueError, TypeError), match="Accuracy"):
        trainer.fit(X, T, epochs=1)
    np.testing.assert_array_equal(trainer.model.weight.numpy(), before["weight"])
    with pytest.raises((ValueError, KeyError), match="accurracy"):
        made(metrics=["accurracy"])
    with pytest.raises(TypeError, match="metrics='accuracy'"):
        made(metrics="accuracy")
    for metrics, name in [({"loss": "accuracy"}, "loss"), ({"lr": "accuracy"}, "lr")]:
        with pytest.raises(ValueError, match=f"two columns of the name '{name}'"):
            made(metrics=metrics)


def test_an_optimizer_of_something_else() -> None:
    model, other = network(), network()
    sgd = optim.SGD(other.parameters(), lr=0.1)
    with pytest.raises(ValueError, match=r"holds none of the model's parameters \(0.weight, 0.bias"):
        optim.Trainer(model, sgd, nn.CrossEntropyLoss())
    head = optim.SGD(model[3].parameters(), lr=0.1)
    with pytest.warns(UserWarning, match=r"does not hold 0.weight, 0.bias"):
        optim.Trainer(model, head, nn.CrossEntropyLoss())
    model[0].requires_grad_(False)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        optim.Trainer(model, head, nn.CrossEntropyLoss())
    model.requires_grad_(False)
    with pytest.raises(ValueError, match="4 parameters are frozen"):
        optim.Trainer(model, head, nn.CrossEntropyLoss())
    for wrong, text in [((nn.ReLU, head, mse), "a model of type type"), ((model, head, nn.MSELoss), "a loss"),
                        ((model, optim.SGD, mse), "an optimizer")]:  # fmt: skip
        with pytest.raises(TypeError, match=text):
            optim.Trainer(*wrong)


@pytest.mark.parametrize("options", [{"clip_norm": 0}, {"clip_value": -1}, {"accumulate": 0}])
def test_settings_that_make_no_sense(options: Any) -> None:
    with pytest.raises(ValueError, match=next(iter(options))):
        made(**options)


def test_a_shuffled_loader_has_no_order_to_predict_in() -> None:
    with pytest.raises(ValueError, match="a loader that shuffles"):
        made().predict(nn.data.batches(X, Y))


def test_a_model_in_another_dtype_takes_the_data_in_its_own() -> None:
    trainer = made(network().double())
    trainer.fit(X, Y, epochs=1)
    assert trainer.predict(X).dtype == np.float64


# -- losses that are not finite --------------------------------------------------------------------


def test_a_loss_that_is_not_finite_names_what_is_wrong() -> None:
    data = X.copy()
    data[45, 2] = np.nan
    trainer = made()
    with pytest.raises(FloatingPointError, match=r"nan in epoch 1, step 5: the batch's input is not finite"):
        trainer.fit(data, Y, epochs=1, batch_size=10, shuffle=False)
    assert len(trainer.history.steps["loss"]) == 4
    assert np.isfinite(trainer.model[0].weight.numpy()).all()  # the step was not taken
    target = T.copy()
    target[3] = np.inf
    with pytest.raises(FloatingPointError, match=r"a loss of inf in epoch 1, step 1: the batch's target"):
        made(nn.Linear(4, 1), nn.MSELoss()).fit(X, target, epochs=1, shuffle=False)


def test_a_loss_that_is_not_finite_names_the_parameter() -> None:
    model = nn.Linear(4, 1)
    sgd = optim.SGD(model.parameters(), lr=1e30)
    trainer = optim.Trainer(model, sgd, nn.MSELoss(), quiet=True)
    with np.errstate(all="ignore"), pytest.raises(FloatingPointError, match=r"step \d: .*rate below 1e\+30"):
        trainer.fit(X, T, epochs=9)
    model.bias.data[0] = np.nan
    with pytest.raises(FloatingPointError, match="step 1: the parameter bias is not finite since the step"):
        trainer.fit(X, T, epochs=1)
    root = made(nn.Linear(4, 1), lambda output, target: ((output * 0 - 1).sqrt()).mean())
    with np.errstate(all="ignore"), pytest.raises(FloatingPointError, match="gradient of weight is not"):
        root.fit(X, T, epochs=1)


def test_parameters_that_the_last_step_has_spoilt_are_no_result() -> None:
    model = nn.Linear(4, 1)
    trainer = optim.Trainer(model, optim.SGD(model.parameters(), lr=1e38), nn.MSELoss(), quiet=True)
    with np.errstate(all="ignore"), pytest.raises(FloatingPointError, match=r"weight .*epoch 1, step 1"):
        trainer.fit(X * 100, T * 100, epochs=1, batch_size=50)
    assert trainer.history.epochs == 1


# -- the history -----------------------------------------------------------------------------------


def test_the_history_is_data() -> None:
    history = made(metrics=["accuracy"]).fit(X, Y, epochs=30, validation=0.2)
    assert json.loads(json.dumps(history))["loss"] == history["loss"]
    epoch, value = history.best("val_accuracy")
    assert history["val_accuracy"][epoch - 1] == value == max(history["val_accuracy"])
    assert history.best("loss")[1] == min(history["loss"])
    lines = repr(history).splitlines()
    assert lines[0].split() == ["epoch", *history]
    assert len(lines) == 22
    assert lines[11].split()[0] == "..."
    assert history._repr_html_().count("<tr>") == 22
    history.append({"loss": 1.0, "new": 2.0})
    assert math.isnan(history["val_loss"][-1])
    assert history["new"][-2:] != [2.0, 2.0]
    with pytest.raises(KeyError, match="'vall_loss', expected one of loss"):
        history.best("vall_loss")


def test_the_history_is_drawn() -> None:
    pytest.importorskip("matplotlib", reason="matplotlib is missing: pip install 'autograd-core[plot]'")
    history = made(metrics=["accuracy"]).fit(X, Y, epochs=3, validation=0.2)
    assert [axes.get_ylabel() for axes in history.plot().axes] == ["loss", "accuracy"]
    assert len(history.plot("accuracy", "val_accuracy", "lr").axes) == 2
    none = optim.History()
    none.steps["loss"] = [3.0, 2.0, 1.0]  # interrupted in the first epoch
    assert len(none.plot().axes) == 1


def test_lines_are_written_unless_it_is_quiet(capsys: Any) -> None:
    made(quiet=False, metrics=["accuracy"]).fit(X, Y, epochs=4, validation=0.2, log_every=2)
    out, err = capsys.readouterr()
    lines = out.splitlines()
    assert [line.split()[1] for line in lines] == ["2/4", "4/4"]
    assert "val_accuracy 0." in lines[0]
    assert lines[0].endswith(" s")
    assert not err  # no bar where nobody looks
    made().fit(X, Y, epochs=1)
    assert capsys.readouterr() == ("", "")


def test_a_bar_where_someone_looks(capsys: Any, monkeypatch: Any) -> None:
    import sys

    class Console:
        encoding = "utf-8"

        def __init__(self) -> None:
            self.text = ""

        def write(self, text: str) -> None:
            self.text += text

        def flush(self) -> None:
            pass

        def isatty(self) -> bool:
            return True

    console = Console()
    monkeypatch.setattr(sys, "stderr", console)
    from optim.trainer import progress

    monkeypatch.setattr(progress, "CONSOLE", 0.0)
    made(quiet=False, metrics=["accuracy"]).fit(X, Y, epochs=2, batch_size=10)
    assert "epoch 2/2" in console.text
    assert "/10 [" in console.text  # of the steps of both epochs, with the time left
    assert "accuracy=" not in console.text
    assert "loss" in console.text
    assert capsys.readouterr().out.count("epoch ") == 2
