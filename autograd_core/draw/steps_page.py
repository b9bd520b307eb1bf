"""The stepper: one page, with everything in it, that goes through a computation step by step."""

from __future__ import annotations

import json
import xml.etree.ElementTree as ET
from copy import deepcopy
from dataclasses import replace
from functools import cached_property
from html import escape
from importlib.resources import files
from os import PathLike
from pathlib import Path
from typing import Any

from ..errors import GraphError, message
from .graph import Graph
from .model import Picture
from .narrate import narrate
from .records import Steps
from .stage import XMLNS, stage
from .strip import film
from .wording import lines, symbols

__all__ = ["Stepper"]

MANY = 60  # operations: past these no direction shows all of them at once
WIDE, TALL = (1320.0, 420.0), (860.0, 760.0)  # room for the graph above the panel, and beside it


class Stepper:
    """Goes forward through the values, then back through the chain rule, one edge at a time.

    It shows itself in a notebook; ``.save("steps.html")`` writes one file that needs nothing else,
    ``.svg()`` returns a film strip for print, ``.text()`` all steps as lines.

    Args:
        picture: the picture of the same graph, or its :class:`Graph`.
        steps: what :func:`~autograd_core.draw.steps.walk` found.
        direction: of the flow; by default the one in which the numbers get largest.

    Raises:
        GraphError: there are no steps: nothing was computed, or too much to step through.

    >>> import autograd_core as ag
    >>> from autograd_core.draw import draw
    >>> x = ag.Value(3.0)
    >>> y = x * x
    >>> print(draw(y).step().text())
    given x = 3
    y = multiply(x, x) = multiply(3, 3) = 9
    dy/dy = 1
    x=3.0 --(dy/dx = x = 3) x (dy/dy = 1) = +3--> x.grad: 0 -> 3
    x=3.0 --(dy/dx = x = 3) x (dy/dy = 1) = +3--> x.grad: 3 -> 6
    """

    def __init__(self, picture: Picture | Graph, steps: Steps | None, direction: str | None = None) -> None:
        if steps is None or steps.problem:
            got = steps.problem if steps else "a graph in which nothing was computed"
            raise GraphError(message("step", got.removeprefix("[step] got "), "" if steps else "an operation",
                                     "" if steps else "draw(loss).step()"))  # fmt: skip
        if isinstance(picture, Graph):
            chosen = picture.direction
            direction = direction or (chosen if chosen != "LR" else None)
            picture = picture.whole or picture.picture
        self.picture, self.steps, self._asked = picture, _matched(steps, picture), direction
        tensors = [v for v in picture.vertices if v.kind not in ("operation", "module")]
        names = {v.key.partition("~")[0]: v.name for v in tensors}
        self.called = symbols(self.steps, names)
        self.shown = narrate(self.steps, self.called)
        kept = {v.key.partition("~")[0]: v.value for v in tensors}
        for step in self.shown:  # the picture knows mean and spread of what is large
            for key, text in step.get("value", {}).items():
                if text.startswith(("norm", "—")) and kept.get(key):
                    step["value"][key] = kept[key]

    def __len__(self) -> int:
        return len(self.shown)

    def __repr__(self) -> str:
        return f"<Stepper: {len(self)} steps>"

    def text(self) -> str:
        """Return all steps as lines of text."""
        return "\n".join(lines(self.steps, self.called))

    @cached_property
    def _staged(self) -> tuple[str, ET.Element]:
        """The direction of the flow, and the graph with room for labels."""
        if self._asked or len(self.steps.forward) > MANY:
            direction = self._asked or "TB"
            return direction, stage(self.picture, direction, self.shown, self.called)
        fits = {}
        for direction, (wide, high) in (("LR", WIDE), ("TB", TALL)):
            root = stage(self.picture, direction, self.shown, self.called)
            scale = min(wide / float(root.get("width", "1")), high / float(root.get("height", "1")))
            fits[direction] = min(scale, 1.25), root
        best = max(fits, key=lambda d: fits[d][0])
        return best, fits[best][1]

    def html(self) -> str:
        """Return the page: an HTML document that loads nothing."""
        direction, root = self._staged
        root = deepcopy(root)
        root.set("xmlns", XMLNS.split('"')[1])
        here = files(__package__)
        data = json.dumps({"steps": self.shown}, ensure_ascii=False).replace("<", "\\u003c")
        title = f"{len(self)} steps"
        return PAGE.format(
            title=title, data=data, svg=ET.tostring(root, "unicode"),
            css=(here / "stepper.css").read_text("utf-8"), js=(here / "stepper.js").read_text("utf-8"),
            flow="across" if direction in ("LR", "RL") else "down",
        )  # fmt: skip

    def svg(self, at: list[int] | None = None) -> str:
        """Return a film strip: the graph at some steps (all if they are few), with what happens."""
        return film(self._staged[1], self.shown, at)

    def save(self, path: str | PathLike[str]) -> Path:
        """Write the page (``.html``), the film strip (``.svg``) or the lines (``.txt``).

        Raises:
            ValueError: another ending.
        """
        path = Path(path)
        writers = {".html": self.html, ".svg": self.svg, ".txt": self.text}
        if path.suffix.lower() not in writers:
            raise ValueError(message("step", f"a file name ending in {path.suffix!r}", ".html, .svg or .txt"))
        path.write_text(writers[path.suffix.lower()](), encoding="utf-8")
        return path

    def _repr_html_(self) -> str:
        """Show the page in a frame of its own, so that it and the notebook leave each other alone."""
        return (f'<iframe srcdoc="{escape(self.html())}" sandbox="allow-scripts" title="{len(self)} steps" '
                'style="width:100%;height:720px;border:0"></iframe>')  # fmt: skip

    def _repr_mimebundle_(self, include: Any = None, exclude: Any = None) -> dict[str, str]:
        return {"text/html": self._repr_html_(), "image/svg+xml": self.svg(), "text/plain": self.text()}


def _matched(steps: Steps, picture: Picture) -> Steps:
    """Give constants the keys of their vertices, which are told by where their edges lead."""
    sources: dict[str, list[str]] = {}
    for edge in picture.edges:
        sources.setdefault(edge.target, []).append(edge.source.partition("~")[0])
    known = {v.key for v in picture.vertices}
    key: dict[str, str] = {}
    for f in steps.forward:
        found = sources.get(f.operation, [])
        if len(found) == len(f.inputs):
            key |= {ours: theirs for ours, theirs in zip(f.inputs, found, strict=True) if ours not in known}
    if not key:
        return steps
    forward = [replace(f, inputs=[key.get(k, k) for k in f.inputs]) for f in steps.forward]
    backward = [replace(b, inputs=[key.get(k, k) for k in b.inputs]) for b in steps.backward]
    given = {key.get(k, k): a for k, a in steps.given.items()}
    return replace(steps, forward=forward, backward=backward, given=given)


PAGE = """\
<!doctype html>
<html lang="en" class="{flow}">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>{title}</title>
<style>
{css}</style>
</head>
<body>
<header>
<div id="controls" role="group" aria-label="Steps">
<button id="first" type="button" aria-label="First step" title="First step (Home)">|◀</button>
<button id="prev" type="button" aria-label="Step back" title="Step back (←)">◀</button>
<button id="play" type="button" aria-label="Play" title="Play (space)">▶ play</button>
<button id="next" type="button" aria-label="Step forward" title="Step forward (→)">next ▶</button>
<button id="last" type="button" aria-label="Last step" title="Last step (End)">▶|</button>
</div>
<input id="progress" type="range" min="0" value="0" aria-label="Step">
<output id="count"></output>
<button id="theme" type="button" aria-label="Light or dark" title="Light or dark">◐</button>
</header>
<main>
<section id="graph" aria-label="Graph" tabindex="0">{svg}</section>
<section id="panel" aria-label="Step">
<div id="phase"></div>
<p id="sentence" aria-live="polite"></p>
<div id="math"></div>
<div id="legend"><span class="local">local derivative</span> × \
<span class="upstream">upstream gradient</span> = <span class="contribution">contribution</span></div>
<div id="sum"></div>
<div id="change"></div>
<div id="tables"></div>
<div id="terms" aria-live="polite"></div>
</section>
<nav aria-label="All steps"><ol class="step-list"></ol></nav>
</main>
<script type="application/json" id="steps">{data}</script>
<script>
{js}</script>
</body>
</html>
"""
