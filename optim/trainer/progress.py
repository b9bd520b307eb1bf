"""Progress as people see it: a bar with the time that is left, and a line for each epoch."""

from __future__ import annotations

import sys
import warnings
from collections.abc import Mapping
from time import perf_counter
from typing import Any, Self

from .history import shown

__all__ = ["Progress"]

CONSOLE, NOTEBOOK = 0.1, 0.5  # seconds between two pictures of a bar, which take 0.2 and 2 ms


class Progress:
    """A bar over the steps of all epochs where someone looks, and a line for each epoch everywhere.

    The bar is tqdm's, for consoles and notebooks. A file or a pipe gets the lines alone.

    Args:
        epochs: how many there are in all.
        steps: in each, or None where nobody knows.
        every: epochs between two lines.
        quiet: nothing at all.
    """

    def __init__(self, epochs: int, steps: int | None, every: int = 1, quiet: bool = False) -> None:
        self.epochs, self.steps, self.every, self.quiet = epochs, steps, every, quiet
        self.bar: Any = None
        self.interval = float("inf")  # seconds between two pictures of the bar

    def __enter__(self) -> Self:
        if not self.quiet:
            with warnings.catch_warnings():  # of a notebook without widgets, which gets the lines alone
                warnings.simplefilter("ignore")
                from tqdm.auto import tqdm  # here, as it takes longer to import than the library

            notebook = "notebook" in tqdm.__mro__[1].__module__
            if notebook or sys.stderr.isatty():
                total = None if self.steps is None else self.steps * self.epochs
                self.bar = tqdm(total=total, unit="step", leave=False, dynamic_ncols=True)
                self.interval = NOTEBOOK if notebook else CONSOLE
        return self

    def __exit__(self, *error: object) -> None:
        if self.bar is not None:
            self.bar.close()
            self.bar = None

    def start(self, step: int) -> None:
        """Begin at a step, so that the time left does not count what was done before."""
        if self.bar is not None:
            self.bar.initial = step
            self.bar.n = self.bar.last_print_n = step
            self.bar.start_t = self.bar._time()

    def update(self, epoch: int, step: int, logs: Mapping[str, float]) -> float:
        """Show where training is; return when to do so next, in seconds of ``perf_counter``."""
        if self.bar is not None:
            self.bar.set_description_str(f"epoch {epoch}/{self.epochs}", refresh=False)
            self.bar.set_postfix_str(_pairs(logs, " ", ", "), refresh=False)
            self.bar.n = step
            self.bar.refresh()
        return perf_counter() + self.interval

    def line(self, epoch: int, logs: Mapping[str, float]) -> None:
        """Write the line of an epoch that has ended."""
        if epoch % self.every == 0 or epoch == self.epochs:
            number = f"epoch {epoch:>{len(str(self.epochs))}}/{self.epochs}"
            self.say(f"{number}  {_pairs(logs, ' ', '  ')}")

    def say(self, text: str) -> None:
        """Write a line, above the bar if there is one."""
        if self.bar is not None:
            self.bar.write(text)
        elif not self.quiet:
            print(text, flush=True)


def _pairs(logs: Mapping[str, float], between: str, after: str) -> str:
    seconds = logs.get("seconds")
    texts = [
        f"{name}{between}{shown(value) if name == 'lr' else format(value, '#.4g')}"
        for name, value in logs.items() if name != "seconds"
    ]  # fmt: skip
    return after.join(texts if seconds is None else [*texts, f"{seconds:.1f} s"])
