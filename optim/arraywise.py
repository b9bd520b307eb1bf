"""Optimizers that treat a parameter as a whole: as a matrix, or with a norm."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy import ndarray

from autograd_core.errors import message
from autograd_core.tensor import Tensor

from .groups import Group, Slots, gradients
from .optimizer import Optimizer

__all__ = ["Arraywise"]


class Arraywise(Optimizer):
    """An optimizer whose step changes one parameter after the other.

    A subclass states what is remembered of a parameter (``shapes``), and how one changes (``change``).
    """

    def shapes(self, shape: tuple[int, ...]) -> Mapping[str, tuple[int, ...]]:
        """Return the names and shapes of what is remembered of a parameter; ``"step"`` is in float64."""
        raise NotImplementedError

    def change(
        self, group: Group, p: ndarray[Any, Any], g: ndarray[Any, Any], memory: list[ndarray[Any, Any]]
    ) -> None:
        """Write into a parameter and what is remembered of it; the gradient is only read."""
        raise NotImplementedError

    def like(self, group: Group, p: Tensor, name: str) -> tuple[tuple[int, ...], Any]:
        return self.shapes(p.shape).get(name, p.shape), np.float64 if name == "step" else p.dtype

    def update(self, group: Group) -> None:
        params = group["params"]
        for p, g in zip(params, gradients(params), strict=True):
            if g is None or not p.size:
                continue
            slots = self.state.setdefault(p, Slots())
            for name in self.shapes(p.shape):
                shape, dtype = self.like(group, p, name)
                if name not in slots:
                    slots.place(name, np.zeros_like(p.data, dtype, "C", shape=shape))
                elif slots[name].shape != shape:
                    got = f"{name} of shape {slots[name].shape}"
                    raise ValueError(message("step", got, f"{shape}"))
                elif slots[name].dtype != dtype:
                    slots.place(name, slots[name].astype(dtype))
            memory = [slots[name] for name in self.shapes(p.shape)]
            self.change(group, p.writable("step"), g.astype(p.dtype, copy=False), memory)
