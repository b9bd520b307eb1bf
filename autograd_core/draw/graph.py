"""The picture in all its forms: what :func:`draw` returns."""

from __future__ import annotations

from functools import cached_property
from os import PathLike
from pathlib import Path
from typing import Any

from ..errors import message
from . import dot, svg, text
from .boxes import Box, box
from .layout import Layout, layered
from .model import Picture

__all__ = ["Graph"]

MANY = 400  # vertices: above this Graphviz takes seconds, and the library's own layout does it


class Graph:
    """A picture of a computation graph. It shows itself in a notebook, and can be saved.

    It is plain data (``picture``): the graph itself is not kept alive by it.
    """

    def __init__(self, picture: Picture, direction: str = "LR") -> None:
        self.picture, self.direction = picture, direction

    @cached_property
    def _boxes(self) -> list[Box]:
        return [box(v) for v in self.picture.vertices]

    @cached_property
    def _layout(self) -> Layout:
        """Graphviz's places where its program is present and the graph is small, else our own."""
        if len(self.picture.vertices) <= MANY:
            found = dot.place(self.picture, self._boxes, self.direction)
            if found is not None:
                return found
        number = {v.key: i for i, v in enumerate(self.picture.vertices)}
        edges = [(number[e.source], number[e.target]) for e in self.picture.edges]
        return layered([(b.width, b.height) for b in self._boxes], edges, self.direction)

    def svg(self) -> str:
        """Return the picture as an SVG document."""
        return svg.write(self.picture, self._boxes, self._layout)

    def dot(self) -> str:
        """Return the picture in Graphviz's language."""
        return dot.write(self.picture, self._boxes, self.direction)

    def text(self) -> str:
        """Return the picture as lines of text."""
        return text.write(self.picture)

    def save(self, path: str | PathLike[str]) -> Path:
        """Write the picture to a file, in the format that its name ends with.

        ``.svg``, ``.dot`` and ``.txt`` are always there; ``.png`` and ``.pdf`` need Graphviz.

        Raises:
            ValueError: another ending.
            RuntimeError: ``.png`` or ``.pdf`` without Graphviz's program ``dot``.
        """
        path = Path(path)
        kind = path.suffix.lower().removeprefix(".")
        writers = {"svg": self.svg, "dot": self.dot, "gv": self.dot, "txt": self.text}
        if kind in writers:
            path.write_text(writers[kind](), encoding="utf-8")
        elif kind in ("png", "pdf"):
            path.write_bytes(dot.render(self.dot(), kind))
        else:
            raise ValueError(message("draw", f"a file name ending in {path.suffix!r}",
                                     ".svg, .dot, .txt, .png or .pdf"))  # fmt: skip
        return path

    def __repr__(self) -> str:
        operations = sum(v.kind == "operation" for v in self.picture.vertices)
        tensors = len(self.picture.vertices) - operations
        return f"<Graph: {operations} operations, {tensors} tensors>"

    def __str__(self) -> str:
        return self.text()

    def _repr_svg_(self) -> str:
        return self.svg()

    def _repr_mimebundle_(self, include: Any = None, exclude: Any = None) -> dict[str, str]:
        return {"image/svg+xml": self.svg(), "text/plain": self.text()}
