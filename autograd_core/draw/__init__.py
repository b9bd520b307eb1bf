"""Pictures of computation graphs: what was computed, from what, and how the gradient came back.

``model`` takes plain data from a recorded graph, ``boxes`` gives each vertex its text and size,
``layout`` its place, and ``svg``, ``dot`` and ``text`` write the picture.
"""

from __future__ import annotations

import sys
from collections.abc import Mapping
from types import ModuleType
from typing import Any, Literal

from ..errors import message
from .graph import Graph
from .model import extract

__all__ = ["Graph", "draw"]


def draw(
    *tensors: Any,
    names: Mapping[str, Any] | None = None,
    direction: Literal["LR", "RL", "TB", "BT"] = "LR",
) -> Graph:
    """Draw what ``tensors`` (Tensors, or scalar Values) were computed from.

    Operations are pills, tensors are boxes with name, shape, dtype, value and gradient: numbers
    while they are few, else mean and standard deviation. A dash stands for a gradient that has
    not been computed, and for a value that was not kept (arrays of more than 64 elements are
    dropped by ``backward()``). An operation that uses a tensor twice has two edges from it.

    Args:
        tensors: results, usually a loss.
        names: what to call tensors, ``{"x": x}``; ``names=locals()`` will do. Otherwise their
            own names are shown.
        direction: in which the computation runs, ``"LR"`` (left to right), ``"RL"``, ``"TB"``
            (top to bottom) or ``"BT"``.

    Returns:
        a :class:`Graph`, which shows itself in a notebook; ``.save("graph.svg")`` writes it,
        ``.svg()``, ``.dot()`` and ``.text()`` return it.

    Raises:
        TypeError: something that is neither a Tensor nor a Value, or nothing at all.

    >>> import autograd_core as ag
    >>> from autograd_core.draw import draw
    >>> x = ag.tensor(3.0, requires_grad=True, name="x")
    >>> y = x * x
    >>> y.backward()
    >>> print(draw(y, names={"y": y}).text())
    x = input           () float32  value 3  grad 6
    y = multiply(x, x)  () float32  value 9  grad 1
    """
    if not tensors:
        raise TypeError(message("draw", "nothing", "one or more Tensors or Values", "draw(loss)"))
    if direction not in ("LR", "RL", "TB", "BT"):
        raise ValueError(message("draw", f"direction={direction!r}", "'LR', 'RL', 'TB' or 'BT'"))
    return Graph(extract(tensors, names), direction)


class _Callable(ModuleType):
    """The function and this package share a name: whichever is found first, it draws."""

    __call__ = staticmethod(draw)


sys.modules[__name__].__class__ = _Callable
