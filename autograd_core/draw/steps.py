"""The computation as steps: forward through the values, then back through the chain rule, edge by edge.

On each edge stands   local derivative  x  upstream gradient  =  contribution
and at each tensor    gradient          =  sum of the contributions of its uses.

The numbers come from the engine's own rules, read in a side pass (see ``replay``), and their sums
are asserted to be the engine's gradients. What is returned is plain data and refers to no graph.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping
from typing import Any
from weakref import ref

import numpy as np

from ..docs import _letters
from ..errors import GradientError, message
from ..node import Node, strip
from ..value import Value
from .describe import parameters
from .formula import formula, in_words
from .reader import _in_order, _Reader
from .records import FULL, Backward, Forward, Steps, Terms, amount, written
from .replay import Copy, by_engine, copies, value_of

__all__ = ["MOST", "later", "walk"]

MOST = 300  # operations; more steps than these nobody would click through
BEGUN = "The steps begin with the gradient that the last backward() began with."


def walk(
    roots: Any, keys: Mapping[int, str] | None = None, values: Mapping[Any, Any] | None = None
) -> Steps | None:
    """Take the steps of a recorded graph.

    Args:
        roots: a Tensor or Value, or several. Where the last backward began with another gradient
            than 1, and it is kept, the steps begin with it too.
        keys: the keys of nodes, leaves and Values in a picture, by their ``id``; otherwise those
            that ``extract`` gives.
        values: values by node, of a graph whose own were dropped.

    Returns:
        the steps, or None where nothing was computed. ``problem`` says why there are none though
        something was.

    Raises:
        GradientError: the sums differ from the engine's gradients, which would be a bug.

    >>> import autograd_core as ag
    >>> a, b = ag.Value(2.0), ag.Value(-3.0)
    >>> steps = walk(a * b)
    >>> [(s.local.numbers, s.upstream.numbers, s.contribution.numbers) for s in steps.backward]
    [(-3.0, 1.0, -3.0), (2.0, 1.0, 2.0)]
    """
    reader = _Reader({})
    tops = _places(roots, reader)
    if too_many(tops):
        text = message("step", f"more than {MOST} operations", "a graph that one can step through",
                       "draw(part_of_it).step()")  # fmt: skip
        return Steps(problem=text)
    things = _in_order(tops, reader)
    made = copies(things, reader.inputs, values)
    if not made:
        return None
    named = {id(t): f"t{n}" if keys is None else keys.get(id(t), f"c{n}") for n, t in enumerate(things)}
    with np.errstate(all="ignore"):
        return _Walk(tops, things, made, named, values).steps


def later(
    roots: Any, keys: Mapping[int, str] | None = None, values: Mapping[Any, Any] | None = None
) -> Callable[[], Steps | None]:
    """Return what takes the steps when it is called, and until then keeps no graph of Tensors alive.

    Values cannot be referred to weakly, and what a traced run kept would be gone: their steps are
    taken at once.
    """
    tops = _places(roots, _Reader({}))
    if values is not None or any(isinstance(t, Value) for t in tops):
        try:
            taken, problem = walk(tops, keys, values), None
        except Exception as error:  # is for who asks for the steps; the picture is there without
            taken, problem = None, error

        def taken_now() -> Steps | None:
            if problem is not None:
                raise problem
            return taken

        return taken_now
    alive = [ref(t) for t in tops]
    names = None if keys is None else dict(keys)

    def take() -> Steps | None:
        found = [r() for r in alive]
        if any(t is None for t in found):
            return Steps(problem="[step] got a graph that is gone; try draw(loss).step() while loss is there")
        return walk(found, names)

    return take


def _places(roots: Any, reader: _Reader) -> list[Any]:
    return [r if isinstance(r, Node) else reader.place(r)
            for r in (roots if isinstance(roots, (tuple, list)) else (roots,))]  # fmt: skip


def too_many(tops: list[Any]) -> bool:
    """Tell whether there are more operations than can be stepped through, without walking all."""
    seen: set[int] = set()
    stack = list(tops)
    while stack and len(seen) <= MOST:
        thing = stack.pop()
        behind = getattr(thing, "edges", None) or getattr(thing, "_inputs", None)
        if behind and id(thing) not in seen:
            seen.add(id(thing))
            stack.extend(x for x in behind if x is not None)
    return len(seen) > MOST


class _Walk:
    """The side pass: the sums so far, by ``id`` of node, leaf or Value."""

    def __init__(self, tops: list[Any], things: list[Any], made: list[Copy], named: dict[int, str],
                 values: Mapping[Any, Any] | None) -> None:  # fmt: skip
        self.made, self.named, self.things = made, named, {id(t): t for t in things}
        self.sums: dict[int, Any] = {}
        self.unknown: set[int] = set()  # what some contribution to is not known
        self.steps = Steps(roots=[named[id(t)] for t in tops])
        results = {id(c.thing) for c in made}
        for thing in things:
            if id(thing) not in results:
                self.steps.given[named[id(thing)]] = amount(value_of(thing, values=values))
        self.reached = self._reached(tops)
        self.uses = Counter(id(x) for c in made if id(c.thing) in self.reached
                            for x, wanted in zip(c.inputs, c.wanted, strict=True) if wanted)  # fmt: skip
        self.taken: Counter[int] = Counter()
        self._begin(tops)
        rows: list[Forward] = []
        for copy in reversed(made):
            rows.append(self._forward(copy))
            if id(copy.thing) in self.reached:
                self._back(copy, rows[-1])
        self.steps.forward = rows[::-1]
        self._end(tops)

    def _reached(self, tops: list[Any]) -> set[int]:
        """Find what the gradient comes by: not what the roots do not depend on through edges."""
        found = {id(t) for t in tops}
        for c in reversed(self.made):
            if id(c.thing) in found:
                found |= {id(x) for x, wanted in zip(c.inputs, c.wanted, strict=True) if wanted}
        return found

    def _begin(self, tops: list[Any]) -> None:
        for top in tops:
            if isinstance(top, Value):
                g: Any = 1.0
            else:
                kept = getattr(top, "grad", None) if isinstance(top, Node) else None
                g = np.ones(top.shape, top.dtype) if kept is None else np.asarray(strip(kept))
                if kept is not None and np.any(g != 1):
                    self.steps.notes.append(BEGUN)
            self.sums[id(top)] = self.sums[id(top)] + g if id(top) in self.sums else g
            self.steps.seeds[self.named[id(top)]] = amount(self.sums[id(top)])
        self.begun = [(top, self.sums[id(top)]) for top in {id(t): t for t in tops}.values()]

    # -- one operation ----------------------------------------------------------------------------

    def _forward(self, copy: Copy) -> Forward:
        key = self.named[id(copy.thing)]
        return Forward(
            key, f"op{key.removeprefix('t')}", copy.primitive.name, parameters(copy.params),
            [self.named[id(x)] for x in copy.inputs], [amount(x) for x in copy.operands],
            amount(copy.output), bool(copy.primitive.broadcasts),
        )  # fmt: skip

    def _back(self, copy: Copy, row: Forward) -> None:
        """Read the rules of one operation, and add what they give to the sums of its inputs."""
        g = None if id(copy.thing) in self.unknown else self.sums.get(id(copy.thing))
        raw, parts, problem = self._read(copy, g)
        elementwise = copy.primitive.broadcasts or isinstance(copy.thing, Value)
        diagonal = elementwise or _size(copy.thing) == 1  # else it is a whole matrix
        local, _, _ = self._read(copy, copy.one() if diagonal else None)
        jacobian = None if g is None or problem else self._jacobian(copy)
        letters = _letters(copy.primitive)
        up = amount(g)
        for slot, (x, wanted) in enumerate(zip(copy.inputs, copy.wanted, strict=True)):
            if not wanted:
                continue
            key, stated = self.named[id(x)], formula(copy.primitive, slot, letters)
            words = in_words(copy.primitive)
            step = Backward(key, row.key, row.operation, row.name, slot, row.inputs, letters, stated, words)
            step.upstream = up
            if local is not None and local[slot] is not None:
                step.local = amount(_full(local[slot], copy, x, elementwise))
            self.taken[id(x)] += 1
            begun = key in self.steps.seeds  # a root that another root was made from
            step.part, step.parts = self.taken[id(x)] + begun, self.uses[id(x)] + begun
            step.before = None if id(x) in self.unknown else amount(self.sums.get(id(x)))
            piece = parts[slot] if parts else None
            if g is None or parts is None:
                step.note = problem or "the gradient that arrives here is not known"
                self.unknown.add(id(x))
            else:
                piece = self._nothing(x) if piece is None else piece
                step.contribution = amount(piece)
                came = g if stated == "g" else strip(raw[slot])  # some rules sum by themselves
                step.summed = came is not None and np.size(came) > np.size(piece)
                if id(x) in self.sums:
                    self.sums[id(x)] = self.sums[id(x)] + piece
                else:
                    self.sums[id(x)] = piece
                step.after = None if id(x) in self.unknown else amount(self.sums[id(x)])
                table = jacobian[slot] if jacobian else None
                if table is not None:
                    step.terms = [[(0, j, d) for j, d in terms] for terms in table]
            self.steps.backward.append(step)
        if jacobian:
            row.terms = _sums(copy, jacobian)

    def _nothing(self, x: Any) -> Any:
        return 0.0 if isinstance(x, Value) else np.zeros(x.shape, x.dtype)

    def _read(self, copy: Copy, g: Any) -> tuple[Any, Any, str]:
        """Return what the rules make of ``g``, that fitted, and why they could not be read."""
        if g is None:
            return None, None, ""
        try:
            raw = copy.read(g)
            return raw, copy.fitted(raw), ""
        except Exception as error:  # a rule is anybody's code, and a picture never fails
            text = copy.lost[0] if copy.lost else f"its rule raised {type(error).__name__}: {error}"
            return None, None, text

    def _jacobian(self, copy: Copy) -> list[list[list[tuple[int, float]]] | None] | None:
        """Read the rules with 1 at each element of g in turn: coefficients d of sum_j g_j d_ji."""
        if isinstance(copy.thing, Value) or all(_size(x) == 1 for x in (copy.thing, *copy.inputs)):
            return None
        g = np.zeros(copy.thing.shape, copy.thing.dtype)
        small = [w and _size(x) <= FULL for x, w in zip(copy.inputs, copy.wanted, strict=True)]
        if g.size > FULL or not any(small):
            return None
        table: list[Any] = [[[] for _ in range(_size(x))] if s else None
                            for x, s in zip(copy.inputs, small, strict=True)]  # fmt: skip
        for j in range(g.size):
            unit = g.copy()
            unit.flat[j] = 1
            _, columns, problem = self._read(copy, unit)
            if problem:
                return None
            for rows, column in zip(table, columns, strict=True):
                if rows is not None and column is not None:
                    for i in np.flatnonzero(column):
                        rows[i].append((j, written(column.flat[i].item())))
        return table

    # -- the end ----------------------------------------------------------------------------------

    def _end(self, tops: list[Any]) -> None:
        steps, results = self.steps, {id(c.thing) for c in self.made}
        for key in self.things:
            if key in self.reached:
                known = None if key in self.unknown else self.sums.get(key)
                steps.gradients[self.named[key]] = amount(known)
                if key not in results:
                    steps.learning.append(self.named[key])
        steps.complete = not self.unknown
        if any(c.thing.hooks for c in self.made if isinstance(c.thing, Node)):
            steps.notes.append("Hooks are not run here: the steps are the plain chain rule.")
        if steps.complete:
            self._compare(by_engine(self.begun, self.made))

    def _compare(self, engine: dict[int, Any]) -> None:
        for key, theirs in engine.items():
            ours = self.sums.get(key)
            if ours is not None and not _same(ours, theirs):
                got = f"contributions with sum {ours}"
                raise GradientError(message("step", got, f"the engine's {theirs}"))
        for key, ours in self.sums.items():
            thing = self.things[key]
            kept = getattr(thing, "grad", None)
            if kept is None or isinstance(thing, Value) and not (kept and thing._mark):
                continue
            if np.shape(strip(kept)) == np.shape(ours) and not _same(strip(kept), ours):
                self.steps.notes.append(
                    f"The .grad of {{{self.named[key]}}} is not what this one backward pass gives: another "
                    "has added to it, or changed it.")  # fmt: skip


def _same(a: Any, b: Any) -> bool:
    """Compare two sums of the same numbers, perhaps in another order."""
    a, b = np.asarray(a), np.asarray(b)
    if a.shape != b.shape:
        return False
    eps = np.finfo(b.dtype).eps if b.dtype.kind in "fc" else 0.0
    largest = float(np.abs(np.where(np.isfinite(b), b, 0)).max(initial=0.0))
    return bool(np.allclose(a, b, rtol=64 * eps, atol=64 * eps * largest, equal_nan=True))


def _size(x: Any) -> int:
    return 1 if isinstance(x, Value) else int(np.prod(getattr(x, "shape", ()), dtype=int))


def _full(local: Any, copy: Copy, x: Any, elementwise: bool) -> Any:
    """Spread a local derivative that broadcast over the shape that it stands for."""
    if isinstance(copy.thing, Value):
        return local
    local = np.asarray(strip(local))
    shape = copy.thing.shape if elementwise else x.shape
    return np.broadcast_to(local, shape) if local.size <= np.prod(shape, dtype=int) else local


def _sums(copy: Copy, jacobian: Any) -> Terms | None:
    """Write each element of a linear result as a sum over elements of its inputs."""
    prim = copy.primitive
    if prim.broadcasts or not (prim.multilinear or prim.linear):
        return None
    slots = [i for i, table in enumerate(jacobian) if table is not None]
    if prim.linear and len(slots) < len(jacobian):
        return None
    rows: Terms = [[] for _ in range(_size(copy.thing))]
    for slot in slots if prim.linear else slots[:1]:
        for i, terms in enumerate(jacobian[slot]):
            for j, d in terms:
                rows[j].append((slot, i, d))
    return rows
