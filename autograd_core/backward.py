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

from .errors import GraphError, message
from .node import SMALL, Box, Node, Standin, recording, strip
from .primitive import fit, no_rule, tame, unsaved, version_of, wrap

__all__ = ["accumulate", "ancestors", "propagate"]


def propagate(
    seeds: Sequence[tuple[Any, Any]],
    *,
    record: bool = False,
    retain: bool = False,
    wanted: Collection[Node] | None = None,
    targets: Collection[Node] = (),
) -> tuple[dict[Node, Any], list[tuple[Any, Any]]]:
    """Carry gradients from ``seeds`` (pairs of an edge and its gradient) back through the graph.

    Args:
        seeds: where to start: (node or leaf Tensor, gradient of its shape).
        record: let Tensors flow, so that the gradients are themselves part of a graph.
        retain: keep what the nodes saved, for another pass.
        wanted: only visit these nodes (and the targets).
        targets: stop at these nodes and return their gradients.

    Returns:
        The gradients of the targets, and the list of (leaf Tensor, gradient). Nothing is written
        into any Tensor: that is the caller's last act, so an exception half-way (a rule that
        raises, Ctrl-C) leaves every ``.grad`` as it was.
    """
    pending: dict[int, list[Any]] = {}  # creation number -> [node, gradient so far]
    leaves: dict[int, list[Any]] = {}
    heap: list[int] = []
    found: dict[Node, Any] = {}

    token = recording.set(True) if record else None
    try:
        with np.errstate(all="ignore"):  # 1/0 in a rule is an infinite gradient, not a warning
            arriving: Iterable[tuple[Any, Any]] = seeds
            while True:
                for edge, gradient in arriving:
                    if gradient is None:
                        continue
                    if isinstance(edge, Node):
                        entry = pending.get(edge.id)
                        if entry is None:
                            pending[edge.id] = [edge, gradient]
                            heappush(heap, -edge.id)
                            continue
                    else:
                        entry = leaves.get(id(edge))
                        if entry is None:
                            leaves[id(edge)] = [edge, gradient]
                            continue
                    entry[1] = entry[1] + gradient
                if not heap:
                    break
                node, g = pending.pop(-heappop(heap))
                if node.hooks:
                    g = run_hooks(node.hooks, g)
                if node in targets:
                    found[node] = g
                    arriving = ()
                    continue
                arriving = zip(node.edges, pull(node, g, record, wanted, targets))
                if not retain:
                    _release(node)
                if isinstance(g, (ndarray, np.generic)) and g.size <= SMALL:
                    node.grad = g
    finally:
        if token is not None:
            recording.reset(token)
    return found, [(tensor, g) for tensor, g in leaves.values()]


def pull(node: Node, g: Any, record: bool, wanted: Any = None, targets: Any = ()) -> Sequence[Any]:
    """Apply the rules of one node to the gradient of its output: a gradient, or None, per edge."""
    if node.released:
        raise GraphError(
            message(node.primitive.name, "a backward through a graph whose saved arrays were "
                    "released by an earlier one", "one backward per graph",
                    "retain_graph=True the first time"))  # fmt: skip
    if node.versions is not None:
        _check_versions(node)
    prim, edges, params = node.primitive, node.edges, node.params
    y = node.output
    if y is None or not prim.saves_output:
        y = node
    rules, singular = prim.rules, prim.singular
    if len(edges) == 1 == len(rules) and not record:  # the general path below, for one input
        edge, x = edges[0], node.inputs[0]
        like = edge if isinstance(edge, Node) else edge.data
        if x is None:
            x = edge if like is edge else Standin(like.shape, like.dtype)
        gradient = rules[0](g, y, x, **params) if params else rules[0](g, y, x)
        if singular:
            gradient = tame(gradient, g)
        if (
            type(gradient) is not ndarray
            or gradient.dtype is not like.dtype
            or gradient.shape != like.shape
        ):
            gradient = fit(gradient, like, prim.name)
        return (gradient,)
    inputs = list(node.inputs)
    for i, x in enumerate(inputs):
        if x is None:  # it was not saved: a node is its own stand-in
            edge = edges[i]
            inputs[i] = edge if isinstance(edge, Node) else Standin(edge.data.shape, edge.data.dtype)
    if record:
        y, inputs = _lift(node, y, inputs)
    if prim.joint is not None:
        out = prim.joint(g, y, *inputs, **params)
        if not isinstance(out, (tuple, list)) or len(out) != len(edges):
            came = len(out) if isinstance(out, (tuple, list)) else type(out).__name__
            raise TypeError(message(prim.name, f"{came} gradients from its joint rule",
                                    f"a tuple of {len(edges)}"))  # fmt: skip
        out = list(out)
    elif rules:
        out = [None] * len(edges)
    elif edges:
        raise no_rule(prim, "reverse")
    joint = prim.joint is not None
    for i, edge in enumerate(edges):
        if edge is None or not (wanted is None or edge in wanted or edge in targets):
            out[i] = None
            continue
        if joint:
            gradient = out[i]
            if gradient is None:
                continue
        elif (rule := rules[i]) is not None:
            gradient = rule(g, y, *inputs, **params) if params else rule(g, y, *inputs)
        else:
            continue
        if singular:
            gradient = tame(gradient, g)
        like = edge if isinstance(edge, Node) else edge.data
        if (
            type(gradient) is not ndarray
            or gradient.dtype is not like.dtype
            or gradient.shape != like.shape
        ):
            gradient = fit(gradient, like, prim.name)
        out[i] = gradient
    return out


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


def _check_versions(node: Node) -> None:
    edges = node.edges
    for i, version in enumerate(node.versions):
        if version is not None and version_of(edges[i]) != version:
            raise _changed(node, edges[i])


def _changed(node: Node, leaf: Any) -> GraphError:
    who = repr(leaf.name) if getattr(leaf, "name", None) else f"of shape {leaf.shape}"
    return GraphError(
        message(node.primitive.name, f"a leaf {who} that was written to after it was used",
                "the values of the forward pass",
                "calling backward() before the update, or run forward again"))  # fmt: skip


def _release(node: Node) -> None:
    """Drop the large arrays that ``node`` saved; small ones stay, so that it can be drawn."""
    node.released = True
    y = node.output
    if y is not None and y.size > SMALL:
        node.output = None
    inputs, edges = node.inputs, node.edges
    for x in inputs:
        if type(x) is ndarray and x.size > SMALL:
            node.inputs = tuple([
                None if edges[i] is not None else unsaved(x) for i, x in enumerate(inputs)])  # fmt: skip
            break


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


def accumulate(leaves: list[tuple[Any, Any]], record: bool) -> None:
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
