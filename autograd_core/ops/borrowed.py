"""Operations whose values are SciPy's and whose rules are ours.

``scipy.special`` is imported when the first of them is called, for it takes 0.2 s; without SciPy the call is
an ImportError that names the extra, unless there is a ``substitute``. SciPy's own ufuncs take Tensors:
``scipy.special.gammaln(t)`` is ``ag.gammaln(t)``, found by ``of_scipy``.
"""

from __future__ import annotations

import re
import sys
from collections.abc import Callable, Iterable
from functools import cache
from importlib.util import find_spec
from inspect import Parameter, Signature
from typing import Any, TypeVar

import numpy as np

from ..errors import NotDifferentiableError, message
from ..node import has_box, is_grad_enabled
from ..primitive import Operation, Rule, Saves, elementwise, kernel

__all__ = ["borrowed", "constant_shape", "needs_scipy", "of_scipy", "special"]

EXTRA = "pip install 'autograd-core[scipy]'"
HERE = find_spec("scipy") is not None
SCIPY: dict[str, Callable[..., Any]] = {}  # name of a ufunc of scipy.special -> our operation

F = TypeVar("F", bound=Callable[..., Any])


@cache
def special(name: str = "special functions") -> Any:
    """Import ``scipy.special``, for the operation ``name``."""
    try:
        from scipy import special
    except ImportError:
        raise ImportError(message(name, "no SciPy", "SciPy to be installed", EXTRA)) from None
    return special


def told(doc: str) -> str:
    """Say in a docstring that SciPy is needed; where it is missing the example is not run."""
    text, mark, example = doc.partition(">>>")
    indent = text[len(text.rstrip(" ")) :]
    text = f"{text.rstrip()}\n\n{indent}The values are SciPy's: {EXTRA}.\n\n{indent}"
    example = mark + example
    return text + (example if HERE else re.sub(r"(?m)^( *>>> .*)$", r"\1  # doctest: +SKIP", example))


def needs_scipy(fun: F) -> F:
    """Mark a function that calls SciPy, for its docstring and the table of ufuncs."""
    fun.__doc__ = told(fun.__doc__ or "")
    SCIPY[fun.__name__] = fun
    return fun


def borrowed(
    name: str, *rules: Rule | None, doc: str, saves: Saves, substitute: Callable[..., Any] | None = None,
    **known: Any,
) -> Operation:  # fmt: skip
    """Declare SciPy's ufunc ``name`` with rules.

    ``substitute`` computes the values where SciPy is missing, ``HERE`` decides once.
    """

    @kernel
    def forward(*arrays: Any) -> Any:
        if len(arrays) > 1 and (dtype := np.result_type(*arrays)).kind == "f":
            arrays = tuple([np.asarray(a, dtype) for a in arrays])  # SciPy lets 2.0 promote float32
        return getattr(special(name), name)(*arrays)

    if substitute is not None and not HERE:
        forward = kernel(substitute)
    code = next(rule for rule in rules if rule).__code__
    letters = code.co_varnames[2 : code.co_argcount]
    forward.__signature__ = Signature([Parameter(x, Parameter.POSITIONAL_ONLY) for x in letters])
    forward.__module__ = next(rule for rule in rules if rule).__module__
    forward.needs_scipy = substitute is None
    operation = elementwise(forward, *rules, saves=saves, name=name, arity=len(rules),
                            doc=doc if substitute else told(doc), **known)  # fmt: skip
    SCIPY[name] = operation
    return operation


def of_scipy(ufunc: np.ufunc) -> Callable[..., Any] | None:
    """Return the operation that stands for a ufunc of SciPy's; nothing is imported for that."""
    ours = SCIPY.get(ufunc.__name__)
    theirs = sys.modules.get("scipy.special")
    if ours is None or theirs is None:
        return None
    known = getattr(theirs, ufunc.__name__, None)
    known = getattr(theirs._ufuncs, ufunc.__name__, None) if known is None else known
    return ours if known is ufunc else None


def constant_shape(name: str, parameters: Iterable[Any]) -> None:
    """Refuse parameters that are being differentiated, where no rule for them is known."""
    for a in parameters:
        if has_box(a) and a._recorded() and (a.level or is_grad_enabled()):
            raise NotDifferentiableError(message(
                name, "a shape parameter that is being differentiated; its derivative has no closed form",
                "a constant", "detach()"))  # fmt: skip
