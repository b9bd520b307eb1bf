"""Capture a step once, replay it at the machine's speed.

A step is a function of arrays: forward, backward and update. Every rule, layer and optimizer is NumPy, so the
calls that it makes can be written down while it runs, with duck arrays in the place of arrays
(:mod:`traced`, :mod:`capture`), and made again without graph, Python objects or allocation (:mod:`plan`).
What the step's Python reads is found and guarded (:mod:`watch`, :mod:`reach`), and what it leaves behind is
left behind by each replay (:mod:`effects`).

    call 1    as it is, and note which code runs, hence what it reads
    call 2    capture (:mod:`trial`)
    call 3    capture again; what differs would be stale in a replay, and is an error (:mod:`compare`).
              Build the plan, replay it from the same start, compare bit for bit (:mod:`verify`)
    call 4..  replay; where arguments or Python state are others, capture again
"""

from __future__ import annotations

import re
import sys
import warnings
from collections.abc import Callable
from contextvars import ContextVar
from functools import update_wrapper
from threading import RLock
from types import MethodType, ModuleType
from typing import Any, TypeVar, overload

from ..errors import CompileError, message
from ..forward import depth
from ..interrupts import deferred
from ..node import Box, recording
from ..transforms import flatten, running
from .compare import difference, is_like
from .plan import MISS, Plan
from .reach import Opaque
from .trial import Trial
from .verify import verified
from .watch import Watch
from .words import defined

__all__ = ["Compiled", "compile"]

F = TypeVar("F", bound=Callable[..., Any])

capturing: ContextVar[bool] = ContextVar("capturing", default=False)
PLANS = 32  # for other shapes, modes and values; the one that was used longest ago goes
ATTEMPTS = 8  # captures without a replay in between, before it is an error that none fits the next step
one_at_a_time = RLock()  # captures of all threads: they put duck arrays into what threads share


class Compiled(Opaque):
    """A function that replays what it did before: ``Compiled(f)(*args) == f(*args)``, to the last bit.

    :func:`compile` makes it, and says what a step may do. One plan is kept for each way in which the step was
    called: other shapes, modes and values of Python state. Threads take turns.

    Args:
        fun: the step.
        fallback: run it as it is, with a warning, if it cannot be captured.

    Attributes:
        plans: the plans, the one that was used last at the end.
        plan: that one; printed, it shows its calls.
        given_up: whether the step runs as it is, after an error with ``fallback``.
        reason: why the last plan did not fit the arguments or Python state of a call.

    Raises:
        CompileError: by a call that captures, as in :func:`compile`. Everything is then as it was before it.

    >>> import numpy as np, autograd_core as ag
    >>> double = ag.compile(lambda x: 2 * x)
    >>> [double(np.float64([i, 1])).tolist() for i in range(4)]
    [[0.0, 2.0], [2.0, 2.0], [4.0, 2.0], [6.0, 2.0]]
    >>> double.plan
    <Plan of <lambda>: 1 call, ...>
    >>> for i in range(3):  # another shape has a plan of its own
    ...     y = double(np.ones(3))
    >>> len(double.plans)
    2
    """

    def __init__(self, fun: Callable[..., Any], fallback: bool = False) -> None:
        update_wrapper(self, fun)
        self.fun, self.fallback = fun, fallback
        self.lock = RLock()
        self.clear()

    def clear(self) -> None:
        """Forget every plan: the next steps are captured anew."""
        self.plans: list[Plan] = []  # the one that was used last stands last
        self.recent: Plan | None = None
        self.watch: Watch | None = None
        self.waiting: list[Trial] = []  # captures that wait for another one like them
        self.changes: Any = None  # the place of what the last capture changed beside arrays
        self.reason = ""  # why the last plan did not fit
        self.attempts = 0
        self.differed = 0  # how often in a row two captures made other calls
        self.given_up = False

    @property
    def plan(self) -> Plan:
        """The plan of the last replay: ``print(step.plan)`` shows its calls.

        Raises:
            CompileError: the step was not captured yet.
        """
        if self.recent is None:
            raise CompileError(message("compile", "plan of a step that was not captured yet",
                                       "three calls of it"))  # fmt: skip
        return self.recent

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        with self.lock:
            if self.recent is not None:
                result = self.recent.run(args, kwargs)
                if result is not MISS:
                    return result
            return self._other(args, kwargs)

    def __get__(self, instance: Any, owner: Any = None) -> Any:
        return self if instance is None else MethodType(self, instance)

    def __reduce__(self) -> Any:
        """A copy has plans of its own: it begins with none."""
        there: Any = sys.modules.get(self.__module__)
        path: str = getattr(self, "__qualname__", "")
        for name in path.split("."):
            there = getattr(there, name, None)
        return path if there is self else (Compiled, (self.fun, self.fallback))

    def _other(self, args: Any, kwargs: Any) -> Any:
        """Find another plan that fits, or capture the step."""
        transformed = running.get() or depth.get() or any(
            isinstance(x, Box) and x.level > 0 for x in flatten((args, kwargs))[0]
        )  # fmt: skip
        if self.given_up or capturing.get() or transformed or recording.get() not in (True, False):
            return self.fun(*args, **kwargs)
        for plan in self.plans[::-1]:
            plan.root.update(args=args, kwargs=kwargs)
            reason = plan.accepts()
            result = MISS
            if reason is None:
                plan.bind()
                result = plan.run(args, kwargs)
                reason = "it changed between two looks"
            plan.root.update(args=None, kwargs=None)
            if result is not MISS:
                self.plans.remove(plan)
                self.plans.append(plan)
                self.recent, self.attempts = plan, 0
                return result
            self.reason = reason
        if self.watch is None:
            with Watch() as watch:
                result = self.fun(*args, **kwargs)
            self.watch = watch
            return result
        with one_at_a_time, deferred():  # Ctrl-C waits until no duck array is left anywhere
            return self._captured(self.watch, args, kwargs)

    def _captured(self, watch: Watch, args: Any, kwargs: Any) -> Any:
        trial = Trial(self.fun, args, kwargs, watch)
        token = capturing.set(True)
        try:
            result = trial.run()
        except CompileError as error:
            _name_line(error, self.fun)
            if not self.fallback:
                raise
            self._give_up(error)
        finally:
            capturing.reset(token)
        if self.given_up:
            return self.fun(*args, **kwargs)
        try:
            result = self._learn(trial, result)
        except CompileError as error:
            _name_line(error, self.fun)
            trial.undo()
            if not self.fallback:
                raise
            self._give_up(error)
            return self.fun(*args, **kwargs)
        if self.waiting and self.waiting[-1] is trial:
            trial.forget()
        return result

    def _learn(self, trial: Trial, result: Any) -> Any:
        """Make a plan of two captures that agree; return the result of the step."""
        self.attempts += 1
        if trial.reason:
            if trial.where == self.changes:
                raise CompileError(message("compile", f"a step that changes Python state: {trial.reason}",
                                           "changes of arrays only, as a replay runs no Python",
                                           "an array, or to do it outside of the step"))  # fmt: skip
            self.changes = trial.where
            return result
        self.changes = None
        if not trial.whole:
            return result
        before = next((other for other in self.waiting if is_like(trial, other)), None)
        if before is None:
            if self.waiting and trial.layouts() != self.waiting[-1].layouts():
                self.attempts = 0  # other shapes are no sign of Python state that never stays
            if self.attempts > ATTEMPTS:
                self.attempts = 0
                raise CompileError(message(
                    "compile",
                    f"a step that was captured {ATTEMPTS} times and never as it was before: {self.reason}",
                    "the same Python state in each step",
                    "to keep what changes in an array, or outside of the step"))  # fmt: skip
            self.waiting.append(trial)
            del self.waiting[:-PLANS]
            return result
        self.waiting.remove(before)
        if what := difference(trial, before):
            # A Tensor copies what it writes to while somebody holds its memory, and the first steps after an
            # error may fill what the library remembers, so calls may differ for a while.
            if self.differed == 3 or "the same calls" not in what:
                raise CompileError(what)
            self.differed += 1
            self.waiting.append(trial)
            return result
        self.differed = 0
        plan, result = verified(trial)
        self.plans.append(plan)
        del self.plans[:-PLANS]
        self.recent, self.attempts = plan, 0
        return result

    def _give_up(self, error: CompileError) -> None:
        self.given_up = True
        self.plans, self.recent, self.waiting = [], None, []
        warnings.warn(f"{error} (this step runs eagerly from now on)", RuntimeWarning, stacklevel=5)


def _name_line(error: CompileError, fun: Any) -> None:
    """Let an error that names no line name the one where the step is defined."""
    if not re.search(r":\d+", str(error)):
        error.args = (f"{error}: in the step at {defined(fun)}",)


@overload
def compile(fun: F, /, *, fallback: bool = False) -> F: ...
@overload
def compile(*, fallback: bool = False) -> Callable[[F], F]: ...
def compile(fun: Any = None, /, *, fallback: bool = False) -> Any:
    """Return ``fun`` as a function that is captured in its first calls and replayed in the later ones.

    ``compile(fun)(*args) == fun(*args)`` to the last bit, and so is all that a step writes to. A replay makes
    the NumPy calls of the step, without its Python: a change of Python state that the step reads is found,
    and the step is captured again; a change that it makes itself is refused, but for arrays and Tensors that
    it puts somewhere.

    Args:
        fun: a whole training step, or any function of arrays, Tensors and nests of them, such as
            ``ag.grad(f)``. Parameters, buffers, optimizers and generators that it reaches are read and
            written where they are. Left out, a decorator is returned: ``@ag.compile(fallback=True)``.
        fallback: where it cannot be captured, warn and run it as it is, instead of an error.

    Returns:
        a function with the same arguments, a :class:`Compiled`. Its results are outside of any graph.

    Raises:
        CompileError: in one of the first calls: the step branches on a value, turns an array into a Python
            number, or does something else that a replay would not do; the text names the line.
        TypeError: ``fun`` is no function.

    Source: a list of calls that duck arrays record is the *tape* of D. Maclaurin, D. Duvenaud and R. P.
    Adams, "Autograd: effortless gradients in numpy" (2015); to replay it with memory that is laid out once is
    how CUDA graphs are used.

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


class _Callable(ModuleType):
    """Importing a module of the package puts the package in the place of the function: then it is called."""

    __call__ = staticmethod(compile)


sys.modules[__name__].__class__ = _Callable
