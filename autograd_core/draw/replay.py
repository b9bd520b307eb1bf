"""The chain rule once more, beside the graph: its rules are read, and nothing in it is touched.

Each recorded operation is copied with the values that its rules need, found again where a backward
pass has dropped them: kept outputs, leaves, constants. The copies' rules are read one edge at a
time for the stepper; the engine's own backward pass runs over the same copies as a check.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from ..backward import propagate
from ..calls import leaf_of
from ..fitting import fit, tame
from ..node import LEAF, Node, Standin, strip
from ..tensor import Tensor
from ..value import Value, _read

__all__ = ["Copy", "by_engine", "copies", "value_of"]

new = object.__new__
DROPPED = "backward() has dropped the value of {}"
WRITTEN = "{} was written to after it was used"


@dataclass(slots=True, eq=False)
class Copy:
    """One recorded operation: what it was applied to, with which values, and what it gave."""

    thing: Any  # its node, or its Value
    number: int  # of its creation
    inputs: list[Any]  # nodes, leaves, Values; anything else is a constant
    wanted: list[bool]  # which of them a gradient goes to
    operands: list[Any]  # their values; None where they are gone
    output: Any
    args: list[Any] = field(default_factory=list)  # what its rules are given
    shadow: Any = None  # a node or Value of our own, over which the engine's pass runs
    lost: list[str] = field(default_factory=list)  # why a rule may not be readable

    @property
    def primitive(self) -> Any:
        return self.thing.primitive

    @property
    def params(self) -> dict[str, Any]:
        return getattr(self.thing, "params", None) or {}

    def one(self) -> Any:
        """Return the gradient 1, in the shape of the output."""
        return 1.0 if isinstance(self.thing, Value) else np.ones(self.thing.shape, self.thing.dtype)

    def read(self, g: Any) -> list[Any]:
        """Return what the rules make of ``g`` for each input, before it is fitted; None where nothing."""
        if isinstance(self.thing, Value):
            return self._floats(g)
        prim, node = self.primitive, self.thing
        y = self.output if prim.saves_output and self.output is not None else _standin(node)
        if prim.joint is not None:
            raw = list(prim.joint(g, y, *self.args, **self.params))
        else:
            raw = [rule(g, y, *self.args, **self.params) if rule and wanted else None
                   for rule, wanted in zip(prim.rules, self.wanted, strict=True)]  # fmt: skip
        return [tame(r, g) if prim.singular and r is not None and w else r if w else None
                for r, w in zip(raw, self.wanted, strict=True)]  # fmt: skip

    def _floats(self, g: float) -> list[Any]:
        v = self.thing
        if isinstance(v._inputs, list):  # a sum, however long: each term has the same rule
            return [_read(v.primitive, 0)(g, v.data, *self.args)] * len(self.inputs)
        return [_read(v.primitive, i)(g, v.data, *self.args) if wanted else None
                for i, wanted in enumerate(self.wanted)]  # fmt: skip

    def fitted(self, raw: list[Any]) -> list[Any]:
        """Bring what the rules gave to the shapes and dtypes of the inputs."""
        if isinstance(self.thing, Value):
            return raw
        return [r if r is None else strip(fit(strip(r), _standin(x), self.primitive.name))
                for r, x in zip(raw, self.inputs, strict=True)]  # fmt: skip


def copies(things: list[Any], inputs: Any, values: Mapping[Any, Any] | None = None) -> list[Copy]:
    """Copy the operations among ``things``, the oldest first; ``inputs(thing)`` tells what they saw."""
    made = [t for t in things if (isinstance(t, Node) and t.edges) or (isinstance(t, Value) and t._inputs)]
    made.sort(key=lambda t: t._id if isinstance(t, Value) else t.id)
    shadows: dict[int, Any] = {}
    found = []
    for thing in made:
        copy = _value(thing, inputs, shadows) if isinstance(thing, Value) else _node(
            thing, inputs, shadows, values or {})  # fmt: skip
        shadows[id(thing)] = copy.shadow
        found.append(copy)
    return found


def value_of(thing: Any, user: int | None = None, values: Mapping[Any, Any] | None = None) -> Any:
    """Return the value of a node, leaf, Value or constant as operation ``user`` saw it; None if gone."""
    if isinstance(thing, Value):
        return thing.data
    if isinstance(thing, Node):
        x = (values or {}).get(thing)
        if x is not None:
            return strip(x)
        return None if any(leaf.version > thing.id for leaf in leaf_of(thing)) else strip(thing.output)
    if isinstance(thing, Tensor):
        return None if user is not None and thing.version > user else strip(thing.data)
    x = strip(getattr(thing, "value", thing))
    return None if isinstance(x, Standin) else x


def _standin(x: Any) -> Standin:
    """Return shape and dtype of an input: all that a rule sees of what it did not ask for."""
    x = getattr(x, "value", x) if not hasattr(x, "shape") else x
    return Standin(np.shape(x) if not hasattr(x, "shape") else x.shape, getattr(x, "dtype", None))


def _node(node: Node, inputs: Any, shadows: dict[int, Any], values: Mapping[Any, Any]) -> Copy:
    things = inputs(node)
    wanted = [edge is not None for edge in node.edges]
    copy = Copy(node, node.id, things, wanted, [], value_of(node, values=values))
    save_y, *saved = node.primitive.saved(wanted)
    changed = [leaf for leaf in node.viewed if leaf.version > node.id]
    if save_y and copy.output is None:
        copy.lost.append(DROPPED.format("its result"))
    held = []
    for x, edge, kept, save in zip(things, node.edges, node.inputs, saved, strict=True):
        value = value_of(x, node.id, values)
        if edge is not None and kept is not edge and not isinstance(kept, Standin):
            value = strip(kept)  # what the operation itself has kept
            if getattr(edge, "version", 0) > node.id or any(leaf in changed for leaf in leaf_of(edge)):
                value = None  # the same memory, with other numbers in it
        copy.operands.append(value)
        if save and value is None:
            written = isinstance(edge, Tensor) and edge.version > node.id or changed
            copy.lost.append((WRITTEN if written else DROPPED).format("an input"))
        known = save and value is not None
        copy.args.append(value if known else kept if edge is None and not save else _standin(x))
        held.append(value if known else kept if edge is None else shadows.get(id(edge), edge))
    shadow = copy.shadow = new(Node)
    shadow.id, shadow.primitive, shadow.params = node.id, node.primitive, node.params
    shadow.shape, shadow.dtype, shadow.output = node.shape, node.dtype, copy.output
    shadow.edges = tuple(shadows.get(id(e), e) for e in node.edges)
    shadow.inputs, shadow.viewed = tuple(held), node.viewed
    shadow.hooks = shadow.grad = None
    shadow.released = False
    return copy


def _value(v: Value, inputs: Any, shadows: dict[int, Any]) -> Copy:
    things = inputs(v)
    wanted = [isinstance(x, Value) for x in things]
    copy = Copy(v, v._id, things, wanted, [], v.data)
    if isinstance(v._inputs, list):
        copy.args, copy.operands = [None, None], [x.data for x in things]
    else:
        copy.args = [v._x, v._w][: len(things)] if len(things) > 1 else [v._x]
        copy.operands = list(copy.args)
    shadow = copy.shadow = new(Value)
    shadow.data, shadow.label, shadow._id, shadow._pull = v.data, v.label, v._id, v._pull
    shadow.grad, shadow._mark, shadow._bar = 0.0, 0, 0.0
    for x in v._inputs:
        if id(x) not in shadows:  # given, not computed
            shadows[id(x)] = Value(x.data)
    shadow._inputs = type(v._inputs)(shadows[id(x)] for x in v._inputs)
    if not isinstance(v._inputs, list):
        shadow._x = v._x
        if len(things) > 1:
            shadow._w = v._w
    copy.lost = []
    return copy


def by_engine(seeds: list[tuple[Any, Any]], made: list[Copy]) -> dict[int, Any]:
    """Run the engine's backward pass over the copies: what ``id`` of a node, leaf or Value gets."""
    shadows = {id(c.thing): c.shadow for c in made}
    if not made:
        return {}
    if isinstance(made[0].thing, Value):
        for root, g in seeds:
            shadows[id(root)].backward(g)
        given = {id(x): s.grad for c in made for s, x in zip(c.shadow._inputs, c.thing._inputs, strict=True)}
        return given | {id(c.thing): c.shadow.grad for c in made}
    _, leaves = propagate([(shadows.get(id(root), root), g) for root, g in seeds], retain=True)
    gradients = {id(leaf): strip(g) for leaf, g in leaves if isinstance(leaf, Tensor) and leaf.node is LEAF}
    return gradients | {id(c.thing): c.shadow.grad for c in made if c.shadow.grad is not None}
