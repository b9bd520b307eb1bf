"""Reverse mode: the chain rule, walked once over the graph from the newest node to the oldest.

For a node v with output y, and edges to its inputs x_i, the rules give

    bar(x_i)  +=  bar(y) dy/dx_i        (read as: rule_i(g=bar(y), y, x_1, ..., x_n))

Nodes are taken in decreasing order of creation. That is a topological order by construction, so
when a node is taken every contribution to its gradient has arrived, and no recursion is needed.
What flows is whatever the graph holds: arrays in ordinary use; Tensors where the gradient itself
shall be differentiable; boxes of a lower level inside a transform.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from heapq import heappop, heappush
from sys import getrefcount
from typing import Any

import numpy as np
from numpy import ndarray

from .calls import as_array, copied, unsaved, wrap
from .ducks import beside
from .errors import GraphError, message
from .fitting import fit, tame
from .node import SMALL, Box, Node, Standin, recording, strip, watching
from .primitive import no_rule

__all__ = ["accumulate", "ancestors", "propagate"]

PLAIN = (ndarray, np.generic)  # sums of 0-d arrays are NumPy's scalars


def propagate(
    seeds: Sequence[tuple[Any, Any]],
    *,
    record: bool = False,
    retain: bool = False,
    wanted: Collection[Node] | None = None,
    targets: Collection[Node] = (),
) -> tuple[dict[Node, Any], list[list[Any]]]:
    """Carry gradients from ``seeds`` (pairs of an edge and its gradient) back through the graph.

    Args:
        seeds: where to start: (node or leaf Tensor, gradient of its shape).
        record: let Tensors flow, so that the gradients are themselves part of a graph.
        retain: keep what the nodes saved, for another pass.
        wanted: only visit these nodes (and the targets).
        targets: stop at these nodes and return their gradients.

    Returns:
        The gradients of the targets, and the list of [leaf Tensor, gradient]. Nothing is written
        into any Tensor: that is the caller's last act, so an exception half-way (a rule that
        raises, Ctrl-C) leaves every ``.grad`` as it was.
    """
    pending: dict[int, list[Any]] = {}  # creation number -> [node, gradient so far]
    leaves: dict[int, list[Any]] = {}
    heap: list[int] = []
    found: dict[Node, Any] = {}
    for edge, gradient in seeds:
        is_node = isinstance(edge, Node)
        number, waiting = (edge.id, pending) if is_node else (id(edge), leaves)
        if number in waiting:
            waiting[number][1] = waiting[number][1] + gradient
        else:
            waiting[number] = [edge, gradient]
            if is_node:
                heappush(heap, -number)

    token = recording.set(watching.get()) if record else None
    errors = None  # how NumPy treats floating-point errors; kept while a singular rule is near
    try:
        # One loop without calls: it is half of what small networks cost, and each function, pair or
        # context in it was measured to cost two or three times what it costs by itself.
        while heap:
            node, g = pending.pop(-heappop(heap))
            if node.hooks:
                g = run_hooks(node.hooks, g)
            if node in targets:
                found[node] = g
                continue
            if node.released:
                raise _released(node)
            for leaf in node.viewed:
                if leaf.version > node.id:
                    raise _changed(node, leaf)
            prim, edges, inputs, params = node.primitive, node.edges, node.inputs, node.params
            rules, joint, singular = prim.rules, None, prim.singular
            if singular and errors is None:  # 1/0 is an infinite gradient, not a warning
                errors = np.geterr()
                np.seterr(all="ignore")
            y = node.output
            if y is None or not prim.saves_output:
                y = node  # a node is its own stand-in
            if record:
                y, inputs = _lift(node, y)
            if prim.joint is not None:
                joint = _joint(prim, g, y, inputs, params)
            elif not rules and edges:
                raise no_rule(prim, "reverse")
            adds = prim.adds if isinstance(g, ndarray) else None
            if prim.consumes is not None:
                gradient = entry = None  # the last names, perhaps of this g
                if isinstance(g, ndarray) and g.size > SMALL and getrefcount(g) < ALONE and _writable(g):
                    joint = prim.consumes(g, **params)
            constants = False
            for i, edge in enumerate(edges):
                if edge is None:
                    constants = True
                    continue
                if isinstance(edge, Node):
                    like, number, waiting = edge, edge.id, pending
                elif edge.version > node.id and node.inputs[i] is not edge:
                    raise _changed(node, edge)
                else:
                    like, number, waiting = edge.data, id(edge), leaves
                if wanted is not None and edge not in wanted and edge not in targets:
                    continue
                if adds is not None:  # a piece of the gradient: into one array, not one for each
                    entry = waiting.get(number)
                    if entry is None:
                        entry = waiting[number] = _Sum((edge, np.zeros(like.shape, like.dtype)))
                        if waiting is pending:
                            heappush(heap, -number)
                    elif type(entry) is not _Sum and isinstance(entry[1], ndarray):
                        gradient = None
                        own([entry])
                        entry = waiting[number] = _Sum(entry)
                    if type(g) is not ndarray and type(entry) is _Sum and type(entry[1]) is ndarray:
                        entry[1] = beside(entry[1], g)
                    if type(entry) is _Sum and adds(entry[1], g, **params):
                        continue
                if joint is not None:
                    gradient = joint[i]
                    if gradient is None:
                        continue
                else:
                    rule = rules[i]
                    if rule is None:
                        continue
                    gradient = rule(g, y, *inputs, **params) if params else rule(g, y, *inputs)
                if singular:
                    gradient = tame(gradient, g)
                if (
                    type(gradient) is not ndarray
                    or gradient.dtype is not like.dtype
                    or gradient.shape != like.shape
                ):
                    if isinstance(gradient, Box) and not record:
                        _refuse_unsaved(node, g, y)
                    gradient = fit(gradient, like, prim.name)
                if number in waiting:
                    entry = waiting[number]
                    entry[1] = entry[1] + gradient
                else:
                    waiting[number] = [edge, gradient]
                    if waiting is pending:
                        heappush(heap, -number)
            if not retain:  # drop what is large; the small stays, so that it can be drawn
                node.released = True
                y = node.output
                if y is not None and y.size > SMALL:
                    node.output = None
                if constants:
                    edges = [unsaved(x) if e is None else e for x, e in zip(node.inputs, edges)]
                node.inputs = edges
            if isinstance(g, PLAIN) and g.size <= SMALL:
                node.grad = g
    finally:
        if errors is not None:
            np.seterr(**errors)
        if token is not None:
            recording.reset(token)
    return found, list(leaves.values())


class _Sum(list[Any]):
    """An edge and the sum of its gradients so far, an array that nobody else knows of."""

    __slots__ = ()


def _joint(prim: Any, g: Any, y: Any, inputs: Any, params: Any) -> Any:
    """Read a rule that gives the gradients of all inputs at once."""
    gradients = prim.joint(g, y, *inputs, **params)
    if not isinstance(gradients, (tuple, list)) or len(gradients) != len(inputs):
        came = len(gradients) if isinstance(gradients, (tuple, list)) else type(gradients).__name__
        raise TypeError(message(prim.name, f"{came} gradients from its joint rule",
                                f"a tuple of {len(inputs)}"))  # fmt: skip
    return gradients


def _lift(node: Node, y: Any) -> tuple[Any, list[Any]]:
    """Rejoin saved arrays with their edges: the Tensors that the rules read when recording."""
    lifted = []
    for x, edge in zip(node.inputs, node.edges, strict=True):
        if edge is None or isinstance(x, Standin):
            lifted.append(x)
        elif x is edge:
            lifted.append(Standin(x.shape, x.dtype))
        elif isinstance(edge, Node):
            lifted.append(wrap(x, edge))
        elif edge.data is x:
            lifted.append(edge)
        else:
            raise _changed(node, edge)
    return (y if isinstance(y, Standin) else wrap(y, node)), lifted


def _refuse_unsaved(node: Node, *more: Any) -> None:
    """Refuse a rule that read a leaf which is not saved; boxes may come of boxes only."""
    saved = [x for x, e in zip(node.inputs, node.edges, strict=True) if x is not e]
    if not any(isinstance(x, Box) for x in (*saved, *more)):
        leaf: Any = next(x for x in node.inputs if isinstance(x, Box))
        Standin(leaf.shape, leaf.dtype).refuse()


def _released(node: Node) -> GraphError:
    return GraphError(
        message(node.primitive.name, "a backward through a graph whose saved arrays were "
                "released by an earlier one", "one backward per graph",
                "retain_graph=True the first time"))  # fmt: skip


def _changed(node: Node, leaf: Any) -> GraphError:
    who = repr(leaf.name) if getattr(leaf, "name", None) else f"of shape {leaf.shape}"
    return GraphError(
        message(node.primitive.name, f"a leaf {who} that was written to after it was used",
                "the values of the forward pass",
                "calling backward() before the update, or run forward again"))  # fmt: skip


def run_hooks(hooks: Iterable[Any], g: Any) -> Any:
    """Let each hook look at the gradient, or replace it by returning another one."""
    for hook in tuple(hooks):
        new = hook(g)
        if new is None:
            continue
        if not isinstance(new, Box) or not isinstance(g, Box):
            new = as_array(strip(new), g.dtype)
            new = wrap(new) if isinstance(g, Box) else new
        if new.shape != g.shape:
            raise ValueError(
                message("hook", f"a returned gradient of shape {new.shape}", f"{g.shape}")
            )
        g = new
    return g


def accumulate(leaves: list[list[Any]], record: bool) -> None:
    """Add each leaf's gradient to its ``.grad``; all of them are known before the first is set."""
    for entry in leaves:
        leaf = entry[0]
        if leaf.extras and "hooks" in leaf.extras:
            entry[1] = run_hooks(leaf.extras["hooks"], entry[1])
        old = leaf.grad
        if old is not None:
            if np.shape(old) != leaf.data.shape:
                raise ValueError(message("backward", f"a .grad of shape {np.shape(old)} to add to",
                                         f"{leaf.data.shape}", "w.grad = None"))  # fmt: skip
            if record or not isinstance(old, ndarray):
                entry[1] = old + entry[1]  # a gradient that is part of a graph is never written to
    own(leaves)
    for leaf, g in leaves:
        if not record and isinstance(leaf.grad, ndarray):
            if type(leaf.grad) is ndarray and type(g) is not ndarray:
                leaf.grad = beside(leaf.grad, g)
            leaf.grad += g
        else:
            leaf.grad = g


def own(entries: Iterable[list[Any]]) -> None:
    """Make each gradient, the second of its entry, its owner's alone, in place.

    An array is copied unless nobody else can see its memory: it has no base, and its only names
    are those here.
    """
    for entry in entries:
        g = entry[1]
        if not isinstance(g, ndarray):
            if isinstance(g, np.generic):
                entry[1] = copied(g)
            elif hasattr(g, "node"):
                entry[1] = wrap(g.data, g.node)
        elif getrefcount(g) > ALONE or not _writable(g):
            entry[1] = np.array(g) if type(g) is ndarray else np.copy(g)  # of a duck array


def _writable(g: Any) -> bool:
    """Tell whether an array is nobody's view, and may be written to."""
    return g.base is None and bool(g.flags.writeable)


def _alone() -> int:
    """Measure the references of an array that is in an entry only; interpreters differ."""
    for entry in [[None, np.empty(1)]]:
        g = entry[1]
        count = getrefcount(g)
    return count


ALONE = _alone()


def ancestors(roots: Iterable[Any], targets: Collection[Node]) -> tuple[set[Node], bool]:
    """Find what lies between ``roots`` and ``targets``.

    Returns:
        The nodes from which a target is reached, and whether anything else that requires grad is
        reached too (a leaf, or a node beyond the targets).
    """
    oldest = min((t.id for t in targets), default=0)
    seen: set[Node] = set()
    others = False
    stack = list(roots)
    while stack:
        node = stack.pop()
        if node in seen:
            continue
        if node in targets:
            others = others or any(e is not None for e in node.edges)
        elif not isinstance(node, Node) or node.id < oldest:
            others = True
        else:
            seen.add(node)
            stack.extend(e for e in node.edges if e is not None)
    wanted: set[Node] = set()
    for node in sorted(seen, key=lambda n: n.id):
        if any(e in targets or e in wanted for e in node.edges if e is not None):
            wanted.add(node)
        elif getattr(node, "active", False):
            others = True  # the input of an enclosing transform
    return wanted, others
