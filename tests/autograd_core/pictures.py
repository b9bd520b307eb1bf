"""Random graphs whose every step is written down beside them, and random pictures; hostile names."""

from __future__ import annotations

import random
from dataclasses import dataclass, field
from typing import Any

import numpy as np

import autograd_core as ag
from autograd_core.draw.model import Edge, Group, Picture, Vertex
from autograd_core.value import Value

# A name, and how a line of text shows it.
HOSTILE = {
    "<script>alert(1)</script>": "<script>alert(1)</script>",
    '"quotes" & \'more\' `such`': '"quotes" & \'more\' `such`',
    "two\nlines\r\t\x00\x1b": "two\\nlines\\r\\t\\x00\\x1b",
    "\\n \\N \\G \\": "\\n \\N \\G \\",
    "emoji 🎉 漢字 é": "emoji 🎉 漢字 é",
    "&lt;b&gt; &amp; #60; #quot;": "&lt;b&gt; &amp; #60; #quot;",
    "]]> --> <!--": "]]> --> <!--",
    "\ud800 lone": "\\ud800 lone",
    "\u202e reversed": "\\u202e reversed",
    "{a|<b>c} || |x|": "{a|<b>c} || |x|",
    "x" * 500: "x" * 500,
    "${y} %s %% $$x^2$$": "${y} %s %% $$x^2$$",
    "%%{init: {}}%%": "%%{init: {}}%%",
    "**b** _i_ ~~s~~ [a](b) ![a](b)": "**b** _i_ ~~s~~ [a](b) ![a](b)",
    "1. one": "1. one",
    "- # > + 2) --- ===": "- # > + 2) --- ===",
    "end": "end",
    "style a:#34;x; click t0 f()": "style a:#34;x; click t0 f()",
    "www.a.b http://a.b fa:fa-car": "www.a.b http://a.b fa:fa-car",
}  # fmt: skip

LEAVES: list[Any] = [
    1.5, -0.0, np.nan, np.inf, 1e38, 1e-30, np.zeros((0, 3)), np.zeros(0), np.array([2.0]),
    np.linspace(-1, 1, 3), np.linspace(-2, 2, 6).reshape(2, 3), np.array([np.nan, -np.inf, 3e30]),
    np.linspace(0, 1, 30).reshape(10, 3), np.ones((1, 1, 3)),
]  # fmt: skip


@dataclass
class Record:
    """What was computed: each thing with its name, the operation that made it, and from what."""

    root: Any
    things: dict[str, Any] = field(default_factory=dict)
    made: dict[str, tuple[str, list[str]]] = field(default_factory=dict)
    constants: set[str] = field(default_factory=set)

    def reachable(self) -> set[str]:
        found: set[str] = set()
        stack = [name for name, thing in self.things.items() if thing is self.root]
        while stack:
            name = stack.pop()
            if name not in found:
                found.add(name)
                stack += self.made.get(name, ("", []))[1]
        return found


def called(rng: random.Random, i: int) -> str:
    """Return a hostile name that begins with its number, so that it is unique even when cut."""
    return f"{i}:{rng.choice(list(HOSTILE))}"


def shown(name: str) -> str:
    """Return how a line shows such a name."""
    number, _, rest = name.partition(":")
    return f"{number}:{HOSTILE[rest]}"


@np.errstate(all="ignore")
def random_tensors(seed: int) -> Record:
    """Apply random operations to random arrays, 0-d, empty, of NaN and of huge values among them."""
    rng = random.Random(seed)
    record = Record(None)
    shapes = [(), (3,), (2, 3)] if rng.random() < 0.8 else [(), (0, 3), (3,), (1, 1, 3)]
    fit = [x for x in LEAVES if np.shape(x) in shapes]
    for i in range(rng.randint(1, 4)):
        x = np.asarray(rng.choice(fit), rng.choice(["f", "d"]))
        record.things[called(rng, i)] = ag.tensor(x, requires_grad=True)
    record.things[called(rng, 4)] = constant = np.asarray(rng.choice(fit), "f")
    record.constants = {name for name, x in record.things.items() if x is constant}
    for i in range(5, 5 + rng.randint(1, 12)):
        names = list(record.things)
        op = rng.choice(["add", "multiply", "maximum", "tanh", "exp", "negative", "sum"])
        a, b = rng.choice(names), rng.choice(names)
        inputs = [a, b] if op in ("add", "multiply", "maximum") else [a]
        if set(inputs) <= record.constants:
            continue
        name = called(rng, i)
        record.things[name] = getattr(ag, op)(*(record.things[n] for n in inputs))
        record.made[name] = op, inputs
    record.root = record.things[list(record.things)[-1]]
    if record.root is constant:
        record.root = next(iter(record.things.values()))
    if rng.random() < 0.8:
        record.root.backward(np.ones_like(record.root.data))
    return record


@np.errstate(all="ignore")
def random_values(seed: int) -> Record:
    """Apply random operations to random numbers, as the classroom's engine does."""
    rng = random.Random(seed)
    record = Record(None)
    for i in range(rng.randint(1, 3)):
        number = rng.choice([1.5, -2.0, 0.0, -0.0, 1e300, 1e-300, float("nan"), float("inf")])
        record.things[called(rng, i)] = Value(number)
    for i in range(3, 3 + rng.randint(1, 12)):
        names = list(record.things)
        op = rng.choice(["add", "multiply", "tanh", "sin", "subtract"])
        a, b = rng.choice(names), rng.choice(names)
        inputs = [a] if op in ("tanh", "sin") else [a, b]
        x, y = record.things[a], record.things[b]
        name = called(rng, i)
        if op in ("tanh", "sin"):
            record.things[name] = getattr(x, op)()
        else:
            record.things[name] = {"add": x + y, "multiply": x * y, "subtract": x - y}[op]
        record.made[name] = op, inputs
    record.root = record.things[list(record.things)[-1]]
    if rng.random() < 0.8:
        record.root.backward()
    return record


def random_picture(seed: int, hostile: bool = True) -> Picture:
    """Make a picture of everything that a picture can have, of a graph that there never was."""
    rng = random.Random(seed)
    words = list(HOSTILE) if hostile else ["alpha", "beta", "x", "w1", "h"]
    word = lambda: rng.choice(words)
    groups: list[Group] = []
    for i in range(rng.randint(0, 5)):
        parent = rng.choice(["", *(g.key for g in groups)])
        groups.append(Group(f"m{i}", word(), f"Linear({word()})", parent, rng.choice([1, 1, 12])))
    boxes = ["", *(g.key for g in groups)]
    picture = Picture(groups=groups)
    tensors: list[str] = []
    for i in range(rng.randint(1, 4)):
        kind: Any = rng.choice(["input", "parameter", "constant"])
        v = Vertex(f"t{i}", kind, word(), "", (2, 3), "float32", "[1, nan]",
                   rng.choice([None, "mean -inf ± 1e+30"]), group=rng.choice(boxes))  # fmt: skip
        picture.vertices.append(v)
        tensors.append(v.key)
    for i in range(10, 10 + rng.randint(0, 12)):
        group, error = rng.choice(boxes), rng.random() < 0.05
        kind = rng.choice(["operation", "operation", "module"])
        maker = Vertex(f"op{i}", kind, word(), word(), group=group, count=rng.choice([1, 1, 3]),
                       error=f"ValueError: {word()}" if error else "")  # fmt: skip
        picture.vertices.append(maker)
        for _ in range(rng.randint(1, 3)):
            picture.edges.append(Edge(rng.choice(tensors), maker.key, rng.random() < 0.3))
        if error:
            continue
        marks = tuple(m for m in ("view", "in place", "saved", "detached") if rng.random() < 0.2)
        v = Vertex(f"t{i}", rng.choice(["result", "output"]), rng.choice(["", word()]), "",
                   rng.choice([(), (0, 3), (10**6,)]), "float64", rng.choice([None, "empty", "1e+300"]),
                   rng.choice([None, "0"]), rng.choice(["", "written to since"]), group, marks)  # fmt: skip
        v.count = rng.choice([1, 1, 12])
        v.grad_size = rng.choice([None, 0.0, float("nan"), 1e-300])
        v.low, v.high = rng.choice([(None, None), (float("-inf"), float("inf")), (-1.5, 2.0)])
        picture.vertices.append(v)
        picture.edges.append(Edge(maker.key, f"t{i}"))
        tensors.append(f"t{i}")
        if rng.random() < 0.2:
            picture.edges.append(Edge(f"t{i}", maker.key, False, True, rng.choice(["", "t - 1", word()])))
    return picture
