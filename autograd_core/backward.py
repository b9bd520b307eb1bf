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
            arriving = seeds
            while True:
                for edge, gradient in arriving:
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
                arriving = pull(node, g, record, wanted, targets)
                if not retain:
                    _release(node)
                if isinstance(g, (ndarray, np.generic)) and g.size <= SMALL:
                    node.grad = g
    finally:
        if token is not None:
            recording.reset(token)
    return found, [(tensor, g) for tensor, g in leaves.values()]


def pull(
    node: Node, g: Any, record: bool, wanted: Any = None, targets: Any = ()
) -> Sequence[tuple[Any, Any]]:
    """Apply the rules of one node to the gradient of its output: (edge, gradient), ..."""
    prim, edges, params = node.primitive, node.edges, node.params
    inputs: Any = node.inputs
    if node.released:
        raise GraphError(
            message(prim.name, "a backward through a graph whose saved arrays were released by an "
                    "earlier one", "one backward per graph", "retain_graph=True the first time"))  # fmt: skip
    if node.versions is not None:
        _check_versions(node)
    y = node if node.output is None or not prim.saves_output else node.output
    rules = prim.rules
    if len(edges) == 1 == len(rules) and not record:  # the general path below, for one input
        edge, x = edges[0], inputs[0]
        if x is None:
            x = _standin(edge)
        gradient = rules[0](g, y, x, **params) if params else rules[0](g, y, x)
        if prim.singular:
            gradient = tame(gradient, g)
        return ((edge, _fitted(gradient, edge, prim.name)),)
    if not rules and prim.joint is None and edges:
        raise no_rule(prim, "reverse")
    for x in inputs:
        if x is None:
            inputs = [_standin(e) if v is None else v for v, e in zip(inputs, edges)]
            break
    if record:
        y, inputs = _lift(node, y, inputs)
    if prim.joint is None:
        pairs = zip(edges, rules)
    else:
        pairs = zip(edges, _joint(prim, g, y, inputs, params))
    out = []
    for edge, rule in pairs:
        if edge is None or rule is None:
            continue
        if wanted is not None and edge not in wanted and edge not in targets:
            continue
        gradient = rule(g, y, *inputs, **params) if prim.joint is None else rule
        if prim.singular:
            gradient = tame(gradient, g)
        out.append((edge, _fitted(gradient, edge, prim.name)))
    return out


def _joint(prim: Any, g: Any, y: Any, inputs: Any, params: Any) -> Any:
    """Read a rule that gives the gradients of all inputs at once."""
    gradients = prim.joint(g, y, *inputs, **params)
    if not isinstance(gradients, (tuple, list)) or len(gradients) != len(inputs):
        came = len(gradients) if isinstance(gradients, (tuple, list)) else type(gradients).__name__
        raise TypeError(message(prim.name, f"{came} gradients from its joint rule",
                                f"a tuple of {len(inputs)}"))  # fmt: skip
    return gradients


def _fitted(gradient: Any, edge: Any, name: str) -> Any:
    """Bring a rule's result to its input's shape and dtype; mostly it has them already."""
    like = edge if isinstance(edge, Node) else edge.data
    try:
        if gradient.shape == like.shape and gradient.dtype == like.dtype:
            return gradient
    except AttributeError:
        pass  # a number, or something that fit refuses
    return fit(gradient, like, name)


def _standin(edge: Any) -> Standin:
    """Return the stand-in of an input that was not saved; a node is one already."""
    return edge if isinstance(edge, Node) else Standin(edge.data.shape, edge.data.dtype)


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
    for edge, version in zip(node.edges, node.versions, strict=True):
        if version is not None and version_of(edge) != version:
            raise _changed(node, edge)


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
    for x in node.inputs:
        if type(x) is ndarray and x.size > SMALL:
            node.inputs = tuple([
                None if e is not None else unsaved(x)
                for x, e in zip(node.inputs, node.edges, strict=True)])  # fmt: skip
            break


def run_hooks(hooks: Iterable[Any], g: Any) -> Any:
    """Let each hook look at the gradient, or replace it by returning another one."""
    for hook in tuple(hooks):
        new = hook(g)
        if new is None:
            continue
        if not isinstance(new, Box) or not isinstance(g, Box):
            new = np.asarray(strip(new), dtype=g.dtype)
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
