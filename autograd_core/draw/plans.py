"""The picture of a compiled step: its plan, call by call, with what it reads and what it leaves behind.

A call is a pill with the shape of its result, and what a line of the user's code makes is a box. What is
there before the step (arguments, parameters, state) is drawn as a leaf; what is other after it (a gradient,
a parameter that is written to, what is returned) as an output. The plan is asked for its rows, plain data,
so that this knows nothing of how it was made.
"""

from __future__ import annotations

from itertools import groupby
from typing import Any

from .graph import Graph
from .model import Edge, Group, Picture, Vertex
from .simplify import simplify

__all__ = ["PlanGraph", "draw_plan", "plan_of"]

TITLE = 30  # characters of a name in a box


class PlanGraph(Graph):
    """The picture of a plan; as text it is the plan's own table."""

    def __init__(self, plan: Any, picture: Picture, direction: str, **how: Any) -> None:
        super().__init__(picture, direction, show=("shape",), **how)
        self._told = str(plan)

    def text(self) -> str:
        """Return the calls as lines of text."""
        return self._told + "\n"

    def __repr__(self) -> str:
        kinds = [v.kind for v in self.picture.vertices]
        return f"<PlanGraph: {kinds.count('operation')} calls, {kinds.count('output')} arrays left behind>"


def plan_of(subject: tuple[Any, ...]) -> Any:
    """Return the plan of a compiled step, or the plan that is the one subject; None for anything else.

    Raises:
        CompileError: a compiled step that has no plan yet.
    """
    if len(subject) != 1:
        return None
    kind = type(subject[0])
    if hasattr(kind, "rows") and hasattr(kind, "times"):
        return subject[0]
    return subject[0].plan if isinstance(getattr(kind, "plan", None), property) else None


def draw_plan(plan: Any, direction: str, engine: str | None, **how: Any) -> PlanGraph:
    """Draw a plan; ``how`` goes to :func:`simplify`."""
    whole = picture_of(plan)
    return PlanGraph(plan, simplify(whole, **how), direction, engine=engine, whole=whole)


def picture_of(plan: Any) -> Picture:
    """Return the whole picture of a plan."""
    rows = plan.rows()
    boxes = [
        (f"m{n}", where, code, list(group))
        for n, ((where, code), group) in enumerate(groupby(rows, key=lambda row: (row.where, row.code)))
    ]
    homes: dict[str, set[str]] = {}  # of each leaf: the boxes that read it
    for box, _, _, group in boxes:
        for row in group:
            for array in row.reads:
                homes.setdefault(array.key, set()).add(box)
    last = {array.name: row.number for row in rows for array in row.writes}
    picture = Picture()
    there: set[str] = set()
    for box, where, code, group in boxes:
        picture.groups.append(Group(box, code or where, where if code else ""))
        for row in group:
            for array in row.reads:
                if not array.key.startswith("%") and array.key not in there:
                    there.add(array.key)
                    picture.vertices.append(_leaf(array, box if len(homes[array.key]) == 1 else ""))
            picture.vertices.append(_call(row, box))
            there.add(f"o{row.number}")
            picture.edges += [Edge(_source(a), f"o{row.number}") for a in row.reads if _source(a) in there]
            kept = [(name, (row.made or row.writes)[:1]) for name in row.kept]
            kept += [(f"{a.name} is written", (a,)) for a in row.writes if last[a.name] == row.number]
            for i, (name, arrays) in enumerate(kept):
                shape, dtype = (arrays[0].shape, arrays[0].dtype) if arrays else (None, "")
                picture.vertices.append(
                    Vertex(f"e{row.number}x{i}", "output", name, shape=shape, dtype=dtype)
                )
                picture.edges.append(Edge(f"o{row.number}", f"e{row.number}x{i}"))
    return picture


def _leaf(array: Any, home: str) -> Vertex:
    """Draw what is there before the step: state and constants in the box of the line that reads them."""
    state = array.kind == "leaf"
    inside = home if array.kind in ("leaf", "constant") else ""
    return Vertex(
        array.key,
        "input" if state else array.kind,
        array.name,
        shape=array.shape,
        dtype=array.dtype,
        note="state" if state else "",
        group=inside,
    )


def _source(array: Any) -> str:
    """Return the key of the vertex that an array comes from: the call that made it, or its leaf."""
    return f"o{array.key[1:]}" if array.key.startswith("%") else array.key


def _call(row: Any, box: str) -> Vertex:
    results = row.made or row.writes
    params = f"{results[0].shape} {results[0].dtype}" if results else ""
    if row.time is not None:
        params += f" {row.time * 1e6:.3g} us"
    return Vertex(f"o{row.number}", "operation", row.title, params.strip(), group=box,
                  marks=("in place",) if row.writes else ())  # fmt: skip
