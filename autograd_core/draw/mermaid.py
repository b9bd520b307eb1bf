"""The picture in Mermaid's language, which GitHub, GitLab and many notebooks show as a drawing.

Each vertex has an outline of its kind, each module is a ``subgraph``. GitHub stops at 500 edges
and 50,000 characters; a picture that ``draw`` has simplified stays below.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator, Sequence

from .boxes import SHOW, Style, box, printable
from .colours import Scale, readable
from .dot import nested, title, told
from .model import Edge, Group, Picture

__all__ = ["write"]

WIDE = '%%{init: {"flowchart": {"wrappingWidth": 500}}}%%'  # a line of ours stays a line
# What stands around the text of a vertex, for each outline that a kind can have.
OUTLINES = {
    "pill": ("([", "])"),
    "round": ("(", ")"),
    "double": ("[(", ")]"),
    "square": ("[", "]"),
    "cut": ("{{", "}}"),
    "fold": ("[/", "/]"),
    "bars": ("[[", "]]"),
}
PLAIN = re.compile(r"[a-z]{1,3}\d+")  # keys that are no word of the language
# What could be markup: Mermaid reads a label as Markdown, and what comes of that as HTML.
UNSAFE = re.compile(
    r"[^\w ,.=+\-—×±…()\[\]]|_"  # "." below: "www.a.b" is a link there
    r"|(?<!\d)\.|\.(?!\d)|(?<=\])\(|^[^\w(\[]|^\d+[.)]"
)
# Read even where they are escaped: a line break, a formula, an icon. A space of no width parts them.
READ = re.compile(r"(?<=\\)(?=n)|(?<=\$)(?=\$)|(?<=:)(?=fa-)")


def write(
    picture: Picture,
    direction: str = "LR",
    show: Collection[str] = SHOW,
    scale: Scale | None = None,
) -> str:
    """Return a Mermaid flowchart.

    Args:
        picture: what is drawn.
        direction: in which it runs.
        show: the lines of a tensor: any of "value", "grad" and "shape".
        scale: colours for sizes; by default colours tell kinds.
    """
    lines: dict[str, list[str]] = {"": []}
    styles: dict[str, Style] = {}
    sizes: list[str] = []
    for vertex in picture.vertices:
        b, name = box(vertex, show), _name(vertex.key)
        styles[b.name] = b.style
        first, last = OUTLINES[b.style.shape]
        text = _label(told(b)) or " "
        lines.setdefault(vertex.group, []).append(f'{name}{first}"{text}"{last}:::{b.name}')
        fill = scale.fill(vertex) if scale and vertex.kind != "operation" else None
        if fill:
            sizes.append(f"  style {name} fill:{fill},color:{readable(fill)}")
    return "\n".join([
        WIDE,
        f"flowchart {direction}",
        *_nested(picture.groups, lines),
        *(f"  {_link(edge)}" for edge in picture.edges),
        *(f"  classDef {kind} fill:{style.fill},stroke:{style.stroke},color:#1d2430"
          for kind, style in styles.items()),
        *sizes,
    ]) + "\n"  # fmt: skip


def _nested(groups: Sequence[Group], lines: dict[str, list[str]]) -> Iterator[str]:
    """Write the vertices, those of a module within its ``subgraph``, however deep."""
    yield from (f"  {line}" for line in lines[""])
    for group, depth in nested(groups):
        indent = "  " * (depth + 1)
        if group is None:
            yield indent + "end"
            continue
        yield f'{indent}subgraph {_name(group.key)}["{_label(title(group)) or " "}"]'
        yield from (f"{indent}  {line}" for line in lines.get(group.key, ()))


def _link(edge: Edge) -> str:
    arrow = "-.->" if edge.dotted else "==>" if edge.back else "-->"
    label = f'|"{_label([printable(edge.label)])}"|' if edge.label else ""
    return f"{_name(edge.source)} {arrow}{label} {_name(edge.target)}"


def _name(key: str) -> str:
    """Return a key as Mermaid can have it: words of the language and signs are spelled in hex."""
    return key if PLAIN.fullmatch(key) else f"z{key.encode().hex()}"


def _label(lines: Sequence[str]) -> str:
    """Write lines of text in which every character stands for itself, and spaces for one space.

    >>> _label(["a", '<b>"'])
    'a<br/>#60;b#62;#34;'
    """
    apart = (READ.sub("\u200b", " ".join(line.split())) for line in lines)
    return "<br/>".join(
        UNSAFE.sub(lambda m: f"{m[0][:-1]}#{ord(m[0][-1])};", line) for line in apart if line
    )
