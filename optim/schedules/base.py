"""What all schedules share: the count of epochs, writing the rates, and the state as plain data."""

from __future__ import annotations

import copy
import math
from collections.abc import Iterable, Mapping
from typing import Any, ClassVar

import numpy as np

from autograd_core.errors import message

from ..optimizer import Optimizer

__all__ = ["FactorLR", "LRScheduler"]


def check(
    who: str, name: str, value: Any, low: float, high: float = math.inf, *, above: bool = False,
    whole: bool = False,
) -> None:  # fmt: skip
    """Refuse what is no number, or no integer if it is to be ``whole``, from ``low`` (or above it) on."""
    number = isinstance(value, (int, np.integer) if whole else (int, float, np.integer, np.floating))
    if number and low <= value <= high and not (above and value == low):
        return
    bounds = f"{'an integer' if whole else 'a number'} {'above' if above else 'from'} {low}"
    bounds += f" to {high}" if high < math.inf else "" if above else " on"
    raise ValueError(message(who, f"{name}={value!r}", bounds))


class LRScheduler:
    """The base of every schedule: it sets ``group["lr"]`` of each group of an optimizer's parameters.

    A schedule is made after its optimizer and sets the rate of epoch 0 at once. Each ``step()`` then sets
    that of the next epoch, so it is called after the epoch (or mini-batch) has been trained with the
    present rate::

        for images, labels in batches:
            loss = F.cross_entropy(model(images), labels)
            loss.backward()
            optimizer.step()
            optimizer.zero_grad()
            schedule.step()

    A ``schedule.step()`` before ``optimizer.step()`` skips the first rate. PyTorch warns about that; here
    a schedule leaves ``optimizer.step`` alone and does not know, so that it can also be run without any
    training, to look at it.

    A subclass states ``get_lr()``, the rates at ``self.last_epoch``; or is a :class:`FactorLR`.

    Args:
        optimizer: the optimizer whose rates are set.
        last_epoch: -1 to begin with epoch 0. A schedule that resumes after epoch k is made with
            ``last_epoch=k`` and sets the rate of epoch k + 1, from the ``"initial_lr"`` of each group.
            (PyTorch's schedules trust the rate that stands in the group, or multiply it once more.)
            ``load_state_dict`` is the simpler way, and the one for schedules that follow each other.

    Attributes:
        last_epoch: the number of the present epoch.
        base_lrs: the rate of each group that the schedule starts from, its ``"initial_lr"``.

    Raises:
        TypeError: something else than an optimizer.
        ValueError: a ``last_epoch`` below -1, or a group without ``"initial_lr"`` to resume from; later,
            a group that was added to the optimizer when its schedule was there already.

    >>> import numpy as np
    >>> from autograd_core import nn, optim
    >>> class Hyperbola(optim.schedules.LRScheduler):
    ...     def get_lr(self):
    ...         return [base / (1 + self.last_epoch) for base in self.base_lrs]
    >>> optimizer = optim.SGD([nn.Parameter(np.zeros(1))], lr=0.6)
    >>> schedule = Hyperbola(optimizer)
    >>> for _ in range(2):
    ...     optimizer.step()
    ...     schedule.step()
    >>> schedule.get_last_lr()
    [0.2]
    """

    unsaved: ClassVar[frozenset[str]] = frozenset({"optimizer"})  # attributes that are no plain data

    def __init__(self, optimizer: Optimizer, last_epoch: int = -1) -> None:
        self.attach(optimizer)
        check(type(self).__name__, "last_epoch", last_epoch, -1, whole=True)
        for number, group in enumerate(optimizer.param_groups):
            if last_epoch == -1:
                group.setdefault("initial_lr", group["lr"])
            elif "initial_lr" not in group:
                raise ValueError(message(
                    type(self).__name__, f"last_epoch={last_epoch} and no 'initial_lr' in group {number}",
                    "the rate at epoch 0", f"optimizer.param_groups[{number}]['initial_lr'] = rate, or "
                    "last_epoch=-1 and load_state_dict"))  # fmt: skip
        self.base_lrs = [float(group["initial_lr"]) for group in optimizer.param_groups]
        self.last_epoch = int(last_epoch)
        self._last_lr = self.rates()
        self.begin()

    def attach(self, optimizer: Optimizer) -> None:
        """Keep the optimizer, after a look at what it is."""
        if not isinstance(optimizer, Optimizer):
            who = type(self).__name__
            raise TypeError(message(who, f"a {type(optimizer).__name__}", "an Optimizer",
                                    f"{who}(optimizer, ...)"))  # fmt: skip
        self.optimizer = optimizer

    # -- what subclasses say ------------------------------------------------------------------

    def get_lr(self) -> list[float]:
        """Return the rate of each group at ``self.last_epoch``; every subclass states its own."""
        raise NotImplementedError(message(
            type(self).__name__, "a step", "a method get_lr(self) -> a rate for each group"))  # fmt: skip

    def begin(self) -> None:
        """Set the first rates, when the schedule has just been made."""
        fresh = self.last_epoch == -1
        self.jump(self.last_epoch + 1, self.rates() if fresh else self.base_lrs)

    def jump(self, epoch: Any, origins: Iterable[float]) -> None:
        """Set the rates of an epoch, as if those at the start had been ``origins``."""
        self.advance(epoch)

    def restart(self) -> None:
        """Set the rates of epoch 0, when another schedule has run before this one."""
        self.jump(0, self.base_lrs)

    # -- the rates ----------------------------------------------------------------------------

    def step(self, epoch: Any = None) -> None:
        """Set the rates of the next epoch, or of the one that is given."""
        if epoch is None:
            self.advance(self.last_epoch + 1)
        elif not epoch >= 0:
            raise ValueError(message(f"{type(self).__name__}.step", f"epoch={epoch}", "0 or more"))
        else:
            self.jump(epoch, self.base_lrs)

    def advance(self, epoch: Any) -> None:
        """Go to an epoch and write its rates; where they cannot be told, stay."""
        before, self.last_epoch = self.last_epoch, epoch
        try:
            if len(self.optimizer.param_groups) != len(self.base_lrs):
                raise ValueError(message(
                    type(self).__name__, f"an optimizer of {len(self.optimizer.param_groups)} groups",
                    f"{len(self.base_lrs)}, as when the schedule was made", "a new schedule"))  # fmt: skip
            rates = self.get_lr()
        except BaseException:
            self.last_epoch = before
            raise
        self.write(rates)

    def write(self, rates: Iterable[float]) -> None:
        """Write the rates into the groups, and remember them."""
        self._last_lr = [float(rate) for rate in rates]
        for group, rate in zip(self.optimizer.param_groups, self._last_lr, strict=True):
            group["lr"] = rate

    def rates(self) -> list[float]:
        """Return the rates that stand in the groups now."""
        return [float(group["lr"]) for group in self.optimizer.param_groups]

    def get_last_lr(self) -> list[float]:
        """Return the rate of each group that this schedule has set last."""
        return list(self._last_lr)

    def per_group(self, name: str, value: Any) -> list[float]:
        """Return a number for each group, from one for all or a list of them."""
        count = len(self.optimizer.param_groups)
        values = [float(v) for v in (value if np.ndim(value) else [value] * count)]
        if len(values) != count:
            raise ValueError(message(type(self).__name__, f"{len(values)} values of {name}",
                                     f"{count}, one for each group of the optimizer"))  # fmt: skip
        if not all(v >= 0 for v in values):
            raise ValueError(message(type(self).__name__, f"{name}={value}", "no negative number"))
        return values

    # -- its state as data --------------------------------------------------------------------

    def state_dict(self) -> dict[str, Any]:
        """Return settings and position as plain data that JSON knows; functions are not in it.

        >>> import numpy as np
        >>> from autograd_core import nn, optim
        >>> optimizer = optim.SGD([nn.Parameter(np.zeros(1))], lr=0.1)
        >>> state = optim.schedules.StepLR(optimizer, 30).state_dict()
        >>> state["last_epoch"], state["step_size"], state["base_lrs"]
        (0, 30, [0.1])
        """
        state = {
            name: value.item() if isinstance(value, np.generic) else copy.deepcopy(value)
            for name, value in vars(self).items() if name not in self.unsaved
        }  # fmt: skip
        return state | ({"_schedulers": [one.state_dict() for one in self.held()]} if self.held() else {})

    def load_state_dict(self, state_dict: Mapping[str, Any]) -> None:
        """Take over settings and position from what ``state_dict()`` returned, PyTorch's too.

        The rates themselves stand in the optimizer, whose state is loaded beside this one.

        Raises:
            ValueError: an entry is missing, or the groups are not as many; the schedule is as it was.
        """
        for schedule, state in self.fitting(state_dict):
            vars(schedule).update(state)

    def fitting(self, state_dict: Mapping[str, Any]) -> list[tuple[LRScheduler, dict[str, Any]]]:
        """Return each schedule, this one and those in it, with what is to be loaded into it."""
        who = f"{type(self).__name__}.load_state_dict"
        expected, state = self.state_dict(), self.understood(copy.deepcopy(dict(state_dict)))
        if missing := [name for name in expected if name not in state]:
            raise ValueError(message(who, f"a state without {', '.join(missing)}",
                                     f"the state of a {type(self).__name__}"))  # fmt: skip
        for name, what in (("_last_lr", "groups"), ("_schedulers", "schedules")):
            if name in expected and len(state[name]) != len(expected[name]):
                raise ValueError(message(who, f"a state of {len(state[name])} {what}",
                                         f"{len(expected[name])}"))  # fmt: skip
        mine = {name: state[name] for name in expected if name != "_schedulers"}
        within = zip(self.held(), state.get("_schedulers", []), strict=True)
        return [(self, mine), *(pair for one, theirs in within for pair in one.fitting(theirs))]

    def understood(self, state: dict[str, Any]) -> dict[str, Any]:
        """Return a state with what PyTorch's lacks, or has in another form."""
        return state

    def held(self) -> list[LRScheduler]:
        """Return the schedules that this one is made of."""
        return []

    def __repr__(self) -> str:
        hidden = {"base_lrs", "floors", "last_epoch", *self.unsaved}
        shown = {k: v for k, v in vars(self).items() if not k.startswith("_") and k not in hidden}
        texts = [f"{k}={v!r}" for k, v in {**shown, "last_epoch": self.last_epoch}.items()]
        return f"{type(self).__name__}({', '.join(texts)}, lr={self._last_lr})"


class FactorLR(LRScheduler):
    """The base of schedules that state their rate as a factor of the first one: ``eta_t = f(t) eta_0``.

    With a floor m it is ``eta_t = f(t) eta_0 + (1 - f(t)) m``. Several such schedules multiply on one
    optimizer, and a rate that somebody else has changed is followed: it is brought from epoch t - 1 to t,
    ``eta - m <- (eta - m) f(t) / f(t-1)``, or by ``(f(t) - f(t-1)) (eta_0 - m)`` from a factor of zero.
    PyTorch computes every step in this recursive form. Here the rate is the closed form, without rounding
    errors that add up, of the ``eta_0`` that would have led to the rate which stands in the group.

    A subclass states ``factor(t)``; arguments are those of :class:`LRScheduler`.

    Attributes:
        floors: m of each group.

    >>> from autograd_core import optim
    >>> class Hyperbola(optim.schedules.FactorLR):
    ...     def factor(self, t):
    ...         return 1 / (1 + t)
    >>> optim.schedules.curve(Hyperbola, lr=0.6, steps=4)
    array([0.6 , 0.3 , 0.2 , 0.15])
    """

    def __init__(self, optimizer: Optimizer, last_epoch: int = -1, *, floor: Any = 0.0) -> None:
        self.attach(optimizer)
        self.floors = self.per_group("floor", floor)
        self._origins: list[float] = []  # eta_0 of each group, that its rate has come from
        super().__init__(optimizer, last_epoch)

    def factor(self, t: Any) -> float:
        """Return f(t) for an epoch t from 0 on; every subclass states its own."""
        raise NotImplementedError(message(
            type(self).__name__, "a step", "a method factor(self, t) -> a number"))  # fmt: skip

    def bases(self) -> list[float]:
        """Return eta_0 of each group as it was at the beginning."""
        return self.base_lrs

    def jump(self, epoch: Any, origins: Iterable[float]) -> None:
        f, origins = self.factor(epoch), list(origins)
        self.last_epoch, self._origins = epoch, origins
        self.write(f * origin + (1 - f) * m for origin, m in zip(origins, self.floors, strict=True))

    def get_lr(self) -> list[float]:
        f, before = self.factor(self.last_epoch), self.factor(self.last_epoch - 1)
        rates, written = self.rates(), self._last_lr
        for i, (lr, base, m) in enumerate(zip(rates, self.bases(), self.floors, strict=True)):
            if before == 0 and f != 0:
                self._origins[i] = base + (lr - m) / f
            elif before != 0 and lr != written[i]:
                self._origins[i] = m + (lr - m) / before
        if f == before:
            return rates
        return [f * origin + (1 - f) * m for origin, m in zip(self._origins, self.floors, strict=True)]

    def understood(self, state: dict[str, Any]) -> dict[str, Any]:
        if {"last_epoch", "base_lrs", "_last_lr"} <= state.keys():
            f = self.factor(state["last_epoch"])
            rates = zip(state["_last_lr"], state["base_lrs"], self.floors)
            origins = [m + (lr - m) / f if f else base for lr, base, m in rates]
            state = {"floors": self.floors, "_origins": origins} | state
        return state
