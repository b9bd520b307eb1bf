"""Smaller pictures of a picture: modules closed, repeats folded, a neighbourhood, what fits.

Pure functions on plain data. All of it is linear in the size of the picture, but for sorting.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from difflib import get_close_matches
from fnmatch import fnmatchcase

from ..errors import message
from .fold import fold_repeats
from .model import Edge, Picture, Vertex
from .parts import Parts
from .pause import without_collections

__all__ = ["simplify"]

RADIUS = 4  # edges around a focus: two operations each way


@without_collections()
def simplify(
    picture: Picture,
    *,
    depth: int | None = 1,
    fold: bool = True,
    collapse: str | Sequence[str] | None = None,
    focus: str | None = None,
    radius: int | None = None,
    max_nodes: int | None = 200,
) -> Picture:
    """Return what is shown of a picture; ``picture`` stays as it is.

    Args:
        depth: how many levels of modules are open: 0 closes the outermost ones, None opens all.
        fold: show repeats once (see :mod:`fold`).
        collapse: names of modules to close, also patterns: ``"encoder"``, ``"encoder.*"``.
        focus: the name or key of a vertex, or the name of a module: show what is around it. The
            modules that it lies in are opened.
        radius: how many edges around the focus (an operation and its tensor are two); 4 if None.
        max_nodes: with more vertices than this, modules are closed further, then repeats folded,
            and then the oldest are left out.

    Raises:
        ValueError: there is no such focus or module.
    """
    centre, homes = _centre(picture, focus)
    patterns = [collapse] if isinstance(collapse, str) else list(collapse or ())
    _check(picture, patterns)
    deepest = max(_levels(picture).values(), default=-1)
    start = deepest + 1 if depth is None else min(max(depth, 0), deepest + 1)
    shown = picture
    for level in range(start, -1, -1):
        shown = _shown(picture, level, patterns, fold, centre, homes, radius)
        if max_nodes is None or len(shown.vertices) <= max_nodes:
            return shown
    if not fold:
        shown = _shown(picture, 0, patterns, True, centre, homes, radius)
    return shown if max_nodes is None or len(shown.vertices) <= max_nodes else _cut(shown, max_nodes)


def _shown(
    picture: Picture, level: int, patterns: Sequence[str], fold: bool, centre: set[str], homes: set[str],
    radius: int | None,
) -> Picture:  # fmt: skip
    parts = Parts(picture)
    _close(parts, _closed(picture, level, patterns, homes))
    if fold:
        fold_repeats(parts, centre)
    shown = parts.picture()
    if centre:
        middle = {shown.stands.get(key, key) for key in centre}
        shown = _around(shown, middle, RADIUS if radius is None else radius)
    return shown


# -- modules ----------------------------------------------------------------------------------------


def _levels(picture: Picture) -> dict[str, int]:
    """Return for each group how many lie around it."""
    levels: dict[str, int] = {"": -1}
    for g in picture.groups:  # each after its parent
        levels[g.key] = levels[g.parent] + 1
    return levels


def _closed(picture: Picture, depth: int, patterns: Sequence[str], homes: set[str]) -> set[str]:
    """Choose the groups to close: not those around the focus, which lies in ``homes``."""
    levels = _levels(picture)
    parents = {g.key: g.parent for g in picture.groups}
    homes = homes | {v.group for v in picture.vertices if v.error}  # what failed is to be seen
    around: set[str] = set()
    for key in homes:
        while key and key not in around:
            around.add(key)
            key = parents[key]
    return {g.key for g in picture.groups if g.key not in around
            and (levels[g.key] >= depth or any(fnmatchcase(g.name, p) for p in patterns))}  # fmt: skip


def _close(parts: Parts, closed: set[str]) -> None:
    """Put one vertex in the place of each closed group."""
    if not closed:
        return
    shut = {"": ""}
    for g in parts.groups.values():
        shut[g.key] = shut[g.parent] or (g.key if g.key in closed else "")
    stands = {key: s for key, v in parts.vertices.items() if (s := shut[v.group])}
    edges = [e for into in parts.into.values() for e in into]
    results: dict[str, Vertex] = {}  # what comes out of each closed module, the last of it
    for e in edges:
        home = stands.get(e.source)
        if home and stands.get(e.target) != home:
            v = parts.vertices[e.source]
            results[home] = parts.vertices[e.target] if v.kind == "operation" else v
    first: dict[str, int] = {}
    for key, s in stands.items():
        first.setdefault(s, parts.place[key])
    old = parts.into
    parts.into = {key: into for key, into in old.items() if key not in stands}
    parts.vertices = {key: v for key, v in parts.vertices.items() if key not in stands}
    for key, at in first.items():
        g, out = parts.groups[key], results.get(key)
        note = f"{g.parameters:,} parameter{'s' * (g.parameters != 1)}" if g.parameters else ""
        vertex = Vertex(key, "module", g.name, g.kind, note=note, group=g.parent, count=g.count)
        if out is not None:
            vertex.shape, vertex.dtype, vertex.value, vertex.grad = out.shape, out.dtype, out.value, out.grad
            vertex.grad_size, vertex.low, vertex.high = out.grad_size, out.low, out.high
        parts.vertices[key], parts.into[key], parts.place[key] = vertex, [], at
    seen: dict[tuple[str, str], bool] = {}
    for e in edges:  # a module has one edge from each thing that it uses
        a, b = stands.get(e.source, e.source), stands.get(e.target, e.target)
        if a != b and b in first:
            seen[a, b] = seen.get((a, b), True) and e.dotted
    for (a, b), dotted in seen.items():
        parts.into[b].append(Edge(a, b, dotted))
    for key, into in parts.into.items():
        if key not in first:
            parts.into[key] = [e._replace(source=stands.get(e.source, e.source)) for e in into]
    for key, s in stands.items():  # the error of an operation is that of its module
        parts.stands[key] = s
    parts.groups = {key: g for key, g in parts.groups.items() if not shut[key]}


def _check(picture: Picture, patterns: Sequence[str]) -> None:
    for p in patterns:
        if not any(fnmatchcase(g.name, p) for g in picture.groups):
            names = ", ".join(list(dict.fromkeys(repr(g.name) for g in picture.groups))[:8])
            expected = f"the name of a module: {names}" if names else "a picture with modules"
            hint = "" if names else "draw(model, x), which sees the modules"
            raise ValueError(message("draw", f"collapse={p!r}", expected, hint))


# -- a neighbourhood, and what fits -------------------------------------------------------------------


def _centre(picture: Picture, focus: str | None) -> tuple[set[str], set[str]]:
    """Find what is meant: a tensor of this name, else a module, an operation, a key; and where that lies."""
    if focus is None:
        return set(), set()
    named = [v for v in picture.vertices if v.name == focus]
    tensors = [v for v in named if v.kind != "operation"]
    modules = [g for g in picture.groups if g.name == focus]
    if modules and not tensors:
        return _inside(picture, {g.key for g in modules}), {g.parent for g in modules}
    found = tensors or named or [v for v in picture.vertices if v.key == focus]
    if found:
        return {v.key for v in found}, {v.group for v in found}
    names = dict.fromkeys([*(v.name for v in picture.vertices if v.name and v.kind != "operation"),
                           *(g.name for g in picture.groups if g.name)])  # fmt: skip
    near = get_close_matches(focus, names, 3, 0.4) or list(names)[:6]
    raise ValueError(message("draw", f"focus={focus!r}", "a name in the picture",
                             ", ".join(map(repr, near))))  # fmt: skip


def _inside(picture: Picture, keys: set[str]) -> set[str]:
    """Return the vertices in groups, and in the groups within them."""
    if not keys:
        return set()
    all_keys = set(keys)
    for g in picture.groups:
        if g.parent in all_keys:
            all_keys.add(g.key)
    return {v.key for v in picture.vertices if v.group in all_keys}


def _around(picture: Picture, middle: set[str], radius: int) -> Picture:
    """Keep what is at most ``radius`` edges away, and what the operations there join."""
    beside: dict[str, list[str]] = {v.key: [] for v in picture.vertices}
    for e in picture.edges:
        beside[e.source].append(e.target)
        beside[e.target].append(e.source)
    kept, rim = set(middle), set(middle)
    for _ in range(radius):
        rim = {y for x in rim for y in beside[x]} - kept
        kept |= rim
    joined = {v.key for v in picture.vertices if v.kind == "operation" and v.key in kept}
    kept |= {y for key in joined for y in beside[key]}
    return _part(picture, kept)


def _part(picture: Picture, kept: Iterable[str]) -> Picture:
    """Return the picture of some of the vertices."""
    keys = set(kept)
    parts = Parts(picture)
    parts.hide([key for key in parts.vertices if key not in keys], {})
    parts.into = {key: [e for e in into if e.source in keys] for key, into in parts.into.items()}
    return parts.picture()


def _cut(picture: Picture, most: int) -> Picture:
    """Leave the oldest vertices out; one vertex says how many operations that were."""
    leaf = {v.key for v in picture.vertices} - {e.target for e in picture.edges}
    kept: set[str] = set()
    sources: dict[str, list[str]] = {}
    for e in picture.edges:
        if not e.back:
            sources.setdefault(e.target, []).append(e.source)
    for v in reversed(picture.vertices):
        if v.key not in leaf:
            more = {v.key, *(s for s in sources[v.key] if s in leaf)}
            if len(kept | more) >= most:
                break
            kept |= more
    gone = [v for v in picture.vertices if v.key not in kept]
    times = {"": 1}
    for g in picture.groups:
        times[g.key] = times[g.parent] * g.count
    count = sum(v.count * times[v.group] for v in gone if v.kind in ("operation", "module"))
    rest = Vertex("rest", "module", f"{count:,} more operations",
                  note="focus= and radius= show a part")  # fmt: skip
    smaller = _part(picture, kept)
    lost = dict.fromkeys(Edge("rest", e.target) for e in picture.edges
                         if e.target in kept and e.source not in kept and e.source not in leaf)  # fmt: skip
    smaller.vertices.insert(0, rest)
    smaller.edges[:0] = list(lost)
    lost_keys = {v.key for v in gone}
    smaller.stands |= {key: "rest" for key, s in picture.stands.items() if s in lost_keys}
    smaller.stands |= dict.fromkeys(lost_keys, "rest")
    return smaller
