"""Pictures of computation graphs: what was computed, from what, and how the gradient came back.

``reader`` takes plain data (``model``) from a recorded graph, ``trace`` runs a function so that all
of it can be read, ``simplify`` closes modules and folds repeats; ``boxes`` gives each vertex its text
and size, ``layout`` its place, and ``svg``, ``page``, ``dot``, ``mermaid`` and ``text`` write the
picture. ``steps`` goes through it one edge at a time.
"""

from __future__ import annotations

import sys
from collections.abc import Collection, Mapping, Sequence
from types import ModuleType
from typing import Any, Literal

from ..errors import message
from .graph import Graph
from .names import variables_of
from .plans import draw_plan, plan_of
from .reader import _Reader
from .run import is_function, run
from .simplify import simplify
from .steps import later
from .trace import is_module

__all__ = ["Graph", "draw"]


def draw(
    *subject: Any,
    inputs: Any = None,
    depth: int | None = 1,
    fold: bool = True,
    show: Collection[str] = ("value", "grad", "shape"),
    color: Literal["kind", "grad", "value"] = "kind",
    focus: Any = None,
    radius: int | None = None,
    collapse: str | Sequence[str] | None = None,
    max_nodes: int | None = 200,
    names: Mapping[str, Any] | None = None,
    direction: Literal["LR", "RL", "TB", "BT"] | None = None,
    engine: str | None = None,
) -> Graph:
    """Draw how results were computed: ``draw(loss)``, or ``draw(f, *inputs)``, ``draw(model, x)``.

    Operations are pills, tensors are boxes with name, shape, dtype, value and gradient: numbers
    while they are few, else mean and standard deviation. An operation that uses a tensor twice has
    two edges from it; a dotted edge is one along which no gradient comes back.

    **Results** (Tensors, or scalar Values) show what is still there. A dash stands for a gradient
    that has not been computed, and for a value that was not kept (``backward()`` drops arrays of
    more than 64 elements). What was written to since, as by an optimizer, says so, and shows the
    value that the computation saw, if that is still there.

    **A function or module** is run, and everything shows: each value, each gradient (if the results
    have one element each), each module as a box. Floating inputs become Tensors that require grad;
    beside modules arrays stay data. No ``.grad`` changes, no hook is called, random numbers and
    running statistics are put back. If it raises, the picture shows what was built and the
    operation that failed, and ``.error`` is the exception.

    **A compiled step**, ``draw(step)``, shows its plan: each call that a replay makes, in a box for each
    line of the code, and what it leaves behind.

    Args:
        subject: Tensors or Values; or a function or Module, and its inputs; or a compiled step.
        inputs: the inputs, as one tuple (or one input), or by name as a dictionary.
        depth: how many levels of modules are open; 0 closes the outermost, None opens all.
        fold: show repeats (at least three alike) once, with their number and the values of the last;
            recurrences are rolled up, with an arc that leads back.
        show: lines in the box of a tensor.
        color: what colours tell: the kind, the size of the gradient, or the range of the values.
        focus: a Tensor, or the name of one or of a module: show only what is around it.
        radius: how many edges around the focus; 4 if None.
        collapse: names of modules to close, ``"encoder"`` or patterns such as ``"encoder.*"``.
        max_nodes: past this, modules are closed further, repeats folded, and at last the oldest
            operations left out. None for all.
        names: what to call things, ``{"x": x}``: these go before the labels of Tensors and Values,
            which go before the names of the caller's variables.
        direction: in which the computation runs, ``"LR"`` (left to right), ``"RL"``, ``"TB"``
            (top to bottom) or ``"BT"``. If None, ``"LR"``, and ``"TB"`` for a compiled step.
        engine: ``"dot"`` for Graphviz's layout, ``"own"`` for the library's; None chooses.

    Returns:
        a :class:`Graph`, which shows itself in a notebook; ``.save("graph.svg")`` writes it, and
        ``.step()`` goes through it one edge at a time.

    Raises:
        TypeError: something that cannot be drawn, or inputs that the function does not take.
        ValueError: a ``focus`` or ``collapse`` that names nothing; another setting out of its range.

    >>> import autograd_core as ag
    >>> from autograd_core.draw import draw
    >>> x = ag.tensor(3.0, requires_grad=True)
    >>> y = x * x
    >>> y.backward()
    >>> print(draw(y).text())
    x = input           () float32  value 3  grad 6
    y = multiply(x, x)  () float32  value 9  grad 1
    <BLANKLINE>
    >>> print(draw(lambda a, b: a * b, 2.0, -3.0).text())
    a = input            () float32  value 2   grad -3  (saved)
    b = input            () float32  value -3  grad 2  (saved)
    %2 = multiply(a, b)  () float32  value -6  grad 1
    <BLANKLINE>
    """
    _check(depth=depth, radius=radius, max_nodes=max_nodes)
    if direction not in ("LR", "RL", "TB", "BT", None):
        raise ValueError(message("draw", f"direction={direction!r}", "'LR', 'RL', 'TB' or 'BT'"))
    if inputs is None and (plan := plan_of(subject)) is not None:
        return draw_plan(plan, direction or "TB", engine, depth=depth, fold=fold, collapse=collapse,
                         focus=focus, radius=radius, max_nodes=max_nodes)  # fmt: skip
    variables = variables_of(sys._getframe(1))
    error = None
    if _is_run(subject, inputs):
        given = _inputs(subject[1:], inputs)
        reader, tops, error = run(subject[0], given, names, variables)
    else:
        reader = _Reader(names or {})
        tops = [reader.place(x) for x in subject]
        for scope in variables:
            reader.names.find(scope)
        reader.read(tops)
    whole = reader.picture
    picture = simplify(whole, depth=depth, fold=fold, collapse=collapse, focus=_key(focus, reader),
                       radius=radius, max_nodes=max_nodes)  # fmt: skip
    values = reader.tracer.values if reader.tracer is not None else None
    steps = later(tops, reader.keys, values) if tops and error is None else None
    return Graph(picture, direction or "LR", show=show, color=color, engine=engine, steps=steps, whole=whole,
                 error=error)  # fmt: skip


def _is_run(subject: tuple[Any, ...], inputs: Any) -> bool:
    """Tell whether the first of the arguments is to be run with the others; explain what cannot be."""
    if not subject:
        raise TypeError(message("draw", "nothing", "a result, or a function and its inputs",
                                "draw(loss) or draw(f, x)"))  # fmt: skip
    first = subject[0]
    if isinstance(first, type):
        raise TypeError(message("draw", f"the class {first.__name__}", "a module, a function or a Tensor",
                                f"draw({first.__name__}(...), x)"))  # fmt: skip
    if is_function(first):
        if is_module(first) and len(subject) == 1 and inputs is None:
            raise TypeError(message("draw", "a module without inputs", "what it is to be run with",
                                    "draw(model, x)"))  # fmt: skip
        return True
    if inputs is not None:
        raise TypeError(message("draw", f"inputs= for a {type(first).__name__}", "a function or module",
                                "draw(f, x)"))  # fmt: skip
    for x in subject:
        if isinstance(x, (list, tuple, set, dict)):
            raise TypeError(message("draw", type(x).__name__, "Tensors or Values one by one",
                                    "draw(*tensors)"))  # fmt: skip
    return False


def _inputs(rest: tuple[Any, ...], inputs: Any) -> Any:
    if inputs is None:
        return rest
    if rest:
        raise TypeError(message("draw", "inputs twice", "draw(f, *inputs) or draw(f, inputs=...)"))
    return inputs if isinstance(inputs, (tuple, list, dict)) else (inputs,)


def _check(**numbers: Any) -> None:
    for name, n in numbers.items():
        least = 1 if name == "max_nodes" else 0
        if n is not None and (isinstance(n, bool) or not isinstance(n, int) or n < least):
            raise ValueError(message("draw", f"{name}={n!r}", f"an integer of at least {least}, or None"))


def _key(focus: Any, reader: _Reader) -> str | None:
    """Return the name or key of what to show the surroundings of."""
    if focus is None or isinstance(focus, str):
        return focus
    key = reader.keys.get(id(reader.place(focus)))
    if key is None:
        raise ValueError(message("draw", "a focus that is not in the picture",
                                 "one of its Tensors, or a name"))  # fmt: skip
    return key


class _Callable(ModuleType):
    """The function and this package share a name: whichever is found first, it draws."""

    __call__ = staticmethod(draw)


sys.modules[__name__].__class__ = _Callable
