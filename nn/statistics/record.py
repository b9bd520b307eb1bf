"""A look at the calls of a network's layers, and a run of the network for the sake of it."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any

import numpy as np
from numpy import ndarray

from autograd_core import enable_grad, no_grad
from autograd_core.errors import message
from autograd_core.node import strip
from autograd_core.tensor import Tensor

from .. import random
from ..activations.activation import Activation
from ..activations.maxout import Maxout
from ..hooks import RemovableHandle
from ..module import Module
from ..wrappers import Lambda

__all__ = ["Record"]

Array = ndarray[Any, Any]
Layers = str | type[Module] | Sequence[str | type[Module]] | None


class Record:
    """A look at each call of a network's layers, by hooks, until the ``with`` block ends.

    Args:
        model: the network.
        layers: the activations, or without any all layers that have none below them, if None; ``"all"``
            for all of the latter; or names, or classes.
        gradients: whether ``backward()`` leaves its gradients here too.

    Attributes:
        outputs: a list of arrays for each layer's name, one for each of its calls.
        gradients: likewise, from the last call to the first.

    >>> import numpy as np
    >>> from autograd_core import nn
    >>> model = nn.MLP([3, 4, 2], activation="tanh")
    >>> with nn.statistics.Record(model) as record:
    ...     model(np.ones((5, 3))).sum().backward()
    >>> record.outputs["1"][0].shape, record.gradients["1"][0].shape
    ((5, 4), (5, 4))
    >>> print(nn.statistics.of_record(record)["name"])
    ['1']
    """

    def __init__(self, model: Module, layers: Layers = None, gradients: bool = True) -> None:
        self.layers = chosen(model, layers)
        self.outputs: dict[str, list[Array]] = {name: [] for name in self.layers}
        self.gradients: dict[str, list[Array]] = {name: [] for name in self.layers}
        self._with_gradients = gradients
        self._handles: list[RemovableHandle] = []

    def __enter__(self) -> Record:
        for name, module in self.layers.items():

            def seen(module: Any, args: Any, output: Any, name: str = name) -> None:
                y = next((v for v in _flattened(output) if isinstance(v, (Tensor, ndarray))), None)
                if y is None:
                    return
                self.outputs[name].append(strip(y))
                if self._with_gradients and isinstance(y, Tensor) and y.requires_grad:
                    y.register_hook(lambda g: self.gradients[name].append(np.array(strip(g))))

            self._handles.append(module.register_forward_hook(seen))
        return self

    def __exit__(self, *error: object) -> None:
        for handle in self._handles:
            handle.remove()
        self._handles.clear()

    def clear(self) -> None:
        """Forget what was seen."""
        for found in (*self.outputs.values(), *self.gradients.values()):
            found.clear()


def _flattened(output: Any) -> Iterator[Any]:
    for value in output if isinstance(output, (tuple, list)) else [output]:
        if isinstance(value, (tuple, list)):
            yield from _flattened(value)
        else:
            yield value


def chosen(model: Module, layers: Layers = None) -> dict[str, Module]:
    """Return the layers to look at by name, those of one name or class, or the activations."""
    if not isinstance(model, Module):
        raise TypeError(message("statistics", f"a {type(model).__name__}", "a Module"))
    everything: dict[str, Module] = dict(model.named_modules())
    leaves = {name: m for name, m in everything.items() if next(m.children(), None) is None}
    if layers is None:
        shapes = (Activation, Maxout, Lambda)
        return {n: m for n, m in everything.items() if isinstance(m, shapes)} or leaves
    if isinstance(layers, str) and layers == "all":
        return leaves
    wanted = [layers] if isinstance(layers, (str, type)) else list(layers)
    classes = tuple(w for w in wanted if isinstance(w, type))
    if unknown := [w for w in wanted if isinstance(w, str) and w not in everything]:
        raise ValueError(message("statistics", f"the layer {unknown[0]!r}",
                                 f"one of {', '.join(n for n in everything if n)}"))  # fmt: skip
    found = {n: m for n, m in everything.items() if n in wanted or isinstance(m, classes)}
    if not found:
        raise ValueError(message("statistics", f"layers={layers!r}, which the model does not have",
                                 "names or classes of its layers", "layers='all'"))  # fmt: skip
    return found


def joined(arrays: list[Array]) -> Array:
    """Return the arrays of several calls as one."""
    if len(arrays) == 1:
        return arrays[0]
    if arrays[0].ndim and len({a.shape[1:] for a in arrays}) == 1:
        return np.concatenate(arrays)
    return np.concatenate([a.ravel() for a in arrays])


@contextmanager
def unchanged(model: Module) -> Iterator[None]:
    """Leave random numbers, buffers and gradients as they were before the block."""
    state = random.get_state()
    buffers = [(m, name, b, b.copy()) for m in model.modules() for name in m._buffers
               if (b := m.__dict__[name]) is not None]  # fmt: skip
    gradients = [(p, p.grad) for p in model.parameters()]
    for p, _ in gradients:
        p.grad = None
    try:
        yield
    finally:
        random.set_state(state)
        for module, name, buffer, values in buffers:
            if buffer.flags.writeable:
                buffer[...] = values
            module.__dict__[name] = buffer
        for p, g in gradients:
            p.grad = g


def watch(
    model: Module, *inputs: Any, loss: Callable[[Any], Tensor] | None = None, layers: Layers = None
) -> Record:
    """Run a model once, and backward from its loss if there is one; return what was seen."""
    record = Record(model, layers, gradients=loss is not None)
    with unchanged(model), record:
        if loss is None:
            with no_grad():
                model(*inputs)
        else:
            with enable_grad():
                loss(model(*inputs)).backward()
    return record
