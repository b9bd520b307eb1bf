"""What a Trainer says of data, losses, schedules and callbacks that are not what they should be."""

from __future__ import annotations

import linecache
import warnings
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from autograd_core import Tensor, nn, optim

rng = np.random.default_rng(0)
X = rng.normal(size=(40, 4)).astype(np.float32)
Y = X[:, :3].argmax(1)
F = nn.functional


def made(model: Any = None, loss: Any = None, **options: Any) -> optim.Trainer:
    model = model or nn.Linear(4, 3)
    sgd = optim.SGD(model.parameters(), lr=0.1)
    return optim.Trainer(model, sgd, loss or nn.CrossEntropyLoss(), **({"quiet": True} | options))


def test_one_callback_that_is_not_in_a_list() -> None:
    with pytest.raises(TypeError, match=r"callbacks=EarlyStopping\(.*\), expected a list; try \[Early"):
        made(callbacks=optim.EarlyStopping())


def test_a_schedule_that_is_a_class() -> None:
    with pytest.raises(TypeError, match=r"the class StepLR, expected an object; try StepLR\(optimizer"):
        made(scheduler=optim.schedules.StepLR)


@pytest.mark.parametrize("wrapped", [False, True])
def test_a_schedule_of_another_optimizer(wrapped: bool) -> None:
    other = optim.schedules.StepLR(optim.SGD(nn.Linear(4, 3).parameters(), lr=0.1), 2)
    with pytest.raises(ValueError, match=r"StepLR\(.*\) of another optimizer"):
        made(scheduler=optim.Schedule(other) if wrapped else other)


def test_several_optimizers() -> None:
    model = nn.Linear(4, 3)
    two: Any = [optim.SGD(model.parameters(), lr=0.1)] * 2
    with pytest.raises(TypeError, match="a list of optimizers, expected an Optimizer; try a loop of your"):
        optim.Trainer(model, two, nn.CrossEntropyLoss())


def test_validation_in_a_list() -> None:
    with pytest.raises(TypeError, match=r"validation of type list, expected a pair \(x, y\).*try a tuple"):
        made().fit(X, Y, epochs=1, validation=[X, Y])
    assert "val_loss" in made().fit(X, Y, epochs=1, validation=[(X, Y), (X[:3], Y[:3])])  # batches


def test_lists_that_make_no_array() -> None:
    with pytest.raises(ValueError, match=r"\[Trainer.fit\] got lists that make no array .*; try padding"):
        made().fit([[1, 2], [3]], [0, 1], epochs=1)
    with pytest.raises(ValueError, match=r"an array of dtype object, expected numbers; try x.astype"):
        made().fit(X.astype(object), Y, epochs=1)


def test_none_for_no_metrics_and_no_callbacks() -> None:
    assert list(made(metrics=None, callbacks=None).fit(X, Y, epochs=1)) == ["loss", "lr", "seconds"]


def test_accuracy_of_mixed_labels() -> None:
    trainer = made(metrics=["accuracy"])
    mixed = trainer.fit(X, nn.data.one_hot(Y, 3), epochs=1, transform=nn.data.MixUp(1.0))
    assert 0 <= mixed["accuracy"][0] <= 1


class Looks:
    def __len__(self) -> int:
        return len(X)

    def __getitem__(self, i: int) -> Any:
        return X[i], Y[i]


def test_a_dataset_by_its_looks() -> None:
    with pytest.raises(TypeError, match=r"data of type Looks, .*try nn.data.DataLoader\(dataset"):
        made().fit(Looks(), epochs=1)


def test_a_column_that_the_history_lacks() -> None:
    history = made().fit(X, Y, epochs=1)
    with pytest.raises(KeyError, match="'val_loss', expected one of loss, lr, seconds"):
        history["val_loss"]
    assert history.get("val_loss") is None


def test_a_single_sample_to_predict() -> None:
    trainer = made()
    with pytest.raises(ValueError, match=r"outputs of shape \(3,\) for 4 samples, .*try x\[np.newaxis\]"):
        trainer.predict(X[0])
    assert trainer.predict(X[0][np.newaxis]).shape == (1, 3)


class Two(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.linear = nn.Linear(4, 3)

    def forward(self, x: Any) -> tuple[Tensor, Tensor]:
        return self.linear(x), self.linear(2 * x)


def test_a_model_of_two_outputs_and_a_loss_of_one() -> None:
    with pytest.raises(TypeError, match=r"a model that returns a tuple of 2, and a loss.*try loss=lambda"):
        made(Two()).fit(X, Y, epochs=1)
    made(Two(), lambda both, y: F.cross_entropy(both[0] + both[1], y)).fit(X, Y, epochs=1)


def test_a_loss_without_a_target_says_what_is_wrong_inside_it() -> None:
    def loss(output: Any) -> Any:
        raise TypeError("of my own")

    with pytest.raises(TypeError, match="of my own"):
        made(loss=loss).fit(X, epochs=1)
    with pytest.raises(TypeError, match="data without a target, and a loss that needs one"):
        made().fit(X, epochs=1)


def test_a_warning_names_the_line_that_made_the_trainer() -> None:
    model = nn.MLP([4, 5, 3])
    with pytest.warns(UserWarning, match="does not hold 0.weight") as found:
        optim.Trainer(model, optim.SGD(model[2].parameters(), lr=0.1), nn.CrossEntropyLoss())
    assert "optim.Trainer(" in linecache.getline(found[0].filename, found[0].lineno)


def resumed(folder: Path, epochs: int, make: Any) -> optim.History:
    model = nn.Linear(4, 3)
    sgd = optim.SGD(model.parameters(), lr=0.1, momentum=0.9)
    scheduler, every = make(sgd, epochs), "step" if make is one_cycle else "epoch"
    trainer = optim.Trainer(model, sgd, nn.CrossEntropyLoss(), scheduler=scheduler, scheduler_every=every,
                            checkpoints=folder, quiet=True)  # fmt: skip
    return trainer.fit(X, Y, epochs=epochs, batch_size=20)


def one_cycle(optimizer: Any, epochs: int) -> Any:
    return optim.schedules.OneCycleLR(optimizer, 0.1, epochs=epochs, steps_per_epoch=2)


def cosine(optimizer: Any, epochs: int) -> Any:
    return optim.schedules.CosineAnnealingLR(optimizer, epochs)


def test_a_schedule_that_differs_from_the_checkpoint(tmp_path: Path) -> None:
    resumed(tmp_path, 2, cosine)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        resumed(tmp_path, 2, cosine)
    with pytest.warns(UserWarning, match="T_max=2 in the checkpoint, and 4 here") as found:
        resumed(tmp_path, 4, cosine)
    assert "trainer.fit(" in linecache.getline(found[0].filename, found[0].lineno)


def test_a_schedule_over_steps_that_is_stepped_after_epochs() -> None:
    model = nn.Linear(4, 3)
    sgd = optim.SGD(model.parameters(), lr=0.1, momentum=0.9)
    for total, every in ((8, "step"), (4, "epoch")):  # 4 epochs of 2 steps
        scheduler = optim.schedules.OneCycleLR(sgd, 0.1, total)
        trainer = optim.Trainer(model, sgd, nn.CrossEntropyLoss(), scheduler=scheduler, scheduler_every=every,
                                quiet=True)  # fmt: skip
        trainer.fit(X, Y, epochs=4, batch_size=20)  # a warning would be an error
    trainer = optim.Trainer(model, sgd, nn.CrossEntropyLoss(), scheduler=one_cycle(sgd, 4), quiet=True)
    with pytest.warns(UserWarning, match="OneCycleLR with total_steps=8, stepped after each of 4 epochs"):
        trainer.fit(X, Y, epochs=4, batch_size=20)


def test_a_schedule_that_is_too_short_for_more_epochs(tmp_path: Path) -> None:
    resumed(tmp_path, 2, one_cycle)
    with (
        pytest.warns(UserWarning, match="total_steps=4 in the checkpoint, and 8 here"),
        pytest.raises(ValueError, match=r"step 5, expected at most total_steps=4; try a longer one; a state"),
    ):
        resumed(tmp_path, 4, one_cycle)
