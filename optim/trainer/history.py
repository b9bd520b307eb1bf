"""What a training recorded: a number for each epoch and for each step, as data, as a table, as curves."""

from __future__ import annotations

import html
import math
from collections.abc import Mapping
from typing import Any

from autograd_core.errors import message

__all__ = ["History"]

SHOWN = 20  # rows of a table; of more the first and the last half


class History(dict[str, list[float]]):
    """Columns of numbers by name, one for each whole epoch: a dictionary of lists.

    ``json.dumps(history)`` and ``pandas.DataFrame(history)`` take it as it is. A value that an epoch
    does not have is NaN.

    Attributes:
        steps: columns by name, one number for each step: ``history.steps["loss"]``.
        interrupted: whether Ctrl-C ended the training.
        stopped: why it ended before the last epoch; an empty text if it did not.

    >>> from autograd_core import optim
    >>> history = optim.History()
    >>> history.append({"loss": 0.5, "val_loss": 0.75})
    >>> history.append({"loss": 0.25, "val_loss": 0.5})
    >>> history["val_loss"], history.epochs, history.best("val_loss")
    ([0.75, 0.5], 2, (2, 0.5))
    >>> history
    epoch  loss  val_loss
        1   0.5      0.75
        2  0.25       0.5
    """

    def __init__(self, columns: Mapping[str, list[float]] | None = None) -> None:
        super().__init__(columns or {})
        self.steps: dict[str, list[float]] = {"loss": []}
        self.interrupted = False
        self.stopped = ""

    @property
    def epochs(self) -> int:
        """How many whole epochs there were."""
        return max(map(len, self.values()), default=0)

    def __missing__(self, name: object) -> list[float]:
        raise KeyError(message("History", repr(name), f"one of {', '.join(self) or 'none yet'}"))

    def append(self, row: Mapping[str, float]) -> None:
        """Add an epoch."""
        before = self.epochs
        for name in [*self, *(name for name in row if name not in self)]:
            self.setdefault(name, [math.nan] * before).append(float(row.get(name, math.nan)))

    def amend(self, row: Mapping[str, float]) -> None:
        """Write numbers into the last epoch."""
        for name, value in row.items():
            self.setdefault(name, [math.nan] * self.epochs)[-1] = float(value)

    def best(self, name: str, mode: str | None = None) -> tuple[int, float]:
        """Return the first epoch, counted from 1, in which a column was best, and its value.

        Args:
            name: a column.
            mode: ``"min"`` or ``"max"``; by default as the name says: an accuracy shall be large.

        Raises:
            KeyError: there is no such column.
            ValueError: there is no number in it.
        """
        if name not in self:
            raise KeyError(message("History.best", repr(name), f"one of {', '.join(self) or 'none yet'}"))
        sign = -1 if (mode or direction(name)) == "max" else 1
        found = [(sign * v, i) for i, v in enumerate(self[name], 1) if not math.isnan(v)]
        if not found:
            raise ValueError(message("History.best", f"{name!r} without a number", "an epoch"))
        value, epoch = min(found)
        return epoch, sign * value

    def plot(self, *names: str, window: int | None = None) -> Any:
        """Draw columns over the epochs, with the losses of the steps and their moving average.

        Args:
            names: the columns; by default all that change but the seconds.
            window: steps that are averaged; by default a twentieth of them.

        Returns:
            matplotlib's Figure.
        """
        from autograd_core import nn

        chosen = names or [k for k, v in self.items() if k != "seconds" and (k != "lr" or len(set(v)) > 1)]
        drawn = History({name: self[name] for name in chosen})
        drawn.steps = self.steps if "loss" in chosen or not self else {}
        return nn.plots.learning_curve(drawn, window=window)

    def table(self) -> list[list[str]]:
        """Return the cells of a table as texts, the names first."""
        numbers = list(range(self.epochs))
        if len(numbers) > SHOWN:
            numbers = numbers[: SHOWN // 2] + [-1] + numbers[-SHOWN // 2 :]
        rows = [
            ["..." if i < 0 else str(i + 1), *("..." if i < 0 else shown(c[i]) for c in self.values())]
            for i in numbers
        ]
        return [["epoch", *self], *rows]

    def __repr__(self) -> str:
        if not self:
            return f"History of no whole epoch, {len(self.steps['loss'])} steps"
        table = self.table()
        widths = [max(map(len, column)) for column in zip(*table, strict=True)]
        return "\n".join("  ".join(c.rjust(w) for c, w in zip(row, widths, strict=True)) for row in table)

    def _repr_html_(self) -> str:
        def row(cells: list[str], tag: str) -> str:
            return "<tr>" + "".join(f"<{tag}>{html.escape(c)}</{tag}>" for c in cells) + "</tr>"

        head, *rows = self.table()
        return f"<table>{row(head, 'th')}{''.join(row(cells, 'td') for cells in rows)}</table>"


def shown(value: float) -> str:
    """Write a number as tables and lines have it.

    >>> shown(0.123456), shown(1234567.0), shown(0.00001), shown(3)
    ('0.1235', '1.235e+06', '1e-05', '3')
    """
    return f"{value:.4g}"


LARGE = ("acc", "precision", "recall", "f1", "r2", "auc", "top", "score", "likelihood")


def direction(name: str, metrics: Mapping[str, Any] | None = None) -> str:
    """Return ``"max"`` where a large value of this name is the better one, else ``"min"``.

    A metric says so itself; without one the name has to.

    >>> direction("val_loss"), direction("val_accuracy")
    ('min', 'max')
    """
    bare = name.removeprefix("val_")
    better = getattr((metrics or {}).get(bare), "higher_is_better", None)
    if better is None:
        better = any(part in bare.lower() for part in LARGE) and "loss" not in bare.lower()
    return "max" if better else "min"
