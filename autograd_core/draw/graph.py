"""The picture in all its forms: what :func:`draw` returns."""

from __future__ import annotations

from collections.abc import Callable, Collection
from functools import cached_property
from os import PathLike
from pathlib import Path
from typing import Any

from ..errors import message
from . import dot, page, svg, text
from .boxes import CHARACTER, LINE, SHOW, Box, box, columns, heading, printable, shorten
from .colours import Scale, scale
from .layout import Layout, place
from .leaves import redrawn
from .legend import legend
from .levels import Tree, nested
from .model import Picture

__all__ = ["Graph"]

MANY = 120  # vertices: above this Graphviz may take minutes, and our own layout does it


class Graph:
    """A picture of a computation graph. It shows itself in a notebook, and can be saved.

    It is plain data (``picture``): the graph itself is not kept alive by it.

    Args:
        picture: what is shown.
        direction: in which the computation runs: "LR", "RL", "TB" or "BT".
        show: the lines of a tensor's box: any of "value", "grad" and "shape".
        color: what colours tell: the "kind" of a vertex, the size of its gradient ("grad"), or of
            its values ("value").
        engine: "dot" for Graphviz's places, wherever its program is present; "own" for the library's.
            By default Graphviz has small pictures without modules, words at edges and ways back.
        steps: what :meth:`step` shows.
        whole: the picture before anything in it was closed: what the boxes of a page open to.
        error: what the drawn function raised.

    Raises:
        ValueError: another ``show``, ``color`` or ``engine``.
    """

    def __init__(
        self,
        picture: Picture,
        direction: str = "LR",
        *,
        show: Collection[str] = SHOW,
        color: str = "kind",
        engine: str | None = None,
        steps: Any = None,
        whole: Picture | None = None,
        error: Any = None,
    ) -> None:
        show = (show,) if isinstance(show, str) else tuple(show)
        if not set(show) <= set(SHOW):
            raise ValueError(message("draw", f"show={show!r}", "any of 'value', 'grad' and 'shape'"))
        if color not in ("kind", "grad", "value"):
            raise ValueError(message("draw", f"color={color!r}", "'kind', 'grad' or 'value'"))
        if engine not in (None, "dot", "own"):
            raise ValueError(message("draw", f"engine={engine!r}", "'dot', 'own' or None"))
        self.picture, self.direction = picture, direction
        self.show, self.color, self.engine = show, color, engine
        self.steps, self.whole, self.error = steps, whole, error

    # -- what is drawn, and where ---------------------------------------------------------------------

    def _box(self, drawn: Picture) -> list[Box]:
        return [box(v, self.show, brief="~" in v.key) for v in drawn.vertices]

    @cached_property
    def _places(self) -> tuple[Picture, list[Box], Layout]:
        """Graphviz's places where its program is present and the graph is small, else our own."""
        drawn = redrawn(self.picture)
        boxes = self._box(drawn)
        plain = not drawn.groups and not any(e.back or e.label for e in drawn.edges)
        if self.engine == "dot" or self.engine is None and plain and len(drawn.vertices) <= MANY:
            found = dot.place(drawn, boxes, self.direction)
            if found is not None:
                return drawn, boxes, found
        return drawn, boxes, laid_out(drawn, boxes, self.direction)[1]

    @property
    def _layout(self) -> Layout:
        return self._places[2]

    def _scale(self, drawn: Picture) -> Scale | None:
        return None if self.color == "kind" else scale(drawn.vertices, self.color)

    # -- the forms ------------------------------------------------------------------------------------

    def svg(self) -> str:
        """Return the picture as an SVG document."""
        drawn, boxes, layout = self._places
        colours = self._scale(drawn)
        told = legend(drawn, boxes, layout.width, colours, self._failure())
        return svg.write(drawn, boxes, layout, colours, told)

    def html(self) -> str:
        """Return a page without any reference to others, in which module boxes open and close."""
        return page.document(self._fragment())

    def _fragment(self) -> str:
        """Return the part of a page that shows the picture: what a notebook takes."""
        opened, closed = page.opened(self.picture, self.whole)
        drawn, modules = redrawn(opened), page.modules(opened)
        boxes, shut = self._box(drawn), [box(v, self.show) for v in modules]
        tree, layout = laid_out(drawn, boxes, self.direction)
        colours = self._scale(drawn)
        told = legend(drawn, [*boxes, *shut], 900.0, colours, self._failure())
        picture = svg.write(drawn, boxes, layout, colours, closed=list(zip(modules, shut, strict=True)))
        known = page.data(drawn, boxes, tree, modules, shut, labels(drawn), closed, self.direction)
        return page.fragment(known, picture, told)

    def dot(self) -> str:
        """Return the picture in Graphviz's language."""
        colours = self._scale(self.picture)
        return dot.write(self.picture, self._box(self.picture), self.direction, scale=colours)

    def mermaid(self) -> str:
        """Return the picture in Mermaid's language, which GitHub and GitLab draw."""
        from . import mermaid

        return mermaid.write(self.picture, self.direction, self.show, self._scale(self.picture))

    def json(self) -> str:
        """Return the picture as JSON; ``draw.data.read`` makes a picture of it again."""
        from . import data

        return data.write(self.picture)

    def text(self) -> str:
        """Return the picture as lines of text."""
        return text.write(self.picture)

    def step(self) -> Any:
        """Return the page that goes through the values, and back through the chain rule, by steps.

        Raises:
            RuntimeError: the steps were not there any more when the picture was made.
        """
        if self.steps is None:
            raise RuntimeError(message("draw", "a picture without steps", "values that are still there",
                                       "draw(f, *inputs), which runs f and keeps everything, or "
                                       "draw(loss) before backward() releases it"))  # fmt: skip
        from .steps_page import Stepper

        return Stepper(self, self.steps())

    def save(self, path: str | PathLike[str]) -> Path:
        """Write the picture to a file, in the format that its name ends with.

        ``.svg``, ``.html``, ``.dot``, ``.txt``, ``.json``, ``.mmd`` and ``.md`` (Mermaid) are always
        there; ``.png`` and ``.pdf`` need Graphviz.

        Raises:
            ValueError: another ending.
            RuntimeError: ``.png`` or ``.pdf`` without Graphviz's program ``dot``.
        """
        path = Path(path)
        kind = path.suffix.lower().removeprefix(".")
        writers: dict[str, Callable[[], str]] = {
            "svg": self.svg, "html": self.html, "dot": self.dot, "gv": self.dot, "txt": self.text,
            "json": self.json, "mmd": self.mermaid,
            "md": lambda: f"```mermaid\n{self.mermaid().rstrip()}\n```\n",
        }  # fmt: skip
        if kind in writers:
            path.write_text(writers[kind](), encoding="utf-8")
        elif kind in ("png", "pdf"):
            path.write_bytes(dot.render(self.dot(), kind))
        else:
            raise ValueError(message("draw", f"a file name ending in {path.suffix!r}",
                                     ".svg, .html, .dot, .txt, .json, .mmd, .md, .png or .pdf"))  # fmt: skip
        return path

    # -- in a notebook, and in a session --------------------------------------------------------------

    def __repr__(self) -> str:
        kinds = [v.kind for v in self.picture.vertices]
        operations, modules = kinds.count("operation"), kinds.count("module")
        closed = f", {modules} closed modules" if modules else ""
        return f"<Graph: {operations} operations, {len(kinds) - operations - modules} tensors{closed}>"

    def __str__(self) -> str:
        return self.text()

    def _repr_svg_(self) -> str:
        return self.svg()

    def _repr_html_(self) -> str:
        return self._fragment()

    def _repr_mimebundle_(self, include: Any = None, exclude: Any = None) -> dict[str, str]:
        return {"text/html": self._fragment(), "image/svg+xml": self.svg(), "text/plain": self.text()}

    def _failure(self) -> str:
        """Return what was raised, if no operation of the picture says so."""
        if self.error is None or any(v.error for v in self.picture.vertices):
            return ""
        return self.error if isinstance(self.error, str) else f"{type(self.error).__name__}: {self.error}"


def laid_out(drawn: Picture, boxes: list[Box], direction: str) -> tuple[Tree, Layout]:
    """Return the levels of a picture and the places that the library's own layout finds."""
    sizes = {v.key: (b.width, b.height) for v, b in zip(drawn.vertices, boxes, strict=True)}
    least = {g.key: heading(g)[2] for g in drawn.groups}
    parents = {g.key: g.parent for g in drawn.groups}
    edges = [(e.source, e.target, e.back) for e in drawn.edges]
    words = [n for n, e in enumerate(drawn.edges) if e.label]
    tree = nested({v.key: v.group for v in drawn.vertices}, parents, edges, words)
    sizes |= labels(drawn)
    return tree, place(tree, sizes | least, edges, list(parents), direction)


def labels(drawn: Picture) -> dict[str, tuple[float, float]]:
    """Return the room that is needed by what is written at edges, above the line."""
    return {f"={n}": (columns(shorten(printable(e.label))) * CHARACTER, 2 * LINE)
            for n, e in enumerate(drawn.edges) if e.label}  # fmt: skip
