"""Random and grid search: coarse first, then finer around the best."""

from __future__ import annotations

import itertools
import math
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from time import perf_counter
from typing import Any, overload

import numpy as np

from autograd_core import nn
from autograd_core.errors import counted, message

from .spaces import Range, Space, checked, draw, points

__all__ = ["Trial", "Trials", "refine", "search"]

BORDER = 0.1  # the share of a range at each end


@dataclass(frozen=True)
class Trial:
    """One training run of a search.

    Attributes:
        number: its place in the order in which they ran.
        params: what it was called with.
        score: what it returned; NaN if it failed.
        seed: what the library's random numbers started from: ``nn.manual_seed(trial.seed)`` has them again.
        seconds: how long it took.
        error: why it failed, or an empty text.
        more: what else it returned.

    >>> from autograd_core import optim
    >>> optim.practice.Trial(0, {"lr": 0.1}, 0.95, seed=7).params
    {'lr': 0.1}
    """

    number: int
    params: dict[str, Any]
    score: float
    seed: int
    seconds: float = 0.0
    error: str = ""
    more: dict[str, Any] = field(default_factory=dict)


class Trials(Sequence[Trial]):
    """What :func:`search` returns: the trials from the best to the worst, the failed ones last.

    Attributes:
        space: where it searched; mode: "max" or "min"; planned: how many trials it was to make.

    >>> from autograd_core import optim
    >>> trials = optim.practice.search(lambda lr: lr, {"lr": [0.1, 0.2]}, kind="grid")
    >>> type(trials).__name__, len(trials), trials.best.params
    ('Trials', 2, {'lr': 0.2})
    """

    def __init__(self, trials: Sequence[Trial], space: Mapping[str, Any], mode: str, planned: int) -> None:
        sign = -1 if mode == "max" else 1
        ended = sorted((t for t in trials if not t.error), key=lambda t: (sign * t.score, t.number))
        self._trials = ended + [t for t in trials if t.error]
        self.space, self.mode, self.planned = dict(space), mode, planned

    def __len__(self) -> int:
        return len(self._trials)

    @overload
    def __getitem__(self, index: int) -> Trial: ...
    @overload
    def __getitem__(self, index: slice) -> Sequence[Trial]: ...
    def __getitem__(self, index: int | slice) -> Trial | Sequence[Trial]:
        return self._trials[index]

    def __iter__(self) -> Iterator[Trial]:
        return iter(self._trials)

    @property
    def best(self) -> Trial:
        """The best trial.

        Raises:
            ValueError: all have failed; the error tells how the first one did.
        """
        if not self._trials or self._trials[0].error:
            why = f", the first with {self._trials[0].error}" if self._trials else ""
            raise ValueError(message("search", f"{counted(len(self), 'trial')}, all failed{why}",
                                     "one that ended", "lower rates"))  # fmt: skip
        return self._trials[0]

    @property
    def borders(self) -> dict[str, str]:
        """The ranges at whose lower or upper end the best value lies: what is best may lie beyond."""
        if not self._trials or self._trials[0].error:
            return {}
        shares = {
            name: values.share(self.best.params[name])
            for name, values in self.space.items()
            if isinstance(values, Range) and values.low < values.high
        }
        return {name: "lower" if share < 0.5 else "upper" for name, share in shares.items()
                if not BORDER <= share <= 1 - BORDER}  # fmt: skip

    def __repr__(self) -> str:
        """Write a table, and below it what to know about it."""
        more = list(dict.fromkeys(name for t in self for name in t.more))
        lines = [["trial", "score", *self.space, *more, "seconds", ""]]
        for t in self:
            lines.append([
                str(t.number), "failed" if t.error else _short(t.score),
                *(_short(t.params[name]) for name in self.space),
                *(_short(t.more.get(name, "")) for name in more), f"{t.seconds:.2f}", t.error])  # fmt: skip
        widths = [max(map(len, column)) for column in zip(*lines, strict=True)]
        text = ["  ".join(map(str.ljust, line, widths)).rstrip() for line in lines]
        text += [f"the best {name} is at the {end} end of its range: search beyond it too"
                 for name, end in self.borders.items()]  # fmt: skip
        if len(self) < self.planned:
            text.append(f"stopped after {len(self)} of {counted(self.planned, 'trial')}")
        return "\n".join(text)


def _short(value: Any) -> str:
    return f"{value:.4g}" if isinstance(value, float) else str(value)


def search(
    train: Callable[..., Any], space: Space, n: int = 20, kind: str = "random", *, mode: str = "max",
    seed: int = 0, catch: tuple[type[Exception], ...] = (ArithmeticError,), quiet: bool = True,
) -> Trials:  # fmt: skip
    """Call ``train(**params)`` with values from a space, and return the trials from best to worst.

    Random search finds better values than a grid of as many trials, as each trial tries a new value of each
    number. [Bergstra and Bengio, Random Search for Hyper-Parameter Optimization, 2012] Each trial starts
    the library's random numbers from a seed of its own, so it can be repeated alone; afterwards they are
    where they were. Ctrl-C ends the search and keeps what it has.

    Args:
        train: trains, and returns the score on validation data; or a dictionary with "score" and whatever
            else is to be in the table. A score that is not finite is a failed trial.
        space: for each argument of ``train`` a range (``log_uniform(1e-4, 1e-1)``, ``uniform``,
            ``integers``), a list of choices, or, at random, a distribution of ``scipy.stats``.
        n: trials; in a grid, values of each range.
        kind: "random" or "grid".
        mode: whether the "max" or the "min" of the score is best.
        seed: of the choice, and of the trials' seeds. The first trials do not depend on n.
        catch: errors that make a failed trial; others stop the search.
        quiet: show no progress.

    Raises:
        ValueError: an empty or wrong space, kind or mode.
        TypeError: ``train`` returned no number.

    >>> from autograd_core import optim
    >>> practice = optim.practice
    >>> def train(lr, layers):
    ...     return 1.0 - abs(lr - 0.03) - 0.1 * layers if lr < 0.5 else float("nan")
    >>> space = {"lr": practice.log_uniform(1e-3, 1.0), "layers": [1, 2]}
    >>> trials = practice.search(train, space, n=4, kind="grid")
    >>> trials
    trial  score   lr     layers  seconds
    2      0.88    0.01   1       0.00
    0      0.871   0.001  1       0.00
    4      0.83    0.1    1       0.00
    3      0.78    0.01   2       0.00
    1      0.771   0.001  2       0.00
    5      0.73    0.1    2       0.00
    6      failed  1      1       0.00     the score is nan
    7      failed  1      2       0.00     the score is nan
    >>> fine = practice.search(train, practice.refine(trials), n=20)
    >>> fine.best.score > trials.best.score
    True
    """
    who = "search"
    wanted = {"kind": (kind, ("random", "grid")), "mode": (mode, ("max", "min"))}
    for name, (given, known) in wanted.items():
        if given not in known:
            raise ValueError(message(who, f"{name}={given!r}", " or ".join(map(repr, known))))
    if n < 1:
        raise ValueError(message(who, f"n={n}", "1 or more"))
    ranges = checked(who, space)
    if kind == "grid":
        axes = [points(who, name, values, n) for name, values in ranges.items()]
        grid = [dict(zip(ranges, values, strict=True)) for values in itertools.product(*axes)]
        n = len(grid)
    trials: list[Trial] = []
    numbers: Any = range(n)
    if not quiet:
        from tqdm.auto import tqdm  # here, as it takes longer to import than the library

        numbers = tqdm(numbers, unit="trial")
    state = nn.random.get_state()
    try:
        for number in numbers:
            rng = np.random.default_rng([seed, number])
            own = int(rng.integers(2**31))
            if kind == "grid":
                params = grid[number]
            else:
                params = {name: draw(values, rng) for name, values in ranges.items()}
            nn.random.set_state(dict(np.random.default_rng(own).bit_generator.state))
            trials.append(_try(train, Trial(number, params, math.nan, own), catch))
    except KeyboardInterrupt:
        pass
    finally:
        nn.random.set_state(state)
    return Trials(trials, ranges, mode, n)


def _try(train: Callable[..., Any], trial: Trial, catch: tuple[type[Exception], ...]) -> Trial:
    start = perf_counter()
    found: Any = math.nan
    error = ""
    try:
        found = train(**trial.params)
    except catch as raised:
        error = f"{type(raised).__name__}: {raised}".splitlines()[0]
    except Exception as raised:
        raised.add_note(f"in trial {trial.number} of search, with {trial.params} and seed {trial.seed}")
        raise
    seconds = perf_counter() - start
    more: dict[str, Any] = {}
    if isinstance(found, Mapping):
        more = {name: value for name, value in found.items() if name != "score"}
        found = found.get("score")
    try:
        score = float(found)
    except (TypeError, ValueError):
        raise TypeError(message("search", f"{found!r} from the training function", "a number",
                                "returning the validation score")) from None  # fmt: skip
    if not error and not math.isfinite(score):
        error = f"the score is {score}"
    return Trial(trial.number, trial.params, score, trial.seed, seconds, error, more)


def refine(trials: Trials, factor: float = 0.3) -> dict[str, Any]:
    """Return a space around the best trial, for a finer search.

    Args:
        trials: what a coarser search returned.
        factor: how wide each range is, as a share of the one before (of its logarithm, where that was drawn).
            It stays within it: ``trials.borders`` tells where it should go beyond. Of choices those stay
            that occur in the best quarter of the trials.

    Raises:
        ValueError: no trial has ended, or the factor is not from 0 to 1.

    >>> from autograd_core import optim
    >>> practice = optim.practice
    >>> space = {"lr": practice.log_uniform(1e-4, 1.0)}
    >>> trials = practice.search(lambda lr: -abs(lr - 0.01), space, 9, "grid")
    >>> space = practice.refine(trials, 0.5)
    >>> space["lr"].low, space["lr"].high
    (0.001, 0.1)
    """
    if not 0 < factor <= 1:
        raise ValueError(message("refine", f"factor={factor}", "a number from 0 to 1, above 0"))
    best = trials.best
    top = [t for t in trials if not t.error][: max(1, len(trials) // 4)]
    space: dict[str, Any] = {}
    for name, values in trials.space.items():
        if isinstance(values, Range):
            space[name] = values.around(best.params[name], factor)
        elif isinstance(values, tuple):
            kept = [t.params[name] for t in top]
            space[name] = [value for value in values if any(value is k or value == k for k in kept)]
        else:
            space[name] = values
    return space
