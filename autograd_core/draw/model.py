"""What a picture shows, taken from a recorded graph: plain text and numbers, no array, no node.

Each tensor is a vertex and each operation is a vertex; edges run the way that values flow. Nothing
here refers to the graph, so a picture keeps no graph alive, and drawing changes nothing in it.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal, NamedTuple

import numpy as np

from ..errors import message
from ..node import LEAF, Node, Standin, strip
from ..tensor import Parameter, Tensor
from .numbers import abbreviate

__all__ = ["Edge", "Group", "Kind", "Picture", "Vertex", "extract"]

Kind = Literal["input", "parameter", "constant", "result", "output", "operation", "module"]


@dataclass(slots=True)
class Vertex:
    """A tensor, an operation, or a closed module. None in ``value`` or ``grad`` is what is not known."""

    key: str  # "t3": unique in its picture
    kind: Kind
    name: str = ""  # of the tensor, as its user calls it, of the operation, or of the module
    params: str = ""  # of the operation: "axis=0"; of a module: "Linear(3, 2)"
    shape: tuple[int, ...] | None = None
    dtype: str = ""
    value: str | None = None
    grad: str | None = None
    note: str = ""
    group: str = ""  # key of the module box that it lies in
    marks: tuple[str, ...] = ()  # "view", "in place", "saved", "detached"
    count: int = 1  # how many like it stand folded into this one
    error: str = ""  # what was raised here
    grad_size: float | None = None  # root mean square of the gradient, for colours
    low: float | None = None  # range of the values, for colours
    high: float | None = None


class Edge(NamedTuple):
    """A way that values flow: from a tensor into an operation, or out of it."""

    source: str
    target: str
    dotted: bool = False  # no gradient comes back along it
    back: bool = False  # the arc of a rolled-up recurrence, against the direction of the others
    label: str = ""


@dataclass(slots=True)
class Group:
    """A module: a box around what its forward pass made, within the box of its parent."""

    key: str  # "m2"
    name: str  # "encoder.0", as the model names it
    kind: str  # "Linear(3, 2)"
    parent: str = ""
    count: int = 1  # how many like it stand folded into this one


@dataclass(slots=True)
class Picture:
    """The vertices, each after those that it depends on, the edges, and the module boxes."""

    vertices: list[Vertex] = field(default_factory=list)
    edges: list[Edge] = field(default_factory=list)
    groups: list[Group] = field(default_factory=list)


class _Constant:
    """A value that an operation saw and that no gradient goes to."""

    __slots__ = ("value",)

    def __init__(self, value: Any) -> None:
        self.value = value


def extract(roots: tuple[Any, ...], names: Mapping[str, Any] | None = None) -> Picture:
    """Walk from ``roots`` to everything that they were computed from, without recursion."""
    reader = _Reader(names or {})
    tops = [reader.place(root) for root in roots]
    for top in _in_order(tops, reader):
        reader.add(top, is_root=any(top is t for t in tops))
    return reader.picture


def _in_order(tops: list[Any], reader: _Reader) -> list[Any]:
    """Return all things behind ``tops``, inputs before what is made from them."""
    order: list[Any] = []
    done: set[int] = set()
    for top in tops:
        stack = [(top, False)]
        while stack:
            thing, seen = stack.pop()
            if seen:
                order.append(thing)
            elif id(thing) not in done:
                done.add(id(thing))
                stack.append((thing, True))
                stack += [(x, False) for x in reversed(reader.inputs(thing))]
    return order


class _Reader:
    """The one place that knows how graphs are stored: of Tensors, and of scalar Values."""

    def __init__(self, names: Mapping[str, Any]) -> None:
        self.picture = Picture()
        self.keys: dict[int, str] = {}
        self.constants: dict[int, _Constant] = {}
        self.known: dict[int, list[Any]] = {}  # thing -> its inputs; holds what ids refer to
        self.tensors: dict[int, Tensor] = {}  # node -> a Tensor of it that the user gave us
        self.stale: set[int] = set()  # leaves that were written to after they were used
        self.names: dict[int, str] = {}
        for name, x in names.items():
            if isinstance(x, Tensor):
                self.names.setdefault(id(self.place(x)), name)
                self.names.setdefault(id(strip(x)), name)  # a constant is known by its array
            elif isinstance(x, np.ndarray) or _is_value(x):
                self.names.setdefault(id(x), name)

    def place(self, root: Any) -> Any:
        """Return what stands for ``root`` in the graph: its node, or itself."""
        if isinstance(root, Tensor):
            if isinstance(root.node, Node):
                self.tensors.setdefault(id(root.node), root)
                return root.node
            return root
        if _is_value(root):
            return root
        hint = "draw(model(x))" if hasattr(root, "named_parameters") else (
            "draw(f(x))" if callable(root) else "ag.tensor(x)")  # fmt: skip
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
            for edge in (*thing.edges, *thing.viewed):
                if getattr(edge, "version", 0) > thing.id:
                    self.stale.add(id(edge))
            return [edge if edge is not None else self._constant(x)
                    for edge, x in zip(thing.edges, thing.inputs, strict=True)]  # fmt: skip
        if _is_value(thing):
            return self._value_inputs(thing)
        return []

    def _value_inputs(self, v: Any) -> list[Any]:
        """A Value holds its operands; a plain number among them only as ``_x`` or ``_w``."""
        inputs = list(v._inputs)
        if v.primitive is None or len(inputs) != 1 or v.primitive.arity != 2:
            return inputs
        if v._x is inputs[0].data or v._w is not inputs[0].data and v._x == inputs[0].data:
            return [*inputs, _Constant(v._w)]
        return [_Constant(v._x), *inputs]

    def _constant(self, x: Any) -> _Constant:
        """Wrap a constant; an array that several operations saw is one constant."""
        if isinstance(x, np.ndarray):
            return self.constants.setdefault(id(x), _Constant(x))
        return _Constant(x)

    # -- writing the picture ----------------------------------------------------------------------

    def add(self, thing: Any, is_root: bool) -> None:
        """Add the vertices and edges of one thing, whose inputs have been added."""
        n = len(self.keys)
        key = self.keys[id(thing)] = f"t{n}"
        vertex = self._vertex(thing, key)
        primitive = getattr(thing, "primitive", None)
        inputs = self.inputs(thing)
        if primitive is not None and inputs:
            vertex.kind = "output" if is_root else "result"
            params = getattr(thing, "params", None) or {}
            operation = Vertex(f"op{n}", "operation", primitive.name, _parameters(params))
            self.picture.vertices.append(operation)
            self.picture.edges += [Edge(self.keys[id(x)], operation.key) for x in inputs]
            self.picture.edges.append(Edge(operation.key, key))
        self.picture.vertices.append(vertex)

    def _vertex(self, thing: Any, key: str) -> Vertex:
        if isinstance(thing, Node):
            tensor = self.tensors.get(id(thing))
            value = thing.output if tensor is None else tensor.data
            grad = thing.grad if tensor is None or tensor.grad is None else tensor.grad
            name = self.names.get(id(thing)) or (tensor.name if tensor is not None else "")
            return _tensor(key, "input", name, thing, value, grad)
        if isinstance(thing, Tensor):
            kind: Kind = "constant" if thing.node is not LEAF else (
                "parameter" if isinstance(thing, Parameter) else "input")  # fmt: skip
            name = self.names.get(id(thing)) or self.names.get(id(strip(thing))) or thing.name
            vertex = _tensor(key, kind, name, thing, thing.data, thing.grad)
            if id(thing) in self.stale:
                vertex.note = "written to since"
            return vertex
        if isinstance(thing, _Constant):
            x = thing.value
            name = self.names.get(id(x), "")
            like = x if hasattr(x, "shape") else None  # a plain number needs no shape
            return _tensor(key, "constant", name, like, None if isinstance(x, Standin) else x, None)
        # A Value's gradient is 0.0 before any backward has come by; only its mark tells.
        grad = thing.grad if thing.grad or getattr(thing, "_mark", True) else None
        vertex = Vertex(key, "input", self.names.get(id(thing)) or thing.label)
        vertex.value, vertex.grad = abbreviate(thing.data), abbreviate(grad)
        return vertex


def _is_value(x: Any) -> bool:
    """Recognise a scalar of the classroom's engine by what it has."""
    return hasattr(type(x), "_inputs") and hasattr(type(x), "label") and hasattr(x, "data")


def _tensor(key: str, kind: Kind, name: str | None, like: Any, value: Any, grad: Any) -> Vertex:
    shape = None if like is None else tuple(like.shape)
    dtype = "" if like is None else str(like.dtype)
    return Vertex(key, kind, name or "", "", shape, dtype, abbreviate(value), abbreviate(grad))


def _parameters(params: Mapping[str, Any]) -> str:
    """Write an operation's metadata; None and False, which are NumPy's defaults, say nothing."""
    return ", ".join(f"{name}={_brief(x)}" for name, x in params.items()
                     if x is not None and x is not False)  # fmt: skip


def _brief(x: Any) -> str:
    """Write one parameter: an array by its dtype and shape, a slice as it is typed."""
    x = strip(x)
    if isinstance(x, (tuple, list)):
        inner = ", ".join(map(_brief, x))
        return f"({inner}{',' * (len(x) == 1)})" if isinstance(x, tuple) else f"[{inner}]"
    if isinstance(x, slice):
        ends = ["" if end is None else str(end) for end in (x.start, x.stop, x.step)]
        return ":".join(ends if x.step is not None else ends[:2])
    if isinstance(x, np.ndarray):
        return f"{x.dtype}{list(x.shape)}"
    return "..." if x is Ellipsis else str(x) if isinstance(x, np.generic) else repr(x)
