"""Recompute instead of store: a part of a computation as one node that keeps only its inputs.

Backward through n layers holds what each of them saved. A checkpointed part keeps its inputs, runs
again when its gradient is wanted, and drops what it saved at once: memory for a second forward pass
(Griewank and Walther, *Evaluating Derivatives*, 2nd ed., SIAM 2008, chapter 12).
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import wraps
from typing import Any

import numpy as np

from . import random
from .backward import propagate
from .calls import made, wrap
from .errors import GraphError, message
from .forward import Dual, depth
from .node import Node, enable_grad, next_id, recording
from .ops import astype, concatenate, getitem, ravel, reshape
from .primitive import declare
from .tensor import Tensor
from .transforms import alias, flatten

__all__ = ["checkpoint"]


def checkpoint(f: Callable[..., Any]) -> Callable[..., Any]:
    """Return ``f`` as a function that stores nothing for backward but its inputs, and runs again there.

    Values and gradients are those of ``f``, to the last bit. Draws from the library's generator
    (dropout) are the same in both runs; Tensors that ``f`` closes over, such as a module's
    parameters, get their gradients; second derivatives go through it.

    Args:
        f: a function or module of Tensors, anything else, and nests of them. It is run twice, so what it
            does beside (printing, running statistics) happens twice, and it must reach the same
            Tensors both times.

    Raises:
        GraphError: at backward, where the second run did not do what the first did.

    >>> import numpy as np, autograd_core as ag
    >>> w = ag.tensor([2.0], requires_grad=True)
    >>> block = ag.checkpoint(lambda x: np.tanh(w * x) * x)
    >>> x = ag.tensor([0.5], requires_grad=True)
    >>> block(x).sum().backward()
    >>> x.grad.round(4), w.grad.round(4)
    (array([1.1816], dtype=float32), array([0.105], dtype=float32))
    """

    @wraps(f, updated=())
    def call(*args: Any, **kwargs: Any) -> Any:
        given, rebuild = flatten((args, kwargs))
        if not recording.get() or any(isinstance(x, Dual) for x in given):
            return f(*args, **kwargs)  # nothing is stored
        return _Part(f, given, rebuild).node_of_first_run()

    return call


class _Part:
    """One call of a checkpointed function."""

    def __init__(self, f: Any, given: list[Any], rebuild: Any) -> None:
        self.f, self.rebuild = f, rebuild
        level = 2 * depth.get()
        self.which = [i for i, x in enumerate(given)
                      if isinstance(x, Tensor) and x.level == level and x.edge is not None]  # fmt: skip
        self.given = [None if i in self.which else x for i, x in enumerate(given)]
        self.inputs = [given[i] for i in self.which]
        self.state = random.get_state()

    def node_of_first_run(self) -> Any:
        """Run ``f`` for its values, and return them with one node for all."""
        given, self.inputs = self.inputs, []
        outputs, rebuild, roots, outer, _ = self.run(given)
        self.roots = [(k, y.shape, y.dtype) for k, y in roots]
        self.outer = outer
        if not roots:
            return rebuild(outputs)
        values = [y.data for _, y in roots]
        whole = values[0] if len(values) == 1 else concatenate([ravel(y) for y in values])
        edges = [x.edge for x in given] + outer
        inputs = [x.data for x in given] + [e if isinstance(e, Node) else e.data for e in outer]
        node = made(_again.primitive, inputs, edges, whole, {"part": self})
        pieces = self.split(wrap(whole, node))
        for (k, _), piece in zip(roots, pieces, strict=True):
            outputs[k] = piece
        return rebuild(outputs)

    def split(self, whole: Any) -> list[Any]:
        """Return the outputs, or their gradients, that were joined to one array."""
        if len(self.roots) == 1:
            return [whole]
        pieces, start = [], 0
        for _, shape, dtype in self.roots:
            end = start + int(np.prod(shape, dtype=int))
            piece = reshape(getitem(whole, slice(start, end)), shape)
            pieces.append(astype(piece, dtype) if piece.dtype != dtype else piece)
            start = end
        return pieces

    def run(self, inputs: Sequence[Any]) -> tuple[Any, Any, list[Any], list[Any], list[Any]]:
        """Run ``f`` on aliases of the inputs.

        Returns:
            its outputs and how to nest them, those that a graph leads to, what that graph reaches
            beyond the inputs, and the inputs' nodes.
        """
        start = next_id()
        aliases = [alias(x) for x in inputs]
        nodes = [x.node for x in aliases]  # now: f may write into them
        full = list(self.given)
        for i, x in zip(self.which, aliases, strict=True):
            full[i] = x
        args, kwargs = self.rebuild(full)
        outputs, rebuild = flatten(self.f(*args, **kwargs))
        roots = [(k, y) for k, y in enumerate(outputs) if isinstance(y, Tensor) and y.edge is not None]
        return outputs, rebuild, roots, _reached([y.edge for _, y in roots], set(nodes), start), nodes

    def gradients(self, g: Any, inputs: Sequence[Any]) -> list[Any]:
        """Run ``f`` again, with the same random draws, and go back through it."""
        record = isinstance(g, Tensor)
        state = random.get_state()
        random.set_state(self.state)
        try:
            with enable_grad():
                _, _, roots, outer, nodes = self.run(inputs[: len(self.which)])
        finally:
            random.set_state(state)
        if [(k, y.shape, y.dtype) for k, y in roots] != self.roots or list(map(id, outer)) != list(
            map(id, self.outer)
        ):
            raise GraphError(message(
                "checkpoint", f"another computation from {getattr(self.f, '__name__', self.f)!s} when it "
                "ran again", "the same outputs from the same Tensors",
                "a function without state of its own, and no write to Tensors that it reads"))  # fmt: skip
        seeds = [(y.edge, piece) for (_, y), piece in zip(roots, self.split(g), strict=True)]
        inner = [e for e in outer if isinstance(e, Node)]
        hooks = [e.hooks for e in inner]  # theirs is the whole gradient, not this part of it
        for e in inner:
            e.hooks = None
        try:
            found, leaves = propagate(seeds, record=record, retain=record, targets={*nodes, *inner})
        finally:
            for e, h in zip(inner, hooks, strict=True):
                e.hooks = h
        gradients = {id(leaf): gradient for leaf, gradient in leaves}
        gradients |= {id(node): gradient for node, gradient in found.items()}
        return [gradients.get(id(e)) for e in (*nodes, *outer)]


def _reached(roots: list[Any], inside: set[Any], start: int) -> list[Any]:
    """Return the leaves, and the nodes older than ``start``, that a new graph leads to."""
    outer: dict[int, Any] = {}
    seen: set[int] = set()
    stack = roots[::-1]
    while stack:
        edge = stack.pop()
        if edge is None or edge in inside or id(edge) in seen:
            continue
        seen.add(id(edge))
        if isinstance(edge, Node) and edge.id > start:
            stack.extend(reversed(edge.edges))
        else:
            outer[id(edge)] = edge
    return list(outer.values())


def _whole(*inputs: Any, part: _Part) -> Any:
    raise NotImplementedError("a checkpointed part is run by itself")


_again = declare(
    _whole, joint=lambda g, y, *inputs, part: part.gradients(g, inputs), name="checkpoint", arity=None,
    doc="A part of a computation that stores its inputs only, and is run again for its gradient.",
)  # fmt: skip
