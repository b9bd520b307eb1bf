"""How errors call what they are about: a value in a few words, and the line where a function is defined."""

from __future__ import annotations

from typing import Any

from numpy import ndarray

from ..tensor import Tensor
from .capture import is_ours, located
from .reach import is_atom

__all__ = ["a_kind", "defined", "line_of", "short"]


def a_kind(x: Any) -> str:
    """Return the name of a value's type with its article.

    >>> a_kind([]), a_kind(1)
    ('a list', 'an int')
    """
    if isinstance(x, ndarray) and x.dtype.hasobject:
        return "an array of objects"
    name = type(x).__name__
    return f"{'an' if name[0] in 'aeiouAEIOU' else 'a'} {name}"


def short(x: Any) -> str:
    """Return a number or a text as it is, cut where it is long, and of anything else what it is.

    >>> short(2.0), short([1, 2]), short("x" * 99)[-5:]
    ('2.0', 'a list', 'xx...')
    """
    if isinstance(x, (ndarray, Tensor)):
        return f"{'a Tensor' if isinstance(x, Tensor) else 'an array'} {x.shape}"
    text = repr(x) if is_atom(x) else a_kind(x)
    return text if len(text) <= 60 else text[:57] + "..."


def defined(fun: Any) -> str:
    """Return the file and line where a function is defined."""
    return located(line_of(fun))


def line_of(fun: Any) -> Any:
    """Return the same as a pair; of a transform the line of the function that it differentiates."""
    code = getattr(getattr(fun, "__func__", fun), "__code__", None)
    while code is not None and is_ours(code.co_filename) and getattr(fun, "__wrapped__", None) is not None:
        fun = fun.__wrapped__
        code = getattr(getattr(fun, "__func__", fun), "__code__", None)
    return code and (code.co_filename, code.co_firstlineno)
