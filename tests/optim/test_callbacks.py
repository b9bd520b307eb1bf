"""Callbacks: when each hook is called, what those of the library do, and that their state is kept."""

from __future__ import annotations

import math
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from autograd_core import nn, optim

rng = np.random.default_rng(0)
X = rng.normal(size=(40, 4)).astype(np.float32)
Y = X[:, :3].argmax(1)
HOOKS = optim.callbacks.HOOKS


def made(callbacks: Any = (), **options: Any) -> optim.Trainer:
    nn.manual_seed(0)
    model = nn.Linear(4, 3)
    optimizer = optim.SGD(model.parameters(), lr=0.1)
    return optim.Trainer(model, optimizer, nn.CrossEntropyLoss(), callbacks=callbacks, quiet=True, **options)


class Values(optim.Callback):
    """Let a number of the epochs take given values."""

    def __init__(self, values: Any, name: str = "val_loss") -> None:
        self.values, self.name = values, name

    def on_epoch_end(self, trainer: Any) -> None:
        trainer.log(self.name, self.values[trainer.epoch - 1])


def test_the_order_of_the_hooks() -> None:
    calls: list[Any] = []
    hooks = {name: lambda t, name=name: calls.append((name[3:], t.epoch, t.step)) for name in HOOKS}
    made([optim.LambdaCallback(**hooks)]).fit(X, Y, epochs=2, batch_size=20)
    assert calls == [
        ("fit_begin", 0, 0),
        ("epoch_begin", 1, 0), ("backward_end", 1, 0), ("step_end", 1, 1), ("backward_end", 1, 1),
        ("step_end", 1, 2), ("epoch_end", 1, 2),
        ("epoch_begin", 2, 2), ("backward_end", 2, 2), ("step_end", 2, 3), ("backward_end", 2, 3),
        ("step_end", 2, 4), ("epoch_end", 2, 4),
        ("fit_end", 2, 4),
    ]  # fmt: skip


def test_hooks_that_do_nothing_are_not_called() -> None:
    assert not any(optim.callbacks.hooks_of([optim.Callback()]).values())

    class Duck:
        def on_step_end(self, trainer: Any) -> None: ...

    found = optim.callbacks.hooks_of([Duck(), optim.EarlyStopping(), optim.Schedule(lambda epoch: 0.1)])
    assert [len(found[name]) for name in HOOKS] == [1, 1, 0, 1, 2, 1]


def test_what_is_no_callback() -> None:
    class Typo(optim.Callback):
        def on_epoch_ends(self, trainer: Any) -> None: ...

    for wrong, text in [(optim.EarlyStopping, "the class EarlyStopping"), (Typo(), "with on_epoch_ends"),
                        (print, "a callback of type builtin_function")]:  # fmt: skip
        with pytest.raises(TypeError, match=text):
            made([wrong])
    with pytest.raises(TypeError, match="on_epoch, expected one of on_fit_begin"):
        optim.LambdaCallback(on_epoch=print)


def test_stop_after_a_step_and_after_an_epoch() -> None:
    def at(step: int) -> Any:
        return lambda trainer: trainer.stop("enough") if trainer.step == step else None

    history = made([optim.LambdaCallback(on_step_end=at(3))]).fit(X, Y, epochs=5, batch_size=20)
    assert (len(history.steps["loss"]), history.epochs, history.stopped) == (3, 1, "enough")
    history = made([optim.LambdaCallback(on_epoch_end=at(4))]).fit(X, Y, epochs=5, batch_size=20)
    assert (len(history.steps["loss"]), history.epochs, history.interrupted) == (4, 2, False)


# -- early stopping --------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("values", "options", "epochs", "best"),
    [
        ([3, 2, 1, 2, 2, 2, 2], {"patience": 2}, 5, 3),
        ([3, 2, 1, 2, 0.5, 2, 2], {"patience": 2}, 7, 5),
        ([3, 2.95, 2.9, 2.85, 2.8], {"patience": 3, "min_delta": 0.1}, 5, 4),
        ([3, 2.99, 2.98, 2.97, 2.96], {"patience": 3, "min_delta": 0.1}, 4, 1),
        ([math.nan, math.nan, math.nan, 1], {"patience": 3}, 3, 0),
        ([math.nan, 2, 3, 3], {"patience": 2}, 4, 2),
        ([1, 2, 3, 3, 3], {"patience": 2, "mode": "max"}, 5, 3),
        ([1, 2, 3, 3, 3], {"patience": 2, "monitor": "val_accuracy"}, 5, 3),
    ],
)
def test_early_stopping(values: Any, options: Any, epochs: int, best: int) -> None:
    monitor = options.get("monitor", "val_loss")
    stopping = optim.EarlyStopping(**options)
    weights: list[Any] = []
    keep = optim.LambdaCallback(on_epoch_end=lambda trainer: weights.append(trainer.model.state_dict()))
    trainer = made([Values(values, monitor), keep, stopping])
    history = trainer.fit(X, Y, epochs=len(values), validation=0.5)
    assert history.epochs == epochs
    assert stopping.best_epoch == best
    assert bool(history.stopped) == (epochs < len(values) or best <= epochs - stopping.patience)
    expected = weights[best - 1] if best else weights[-1]
    np.testing.assert_array_equal(trainer.model.weight.numpy(), expected["weight"])


def test_the_last_weights_stay_if_wanted() -> None:
    stopping = optim.EarlyStopping(patience=1, restore_best=False)
    trainer = made([Values([1, 2]), stopping])
    trainer.fit(X, Y, epochs=2, validation=0.5)
    other = made()
    other.fit(X, Y, epochs=2, validation=0.5)
    np.testing.assert_array_equal(trainer.model.weight.numpy(), other.model.weight.numpy())


def test_a_metric_says_which_direction_is_better() -> None:
    class Distance(optim.metrics.Mean):
        higher_is_better = True

        def update(self, output: Any, target: Any) -> None:
            self.add(1.0, 1)

    stopping = optim.EarlyStopping("distance", patience=2)
    trainer = made([Values([1, 2, 3], "distance"), stopping], metrics={"distance": Distance()})
    trainer.fit(X, Y, epochs=3)
    assert stopping.best_epoch == 3


def test_what_cannot_be_watched() -> None:
    with pytest.raises(ValueError, match="monitor='val_loss' without validation"):
        made([optim.EarlyStopping()]).fit(X, Y, epochs=1)
    with pytest.raises(KeyError, match="monitor='accuracy', expected one of loss, lr"):
        made([optim.EarlyStopping("accuracy")]).fit(X, Y, epochs=1)
    for options, text in [({"patience": 0}, "patience=0"), ({"min_delta": -1}, "min_delta=-1"),
                          ({"mode": "up"}, "mode='up'")]:  # fmt: skip
        with pytest.raises(ValueError, match=text):
            optim.EarlyStopping(**options)


# -- the others ------------------------------------------------------------------------------------


def test_the_best_model_is_on_the_disk(tmp_path: Path) -> None:
    path = tmp_path / "models" / "best.safetensors"
    weights: list[Any] = []
    keep = optim.LambdaCallback(on_epoch_end=lambda trainer: weights.append(trainer.model.state_dict()))
    made([Values([3, 1, 2]), keep, optim.BestCheckpoint(path)]).fit(X, Y, epochs=3, validation=0.5)
    state = nn.load_file(path)
    np.testing.assert_array_equal(state["weight"], weights[1]["weight"])
    assert state.metadata["epoch"] == 2
    assert state.metadata["logs"]["val_loss"] == 1


@pytest.mark.parametrize(
    ("every", "rates"), [("epoch", [0.1, 0.05, 0.025]), ("step", [0.05, 0.0125, 0.003125])]
)
def test_schedules_of_epochs_and_of_steps(every: str, rates: Any) -> None:
    trainer = made()
    scheduler = optim.lr_scheduler.StepLR(trainer.optimizer, 1, gamma=0.5)
    trainer = optim.Trainer(trainer.model, trainer.optimizer, trainer.loss, scheduler=scheduler,
                            scheduler_every=every, quiet=True)  # fmt: skip
    history = trainer.fit(X, Y, epochs=3, batch_size=20)
    np.testing.assert_allclose(history["lr"], rates)  # of the last step of each epoch
    if every == "step":
        np.testing.assert_allclose(history.steps["lr"], 0.1 * 0.5 ** np.arange(6))
    else:
        assert list(history.steps) == ["loss"]


def test_a_schedule_that_waits_for_a_plateau_gets_the_validation_loss() -> None:
    trainer = made()
    scheduler = optim.lr_scheduler.ReduceLROnPlateau(trainer.optimizer, patience=0, factor=0.1)
    seen: list[float] = []
    step = scheduler.step
    scheduler.step = lambda metrics: (seen.append(metrics), step(metrics))
    trainer = optim.Trainer(trainer.model, trainer.optimizer, trainer.loss, scheduler=scheduler, quiet=True)
    history = trainer.fit(X, Y, epochs=2, validation=0.5)
    assert seen == history["val_loss"]
    trainer.fit(X, Y, epochs=2)
    assert seen[2:] == trainer.history["loss"]
    with pytest.raises(ValueError, match="every='step'"):
        optim.Schedule(scheduler, every="step")


def test_a_plateau_after_a_warm_up_gets_the_loss() -> None:
    trainer = made()
    plateau = optim.lr_scheduler.ReduceLROnPlateau(trainer.optimizer, patience=0, factor=0.5, threshold=0.9)
    warm = optim.schedules.WarmupLR(trainer.optimizer, 1, after=plateau)
    again = optim.Trainer(trainer.model, trainer.optimizer, trainer.loss, scheduler=warm, quiet=True)
    history = again.fit(X, Y, epochs=4)
    np.testing.assert_allclose(history["lr"], [0.05, 0.1, 0.1, 0.05])
    assert plateau.best == history["loss"][1]


def test_what_is_no_schedule() -> None:
    with pytest.raises(TypeError, match="a float, expected an object with step"):
        made(scheduler=0.1)
    with pytest.raises(ValueError, match="every='batch'"):
        made(scheduler=lambda epoch: 0.1, scheduler_every="batch")
    with pytest.raises(ValueError, match=r"StepLR\(.*\) of another optimizer"):
        made([optim.Schedule(optim.schedules.StepLR(made().optimizer, 1))])


def test_statistics_of_gradients() -> None:
    statistics = optim.GradientStatistics()
    norms: list[float] = []

    def look(trainer: Any) -> None:
        if trainer.step % 2 == 0:
            grads = [p.grad for p in trainer.model.parameters()]
            norms.append(math.sqrt(sum(float((g.astype(float) ** 2).sum()) for g in grads)))

    trainer = made([statistics, optim.LambdaCallback(on_backward_end=look)])
    history = trainer.fit(X, Y, epochs=3, batch_size=20)
    np.testing.assert_allclose(history["grad_norm"], norms, rtol=1e-5)
    assert [list(row) for row in statistics.rows] == [["weight", "bias"]] * 3
    for row in statistics.rows:  # the step is 0.1 times the gradient; the norm is the one after it
        ratio = 0.1 * row["weight"]["gradient_norm"] / row["weight"]["ratio"]
        assert ratio == pytest.approx(row["weight"]["norm"], rel=0.1)


def test_statistics_of_activations() -> None:
    nn.manual_seed(0)
    model = nn.Sequential(nn.Linear(4, 5), nn.Tanh(), nn.Dropout(0.5), nn.Linear(5, 3))
    sgd = optim.SGD(model.parameters(), lr=0.1)
    statistics = optim.ActivationStatistics(X)
    trainer = optim.Trainer(model, sgd, nn.CrossEntropyLoss(), callbacks=[statistics], quiet=True)
    trainer.fit(X, Y, epochs=2)
    outputs = np.tanh(model[0](X).numpy())
    assert statistics.column("1", "std")[-1] == pytest.approx(outputs.std(), rel=1e-5)
    assert model.training
    with pytest.raises(TypeError, match="no inputs"):
        optim.ActivationStatistics()


@pytest.mark.parametrize(("every", "start", "count"), [("step", 1, 6), ("epoch", 1, 3), ("step", 3, 2)])
def test_averages(tmp_path: Path, every: str, start: int, count: int) -> None:
    def trained(epochs: int) -> optim.AveragedModel:
        trainer = made(checkpoints=tmp_path / str(epochs == 3))
        average = optim.AveragedModel(trainer.model)
        again = optim.Trainer(
            trainer.model, trainer.optimizer, trainer.loss, checkpoints=trainer.checkpoints, quiet=True,
            callbacks=[keep, optim.Averaging(average, every, start)],
        )  # fmt: skip
        again.fit(X, Y, epochs=epochs, batch_size=20, shuffle=False)
        return average

    weights: list[Any] = []
    keep = optim.LambdaCallback(on_step_end=lambda t: weights.append(t.model.state_dict()["weight"]))
    average = trained(3)
    assert average.n_averaged == count
    chosen = weights[1::2] if every == "epoch" else weights[-count:]
    np.testing.assert_allclose(average.module.weight.numpy(), np.mean(chosen, axis=0), rtol=1e-5)
    for epochs in (2, 4):
        other = trained(epochs)
    assert other.n_averaged == count + (1 if every == "epoch" else 2)


def test_what_is_no_average() -> None:
    with pytest.raises(TypeError, match="a Linear, expected an AveragedModel"):
        optim.Averaging(nn.Linear(1, 1))
    with pytest.raises(ValueError, match="every='batch'"):
        optim.Averaging(optim.AveragedModel(nn.Linear(1, 1)), every="batch")


def test_noise_goes_on_where_it_was(tmp_path: Path) -> None:
    def trained(folder: str, eta: float, *plan: int) -> Any:
        for epochs in plan:
            noise = optim.GradientNoise(eta, generator=np.random.default_rng(0))
            trainer = made([noise], checkpoints=tmp_path / folder)
            trainer.fit(X, Y, epochs=epochs, batch_size=20, shuffle=False)
        return trainer.model.weight.numpy(), noise.step

    once, twice = trained("once", 0.3, 4), trained("twice", 0.3, 1, 4)
    assert once[1] == twice[1] == 8
    np.testing.assert_array_equal(once[0], twice[0])
    assert not np.allclose(once[0], trained("none", 0.0, 4)[0], rtol=0.1)


def test_parameters_that_are_added_on_the_way_count_as_the_others() -> None:
    def trained(batch_size: int, **options: Any) -> Any:
        nn.manual_seed(0)
        model = nn.Sequential(nn.Linear(4, 5), nn.Linear(5, 3))
        model[0].requires_grad_(False)
        sgd = optim.SGD(model[1].parameters(), lr=0.1)

        def thaw(trainer: Any) -> None:
            if trainer.epoch == 2:
                model[0].requires_grad_(True)
                sgd.add_param_group({"params": model[0].parameters()})

        thawing = optim.LambdaCallback(on_epoch_begin=thaw)
        loss = nn.CrossEntropyLoss()
        trainer = optim.Trainer(model, sgd, loss, callbacks=[thawing], quiet=True, **options)
        trainer.fit(X, Y, epochs=2, batch_size=batch_size, shuffle=False)
        return model[0].weight.numpy()

    np.testing.assert_allclose(trained(5, accumulate=4), trained(20), rtol=1e-5)
    clipped = trained(20, clip_value=1e-6) - trained(20, clip_value=1e-9)
    assert abs(clipped).max() < 1e-6


def test_an_optimizer_that_takes_the_gradients_itself_shows_none() -> None:
    model = nn.Linear(4, 3)
    newton = optim.Newton(model.parameters())
    for options in ({"callbacks": [optim.GradientStatistics()]}, {"clip_norm": 1.0}):
        with pytest.raises(ValueError, match="clipping or on_backward_end and Newton"):
            optim.Trainer(model, newton, nn.CrossEntropyLoss(), **options)


def test_the_state_of_a_callback_is_in_the_checkpoint(tmp_path: Path) -> None:
    class Counter(optim.Callback):
        seen = 0

        def on_step_end(self, trainer: Any) -> None:
            self.seen += 1

        def state_dict(self) -> dict[str, Any]:
            return {"seen": self.seen, "deep": {1: (2, [np.float32(3.0)])}, "text": "ä"}

        def load_state_dict(self, state_dict: dict[str, Any]) -> None:
            assert state_dict["deep"] == {1: (2, [3.0])}
            assert state_dict["deep"][1][1][0].dtype == np.float32
            self.seen = state_dict["seen"]

    made([Counter()], checkpoints=tmp_path).fit(X, Y, epochs=2, batch_size=20)
    counter = Counter()
    made([counter], checkpoints=tmp_path).fit(X, Y, epochs=3, batch_size=20)
    assert counter.seen == 6

    class Late(optim.Callback):  # it has nothing to keep when the training begins
        def __init__(self) -> None:
            self.seen: dict[str, Any] = {}

        def on_epoch_end(self, trainer: Any) -> None:
            self.seen = {"epoch": trainer.epoch, "before": self.seen.get("epoch", 0)}

        def state_dict(self) -> dict[str, Any]:
            return self.seen

        def load_state_dict(self, state_dict: dict[str, Any]) -> None:
            self.seen = state_dict

    for epochs in (2, 3):
        late = Late()
        made([late], checkpoints=tmp_path / "late").fit(X, Y, epochs=epochs)
    assert late.seen == {"epoch": 3, "before": 2}

    class Odd(Counter):
        def state_dict(self) -> dict[str, Any]:
            return {"inside": [object()]}

    with pytest.raises(TypeError, match=r"callbacks.0.inside.0, a object"):
        made([Odd()], checkpoints=tmp_path / "odd").fit(X, Y, epochs=1)
