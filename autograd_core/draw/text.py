"""The picture as text: a line for each tensor, in the order in which they were computed.

What a module made is indented below a line with the module's name. A closed module, a loop that
was rolled up and an operation that raised are written as what they are: a call.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence

from .boxes import STYLES, printable
from .model import Edge, Group, Picture, Vertex

__all__ = ["write"]

MADE = ("operation", "module")  # kinds of vertices that make others
COLUMN = 60  # characters: a cell that is longer stands out of its column

Row = tuple[str, ...]


def write(picture: Picture) -> str:
    """Return lines such as ``y = tanh(x)   (3,) float32   value [...]   grad [...]``.

    Tensors without a name are called %0, %1, ... A name in slashes, ``/x/``, is an input to which
    no gradient goes though it could; ``^h`` is one of the step before, in a rolled-up recurrence.
    """
    calls = _calls(picture)
    feeds = {e.target: e.source for e in picture.edges if not e.back}
    outputs = {v.key for v in picture.vertices if v.kind not in MADE}
    heard = {e.source for e in picture.edges if e.target in outputs}  # named by what they made
    groups = {g.key: g for g in picture.groups}
    started: set[str] = set()
    inside: tuple[str, ...] = ()
    rows: list[tuple[int, Row]] = []
    for v in picture.vertices:
        if v.kind in MADE and v.key in heard and not v.error:
            continue
        path = _path(v.group, groups)
        for depth, key in enumerate(path):
            if path[: depth + 1] != inside[: depth + 1]:
                rows.append((depth, (_heading(groups[key], key in started),)))
                started.add(key)
        inside = path
        rows.append((len(path), _row(v, calls.get(feeds.get(v.key, ""), ""), calls)))
    return "".join(line + "\n" for line in [*_aligned(rows), *_errors(picture.vertices)])


def _row(v: Vertex, made: str, calls: Mapping[str, str]) -> Row:
    if v.kind in MADE and v.shape is None:
        return (f"{calls[v.key]}{_more(v)}",)
    first = calls.get(v.key) or f"{_label(v)} = {made or STYLES[v.kind].word}"
    shape = f"{v.shape} {v.dtype}" if v.shape is not None else ""
    grad = "" if v.kind == "constant" else f"grad {v.grad or '—'}"
    return (first, shape, f"value {v.value or '—'}", grad + _more(v))


def _more(v: Vertex) -> str:
    """Return what is special about a vertex, in brackets behind all else."""
    count = [f"×{v.count}"] if v.count > 1 else []
    said = [*count, *v.marks, *([v.note] if v.note else []), *(["raised"] if v.error else [])]
    return f"  ({printable(', '.join(said))})" if said else ""


def _calls(picture: Picture) -> dict[str, str]:
    """Write every operation and closed module as the call that it was."""
    vertices = {v.key: v for v in picture.vertices}
    arguments: dict[str, list[str]] = {v.key: [] for v in picture.vertices if v.kind in MADE}
    for edge in picture.edges:
        if edge.target in arguments:
            arguments[edge.target].append(_argument(edge, vertices[edge.source]))
    calls = {}
    for key, inputs in arguments.items():
        v = vertices[key]
        if v.kind == "module":
            kind = f": {printable(v.params)}" if v.params else ""
            calls[key] = f"{_label(v)}({', '.join(inputs)}){kind}"
        else:
            params = [printable(v.params)] if v.params else []
            calls[key] = f"{printable(v.name)}({', '.join([*inputs, *params])})"
    return calls


def _argument(edge: Edge, source: Vertex) -> str:
    label = _label(source)
    if edge.dotted and source.kind != "constant":
        label = f"/{label}/"
    return f"^{label}" if edge.back else label


def _label(v: Vertex) -> str:
    if v.kind == "operation":
        return f"{printable(v.name)}(...)"
    return printable(v.name) or f"%{v.key.removeprefix('t')}"


def _path(key: str, groups: Mapping[str, Group]) -> tuple[str, ...]:
    """Return the boxes that a vertex lies in, from the outermost to its own."""
    path: list[str] = []
    while key:
        path.append(key)
        key = groups[key].parent
    return tuple(reversed(path))


def _heading(group: Group, again: bool) -> str:
    count = f" ×{group.count}" if group.count > 1 else ""
    kind = "..." if again else printable(group.kind)
    return f"[{printable(group.name)}{count}] {kind}".rstrip()


def _errors(vertices: Iterable[Vertex]) -> Iterator[str]:
    """Say what was raised, and where; an error's own lines stay lines."""
    for v in vertices:
        if v.error:
            yield f"raised in {printable(v.name) or v.key}:"
            yield from (f"  {printable(line)}" for line in v.error.splitlines())


def _aligned(rows: Sequence[tuple[int, Row]]) -> Iterator[str]:
    """Bring cells into columns, those of a row of one cell (a heading) aside."""
    lines = [("  " * depth + row[0], *row[1:]) for depth, row in rows]
    full = [line for line in lines if len(line) > 1]
    widths = [min(max(map(len, column)), COLUMN) for column in zip(*full, strict=True)]
    for line in lines:
        cells = (cell.ljust(w) for cell, w in zip(line, widths)) if len(line) > 1 else line
        yield "  ".join(cells).rstrip()
