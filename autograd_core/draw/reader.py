"""Pictures taken from recorded graphs: the one place that knows how those are stored.

Reading walks the graph without recursion and changes nothing in it.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from ..calls import leaf_of
from ..errors import message
from ..node import LEAF, Node, Standin, strip
from ..ops.writing import setitem
from ..tensor import Parameter, Tensor
from .describe import amounts, saved_by, tensor_vertex
from .describe import parameters as _parameters
from .groups import Boxes
from .model import Edge, Kind, Picture, Vertex
from .names import Names
from .pause import without_collections
from .trace import Tracer, is_value

__all__ = ["extract"]


class _Constant:
    """A value that an operation saw and that no gradient goes to."""

    __slots__ = ("value",)

    def __init__(self, value: Any) -> None:
        self.value = value


def extract(roots: tuple[Any, ...], names: Mapping[str, Any] | None = None) -> Picture:
    """Walk from ``roots`` to everything that they were computed from, without recursion."""
    reader = _Reader(names or {})
    reader.read([reader.place(root) for root in roots])
    return reader.picture


def _in_order(tops: list[Any], reader: _Reader) -> list[Any]:
    """Return all things behind ``tops`` in the order of creation, leaves before their first use."""
    made: list[Any] = []
    others: dict[int, Any] = {}
    done: set[int] = set()
    stack = list(tops)
    while stack:
        while stack:
            thing = stack.pop()
            if id(thing) not in done:
                done.add(id(thing))
                inputs = reader.inputs(thing)
                if inputs:
                    made.append(thing)
                    stack += inputs
                else:
                    others[id(thing)] = thing
        stack = [x for x in reader.link(made, list(others.values())) if id(x) not in done]
    made.sort(key=_number)
    order: list[Any] = []
    for thing in made:
        for x in reader.inputs(thing):
            if id(x) in others:
                source = reader.sources.get(id(x))
                order += [y for y in (source, x) if others.pop(id(y), None) is not None]
        order.append(thing)
    return order + [top for top in tops if others.pop(id(top), None) is not None]


def _number(thing: Any) -> int:
    """Return when a node or a Value was made."""
    found: int = thing.id if isinstance(thing, Node) else thing._id
    return found


class _Reader:
    """The one place that knows how graphs are stored: of Tensors, and of scalar Values.

    Args:
        names: what to call Tensors, Values, arrays and the parameters of modules.
        tracer: what a traced run kept, where there was one.
    """

    def __init__(self, names: Mapping[str, Any], tracer: Tracer | None = None) -> None:
        self.picture = Picture()
        self.tracer = tracer
        self.keys: dict[int, str] = {}  # a node's, leaf's, Value's or constant's id -> its vertex
        self.gradients: dict[int, Any] = {}  # those of a side pass
        self.given: set[int] = set()  # ids of leaves and arrays that are the inputs of a function
        self.sources: dict[int, Any] = {}  # a constant's id -> the thing whose memory it is
        self.constants: dict[int, _Constant] = {}
        self.unseen: set[int] = set()  # what an operation only remembers for its rule
        self.known: dict[int, list[Any]] = {}  # thing -> its inputs; holds what ids refer to
        self.tensors: dict[int, Tensor] = {}  # node -> a Tensor of it that somebody holds
        self.names = Names(self.tensors)
        self.names.give(names)
        self._boxes = Boxes(self.picture)
        self._uses: dict[int, list[tuple[Any, int]]] = {}  # leaf -> the operations on it, and where
        self._homes: dict[int, str] = {}
        self._saved: set[int] = set()
        self._within: set[int] = set()  # results that the module which made them goes on with
        self._passed = False  # has a backward come by?

    def place(self, root: Any) -> Any:
        """Return what stands for ``root`` in the graph: its node, or itself."""
        if isinstance(root, Tensor):
            if isinstance(root.node, Node):
                self.tensors.setdefault(id(root.node), root)
                return root.node
            return root
        if is_value(root):
            return root
        hint = "draw(model, x)" if hasattr(root, "named_parameters") else (
            "draw(f, x)" if callable(root) else "ag.tensor(x)")  # fmt: skip
        raise TypeError(message("draw", type(root).__name__, "a Tensor or a Value", hint))

    # -- reading the graph ------------------------------------------------------------------------

    def inputs(self, thing: Any) -> list[Any]:
        """Return what an operation was applied to, in order; nothing for a leaf."""
        found = self.known.get(id(thing))
        if found is None:
            found = self._inputs(thing)
            self.known[id(thing)] = found
        return found

    def _inputs(self, thing: Any) -> list[Any]:
        if isinstance(thing, Node):
            found = [edge if edge is not None else self.constant(x)
                     for edge, x in zip(thing.edges, thing.inputs, strict=True)]  # fmt: skip
            if n := thing.primitive.memory:
                self.unseen.update(map(id, found[-n:]))
            return found
        if is_value(thing):
            return self._value_inputs(thing)
        return []

    def _value_inputs(self, v: Any) -> list[Any]:
        """A Value holds its operands; a plain number among them only as ``_x`` or ``_w``."""
        inputs = list(v._inputs)
        if v.primitive is None or len(inputs) != 1 or v.primitive.arity != 2:
            return inputs
        side = getattr(v._pull, "side", 0)
        return [*inputs, _Constant(v._w)] if side == 0 else [_Constant(v._x), *inputs]

    def constant(self, x: Any) -> _Constant:
        """Wrap a constant; an array that several operations saw is one constant."""
        if type(x) is Standin and self.tracer is not None:
            x = self.tracer.constants.get(id(x), x)
        if isinstance(x, np.ndarray):
            return self.constants.setdefault(id(x), _Constant(x))
        return _Constant(x)

    def link(self, made: list[Any], others: list[Any]) -> list[Any]:
        """Find the constants that show the memory of something in the graph: ``t.detach()``.

        Returns:
            where they come from. A source is older than all that uses its constant, so that the
            graph stays without circles.
        """
        constants = [x for x in others if _array_of(x) is not None and id(x) not in self.sources]
        if not constants:
            return []
        owners: dict[int, Any] = {}
        values = self.tracer.values if self.tracer is not None else {}
        for x in (*others, *values, *made):
            array = x.data if isinstance(x, Tensor) and x.node is LEAF else (
                values.get(x, x.output) if isinstance(x, Node) else None)  # fmt: skip
            array = strip(array)
            if isinstance(array, np.ndarray):
                owners.setdefault(id(_memory(array)), x)
        first: dict[int, int] = {}
        for thing in made:
            for x in self.inputs(thing):
                first[id(x)] = min(first.get(id(x), _number(thing)), _number(thing))
        for x in constants:
            source = owners.get(id(_memory(_array_of(x))))
            if source is not None and getattr(source, "id", 0) < first.get(id(x), 0):
                self.sources[id(x)] = source
        return list(self.sources.values())

    # -- writing the picture ----------------------------------------------------------------------

    @without_collections()
    def read(self, tops: list[Any], built: Sequence[Any] = ()) -> None:
        """Write the picture of what is behind ``tops``, and behind what was ``built`` without use."""
        things = _in_order([*tops, *built], self)
        roots = {id(top) for top in tops}
        self._passed = any(top.released or top.grad is not None for top in tops if isinstance(top, Node))
        if self.tracer is not None:
            for call in self.tracer.calls.values():
                if call.parent is None:
                    self.names.find_module(call.module)
        self.names.settle({id(getattr(x, "value", x)) for x in things})
        self._survey(things)
        for thing in things:
            if id(thing) not in self.unseen:
                self._add(thing, id(thing) in roots)

    def _survey(self, things: list[Any]) -> None:
        """Take note of who uses what, and what the rules have kept."""
        calls = self.tracer.calls if self.tracer is not None else {}
        plans: dict[Any, tuple[bool, ...]] = {}
        for thing in things:
            inputs = self.inputs(thing)
            if not inputs:
                continue
            home, call = "", None
            if isinstance(thing, Node):
                call = calls.get(thing)
                if call is not None:
                    home = self._homes[id(thing)] = self._boxes.of(call, self.names)
                if not thing.released:
                    kept = saved_by(thing.primitive, thing.edges, plans)
                    self._saved.update([id(x) for x, s in zip((thing, *inputs), kept, strict=True) if s])
            for i, x in enumerate(inputs):
                if isinstance(x, Node):
                    if home and self._homes.get(id(x)) == home:
                        self._within.add(id(x))
                    continue
                self._uses.setdefault(id(x), []).append((thing, i))
                where, outer = home, call
                while outer is not None and id(getattr(x, "value", x)) in outer.inputs:
                    outer = outer.parent
                    where = self._boxes.of(outer, self.names) if outer is not None else ""
                before = self._homes.get(id(x))
                self._homes[id(x)] = where if before is None else self._boxes.around(before, where)

    def _add(self, thing: Any, is_root: bool) -> None:
        """Add the vertices and edges of one thing, whose inputs have been added."""
        n = len(self.keys)
        key = self.keys[id(thing)] = f"t{n}"
        vertex = self._vertex(thing, key)
        primitive = getattr(thing, "primitive", None)
        inputs = self.inputs(thing)
        edges = self.picture.edges
        ends = is_root and id(thing) not in self._within  # a result that its module goes on with stays inside
        vertex.group = "" if ends else self._homes.get(id(thing), "")
        marks = []
        if primitive is not None and inputs:
            vertex.kind = "output" if is_root else "result"
            params = getattr(thing, "params", None) or {}
            operation = Vertex(f"op{n}", "operation", primitive.name, _parameters(params))
            operation.group = self._homes.get(id(thing), "")
            self.picture.vertices.append(operation)
            rules = primitive.rules if primitive.joint is None and None in primitive.rules else None
            for i, x in enumerate(inputs):
                cut = rules is not None and rules[i] is None and not isinstance(x, _Constant)
                if id(x) not in self.unseen:
                    edges.append(Edge(self.keys[id(x)], operation.key, dotted=cut))
            edges.append(Edge(operation.key, key))
            if isinstance(thing, Node):
                marks = ["view"] * primitive.view + ["in place"] * (primitive is setitem.primitive)
        elif id(thing) in self.sources:
            edges.append(Edge(self.keys[id(self.sources[id(thing)])], key, dotted=True))
            marks = ["detached"]
        elif vertex.name and not self._owned(thing):
            vertex.group = ""  # the caller's data lie outside of the module that uses them
        vertex.marks = (*marks, "saved") if id(thing) in self._saved else tuple(marks)
        self.picture.vertices.append(vertex)

    def fail(self, failure: Any) -> None:
        """Add the operation that raised, and its inputs as far as they were not in the graph."""
        key = f"op{len(self.keys)}"
        for x in (failed := [self.place(x) if isinstance(x, Tensor) or is_value(x) else self.constant(x)
                             for x in failure.inputs]):
            if id(x) not in self.keys:
                self._add(x, False)
        group = self._boxes.of(failure.call, self.names) if failure.call is not None else ""
        text = f"{type(failure.error).__name__}: {failure.error}"
        self.picture.vertices.append(Vertex(
            key, "operation", failure.name, _parameters(failure.params), note=failure.where,
            group=group, error=text))  # fmt: skip
        self.picture.edges += [Edge(self.keys[id(x)], key) for x in failed]

    def _owned(self, leaf: Any) -> bool:
        """Tell whether a leaf belongs to a module, rather than to the caller."""
        held = id(getattr(leaf, "value", leaf))
        return isinstance(leaf, Parameter) or held in self.names.owned

    def _vertex(self, thing: Any, key: str) -> Vertex:
        side = self.gradients.get(id(thing))
        if isinstance(thing, Node):
            tensor = self.tensors.get(id(thing))
            name = self.names.of(tensor.name if tensor is not None else "", thing)
            grad = thing.grad if tensor is None or tensor.grad is None else tensor.grad
            grad = grad if side is None else side
            return tensor_vertex(key, "input", name, thing, self._value(thing), grad)
        if isinstance(thing, Tensor):
            return self._leaf(thing, key, side)
        if isinstance(thing, _Constant):
            x = thing.value
            kind: Kind = "input" if id(x) in self.given else "constant"
            like = x if hasattr(x, "shape") else None  # a plain number needs no shape
            return tensor_vertex(key, kind, self.names.of("", x), like, x, None)
        # A Value's gradient is 0.0 before any backward has come by; only its mark tells.
        grad = side if side is not None else (thing.grad if thing.grad or thing._mark else None)
        value, note = thing.data, ""
        for user, i in self._uses.get(id(thing), ()):
            seen = _seen(user, i, value)
            if seen is not value and seen != value:
                value, note = seen, "written to since"
        name = self.names.of(thing.label, thing)
        return Vertex(key, "input", name, note=note, **amounts(value, grad))

    def _value(self, node: Node) -> Any:
        """Return what an operation gave, if it is still there, and nobody has written into it."""
        if self.tracer is not None and node in self.tracer.values:
            return self.tracer.values[node]
        if any(leaf.version > node.id for leaf in leaf_of(node)):
            return None
        tensor = self.tensors.get(id(node))
        if node.output is None and tensor is not None and tensor.version <= node.id:
            return tensor.data
        return node.output

    def _leaf(self, leaf: Tensor, key: str, grad: Any) -> Vertex:
        kind: Kind = "parameter" if isinstance(leaf, Parameter) else (
            "input" if leaf.node is LEAF or id(leaf) in self.given else "constant")  # fmt: skip
        name = self.names.of(leaf.name, leaf, strip(leaf))
        uses = self._uses.get(id(leaf), [])
        value, note = leaf.data, ""
        if any(leaf.version > user.id for user, _ in uses):
            # What an operation kept is the old value, unless the write went into that memory.
            olds = [x for user, i in uses if isinstance(x := user.inputs[i], np.ndarray)]
            value = next((x for x in olds if not np.may_share_memory(x, strip(leaf.data))), None)
            note = "written to since"
        passed = not uses or any(user.released or user.grad is not None for user, _ in uses)
        if grad is None and leaf.grad is not None:
            if passed or (self.tracer is None and (not leaf.version or self._passed)):
                grad = leaf.grad
            elif self.tracer is None:
                note = note or "its gradient is of before it was written to"
        vertex = tensor_vertex(key, kind, name, leaf, value, grad)
        vertex.note = note
        return vertex


def _memory(array: np.ndarray[Any, Any]) -> Any:
    """Return the array that owns the memory of this one."""
    while isinstance(array.base, np.ndarray):
        array = array.base
    return array


def _array_of(x: Any) -> Any:
    """Return the array that a constant is, if it is one."""
    return x.value if isinstance(x, _Constant) and isinstance(x.value, np.ndarray) else None


def _seen(user: Any, i: int, now: float) -> float:
    """Return the number that an operation saw as its i-th input, which is ``now`` this one."""
    if isinstance(user._inputs, list):  # a sum keeps no numbers
        return now
    seen: float = user._w if i else user._x
    return seen
