"""Read pictures back from what the writers wrote: from SVG, DOT, Mermaid, and JSON.

Each reader is a strict grammar of its own, which knows nothing of the writer, and fails on a line
that it does not know.
"""

from __future__ import annotations

import json
import re
import xml.etree.ElementTree as ET
from collections.abc import Callable
from dataclasses import dataclass, field

SVG = "{http://www.w3.org/2000/svg}"


@dataclass
class Found:
    """What a document says: of each vertex its lines, edges in order, module boxes and who is in."""

    lines: dict[str, list[str]] = field(default_factory=dict)
    kinds: dict[str, str] = field(default_factory=dict)
    edges: list[tuple[str, str]] = field(default_factory=list)
    dotted: list[bool] = field(default_factory=list)
    back: list[bool] = field(default_factory=list)
    labels: list[str] = field(default_factory=list)
    titles: dict[str, list[str]] = field(default_factory=dict)  # of module boxes
    inside: dict[str, str] = field(default_factory=dict)  # vertex or box -> its box


def read_svg(text: str) -> Found:
    out = Found()
    for e in ET.fromstring(text).iter():
        key, source, target = (e.get(f"data-{name}") for name in ("key", "from", "to"))
        if e.tag == SVG + "g" and key:
            out.kinds[key] = e.get("data-kind") or ""
            out.lines[key] = [t.text or "" for t in e.iter(SVG + "text")]
        elif e.tag == SVG + "path" and source and target:
            out.edges.append((source, target))
            out.dotted.append(bool(e.get("stroke-dasharray")))
    return out


# -- DOT -------------------------------------------------------------------------------------------

STRING = r'"((?:[^"\\]|\\.)*)"'
DOT_EDGE = re.compile(rf"  (\w+) -> (\w+)(?: \[(style=dashed)? ?(constraint=false)? ?(?:label={STRING})?\])?")
DOT_NODE = re.compile(
    rf'  (\w+) \[label={STRING} shape=\w+ style="[a-z,]+"(?: peripheries=2)? fillcolor="#\w+"'
    r'(?: fontcolor="#\w+")? color="#\w+" width=[\d.]+ height=[\d.]+ kind=(\w+)\]'
)
DOT_OPEN = re.compile(r'\s+subgraph "cluster_(\w+)" {')
DOT_TITLE = re.compile(rf"\s+label={STRING} labeljust=l margin=14 style=.*")
DOT_HEAD = re.compile(r"  rankdir=(LR|RL|TB|BT) [^\"]*|  node \[[^\"]*\]|  edge \[.*\]")


def read_dot(text: str) -> Found:
    out, boxes = Found(), [""]
    first, *rest, last = text.splitlines()
    assert (first, last) == ("digraph {", "}")
    for line in rest:
        if found := DOT_NODE.fullmatch(line):
            out.lines[found[1]], out.kinds[found[1]] = dot_lines(found[2]), found[3]
        elif found := DOT_EDGE.fullmatch(line):
            out.edges.append((found[1], found[2]))
            out.dotted.append(bool(found[3]))
            out.back.append(bool(found[4]))
            out.labels.append("\n".join(dot_lines(found[5] or "")))
        elif found := DOT_OPEN.fullmatch(line):
            out.inside[found[1]] = boxes[-1]
            boxes.append(found[1])
        elif found := DOT_TITLE.fullmatch(line):
            out.titles[boxes[-1]] = dot_lines(found[1])
        elif line.strip() == "}":
            boxes.pop()
        elif len(boxes) > 1:
            out.inside |= dict.fromkeys(line.split(), boxes[-1])
        else:
            assert DOT_HEAD.fullmatch(line), line
    assert boxes == [""]
    return out


def dot_lines(escaped: str) -> list[str]:
    """Undo what DOT does in strings: escapes, entities, and \\n for the next line."""
    texts = [""]
    for token in re.findall(r"\\.|&amp;|[^\\&]|&", escaped):
        if token == "\\n":
            texts.append("")
        else:
            assert token != "&"
            texts[-1] += {"&amp;": "&", "\\\\": "\\", '\\"': '"'}.get(token, token)
    return texts


# -- Mermaid ---------------------------------------------------------------------------------------

PLAIN = r'"([^"`&;<>|{}_*~$\\]*(?:<br/>[^"`&;<>|{}_*~$\\]*)*)"'  # all else is an entity: #60;
TEXT = PLAIN.replace("&;", "&").replace("[^", "(?:#\\d+;|[^#;").replace("]*", "])*")
MERMAID_NODE = re.compile(rf"\s+(\w+)(?:\(\[|\[\[|\[\(|\[/|\{{\{{|\(|\[){TEXT}"
                          r"(?:\]\)|\]\]|\)\]|/\]|\}\}|\)|\]):::(\w+)")  # fmt: skip
MERMAID_EDGE = re.compile(rf"  (\w+) (-->|-\.->|==>)(?:\|{TEXT}\|)? (\w+)")
MERMAID_OPEN = re.compile(rf"\s+subgraph (\w+)\[{TEXT}\]")
MERMAID_STYLE = re.compile(r"  (?:classDef \w+ fill:#\w+,stroke:#\w+,color:#\w+|style .*)")


def read_mermaid(text: str) -> Found:
    out, boxes = Found(), [""]
    init, head, *rest = text.splitlines()
    assert json.loads(init.removeprefix("%%{init: ").removesuffix("}%%"))
    assert re.fullmatch("flowchart (LR|RL|TB|BT)", head)
    for line in rest:
        if line.strip() == "end":
            boxes.pop()
        elif found := MERMAID_OPEN.fullmatch(line):
            out.inside[found[1]] = boxes[-1]
            out.titles[found[1]] = mermaid_lines(found[2])
            boxes.append(found[1])
        elif found := MERMAID_NODE.fullmatch(line):
            out.lines[found[1]], out.kinds[found[1]] = mermaid_lines(found[2]), found[3]
            out.inside[found[1]] = boxes[-1]
        elif found := MERMAID_EDGE.fullmatch(line):
            out.edges.append((found[1], found[4]))
            out.dotted.append(found[2] == "-.->")
            out.back.append(found[2] == "==>")
            out.labels.append("\n".join(mermaid_lines(found[3] or "")))
        else:
            assert MERMAID_STYLE.fullmatch(line), line
    assert boxes == [""]
    return out


def mermaid_lines(escaped: str) -> list[str]:
    texts = escaped.split("<br/>")
    return [re.sub(r"#(\d+);", lambda m: chr(int(m[1])), t).replace("\u200b", "") for t in texts]


# -- JSON ------------------------------------------------------------------------------------------


def read_json(text: str) -> Found:
    """Read the document as any other program would, from its description alone."""
    out = Found()
    document = json.loads(text)
    assert (document["format"], document["version"]) == ("autograd-core picture", 1)
    for v in document["vertices"]:
        out.kinds[v["key"]] = v["kind"]
        shape = f"{tuple(v['shape'])} {v['dtype']}" if "shape" in v else ""
        word = "" if v["kind"] in ("result", "operation") else v["kind"]
        lines = [v.get("name") or word, v.get("params", ""), shape]
        if v["kind"] not in ("operation", "module"):
            lines.append(f"value {v.get('value') or '—'}")
            lines.append("" if v["kind"] == "constant" else f"grad {v.get('grad') or '—'}")
        out.lines[v["key"]] = [line for line in lines if line]
        out.inside[v["key"]] = v.get("group", "")
    for e in document["edges"]:
        out.edges.append((e["source"], e["target"]))
        out.dotted.append(e.get("dotted", False))
        out.back.append(e.get("back", False))
        out.labels.append(e.get("label", ""))
    for g in document["groups"]:
        out.titles[g["key"]] = [g["name"], g["kind"]]
        out.inside[g["key"]] = g.get("parent", "")
    return out


READERS: dict[str, Callable[[str], Found]] = {
    "svg": read_svg, "dot": read_dot, "mermaid": read_mermaid, "json": read_json,
}  # fmt: skip
