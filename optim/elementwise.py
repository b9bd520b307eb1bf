"""Optimizers that treat every number alike: a rule for one, and how it runs over all parameters at once."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from itertools import accumulate, pairwise
from typing import Any

import numpy as np
from numpy import ndarray

from autograd_core.errors import message
from autograd_core.primitive import kernel
from autograd_core.tensor import Tensor

from .groups import Group, Slots, gradients
from .optimizer import Optimizer
from .rule import Rule

__all__ = ["Elementwise"]

SMALL = 1 << 13  # elements: fewer are copied into an array with others
BUNDLE = 1 << 16  # elements of such an array: it stays in the cache


class Elementwise(Optimizer):
    """An optimizer whose step is a rule for each number of a parameter, its gradient and its memory.

    A subclass states what is remembered (``memory``, ``clock``), the numbers of a step and the rule. Large
    parameters are updated where they are; small ones are copied into one flat array, in which they have
    their memory, and back: 200 parameters cost a few calls and not 200 times a few.
    """

    def memory(self, group: Group) -> Mapping[str, float]:
        """Return the names of the arrays remembered of each parameter, and with what they begin."""
        return {}

    def clock(self, group: Group) -> Mapping[str, float]:
        """Return the names of the numbers that all parameters of a step share, and with what they begin."""
        return {"step": 0.0}

    def numbers(self, group: Group, clock: Mapping[str, ndarray[Any, Any]]) -> tuple[Any, ...]:
        """Count the step in ``clock``, in place, and return the numbers that the rule is called with."""
        raise NotImplementedError

    def rule(self, group: Group) -> Rule:
        """Return the rule for the options of a group."""
        raise NotImplementedError

    def buffers(self, like: Any, size: int) -> list[ndarray[Any, Any]]:
        """Return two arrays that small parameters of the dtype of one are copied into, bundle by bundle."""
        kept = self._buffers.get(like.dtype)
        if kept is None or kept[0].size < size:
            kept = self._buffers[like.dtype] = [np.empty_like(like, shape=size) for _ in range(2)]
        return [a[:size] for a in kept]

    def like(self, group: Group, p: Tensor, name: str) -> tuple[tuple[int, ...], Any]:
        return ((), np.float64) if name in self.clock(group) else (p.shape, p.dtype)

    def update(self, group: Group) -> None:
        names = *self.memory(group), *self.clock(group)
        found = None
        if group.plan is not None and group.plan.names == names:
            found = group.plan.gradients(group, self.state)
        if found is None:
            group.plan = Plan(self, group, names)
            found = group.plan.gradients(group, self.state)
        rule = self.rule(group)
        for beat, grads in zip(group.plan.beats, found, strict=True):
            numbers = self.numbers(group, beat.clock)
            for part, given in zip(beat.parts, grads, strict=True):
                part.move(rule, given, numbers, self.buffers)


class Plan:
    """Which parameters of a group have gradients, and which of them step together.

    It holds until a parameter gains or loses its gradient, changes its dtype or shape, its state is replaced,
    or an option changes what is remembered (``names``).
    """

    def __init__(self, optimizer: Elementwise, group: Group, names: tuple[str, ...]) -> None:
        params, state = group["params"], optimizer.state
        self.names = names
        present = [g is not None for g in gradients(params)]
        self.idle = [p for p, there in zip(params, present, strict=True) if not there]
        together: dict[tuple[float, ...], list[Tensor]] = {}
        for p, there in zip(params, present, strict=True):
            if there:
                clock = optimizer.clock(group)
                if state.get(p):
                    clock = {name: _now(state[p].get(name, 1.0)) for name in clock}  # 1: it has made a step
                together.setdefault(tuple(clock.values()), []).append(p)
        self.beats = [Beat(optimizer, group, at, same) for at, same in together.items()]

    def gradients(self, group: Group, state: Mapping[Tensor, Slots]) -> list[Any] | None:
        """Return the gradients of each part of each beat, or None if the plan holds no longer."""
        count = len(self.idle)
        for p in self.idle:
            if p.grad is not None:
                return None
        found = []
        for beat in self.beats:
            parts = []
            for part in beat.parts:
                grads = gradients(part.params)
                for p, g, slots, shape in zip(part.params, grads, part.slots, part.shapes, strict=True):
                    if g is None or g.shape != shape or state.get(p) is not slots:
                        return None
                    if p.data.dtype != part.dtype:
                        return None
                count += len(grads)
                parts.append(grads)
            found.append(parts)
        return found if count == len(group["params"]) else None


class Beat:
    """Parameters of a group that have made the same steps: they share the numbers of the next one."""

    def __init__(
        self, optimizer: Elementwise, group: Group, at: tuple[float, ...], params: list[Tensor]
    ) -> None:
        like = params[0].data
        self.clock = {
            name: np.full_like(like, x, np.float64, shape=())
            for name, x in zip(optimizer.clock(group), at, strict=True)
        }
        alone: list[list[Tensor]] = []
        bundles: dict[Any, list[list[Tensor]]] = {}
        for p in params:
            if p.size >= SMALL and p.data.flags.c_contiguous:
                alone.append([p])
                continue
            same = bundles.setdefault(p.dtype, [[]])
            if same[-1] and sum(q.size for q in same[-1]) + p.size > BUNDLE:
                same.append([])
            same[-1].append(p)
        runs = [*alone, *(run for same in bundles.values() for run in same)]
        self.parts = [Part(optimizer, group, self.clock, run) for run in runs]


class Part:
    """Parameters whose memory is one flat array for each name: one large parameter, or many small ones."""

    def __init__(
        self, optimizer: Elementwise, group: Group, clock: Mapping[str, Any], params: list[Tensor]
    ) -> None:
        self.params, self.dtype = params, params[0].data.dtype
        self.shapes = [p.shape for p in params]
        self.within: Any = None  # the memory that they are copied into, and where in it
        self.views: list[ndarray[Any, Any]] = []
        self.edges = list(pairwise(accumulate((p.size for p in params), initial=0)))
        self.slots = [Slots({**optimizer.state.get(p, {}), **clock}) for p in params]
        self.memory = [
            self._remember(optimizer.state, name, start) for name, start in optimizer.memory(group).items()
        ]
        optimizer.state.update(zip(params, self.slots, strict=True))

    def _remember(self, state: Mapping[Tensor, Slots], name: str, start: float) -> ndarray[Any, Any]:
        """Return one array for the memory of all, each with its part of it."""
        flat = np.full_like(self.params[0].data, start, shape=self.edges[-1][1])
        for p, slots, (a, b) in zip(self.params, self.slots, self.edges, strict=True):
            view = flat[a:b].reshape(p.shape)
            if p in state and name in state[p]:
                old = state[p][name]
                if old.shape != p.shape:
                    raise ValueError(message("step", f"{name} of shape {old.shape}", f"{p.shape}"))
                np.copyto(view, old, casting="same_kind")
            slots.place(name, view)
        return flat

    def move(
        self, rule: Rule, grads: list[Any], numbers: tuple[Any, ...], buffers: Callable[[Any, int], Any]
    ) -> None:
        """Apply the rule to the parameters, in place."""
        arrays = [p.writable("step") for p in self.params]
        if len(arrays) == 1 and (flat := arrays[0]).flags.c_contiguous:
            g = grads[0]
            if not g.flags.c_contiguous or g.dtype != self.dtype:
                g = g.astype(self.dtype, "C", copy=False)
            rule([flat.reshape(-1), g.reshape(-1), *self.memory], numbers)
            return
        values, slopes = buffers(arrays[0], self.edges[-1][1])
        if self.within is not values.base:
            self.within = values.base
            self.views = [values[a:b].reshape(s) for (a, b), s in zip(self.edges, self.shapes, strict=True)]
        np.concatenate([a.reshape(-1) for a in arrays], out=values)
        np.concatenate([g.reshape(-1) for g in grads], out=slopes, casting="same_kind")
        rule([values, slopes, *self.memory], numbers)
        for a, view in zip(arrays, self.views, strict=True):
            a[...] = view


def _now(x: Any) -> float:
    """Return the number in an array, also in one of a step that is being captured.

    Which parameters have made the same steps is found anew only where the Python state of the optimizer is
    another, and no replay is made of such a step.
    """
    found: list[float] = []
    _tell(x, found.append)
    return found[0]


@kernel
def _tell(x: Any, told: Callable[[float], None]) -> None:
    told(float(x))
