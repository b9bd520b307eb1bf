"""Errors that say where in a model they arose: ``[net.2 Conv2d] got ..., expected ...``.

An error passes every module that was being called. The innermost writes its name into the text, and each
one outside of it the path from itself, so that what arrives has the path from the outermost module that
was called. While no error is on its way this costs nothing.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from .porting import spelling

if TYPE_CHECKING:
    from .module import Module

__all__ = ["locate"]

HEAD = re.compile(r"\[(.+?)\](?= got )")  # of a text by errors.message


class _Place(NamedTuple):
    """What an error knows of where it has been."""

    last: int  # the module that it passed last, by id: an error with a module in it could not be pickled
    path: str  # from that module to the innermost one
    layer: str  # the innermost: what stands behind the path
    text: str  # what was written with this path
    is_note: bool


def locate(error: Exception, module: Module, inputs: Iterable[Any]) -> None:
    """Tell an error, which passes a call of ``module``, where below this module it arose.

    A text of this library's form is rewritten, ``[linear] got`` to ``[net.2 Linear] got``, and an
    operation within a module of another name to ``[net.2 Block, matmul] got``. Other errors keep their
    text and get a note, ``in net.2 (Block)``. Shapes of inputs that the text lacks are a note too.

    >>> import numpy as np
    >>> from autograd_core import nn
    >>> try:
    ...     nn.Sequential(nn.Tanh(), nn.Linear(4, 1))(np.ones((5, 3), np.float32))
    ... except ValueError as error:
    ...     print(str(error).partition(" for")[0])
    [1 Linear] got an input of shape (5, 3)
    """
    place: _Place | None = error.__dict__.get("_place")
    new = place is None
    if place is None:
        place = _innermost(error, module)
    else:
        below = (name for name, m in module.named_modules() if id(m) == place.last)
        if name := next(below, ""):  # empty: its __call__ called that of its base
            path = f"{name}.{place.path}" if place.path else name
            place = place._replace(last=id(module), path=path)
    error.__dict__["_place"] = place._replace(text=_write(error, place))
    if new:
        _note_shapes(error, inputs)
        if note := spelling(error):
            error.add_note(note)


def _write(error: Exception, place: _Place) -> str:
    """Put the place into the error's text or notes, where an earlier one stands; return what was put."""
    if place.is_note:
        text = f"in {place.path} ({place.layer})" if place.path else f"in {place.layer}"
        notes = error.__dict__.setdefault("__notes__", [])
        if place.text in notes:
            notes[notes.index(place.text)] = text
        else:
            notes.append(text)
        return text
    text = f"[{place.path} {place.layer}]" if place.path else f"[{place.layer}]"
    said = error.args[0] if error.args else ""
    if isinstance(said, str) and said.startswith(place.text):
        error.args = (text + said[len(place.text) :], *error.args[1:])
        if isinstance(error, np.exceptions.AxisError):  # it has a text beside its args
            np.exceptions.AxisError.__init__(error, error.args[0])
        return text
    return place.text  # somebody has changed it


def _innermost(error: Exception, module: Module) -> _Place:
    """Return the place of an error that passes its first module."""
    kind = type(module)
    said = error.args[0] if len(error.args) == 1 else None
    head = HEAD.match(said) if isinstance(said, str) else None
    if head is None:
        return _Place(id(module), "", kind.__name__, "", True)
    operation = re.match(r"\w*", head[1])[0]  # type: ignore[index]  # matches anything
    if any(_plain(c.__name__) == _plain(operation) for c in kind.__mro__):
        layer = kind.__name__ + head[1][len(operation) :]
    else:
        layer = f"{kind.__name__}, {head[1]}"
    return _Place(id(module), "", layer, head[0], False)


def _plain(name: str) -> str:
    return name.replace("_", "").lower()


def _note_shapes(error: Exception, inputs: Iterable[Any]) -> None:
    """Add the shapes of the inputs, unless the text has them, and what the first one is, if no data."""
    inputs = list(inputs)
    if inputs and not hasattr(inputs[0], "shape") and not isinstance(inputs[0], (list, int, float)):
        if f"got a {type(inputs[0]).__name__}" not in str(error):
            error.add_note(f"the input is {_described(inputs[0])}")
    shapes = [str(x.shape) for x in inputs if isinstance(getattr(x, "shape", None), tuple)]
    said = str(error).replace(" ", "")  # NumPy writes (2,3)
    if not all(shape.replace(" ", "") in said for shape in shapes):
        error.add_note(f"input shapes: {', '.join(shapes)}")


def _described(x: Any) -> str:
    """Say what was given in the place of data, and how that comes about."""
    if x is None:
        return "None: does each forward(...) before it return something?"
    if isinstance(x, type):
        return f"the class {x.__name__}, not data"
    if isinstance(x, tuple) and type(x) is tuple:
        return f"a tuple, ({', '.join(type(v).__name__ for v in x)}): nn.LSTM and others return more than one"
    return f"a {type(x).__name__}"
