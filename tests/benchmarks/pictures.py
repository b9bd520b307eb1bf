"""Pictures: the layout and the SVG of 10,000 vertices, and a model of 12 layers with its modules closed."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np

from autograd_core.draw import Graph
from autograd_core.draw.model import Edge, Picture, Vertex
from tests.autograd_core.test_draw_render import model

from .table import Row, Target


def chain(n: int, branching: bool) -> Picture:
    """``n`` operations, each on the result before it, or on two of those shortly before."""
    rng = np.random.default_rng(0)
    p = Picture([Vertex("t0", "input", "x", shape=(3,), dtype="float32", value="[1, 2, 3]")])
    for i in range(n):
        inputs = [max(0, i - int(k)) for k in rng.exponential(30, 2)] if branching else [i]
        p.vertices += [Vertex(f"op{i}", "operation", "multiply"),
                       Vertex(f"t{i + 1}", "result", "", shape=(3,), dtype="float32", value="[1, 2, 3]",
                              grad="[1, 2, 3]")]  # fmt: skip
        p.edges += [*(Edge(f"t{a}", f"op{i}") for a in inputs), Edge(f"op{i}", f"t{i + 1}")]
    return p


def seconds(run: Callable[[], Any]) -> float:
    start = time.perf_counter()
    run()
    return time.perf_counter() - start


def rows() -> Iterator[Row]:
    from autograd_core.draw.simplify import simplify

    for name, branching in (("a chain", False), ("a tangle", True)):
        picture = chain(5_000, branching)
        least = min(seconds(Graph(picture, engine="own").svg) for _ in range(3))
        yield Row(f"SVG of 10,001 vertices: {name}", "s", {"ours": least}, [Target(least, 3.0, "{} s")])
    whole = model(1_400)
    shown = simplify(whole)
    least = min(seconds(Graph(shown, engine="own").svg) for _ in range(3))
    size = len(Graph(shown, engine="own").svg()) / 1e3
    name = f"SVG of {len(whole.vertices):,} vertices, collapsed to {len(shown.vertices)}"
    yield Row(name, "s", {"ours": least}, [Target(least, 0.5, "{} s"), Target(size, 300, "{} kB")])
