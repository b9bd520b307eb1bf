"""The picture as JSON, and the picture back from it: so it can be stored, sent and shown later.

The document is one object::

    {"format": "autograd-core picture", "version": 1,
     "vertices": [{"key": "t0", "kind": "input", "name": "x", "shape": [2], "value": "[1, 2]"}, ...],
     "edges": [{"source": "t0", "target": "op1"}, ...],
     "groups": [{"key": "m2", "name": "encoder.0", "kind": "Linear(3, 2)"}, ...]}

``vertices``, ``edges`` and ``groups`` hold the fields of :class:`Vertex`, :class:`Edge` and
:class:`Group`, in the order of the picture; a field that has its default is left out. JSON has no
numbers for infinity and "not a number": they are the strings ``"inf"``, ``"-inf"`` and ``"nan"``.
The text is ASCII and has no ``<``, so that it may stand in a page's ``<script>``.
"""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from dataclasses import MISSING, Field, fields
from typing import Any

from ..errors import message
from .model import Edge, Group, Picture, Vertex

__all__ = ["FORMAT", "VERSION", "read", "write"]

FORMAT, VERSION = "autograd-core picture", 1
NUMBERS = {f.name for f in fields(Vertex) if "float" in str(f.type)}


def write(picture: Picture) -> str:
    """Return the picture as JSON, a line for each vertex, edge and group.

    >>> print(write(Picture([Vertex("t0", "input", "x", shape=(2,))])))
    {"format": "autograd-core picture", "version": 1,
     "vertices": [
      {"key": "t0", "kind": "input", "name": "x", "shape": [2]}],
     "edges": [],
     "groups": []}
    """
    head = f'{{"format": {json.dumps(FORMAT)}, "version": {VERSION}'
    parts = [f"\n {json.dumps(name)}: {_rows(getattr(picture, name))}" for name in _PARTS]
    return ",".join([head, *parts]) + "}"


def read(text: str) -> Picture:
    """Return the picture that :func:`write` wrote; it is equal to the one written.

    Raises:
        ValueError: text that is not such a document, or of a later version; an edge, a group or a
            member of a group that refers to something that is not there.
    """
    document = json.loads(text)
    if not isinstance(document, dict) or document.get("format") != FORMAT:
        raise ValueError(message("draw", "other JSON", f'an object with "format": "{FORMAT}"'))
    if document.get("version") != VERSION:
        raise ValueError(message("draw", f"version {document.get('version')}", str(VERSION)))
    vertices, edges, groups = (
        [_made(cls, row) for row in document.get(name, ())] for name, cls in _PARTS.items()
    )
    picture = Picture(vertices, edges, groups)
    keys, boxes = {v.key for v in vertices}, {"", *(g.key for g in groups)}
    used = {end for e in edges for end in e[:2]}
    inside = {v.group for v in vertices} | {g.parent for g in groups}
    if len(keys) < len(vertices) or len(boxes) <= len(groups):
        raise ValueError(message("draw", "a key that is there twice", "unique keys"))
    if lost := sorted((used - keys) | (inside - boxes)):
        raise ValueError(message("draw", f"a reference to {lost[0]!r}", "a key of the document"))
    return picture


_PARTS: dict[str, Any] = {"vertices": Vertex, "edges": Edge, "groups": Group}


def _defaults(cls: Any) -> Mapping[str, Any]:
    """Return the fields of a class that need not be given, with what they then are."""
    if cls is Edge:
        return Edge._field_defaults
    every: tuple[Field[Any], ...] = fields(cls)
    return {f.name: f.default for f in every if f.default is not MISSING}


def _names(cls: Any) -> tuple[str, ...]:
    return Edge._fields if cls is Edge else tuple(f.name for f in fields(cls))


def _rows(things: list[Any]) -> str:
    if not things:
        return "[]"
    names, defaults = _names(type(things[0])), _defaults(type(things[0]))
    rows = []
    for thing in things:
        told = {name: getattr(thing, name) for name in names}
        kept = {name: _plain(x) for name, x in told.items()
                if name not in defaults or x != defaults[name]}  # fmt: skip
        rows.append("  " + json.dumps(kept, allow_nan=False).replace("<", "\\u003c"))
    return "[\n" + ",\n".join(rows) + "]"


def _plain(x: Any) -> Any:
    return str(x) if isinstance(x, float) and not math.isfinite(x) else x


def _made(cls: Any, row: Any) -> Any:
    """Make a Vertex, Edge or Group from what JSON holds of it."""
    names, defaults = _names(cls), _defaults(cls)
    needed = set(names) - set(defaults)
    if not isinstance(row, dict) or not needed <= set(row) <= set(names):
        got = ", ".join(row) if isinstance(row, dict) else repr(row)
        raise ValueError(message("draw", f"{cls.__name__} with {got}", f"fields {', '.join(names)}"))
    return cls(**{name: _field(name, x) for name, x in row.items()})


def _field(name: str, x: Any) -> Any:
    if name in NUMBERS and x is not None:
        return float(x)
    return tuple(x) if isinstance(x, list) else x
