"""What a picture shows: plain text and numbers, no array, no node.

Each tensor is a vertex and each operation is a vertex; edges run the way that values flow. Nothing
here refers to a graph, so a picture keeps none alive. :mod:`reader` writes pictures of recorded
graphs, :mod:`simplify` makes smaller ones of them.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Literal, NamedTuple

__all__ = ["Edge", "Group", "Kind", "Picture", "Vertex"]

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
    parameters: int = 0  # numbers that the module learns


@dataclass(slots=True)
class Picture:
    """The vertices, each after those that it depends on, the edges, and the module boxes."""

    vertices: list[Vertex] = field(default_factory=list)
    edges: list[Edge] = field(default_factory=list)
    groups: list[Group] = field(default_factory=list)
    stands: dict[str, str] = field(default_factory=dict)  # a vertex that is hidden -> the one in its place
