"""A model as a table or a tree: what each module holds, what comes out of it, and what that costs."""

from __future__ import annotations

import copy
from collections.abc import Callable
from dataclasses import dataclass, field
from html import escape
from typing import Any

import numpy as np

from autograd_core import random
from autograd_core.errors import message
from autograd_core.node import recording, strip
from autograd_core.tensor import Tensor

from .module import Module

__all__ = ["Summary", "summary"]


@dataclass
class Line:
    """One module: its place in the model, what it holds itself, and what its calls did."""

    path: str
    kind: str
    depth: int
    parameters: int  # of it and all below it, each counted once
    shapes: list[str] = field(default_factory=list)  # of the results of its calls
    flops: int | None = None


class Summary:
    """A module's tree with output shapes, numbers of parameters and floating-point operations.

    ``str()`` is a table; a notebook shows a tree that opens and closes.
    """

    def __init__(self, lines: list[Line]) -> None:
        self.lines = lines

    @property
    def parameters(self) -> int:
        """Number of learnable elements; what two modules share counts once."""
        return self.lines[0].parameters

    @property
    def flops(self) -> int | None:
        """Floating-point operations of one forward pass; None where it was not run."""
        return self.lines[0].flops

    def _cells(self, line: Line) -> tuple[str, str, str, str]:
        name = line.path.rpartition(".")[2]
        shape = line.shapes[-1] if line.shapes else "—"
        if len(line.shapes) > 1:
            shape += f" ×{len(line.shapes)}"
        flops = "—" if line.flops is None else f"{line.flops:,}"
        return f"{name}: {line.kind}" if name else line.kind, shape, f"{line.parameters:,}", flops

    def __str__(self) -> str:
        rows = [("module", "output", "parameters", "FLOPs")]
        for line in self.lines:
            first, shape, parameters, flops = self._cells(line)
            rows.append(("  " * line.depth + first, shape, parameters, flops))
        a, b, c, d = (max(len(row[i]) for row in rows) for i in range(4))
        return "\n".join(f"{p:{a}}  {q:{b}}  {r:>{c}}  {s:>{d}}" for p, q, r, s in rows)

    __repr__ = __str__

    def _repr_html_(self) -> str:
        parts, open_ = ['<div style="font-family:ui-monospace,monospace;font-size:13px">'], 0
        for line, after in zip(self.lines, [*self.lines[1:], None], strict=True):
            while open_ > line.depth:
                parts.append("</div></details>")
                open_ -= 1
            name, shape, parameters, flops = map(escape, self._cells(line))
            text = (f'<b>{name}</b> <span style="opacity:.7">{shape} · {parameters} parameters · '
                    f"{flops} FLOPs</span>")  # fmt: skip
            if after is not None and after.depth > line.depth:
                parts.append(f'<details open><summary>{text}</summary><div style="margin-left:1.5em">')
                open_ += 1
            else:
                parts.append(f'<div style="margin-left:1em">{text}</div>')
        return "".join([*parts, "</div></details>" * open_, "</div>"])


class _Counter:
    """What the recording switch holds meanwhile: it adds each operation's cost to the open modules."""

    def __init__(self) -> None:
        self.open: list[Line] = []

    def watch(self, node: Any, y: Any) -> None:
        prim = node.primitive
        if prim.view:
            return
        if prim.flops:
            n = prim.flops(y, *node.inputs, **node.params)
        else:
            n = max(x.size for x in (y, *node.inputs) if hasattr(x, "shape"))
        for line in {id(line): line for line in self.open}.values():
            line.flops = (line.flops or 0) + int(n)


def summary(model: Module, *inputs: Any) -> Summary:
    """Return the tree of a model: output shapes, numbers of parameters, floating-point operations.

    The model is run on a copy of itself, so nothing of it changes; without inputs shapes and costs
    stay open. A product of (n, k) and (k, m) counts 2 n k m operations, an elementwise function one
    for each element. Frozen parts that nothing differentiable feeds are not counted.

    Args:
        model: any module.
        inputs: as for calling it: arrays or Tensors.

    Raises:
        TypeError: something that is not a module.

    >>> import numpy as np
    >>> from autograd_core import nn
    >>> print(nn.summary(nn.MLP([3, 4, 2]), np.zeros((5, 3))))
    module       output  parameters  FLOPs
    MLP          (5, 2)          26    250
      0: Linear  (5, 4)          16    140
      1: ReLU    (5, 4)           0     20
      2: Linear  (5, 2)          10     90
    """
    if not isinstance(model, Module):
        raise TypeError(message("summary", f"a {type(model).__name__}", "a Module",
                                "nn.summary(model, x)"))  # fmt: skip
    seen = copy.deepcopy(model) if inputs else model
    lines = {id(m): Line(path, type(m).__name__, path.count(".") + bool(path),
                         sum(p.size for p in m.parameters()))
             for path, m in seen.named_modules()}  # fmt: skip
    if inputs:
        _run(seen, inputs, lines)
    return Summary(list(lines.values()))


def _run(model: Module, inputs: tuple[Any, ...], lines: dict[int, Line]) -> None:
    """Call the model, noting what comes out of each module and what it costs."""
    counter = _Counter()

    def noted(forward: Callable[..., Any], line: Line) -> Callable[..., Any]:
        def call(*args: Any, **kwargs: Any) -> Any:
            counter.open.append(line)
            line.flops = line.flops or 0
            try:
                y = forward(*args, **kwargs)
            finally:
                counter.open.pop()
            line.shapes.append(_shape(y))
            return y

        return call

    for module in model.modules():
        object.__setattr__(module, "forward", noted(module.forward, lines[id(module)]))
    state, token = random.get_state(), recording.set(counter)
    try:
        model(*[_recorded(x, model) for x in inputs])
    finally:
        recording.reset(token)
        random.set_state(state)


def _recorded(x: Any, model: Module) -> Any:
    """Return a floating input as a Tensor from which operations are recorded."""
    if getattr(getattr(x, "dtype", None), "kind", "") != "f" or getattr(x, "requires_grad", False):
        return x
    p = next(model.parameters(), None)
    dtype = x.dtype if p is None or isinstance(x, Tensor) else p.dtype
    return Tensor(x, dtype, requires_grad=True)


def _shape(y: Any) -> str:
    if isinstance(y, (tuple, list)):
        return f"({', '.join(map(_shape, y))})"
    return str(np.shape(strip(y)))
