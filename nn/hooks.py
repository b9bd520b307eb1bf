"""Functions called around a module's forward and backward pass: to look at what flows, or to change it.

Names and semantics are PyTorch's. The backward hooks stand at two places of the graph, where the call's
inputs enter and where its results leave; at each the gradients of all its Tensors are known together.
"""

from __future__ import annotations

import warnings
import weakref
from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np
from numpy import ndarray

from autograd_core import ops
from autograd_core.errors import message
from autograd_core.node import Box, is_grad_enabled
from autograd_core.tensor import Tensor

__all__ = ["Call", "Hooked", "RemovableHandle"]


class _Hook(NamedTuple):
    """A function, and how it wants to be called."""

    call: Callable[..., Any]
    with_kwargs: bool = False
    always_call: bool = False


class Hooks:
    """The hooks of one module: four lists, in the order in which they are called.

    A list is replaced, never changed, so that a hook may add and remove hooks.
    """

    def __init__(self) -> None:
        self.forward_pre: list[_Hook] = []
        self.forward: list[_Hook] = []
        self.backward_pre: list[_Hook] = []
        self.backward: list[_Hook] = []


class RemovableHandle:
    """What registering a hook returns: ``remove()`` it, or let the end of a ``with`` block do so.

    >>> from autograd_core import nn
    >>> layer = nn.Linear(2, 3)
    >>> with layer.register_forward_hook(lambda module, args, output: print(output.shape)):
    ...     _ = layer([[1.0, 2.0]])
    (1, 3)
    >>> _ = layer([[1.0, 2.0]])
    """

    def __init__(self, module: Hooked, kind: str, hook: _Hook) -> None:
        self._module: Callable[[], Hooked | None] = weakref.ref(module)
        self._kind, self._hook = kind, hook

    def remove(self) -> None:
        """Remove the hook; doing it again changes nothing."""
        module = self._module()
        hooks = module._hooks if module is not None else None
        if module is None or hooks is None:
            return
        kept = [h for h in getattr(hooks, self._kind) if h is not self._hook]
        setattr(hooks, self._kind, kept)
        if not any(vars(hooks).values()):
            module._hooks = None

    def __enter__(self) -> RemovableHandle:
        return self

    def __exit__(self, *error: object) -> None:
        self.remove()

    def __getstate__(self) -> Any:  # a weak reference cannot be pickled
        return self._module(), self._kind, self._hook

    def __setstate__(self, state: Any) -> None:
        module, self._kind, self._hook = state
        self._module = weakref.ref(module) if module is not None else _nothing


def _nothing() -> None:
    """Stand in for a weak reference to a module that is gone."""


class Hooked:
    """The part of :class:`nn.Module` that registers hooks."""

    _hooks: Hooks | None

    def _hook(self, kind: str, hook: Any, prepend: bool, *how: bool) -> RemovableHandle:
        if not callable(hook):
            raise TypeError(message("register_hook", f"a {type(hook).__name__}", "a function"))
        if self._hooks is None:
            self._hooks = Hooks()
        made, hooks = _Hook(hook, *how), getattr(self._hooks, kind)
        setattr(self._hooks, kind, [made, *hooks] if prepend else [*hooks, made])
        return RemovableHandle(self, kind, made)

    def register_forward_pre_hook(
        self, hook: Callable[..., Any], *, prepend: bool = False, with_kwargs: bool = False
    ) -> RemovableHandle:
        """Call ``hook(module, args)`` before each ``forward``.

        Args:
            hook: may return other arguments, a tuple or the only one; ``with_kwargs`` it is called as
                ``hook(module, args, kwargs)`` and may return a pair of both.
            prepend: call it before those that are there.
            with_kwargs: whether it gets the keywords.
        """
        return self._hook("forward_pre", hook, prepend, with_kwargs)

    def register_forward_hook(
        self, hook: Callable[..., Any], *, prepend: bool = False, with_kwargs: bool = False,
        always_call: bool = False,
    ) -> RemovableHandle:  # fmt: skip
        """Call ``hook(module, args, output)`` after each ``forward``.

        Args:
            hook: may return another output; ``with_kwargs`` it is called as
                ``hook(module, args, kwargs, output)``.
            prepend: call it before those that are there.
            with_kwargs: whether it gets the keywords.
            always_call: call it also where an error is on its way, with the output so far or None.

        >>> import numpy as np
        >>> from autograd_core import nn
        >>> means = {}
        >>> net = nn.Sequential(nn.Linear(2, 3), nn.ReLU())
        >>> for name, module in net.named_children():
        ...     _ = module.register_forward_hook(
        ...         lambda module, args, output, name=name: means.update({name: output.mean().item()}))
        >>> _ = net(np.ones((4, 2)))
        >>> sorted(means)
        ['0', '1']
        """
        return self._hook("forward", hook, prepend, with_kwargs, always_call)

    def register_full_backward_pre_hook(
        self, hook: Callable[..., Any], prepend: bool = False
    ) -> RemovableHandle:
        """Call ``hook(module, grad_output)`` when the gradients of the module's results are known.

        ``grad_output`` is a tuple with the gradient of each result, or None; the hook may return another.
        """
        return self._hook("backward_pre", hook, prepend)

    def register_full_backward_hook(self, hook: Callable[..., Any], prepend: bool = False) -> RemovableHandle:
        """Call ``hook(module, grad_input, grad_output)`` when the gradients of its inputs are known.

        ``grad_input`` is a tuple with the gradient of each positional input, None for what is not
        differentiated; the hook may return another one. Where no input is differentiated (the first
        layer), it is called as soon as the gradients of the results are known.

        >>> import numpy as np, autograd_core as ag
        >>> from autograd_core import nn
        >>> layer = nn.Tanh()
        >>> handle = layer.register_full_backward_hook(
        ...     lambda module, grad_input, grad_output: print(grad_input, grad_output))
        >>> layer(ag.tensor([0.0], requires_grad=True)).backward()
        (array([1.], dtype=float32),) (array([1.], dtype=float32),)
        """
        return self._hook("backward", hook, prepend)


class Call:
    """One call of a module that has hooks."""

    def __init__(self, module: Any, args: Any, kwargs: Any) -> None:
        self.module, self.args, self.kwargs = module, args, kwargs
        self.hooks: Hooks = module._hooks
        self.result: Any = None
        self.called: list[_Hook] = []

    def before(self) -> tuple[Any, Any]:
        """Let the forward pre-hooks see the arguments, or change them."""
        for hook in self.hooks.forward_pre:
            given = (self.args, self.kwargs) if hook.with_kwargs else (self.args,)
            new = hook.call(self.module, *given)
            if new is None:
                continue
            if not hook.with_kwargs:
                self.args = new if isinstance(new, tuple) else (new,)
            elif isinstance(new, tuple) and len(new) == 2:
                self.args, self.kwargs = new
            else:
                raise RuntimeError(message("forward pre-hook", f"{new!r} returned",
                                           "None or a pair of args and kwargs"))  # fmt: skip
        return self.args, self.kwargs

    def forward(self, args: Any, kwargs: Any) -> Any:
        """Compute ``forward``; let the hooks see what comes out, and stand in the graph."""
        self.args, self.kwargs = args, kwargs
        passage = None
        if self.hooks.backward or self.hooks.backward_pre:
            passage = _Passage(self.module, self.hooks)
            self.args = passage.enter(args)
        self.result = self.module.forward(*self.args, **kwargs)
        for hook in self.hooks.forward:
            self._after(hook)
        if passage is not None:
            self.result = passage.leave(self.result)
        return self.result

    def _after(self, hook: _Hook) -> None:
        self.called.append(hook)
        given = (self.args, self.kwargs) if hook.with_kwargs else (self.args,)
        new = hook.call(self.module, *given, self.result)
        self.result = self.result if new is None else new

    def failed(self) -> None:
        """Call the hooks that want to be called even though an error is on its way."""
        for hook in self.hooks.forward:
            if hook.always_call and not any(hook is h for h in self.called):
                try:
                    self._after(hook)
                except Exception as error:
                    warnings.warn(f"a forward hook raised {error!r} while another error was on its way",
                                  stacklevel=3)  # fmt: skip


class _Passage:
    """The two places of the graph between which one call of a module lies."""

    def __init__(self, module: Any, hooks: Hooks) -> None:
        self.module = module
        self.backward_pre, self.backward = hooks.backward_pre, hooks.backward
        self.grad_output: tuple[Any, ...] | None = None
        self.entered = False  # whether an input is differentiated
        self.inputs = 0

    def enter(self, args: tuple[Any, ...]) -> tuple[Any, ...]:
        """Put the inputs behind the first place."""
        self.inputs = len(args)
        args, self.entered = _behind(args, self._at_inputs, zeros=True)
        return args

    def leave(self, result: Any) -> Any:
        """Put the results behind the second place."""
        if not isinstance(result, (Box, ndarray, np.generic, tuple)):
            warnings.warn(message("backward hook", f"a result that is a {type(result).__name__}, so it is "
                                  "not called", "a Tensor or a tuple of them"), stacklevel=4)  # fmt: skip
        results = result if isinstance(result, tuple) else (result,)
        results, _ = _behind(results, self._at_results, zeros=False)
        return results if isinstance(result, tuple) else results[0]

    def _at_results(self, gradients: tuple[Any, ...]) -> tuple[Any, ...]:
        for hook in self.backward_pre:
            gradients = _replaced(gradients, hook.call(self.module, gradients), "backward pre-hook")
        self.grad_output = gradients
        if not self.entered:
            nothing = (None,) * self.inputs
            for hook in self.backward:
                new = hook.call(self.module, nothing, gradients)
                if any(g is not None for g in _replaced(nothing, new, "backward hook")):
                    raise RuntimeError(message("backward hook", "gradients of inputs returned",
                                               "None, as no input is differentiated"))  # fmt: skip
            self.grad_output = None
        return gradients

    def _at_inputs(self, gradients: tuple[Any, ...]) -> tuple[Any, ...]:
        if self.grad_output is not None:  # else they came by another way than through the results
            for hook in self.backward:
                new = hook.call(self.module, gradients, self.grad_output)
                gradients = _replaced(gradients, new, "backward hook")
            self.grad_output = None
        return gradients


def _replaced(old: tuple[Any, ...], new: Any, who: str) -> tuple[Any, ...]:
    if new is None:
        return old
    new = new if isinstance(new, (tuple, list)) else (new,)
    if len(new) != len(old):
        raise RuntimeError(message(who, f"{len(new)} gradients returned", f"{len(old)}, or None"))
    return tuple(new)


def _behind(
    values: tuple[Any, ...], act: Callable[[tuple[Any, ...]], tuple[Any, ...]], zeros: bool
) -> tuple[tuple[Any, ...], bool]:
    """Put the recorded Tensors among ``values`` behind one place of the graph.

    There ``act`` sees all their gradients at once, None for other values, and returns those that go on.
    One that nothing led to is ``zeros`` or None.
    """
    which = [i for i, x in enumerate(values) if isinstance(x, Tensor) and x.requires_grad]
    if not which or not is_grad_enabled():
        return values, False

    arrived: set[int] = set()  # which gradients came: in one array the others are zeros

    def seen(flat: Any) -> Any:
        gradients: list[Any] = [None] * len(values)
        for i, g in zip(which, split(flat)):
            gradients[i] = g if zeros or len(which) == 1 or i in arrived else None
        arrived.clear()
        new = act(tuple(gradients))
        return join([ops.zeros_like(values[i]) if new[i] is None else new[i] for i in which])

    def split(flat: Any) -> list[Any]:
        if len(which) == 1:
            return [flat]
        pieces, start = [], 0
        for i in which:
            x = values[i]
            piece = ops.reshape(flat[start : start + x.size], x.shape)
            pieces.append(piece if piece.dtype == x.dtype else ops.astype(piece, x.dtype))
            start += x.size
        return pieces

    def join(parts: list[Any]) -> Any:
        return parts[0] if len(parts) == 1 else ops.concatenate([ops.reshape(x, (-1,)) for x in parts])

    chosen = [values[i] for i in which]
    flat = join([ops.reshape(x, x.shape) for x in chosen])
    flat.register_hook(seen)
    behind = list(values)
    for i, x in zip(which, split(flat)):
        behind[i] = x
        if len(which) > 1 and not zeros:
            x.register_hook(lambda g, i=i: arrived.add(i))
    return (type(values)(*behind) if hasattr(values, "_fields") else tuple(behind)), True
