"""The picture as text: a line for each tensor, in the order in which they were computed."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from .boxes import STYLES, printable
from .model import Picture, Vertex

__all__ = ["write"]


def write(picture: Picture) -> str:
    """Return lines such as ``y = tanh(x)   (3,) float32   value [...]   grad [...]``.

    Tensors without a name are called %0, %1, ...
    """
    label = {v.key: _label(v) for v in picture.vertices}
    operations = {v.key: v for v in picture.vertices if v.kind == "operation"}
    inputs: dict[str, list[str]] = {key: [] for key in operations}
    maker: dict[str, str] = {}
    for a, b, *_ in picture.edges:
        if b in operations:
            inputs[b].append(label[a])
        else:
            maker[b] = a
    rows = []
    for v in picture.vertices:
        if v.kind == "operation":
            continue
        made = STYLES[v.kind].word
        if v.key in maker:
            operation = operations[maker[v.key]]
            arguments = [*inputs[operation.key], *([operation.params] if operation.params else [])]
            made = f"{operation.name}({', '.join(map(printable, arguments))})"
        shape = f"{v.shape} {v.dtype}" if v.shape is not None else ""
        grad = "" if v.kind == "constant" else f"grad {v.grad or '—'}"
        rows.append((f"{label[v.key]} = {made}", shape, f"value {v.value or '—'}",
                     f"{grad}  ({v.note})" if v.note else grad))  # fmt: skip
    return "".join(line + "\n" for line in _aligned(rows))


def _label(v: Vertex) -> str:
    return printable(v.name) or f"%{v.key.removeprefix('t')}"


def _aligned(rows: Sequence[tuple[str, ...]]) -> Iterable[str]:
    widths = [min(max(map(len, column)), 60) for column in zip(*rows, strict=True)]
    for row in rows:
        cells = (cell.ljust(w) for cell, w in zip(row, widths, strict=True))
        yield "  ".join(cells).rstrip()
