"""Checkpoints: a folder of whole states of a training, of which the last good one is where it goes on."""

from __future__ import annotations

import contextlib
import json
import os
import re
import warnings
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from autograd_core import nn
from autograd_core.errors import message

from .checks import positive
from .packing import pack, unpack

__all__ = ["Checkpoints"]

NAME = re.compile(r"checkpoint-(\d{10,})\.safetensors")
LEFT = re.compile(r"\.checkpoint-\d{10,}\.safetensors\.[0-9a-f]+\.tmp")  # of a writer that was killed


class Checkpoints:
    """A folder in which a Trainer keeps its state, so that a run that was killed can go on.

    Each file is one safetensors file with a digest, written whole or not at all, of the model, the
    optimizer, the schedule and other callbacks, the metrics, the random numbers, the position within the
    data, and the history. When ``Trainer.fit`` is called again, usually by starting the same script again,
    it goes on from the last good one, and the run is bit for bit the one that was not killed. A file that
    is damaged is named in a warning, set aside, and the one before it is used.

    Every run has a folder of its own, and one process at a time. Of random numbers the library's, NumPy's,
    Python's and those of a loader's NumPy ``generator`` are kept; a loader that draws others, as PyTorch's
    does to shuffle, goes on in another order. A loop of one's own keeps what it likes with ``save`` and
    ``load``: the states of several models and optimizers, numbers, texts, lists.

    Args:
        folder: it is made if it is not there.
        every: how many units lie between two checkpoints.
        unit: ``"epochs"``, ``"steps"`` or ``"seconds"``. There is one at the beginning and at the end too.
        keep: how many of the newest stay, or None for all.

    Raises:
        ValueError: a setting makes no sense.
        NotADirectoryError: there is a file in the place of the folder.

    >>> import tempfile
    >>> import numpy as np
    >>> from autograd_core import nn, optim
    >>> def train(epochs):
    ...     model = nn.Linear(3, 1)
    ...     sgd = optim.SGD(model.parameters(), lr=0.1)
    ...     trainer = optim.Trainer(model, sgd, nn.MSELoss(), checkpoints=folder, quiet=True)
    ...     return trainer.fit(np.ones((8, 3)), np.ones((8, 1)), epochs=epochs)
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     first = train(epochs=2)
    ...     both = train(epochs=3)  # goes on where the first ended
    >>> both["loss"][:2] == first["loss"], both.epochs
    (True, 3)

    By hand:

    >>> model = nn.Linear(3, 1)
    >>> adam = optim.Adam(model.parameters(), lr=0.1)
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     path = optim.Checkpoints(folder).save(
    ...         10, {"model": model.state_dict(), "optimizer": adam.state_dict(), "epoch": 2})
    ...     state = optim.Checkpoints.load(path)
    >>> _ = model.load_state_dict(state["model"])
    >>> adam.load_state_dict(state["optimizer"])
    >>> state["epoch"]
    2
    """

    def __init__(
        self, folder: str | os.PathLike[str], *, every: float = 1, unit: str = "epochs", keep: int | None = 3
    ) -> None:
        if unit not in ("epochs", "steps", "seconds"):
            raise ValueError(message("Checkpoints", f"unit={unit!r}", "'epochs', 'steps' or 'seconds'"))
        if unit != "seconds":
            positive("Checkpoints", every=every)
        elif not every > 0:
            raise ValueError(message("Checkpoints", f"every={every!r}", "a positive number of seconds"))
        if keep is not None:
            positive("Checkpoints", keep=keep)
        self.folder, self.every, self.unit, self.keep = Path(folder), every, unit, keep
        if self.folder.exists() and not self.folder.is_dir():
            raise NotADirectoryError(message("Checkpoints", f"the file {str(folder)!r}", "a folder"))

    def paths(self) -> list[Path]:
        """Return the files there are, the oldest first."""
        if not self.folder.is_dir():
            return []
        found = [(int(m[1]), p) for p in self.folder.iterdir() if (m := NAME.fullmatch(p.name))]
        return [path for _, path in sorted(found)]

    def save(self, step: int, state: Mapping[str, Any]) -> Path:
        """Write the state after a step, and delete what is not to be kept any longer.

        Args:
            step: the number in the file's name; the greatest is the newest.
            state: by name numbers, texts, None, arrays, and dictionaries, lists and tuples of them.
        """
        self.folder.mkdir(parents=True, exist_ok=True)
        path = self.folder / f"checkpoint-{step:010d}.safetensors"
        arrays: dict[str, Any] = {}
        tree = pack(state, arrays)
        nn.save_file(arrays, path, {"trainer": json.dumps(tree)})
        if self.keep is not None:
            for old in self.paths()[: -self.keep]:
                with contextlib.suppress(FileNotFoundError):
                    old.unlink()
        return path

    @staticmethod
    def load(path: str | os.PathLike[str]) -> dict[str, Any]:
        """Return the state that a file holds.

        Raises:
            ValueError: it is damaged, or no checkpoint of a Trainer.
        """
        arrays = nn.load_file(path)
        if "trainer" not in arrays.metadata:
            raise ValueError(message("Checkpoints", f"{str(path)!r} without a training", "a checkpoint"))
        state: dict[str, Any] = unpack(json.loads(arrays.metadata["trainer"]), arrays)
        return state

    def latest(self) -> tuple[Path, dict[str, Any]] | None:
        """Return the last good file and its state; None if there is no checkpoint.

        A damaged one is named in a warning and gets the ending ``.damaged``.

        Raises:
            ValueError: there are checkpoints, and none is good.
        """
        self._sweep()
        faults: list[tuple[Path, Exception]] = []
        for path in reversed(self.paths()):
            try:
                state = self.load(path)
            except (ValueError, KeyError, OSError) as error:
                faults.append((path, error))
                continue
            for damaged, fault in faults:
                with contextlib.suppress(OSError):
                    damaged.rename(damaged.with_name(damaged.name + ".damaged"))
                warnings.warn(message(
                    "Checkpoints", f"the damaged checkpoint {damaged}; {path.name} is used, the other set "
                    f"aside ({fault})"), stacklevel=4)  # fmt: skip
            return path, state
        if faults:
            lines = "".join(f"\n  {path}: {fault}" for path, fault in faults)
            raise ValueError(message("Checkpoints", f"damaged checkpoints alone:{lines}\n", "a good one",
                                     "clear() of the Checkpoints, to begin anew"))  # fmt: skip
        return None

    def _sweep(self) -> None:
        """Delete what a writer left that was killed while it gave its file a name."""
        if self.folder.is_dir():
            for path in self.folder.iterdir():
                if LEFT.fullmatch(path.name):
                    path.unlink(missing_ok=True)

    def clear(self) -> None:
        """Delete all checkpoints, damaged ones too, and nothing else in the folder."""
        if self.folder.is_dir():
            for path in self.folder.iterdir():
                if NAME.fullmatch(path.name.removesuffix(".damaged")) and path.is_file():
                    path.unlink()
        self._sweep()

    def __repr__(self) -> str:
        return f"Checkpoints({str(self.folder)!r}, every={self.every}, unit={self.unit!r}, keep={self.keep})"
