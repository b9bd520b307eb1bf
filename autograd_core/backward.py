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

from .calls import unsaved, version_of, wrap
from .errors import GraphError, message
from .fitting import fit, tame
from .node import SMALL, Box, Node, Standin, recording, strip
from .primitive import no_rule

__all__ = ["accumulate", "ancestors", "propagate"]


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

    token = recording.set(True) if record else None
    try:
        with np.errstate(all="ignore"):  # 1/0 in a rule is an infinite gradient, not a warning
            # One loop without calls: it is half of what small networks cost, and each function,
            # pair or zip in it was measured to cost more than it looks (97 -> 79 us for the step
            # of a 784-30-10 network, with the changes to SGD and linear).
            while heap:
                node, g = pending.pop(-heappop(heap))
                if node.hooks:
                    g = run_hooks(node.hooks, g)
                if node in targets:
                    found[node] = g
                    continue
                if node.released or node.versions is not None:
                    _check(node)
                prim, edges, params = node.primitive, node.edges, node.params
                rules, joint, singular = prim.rules, None, prim.singular
                y = node.output
                if y is None or not prim.saves_output:
                    y = node
                inputs = list(node.inputs)
                for i, x in enumerate(inputs):
                    if x is None:  # it was not saved: a node is its own stand-in
                        x = edges[i]
                        inputs[i] = x if isinstance(x, Node) else Standin(x.data.shape, x.data.dtype)
                if record:
                    y, inputs = _lift(node, y, inputs)
                if prim.joint is not None:
                    joint = _joint(prim, g, y, inputs, params)
                elif not rules and edges:
                    raise no_rule(prim, "reverse")
                for i, edge in enumerate(edges):
                    if edge is None or not (wanted is None or edge in wanted or edge in targets):
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
                    if isinstance(edge, Node):
                        like, number, waiting = edge, edge.id, pending
                    else:
                        like, number, waiting = edge.data, id(edge), leaves
                    if (
                        type(gradient) is not ndarray
                        or gradient.dtype is not like.dtype
                        or gradient.shape != like.shape
                    ):
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
                    for i, edge in enumerate(edges):
                        inputs[i] = unsaved(inputs[i]) if edge is None else None
                    node.inputs = tuple(inputs)
                if isinstance(g, (ndarray, np.generic)) and g.size <= SMALL:
                    node.grad = g
    finally:
        if token is not None:
            recording.reset(token)
    return found, list(leaves.values())


def _joint(prim: Any, g: Any, y: Any, inputs: Any, params: Any) -> Any:
    """Read a rule that gives the gradients of all inputs at once."""
    gradients = prim.joint(g, y, *inputs, **params)
    if not isinstance(gradients, (tuple, list)) or len(gradients) != len(inputs):
        came = len(gradients) if isinstance(gradients, (tuple, list)) else type(gradients).__name__
        raise TypeError(message(prim.name, f"{came} gradients from its joint rule",
                                f"a tuple of {len(inputs)}"))  # fmt: skip
    return gradients


def _lift(node: Node, y: Any, inputs: Any) -> tuple[Any, list[Any]]:
    """Rejoin saved arrays with their edges: the Tensors that the rules read when recording."""
    lifted = []
    for x, edge in zip(inputs, node.edges, strict=True):
        if edge is None or isinstance(x, Standin):
            lifted.append(x)
        elif isinstance(edge, Node):
            lifted.append(wrap(x, edge))
        elif edge.data is x:
            lifted.append(edge)
        else:
            raise _changed(node, edge)
    return (y if isinstance(y, Standin) else wrap(y, node)), lifted


def _check(node: Node) -> None:
    """Refuse a node whose saved arrays are gone, or were written to since."""
    if node.released:
        raise GraphError(
            message(node.primitive.name, "a backward through a graph whose saved arrays were "
                    "released by an earlier one", "one backward per graph",
                    "retain_graph=True the first time"))  # fmt: skip
    edges = node.edges
    for i, version in enumerate(node.versions or ()):
        if version is not None and version_of(edges[i]) != version:
            raise _changed(node, edges[i])


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
            new = np.asarray(strip(new), dtype=g.dtype)
            new = wrap(new) if isinstance(g, Box) else new
        if new.shape != g.shape:
            raise ValueError(
                message("hook", f"a returned gradient of shape {new.shape}", f"{g.shape}")
            )
        g = new
    return g


def accumulate(leaves: list[list[Any]], record: bool) -> None:
    """Add each leaf's gradient to its ``.grad``; all of them are known before the first is set."""
    totals = []
    while leaves:  # popping leaves ``g`` as the only name of a gradient
        leaf, g = leaves.pop()
        if leaf.extras and "hooks" in leaf.extras:
            g = run_hooks(leaf.extras["hooks"], g)
        if leaf.grad is not None and np.shape(leaf.grad) != leaf.data.shape:
            raise ValueError(message("backward", f"a .grad of shape {np.shape(leaf.grad)} to add to",
                                     f"{leaf.data.shape}", "w.grad = None"))  # fmt: skip
        if leaf.grad is not None and (record or type(leaf.grad) is not ndarray):
            g = leaf.grad + g  # a gradient that is part of a graph is never written to
        elif isinstance(g, (ndarray, np.generic)) and not own(g):
            g = np.array(g)
        elif record:
            g = wrap(g.data, g.node)  # a Tensor of its own
        totals.append((leaf, g))
    for leaf, g in totals:
        if not record and type(leaf.grad) is ndarray:
            leaf.grad += g
        else:
            leaf.grad = g


def own(g: Any) -> bool:
    """Tell whether nobody else can see this array's memory: then it need not be copied.

    Call it with a local variable that is the array's only name.
    """
    return type(g) is ndarray and g.base is None and g.flags.writeable and getrefcount(g) <= _ALONE


def _alone() -> int:
    """Measure the reference count of an array with one name; interpreters differ."""

    def count(g: Any) -> int:
        return getrefcount(g)

    g = np.empty(1)
    return count(g)


_ALONE = _alone()


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
