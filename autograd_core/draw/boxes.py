"""What each vertex looks like: its lines of text, its size, its colours. For every writer alike."""

from __future__ import annotations

import unicodedata
from dataclasses import dataclass

from .model import Vertex

__all__ = ["CHARACTER", "LINE", "STYLES", "Box", "Style", "box", "printable"]

CHARACTER, LINE = 7.3, 16.0  # width and height of a character, at 12 px, in a monospaced font
LONGEST = 40  # characters in a line


@dataclass(frozen=True, slots=True)
class Style:
    """Colours and outline of a kind of vertex; kinds differ in shape as well as in colour."""

    fill: str
    stroke: str
    shape: str  # "pill", "round", "double" (round, two outlines), "square", "cut" (corners cut)
    word: str  # what to call a vertex of this kind that has no name


STYLES = {
    "operation": Style("#eceff4", "#5b6577", "pill", ""),
    "input": Style("#e3f1e4", "#3c7d44", "round", "input"),
    "parameter": Style("#fdf0d5", "#a86a00", "double", "parameter"),
    "constant": Style("#f4f4f4", "#8a8a8a", "square", "constant"),
    "result": Style("#ffffff", "#5b6577", "round", ""),
    "output": Style("#e2ecfb", "#1f5fbf", "cut", "output"),
}


@dataclass(frozen=True, slots=True)
class Box:
    """The lines of a vertex (the first is its title if ``titled``) and its size in pixels."""

    lines: tuple[str, ...]
    titled: bool
    width: float
    height: float
    style: Style


def box(v: Vertex) -> Box:
    """Lay a vertex's text out. A dash stands for what has not been computed, or is not kept."""
    style = STYLES[v.kind]
    title = printable(v.name) or style.word
    lines = [title] if title else []
    if v.kind == "operation":
        if v.params:
            lines.append(printable(v.params))
    else:
        if v.shape is not None:
            lines.append(f"{v.shape} {v.dtype}")
        lines.append(f"value {_dash(v.value)}")
        if v.kind != "constant":
            lines.append(f"grad  {_dash(v.grad)}")
        if v.note:
            lines.append(f"({v.note})")
    lines = [_shorten(line) for line in lines]
    padding = 24 if style.shape in ("pill", "cut") else 16
    width = max(map(columns, lines)) * CHARACTER + padding
    return Box(tuple(lines), bool(title), width, len(lines) * LINE + 10, style)


def _dash(text: str | None) -> str:
    return "—" if text is None else text


def printable(text: str) -> str:
    """Escape what has no place in a line of text: newlines, controls, lone surrogates, overrides.

    >>> printable("a\\nb")
    'a\\\\nb'
    """
    return "".join(
        c.encode("unicode_escape", "surrogatepass").decode("ascii")
        if c != "\u200d" and unicodedata.category(c) in ("Cc", "Cf", "Cs", "Cn", "Zl", "Zp")
        else c
        for c in text
    )


def columns(text: str) -> int:
    """Count the columns that a text takes: two for each wide character (CJK, emoji)."""
    return sum(2 if unicodedata.east_asian_width(c) in "WF" else 1 for c in text)


def _shorten(line: str) -> str:
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
