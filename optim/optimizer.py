"""What all optimizers share: groups of parameters with their options, and a state of arrays."""

from __future__ import annotations

import copy
from collections.abc import Callable, Iterable, Mapping
from typing import Any

import numpy as np
from numpy import ndarray

from autograd_core import enable_grad
from autograd_core.errors import message
from autograd_core.interrupts import deferred
from autograd_core.node import recording, strip
from autograd_core.tensor import Tensor

from .groups import Group, Slots

__all__ = ["Optimizer"]

LATER = {"maximize", "decoupled_weight_decay"}  # options that states of older versions of PyTorch lack
Params = Iterable[Tensor] | Iterable[dict[str, Any]]


class Optimizer:
    """The base of every optimizer: a subclass states ``update`` for one group of parameters.

    Args:
        params: an iterable of parameters, also with their names, or of dictionaries
            ``{"params": [...], option: value}`` that give groups of them options of their own.
        defaults: the options of groups that do not state them.

    Attributes:
        param_groups: a dictionary of options for each group, with its ``"params"``; ``group["lr"] = 0.1``
            changes one.
        state: for each parameter, the arrays that the optimizer remembers of it. What changes
            from step to step is in these arrays, never in a Python number.

    Raises:
        ValueError: no parameters, one that comes twice, or one that is a result of an operation.
        TypeError: something else than parameters.
    """

    amounts: tuple[str, ...] = ("lr", "weight_decay", "momentum", "eps")  # options that are never negative
    counts: tuple[str, ...] = ()  # options that are Python numbers in a step, as in range(ns_steps)

    def __init__(self, params: Params, defaults: dict[str, Any]) -> None:
        self.defaults = defaults
        self.param_groups: list[Group] = []
        self.state: dict[Tensor, Slots] = {}
        self._buffers: dict[Any, list[ndarray[Any, Any]]] = {}  # what a step may write to on its way
        who = type(self).__name__
        if isinstance(params, (Tensor, Mapping)) or not hasattr(params, "__iter__"):
            hint = "model.parameters()" if hasattr(params, "parameters") else "[parameter]"
            raise TypeError(message(who, f"params of type {type(params).__name__}",
                                    "an iterable of parameters", hint))  # fmt: skip
        groups: list[Any] = list(params)
        if not groups:
            raise ValueError(message(
                who, "no parameters", "at least one",
                "model.parameters() anew, as an iterator serves once"))  # fmt: skip
        if not isinstance(groups[0], dict):
            groups = [{"params": groups}]
        for group in groups:
            self.add_param_group(group)

    def add_param_group(self, param_group: dict[str, Any]) -> None:
        """Add parameters, with options of their own: ``{"params": [...], "lr": 0.01}``.

        Besides options a group may have a ``"name"``, and the ``"initial_lr"`` that a schedule resumes from.
        """
        who = type(self).__name__
        if not isinstance(param_group, dict) or "params" not in param_group:
            raise TypeError(message(who, f"a group {param_group!r}", "a dictionary with 'params'"))
        given = param_group["params"]
        params = [given] if isinstance(given, Tensor) else list(given)
        params = [p[1] if isinstance(p, tuple) and len(p) == 2 else p for p in params]  # named_parameters()
        known = {id(p) for group in self.param_groups for p in group["params"]}
        for p in params:
            if not isinstance(p, Tensor):
                raise TypeError(message(who, f"a parameter of type {type(p).__name__}", "a Tensor"))
            if not p.is_leaf:
                raise ValueError(message(who, "a result of an operation as a parameter",
                                         "a leaf", "t.detach().requires_grad_()"))  # fmt: skip
            if id(p) in known:
                raise ValueError(message(who, f"a parameter of shape {p.shape} twice", "each once"))
            known.add(id(p))
        if unknown := param_group.keys() - self.defaults.keys() - {"params", "initial_lr", "name"}:
            raise TypeError(message(who, f"the option {min(unknown)!r}",
                                    f"one of {', '.join(self.defaults)}"))  # fmt: skip
        group = Group({"params": params} | self.defaults | {**param_group, "params": params}, self.counts)
        self.check(group)
        self.param_groups.append(group)

    def check(self, group: Group) -> None:
        """Refuse options that make no sense; a subclass adds its own."""
        for name in self.amounts:
            if name in group and isinstance(group[name], (str, bytes, type(None))):
                raise TypeError(message(type(self).__name__, f"{name}={group[name]!r}", "a number"))
            if name in group and not group[name] >= 0:
                raise ValueError(message(type(self).__name__, f"{name}={group[name]}",
                                         "a number that is not negative"))  # fmt: skip
        if not all(0 <= b < 1 for b in group.get("betas", ())):
            raise ValueError(message(type(self).__name__, f"betas={group['betas']}",
                                     "numbers from 0 to below 1"))  # fmt: skip

    def zero_grad(self, set_to_none: bool = True) -> None:
        """Forget the gradients of all parameters (or fill them with zeros)."""
        for group in self.param_groups:
            for p in group["params"]:
                p.grad = None if set_to_none or p.grad is None else np.zeros_like(p.data, order="C")

    def step(self, closure: Callable[[], Any] | None = None) -> Any:
        """Update every parameter that has a gradient, in place. Ctrl-C waits until all of them are.

        Args:
            closure: computes the loss anew, calls ``backward()`` on it and returns it.

        Returns:
            what the closure returned, or None.
        """
        loss = None
        if closure is not None:
            with enable_grad():
                loss = closure()
        with deferred():
            token = recording.set(False)
            try:
                for group in self.param_groups:
                    self.update(group)
            finally:
                recording.reset(token)
        return loss

    def update(self, group: Group) -> None:
        """Update the parameters of one group that have a gradient."""
        raise NotImplementedError(message(
            type(self).__name__, "a step", "a method update(self, group)"))  # fmt: skip

    def like(self, group: Group, p: Tensor, name: str) -> tuple[tuple[int, ...], Any]:
        """Return the shape and dtype of what is remembered of a parameter under a name."""
        return p.shape, p.dtype

    # -- its state as data --------------------------------------------------------------------

    def state_dict(self) -> dict[str, Any]:
        """Return the options and copies of the state; parameters are numbered in order.

        >>> from autograd_core import nn, optim
        >>> optimizer = optim.SGD(nn.Linear(2, 3).parameters(), lr=0.1)
        >>> optimizer.state_dict()["param_groups"][0]["params"]
        [0, 1]
        """
        params = [p for group in self.param_groups for p in group["params"]]
        number = {id(p): i for i, p in enumerate(params)}
        groups = [
            copy.deepcopy({k: v for k, v in group.items() if k != "params"})
            | {"params": [number[id(p)] for p in group["params"]]}
            for group in self.param_groups
        ]
        state = {
            i: {name: np.array(value) for name, value in self.state[p].items()}
            for i, p in enumerate(params) if p in self.state
        }  # fmt: skip
        return {"state": state, "param_groups": groups}

    def load_state_dict(self, state_dict: Mapping[str, Any]) -> None:
        """Take over options and state from what ``state_dict()`` returned.

        Raises:
            ValueError: other numbers of groups or parameters, an array of another shape, or options that
                are missing, as in the state of another kind of optimizer. This one is then as it was.
        """
        who = f"{type(self).__name__}.load_state_dict"
        groups, saved = state_dict["param_groups"], state_dict["state"]
        got = [len(g["params"]) for g in groups]
        expected = [len(g["params"]) for g in self.param_groups]
        if got != expected:
            raise ValueError(message(who, f"groups of {got} parameters", f"{expected}"))
        asked = [name for name in self.defaults if name not in LATER]
        if missing := [name for name in asked if any(name not in g for g in groups)]:
            raise ValueError(message(who, f"a state without {', '.join(missing)}",
                                     f"one of {type(self).__name__}"))  # fmt: skip
        fresh = []
        for ours, theirs in zip(self.param_groups, groups, strict=True):
            options = copy.deepcopy({k: v for k, v in theirs.items() if k != "params"})
            fresh.append(Group(ours | options))
            self.check(fresh[-1])
        numbers = iter([i for g in groups for i in g["params"]])
        state: dict[Tensor, Slots] = {}
        for group in fresh:
            for p, i in zip(group["params"], numbers, strict=False):
                if i in saved:
                    state[p] = Slots()
                    for name, value in saved[i].items():
                        if value is not None:
                            state[p].place(name, self._loaded(group, p, i, name, value))
        for ours, new in zip(self.param_groups, fresh, strict=True):
            ours.update(new)
        self.state = state

    def _loaded(self, group: Group, p: Tensor, number: Any, name: str, value: Any) -> ndarray[Any, Any]:
        array, (shape, dtype) = np.asarray(strip(value)), self.like(group, p, name)
        if array.shape != shape:
            raise ValueError(message(f"{type(self).__name__}.load_state_dict",
                                     f"{name} of shape {array.shape} for parameter {number}",
                                     f"{shape}"))  # fmt: skip
        return np.array(array, dtype)

    def __setattr__(self, name: str, value: Any) -> None:
        if name in self.__dict__.get("defaults", ()):
            raise AttributeError(message(type(self).__name__, f"the attribute {name}", "an option of a group",
                                         f"optimizer.param_groups[0][{name!r}] = {value!r}"))  # fmt: skip
        super().__setattr__(name, value)

    def __getstate__(self) -> dict[str, Any]:
        return self.__dict__ | {"_buffers": {}}

    def __repr__(self) -> str:
        lines = []
        for group in self.param_groups:
            n = sum(p.size for p in group["params"])
            options = ", ".join(f"{k}={v}" for k, v in group.items() if k != "params")
            lines.append(f"  {len(group['params'])} arrays, {n:,} parameters: {options}")
        return "\n".join([f"{type(self).__name__}(", *lines, ")"])

