"""The legend of a picture: what its shapes, signs and lines mean, and what its colours measure."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from html import escape

from .boxes import CHARACTER, STYLES, Box, printable
from .colours import NOT_FINITE, ZERO, Scale, size
from .model import Picture
from .svg import COLOURS, outline, sign

__all__ = ["legend"]

ROW, SWATCH, BAR = 22.0, 26.0, 220.0
LEAST = 420.0  # width to which rows are filled, where the picture is smaller
MEANING = {"view": "view of its input", "in place": "written in place", "detached": "detached",
           "saved": "kept for backward"}  # fmt: skip
FEW = 3  # vertices that need no explanation


def legend(
    picture: Picture, boxes: Sequence[Box], width: float, scale: Scale | None, failure: str = ""
) -> tuple[str, float, float]:
    """Return the elements of the legend, its width and its height; nothing for a tiny picture.

    ``failure`` is what the drawn function raised, outside of any operation.
    """
    entries = list(_entries(picture, boxes))
    if len(picture.vertices) <= FEW and not (scale or failure or any(b.signs for b in boxes)):
        return "", 0.0, 0.0
    parts, x, y, wide = [], 0.0, 0.0, 0.0
    for drawing, words in entries:
        needed = SWATCH + 8 + len(words) * CHARACTER + 16
        if x and x + needed > max(width, LEAST):
            x, y = 0.0, y + ROW
        parts.append(f'<svg x="{x:.0f}" y="{y:.0f}" overflow="visible">{drawing}'
                     f"{_words(words, SWATCH + 8, 12)}</svg>")  # fmt: skip
        x += needed
        wide = max(wide, x - 16)
    if failure:
        y += ROW if parts else 0
        words = escape(printable(failure if len(failure) < 110 else failure[:109] + "…"))
        parts.append(f'<text class="wrong" x="0" y="{y + 12:.0f}" fill="{COLOURS["wrong"][0]}">'
                     f"raised {words}</text>")  # fmt: skip
        wide = max(wide, (len(words) + 7) * CHARACTER)
    if scale:
        y += ROW + 6 if parts else 0
        bar, w = _bar(picture, scale)
        parts.append(f'<svg y="{y:.0f}" overflow="visible">{bar}</svg>')
        wide, y = max(wide, w), y + 30
    return "".join(parts), wide, y + ROW


def _entries(picture: Picture, boxes: Sequence[Box]) -> Iterator[tuple[str, str]]:
    """Yield a drawing and its meaning for everything that the picture has."""
    there = {b.name for b in boxes}
    for name, style in STYLES.items():
        if name in there:
            swatch = Box(("",), False, SWATCH, 16.0, style, name=name)
            yield "".join(outline(swatch, 0, 0, None, False)), style.legend
    for mark, meaning in MEANING.items():
        if any(mark in b.signs for b in boxes) and not (mark == "saved" and "saved" in there):
            yield sign(mark, 8, 3), meaning
    if any(e.dotted for e in picture.edges):
        yield _line('stroke-dasharray="2 4"'), "no gradient comes back"
    if any(e.back for e in picture.edges):
        yield _line("", "M2,14 C2,0 24,0 24,12 M20,8 l4,5 3,-5.5"), "to the next step"
    if any("~" in v.key for v in picture.vertices):
        yield "", "a name again: the same array, drawn where it is used"


def _line(more: str, d: str = "M0,8 h26") -> str:
    return (f'<path class="edge" d="{d}" fill="none" stroke="{COLOURS["line"][0]}" '
            f'stroke-width="1.5" {more}/>')  # fmt: skip


def _words(text: str, x: float, y: float, anchor: str = "") -> str:
    return (f'<text class="mute" x="{x:.1f}" y="{y:.0f}" font-size="11" fill="{COLOURS["mute"][0]}"'
            f"{anchor}>{text}</text>")  # fmt: skip


def _bar(picture: Picture, scale: Scale) -> tuple[str, float]:
    """Draw the colours with their numbers, and those of sizes that have no logarithm."""
    title = ("gradient, root mean square" if scale.by == "grad" else "largest value, magnitude")
    parts = [_words(title, 0, 12)]
    left = len(title) * CHARACTER + 12
    steps, span = 44, scale.high - scale.low
    for i in range(steps):
        fill = scale.at(scale.low + (i + 0.5) / steps * span)
        parts.append(f'<rect x="{left + i * BAR / steps:.1f}" y="0" width="{BAR / steps + 0.3:.1f}" '
                     f'height="14" fill="{fill}"/>')  # fmt: skip
    for power in scale.ticks():
        x = left + (power - scale.low) / span * BAR
        parts.append(f'<path class="edge" d="M{x:.1f},14 v4" stroke="{COLOURS["line"][0]}"/>')
        parts.append(_words(f"{10.0**power:g}", x, 29, ' text-anchor="middle"'))
    x = left + BAR + 24
    sizes = [s for v in picture.vertices if (s := size(v, scale.by)) is not None]
    for fill, words, there in ((ZERO, "exactly 0", 0.0 in sizes),
                               (NOT_FINITE, "not finite", not all(map(math.isfinite, sizes)))):  # fmt: skip
        if there:
            parts.append(f'<rect x="{x:.0f}" y="0" width="14" height="14" fill="{fill}"/>')
            parts.append(_words(words, x + 20, 12))
            x += 34 + len(words) * CHARACTER
    return "".join(parts), x
