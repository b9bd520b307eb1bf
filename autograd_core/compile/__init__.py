"""Capture a step once, replay it at the machine's speed.

A step is a function of arrays: forward, backward and update. Because every rule, layer and optimizer is NumPy, the
NumPy calls that it makes can be written down while it runs, with duck arrays in the place of arrays
(:mod:`traced`, :mod:`capture`), and made again without graph, Python objects or allocation (:mod:`passes`,
:mod:`memory`, :mod:`emit`, :mod:`plan`). What the step's Python reads is found and guarded (:mod:`reach`).

    call 1    as it is, and note which code runs, hence what it reads
    call 2    capture
    call 3    capture again; what differs would be stale in a replay, and is an error.
              Build the plan, replay it from the same start, compare bit for bit
    call 4..  replay; where arguments or Python state are others, capture again
"""

from __future__ import annotations

import warnings
from collections.abc import Callable
from contextvars import ContextVar
from functools import update_wrapper
from threading import RLock
from typing import Any, TypeVar, overload

from ..errors import CompileError, message
from ..node import Box, recording, strip
from .plan import MISS, Plan
from .reach import Opaque, Watch
from .trial import Trial, verified

__all__ = ["Compiled", "compile"]

F = TypeVar("F", bound=Callable[..., Any])

capturing: ContextVar[bool] = ContextVar("capturing", default=False)
PLANS = 16  # for other shapes, modes and values; the one that was used longest ago goes
ATTEMPTS = 8  # captures without a replay in between, before it is an error that none fits the next step


class Compiled(Opaque):
    """A function that replays what it did before: see :func:`compile`."""

    def __init__(self, fun: Callable[..., Any], fallback: bool) -> None:
        update_wrapper(self, fun)
        self.fun, self.fallback = fun, fallback
        self.lock = RLock()
        self.clear()

    def clear(self) -> None:
        """Forget every plan: the next steps are captured anew."""
        self.plans: list[Plan] = []
        self.recent: Plan | None = None
        self.watch: Watch | None = None
        self.before: Trial | None = None  # the last capture, while no plan was made of it
        self.reason = ""  # why the last plan did not fit
        self.attempts = 0
        self.given_up = False

    @property
    def plan(self) -> Plan:
        """The plan of the last replay: ``print(step.plan)`` shows its calls.

        Raises:
            CompileError: the step was not captured yet.
        """
        if self.recent is None:
            raise CompileError(message("compile", "plan of a step that was not captured yet", "three calls of it"))
        return self.recent

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        with self.lock:
            if self.recent is not None:
                result = self.recent.run(args, kwargs)
                if result is not MISS:
                    return result
            return self._other(args, kwargs)

    def __get__(self, instance: Any, owner: Any = None) -> Any:
        if instance is None:
            return self
        return lambda *args, **kwargs: self(instance, *args, **kwargs)

    def _other(self, args: Any, kwargs: Any) -> Any:
        """Find another plan that fits, or capture the step."""
        eager = self.given_up or capturing.get() or recording.get() not in (True, False)
        if eager or any(isinstance(x, Box) and x.level > 0 for x in (*args, *kwargs.values())):
            return self.fun(*args, **kwargs)
        for plan in self.plans[::-1]:
            plan.root.update(args=args, kwargs=kwargs)
            reason = plan.accepts()
            if reason is None:
                plan.bind()
                result = plan.run(args, kwargs)
                if result is not MISS:
                    self.plans.remove(plan)
                    self.plans.append(plan)
                    self.recent, self.attempts = plan, 0
                    return result
                reason = "it changed between two looks"
            self.reason = reason
        return self._captured(args, kwargs)

    def _captured(self, args: Any, kwargs: Any) -> Any:
        if self.watch is None:
            with Watch() as watch:
                result = self.fun(*args, **kwargs)
            self.watch = watch
            return result
        trial = Trial(self.fun, args, kwargs, self.watch)
        token = capturing.set(True)
        try:
            result = trial.run()
        except CompileError as error:
            if not self.fallback:
                raise
            capturing.reset(token)
            token = None
            return self._fall_back(error, args, kwargs)
        finally:
            if token is not None:
                capturing.reset(token)
        try:
            self._learn(trial)
        except CompileError as error:
            if not self.fallback:
                raise
            self._fall_back(error)
        return result

    def _learn(self, trial: Trial) -> None:
        """Make a plan of two captures that agree."""
        before, self.before = self.before, None
        self.attempts += 1
        if self.attempts > ATTEMPTS:
            self.attempts = 0
            raise CompileError(message(
                "compile", f"a step that was captured {ATTEMPTS} times and never as it was before: "
                f"{trial.reason or self.reason}", "the same Python state in each step",
                "to keep what changes in an array, or outside of the step"))  # fmt: skip
        if trial.reason:
            if before is not None and before.reason == trial.reason:
                raise CompileError(message("compile", f"a step that changes Python state: {trial.reason}",
                                           "changes of arrays only, as a replay runs no Python",
                                           "an array, or to do it outside of the step"))  # fmt: skip
            self.before = trial
            return
        if before is None or before.reason or not trial.is_like(before):
            self.before = trial
            return
        if difference := trial.difference(before):
            raise CompileError(difference)
        plan = verified(trial)
        self.plans.append(plan)
        del self.plans[:-PLANS]
        self.recent, self.attempts = plan, 0

    def _fall_back(self, error: CompileError, args: Any = None, kwargs: Any = None) -> Any:
        self.given_up = True
        warnings.warn(f"{error} (this step runs eagerly from now on)", RuntimeWarning, stacklevel=4)
        return None if args is None else self.fun(*args, **kwargs)


@overload
def compile(fun: F, /) -> F: ...
@overload
def compile(*, fallback: bool = False) -> Callable[[F], F]: ...
def compile(fun: Any = None, /, *, fallback: bool = False) -> Any:
    """Return ``fun`` as a function that is captured in its first calls and replayed in the later ones.

    Args:
        fun: a whole training step, or any function of arrays, Tensors and nests of them, such as ``ag.grad(f)``.
            Parameters, buffers, optimizers and generators that it reaches are read and written where they are.
        fallback: where it cannot be captured, warn and run it as it is, instead of an error.

    Returns:
        a function with the same arguments. Its results are outside of any graph.

    Raises:
        CompileError: in one of the first calls: the step branches on a value, turns an array into a Python number,
            or does something else that a replay would not do; the text names the line.

    >>> import numpy as np, autograd_core as ag
    >>> w = ag.tensor([1.0, 2.0], requires_grad=True)
    >>> @ag.compile
    ... def step(x):
    ...     w.grad = None
    ...     loss = ((w - x) ** 2).sum()
    ...     loss.backward()
    ...     with ag.no_grad():
    ...         w.data -= 0.25 * w.grad
    ...     return loss
    >>> [round(step(np.ones(2, np.float32)).item(), 4) for _ in range(5)]
    [1.0, 0.25, 0.0625, 0.0156, 0.0039]
    """
    if fun is None:
        return lambda fun: compile(fun, fallback=fallback)
    if not callable(fun):
        raise TypeError(message("compile", f"a {type(fun).__name__}", "a function"))
    return Compiled(fun, fallback)
