"""What each vertex looks like: its lines of text, its size, its colours. For every writer alike."""

from __future__ import annotations

import unicodedata
from collections.abc import Collection
from dataclasses import dataclass
from math import ceil
from textwrap import wrap

from .model import Group, Vertex

__all__ = [
    "CHARACTER",
    "LINE",
    "SHOW",
    "STYLES",
    "Box",
    "Style",
    "box",
    "columns",
    "heading",
    "printable",
    "shorten",
]

CHARACTER, LINE = 7.3, 16.0  # width and height of a character, at 12 px, in a monospaced font
LONGEST = 40  # characters in a line
SIGN = 15.0  # room for a mark's sign
SHOW = ("value", "grad", "shape")


@dataclass(frozen=True, slots=True)
class Style:
    """Colours and outline of a kind of vertex; kinds differ in shape as well as in colour."""

    fill: str
    stroke: str
    shape: str  # "pill", "round", "double" (two outlines), "square", "cut" (corners), "fold", "bars"
    word: str  # what to call a vertex of this kind that has no name
    dark: tuple[str, str] = ("#1b2027", "#8b95a5")  # fill and stroke on a dark page
    legend: str = ""  # what it means, for the legend


STYLES = {
    "input": Style("#e3f1e4", "#3c7d44", "round", "input", ("#17301c", "#6fbf7a"), "input"),
    "parameter": Style("#fdf0d5", "#a86a00", "double", "parameter", ("#352708", "#d9a441"), "parameter"),
    "constant": Style("#f4f4f4", "#8a8a8a", "square", "constant", ("#26292e", "#8f959e"), "constant"),
    "operation": Style("#eceff4", "#5b6577", "pill", "", ("#2b323d", "#8b95a5"), "operation"),
    "result": Style("#ffffff", "#5b6577", "round", "", ("#1b2027", "#8b95a5"), "result"),
    "saved": Style("#e0f4f5", "#1d7f87", "fold", "", ("#0f2f33", "#4fb3bb"), "kept for backward"),
    "output": Style("#dfeafc", "#1f5fbf", "cut", "output", ("#152b4d", "#78a9f5"), "output"),
    "module": Style("#ebe7f9", "#6553b0", "bars", "module", ("#2a2448", "#a595f0"), "module, closed"),
    "error": Style("#fde3e3", "#c01f1f", "pill", "", ("#4a1616", "#ff8080"), "raised an error"),
}


@dataclass(frozen=True, slots=True)
class Box:
    """The lines of a vertex (the first is its title if ``titled``) and its size in pixels."""

    lines: tuple[str, ...]
    titled: bool
    width: float
    height: float
    style: Style
    roles: tuple[str, ...] = ()  # of each line: "title", "mute", "text", "grad" or "wrong"
    signs: tuple[str, ...] = ()  # marks to draw beside the title
    badge: str = ""  # "×12"
    name: str = ""  # of the style


def box(v: Vertex, show: Collection[str] = SHOW, brief: bool = False) -> Box:
    """Lay a vertex's text out. A dash stands for what has not been computed, or is not kept.

    Args:
        v: the vertex.
        show: which of "value", "grad" and "shape" a tensor shows.
        brief: only the name and the shape.
    """
    kind = "error" if v.error else "saved" if v.kind == "result" and "saved" in v.marks else v.kind
    style = STYLES[kind]
    title = printable(v.name) or style.word
    rows = [(title, "title")] if title else []
    if v.kind in ("operation", "module"):
        if v.params:
            rows.append((printable(v.params), "mute"))
    if v.kind != "operation" and not (v.kind == "module" and v.shape is None):
        if v.shape is not None and "shape" in show:
            rows.append((f"{v.shape} {v.dtype}".rstrip(), "mute"))
        if not brief:
            if "value" in show:
                rows.append((f"value {_dash(v.value)}", "text"))
            if "grad" in show and v.kind != "constant":
                rows.append((f"grad  {_dash(v.grad)}", "grad"))
    if v.note and not brief:
        rows.append((f"({printable(v.note)})", "mute"))
    if v.error:
        told = wrap(printable(v.error), LONGEST) or [""]
        rows += [(line, "wrong") for line in (told if len(told) < 4 else [*told[:2], told[2] + "…"])]
    rows = [(shorten(line), role) for line, role in rows] or [(" ", "text")]
    signs = tuple(m for m in v.marks if m != "saved" or kind != "saved")
    padding = 24 if style.shape in ("pill", "cut", "bars") else 16
    widths = [columns(line) * CHARACTER for line, _ in rows]
    widths[0] += SIGN * len(signs) + (4 if style.shape == "fold" else 0)
    width = float(ceil(max(widths))) + padding
    return Box(tuple(line for line, _ in rows), bool(title), width, len(rows) * LINE + 10, style,
               tuple(role for _, role in rows), signs, f"×{v.count}" if v.count > 1 else "",
               kind)  # fmt: skip


def heading(g: Group) -> tuple[str, str, tuple[float, float]]:
    """Return a module's name and kind, as its box has them in the corner, and the least size."""
    name = shorten(printable(g.name)) or "module"
    kind = shorten(printable(g.kind)) + (f" ×{g.count}" if g.count > 1 else "")
    return name, kind, ((columns(name) + columns(kind) + 1) * CHARACTER + 44, 40.0)


def _dash(text: str | None) -> str:
    return "—" if text is None else text


def printable(text: str) -> str:
    """Escape what has no place in a line of text: newlines, controls, lone surrogates, overrides.

    >>> printable("a\\nb")
    'a\\\\nb'
    """
    if text.isascii() and text.isprintable():
        return text
    return "".join(
        c.encode("unicode_escape", "surrogatepass").decode("ascii")
        if c != "\u200d" and unicodedata.category(c) in ("Cc", "Cf", "Cs", "Cn", "Zl", "Zp")
        else c
        for c in text
    )


def columns(text: str) -> int:
    """Count the columns that a text takes: two for each wide character (CJK, emoji)."""
    if text.isascii():
        return len(text)
    return sum(2 if unicodedata.east_asian_width(c) in "WF" else 1 for c in text)


def shorten(line: str) -> str:
    """Cut a line that is too long; writers keep the whole text where it takes no room."""
    if columns(line) <= LONGEST:
        return line
    used, kept = 1, []
    for c in line:
        used += columns(c)
        if used > LONGEST:
            break
        kept.append(c)
    return "".join(kept) + "…"
