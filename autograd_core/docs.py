"""The part of an operation's help that its declaration knows: ``help(ag.tanh)``.

The sentence and the formula are written in ``doc=``. Signature, modes, kinks, what is kept for
backward and, for elementwise functions of this library, an example follow from the primitive.

>>> import autograd_core as ag
>>> print(ag.sqrt.__doc__.partition(">>>")[0].strip())
Square root: dy/dx = 1/(2y).
<BLANKLINE>
NumPy's ``sqrt``.
Elementwise: the gradient has the shape of the input.
Reverse and forward mode, to any order.
Singular points: 0 times an infinite derivative is 0, without a warning.
Kept for backward: y.
>>> ag.sqrt.__doc__.splitlines()[-2:]
['>>> ag.grad(ag.sqrt)(0.5)', 'np.float64(0.707107)']
"""

from __future__ import annotations

import inspect
from collections.abc import Mapping, Sequence
from functools import cache, lru_cache
from inspect import Parameter, Signature
from math import isfinite
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from .primitive import Primitive

__all__ = ["describe", "with_kinks"]

POINTS = {1: ((0.5,), (2.0,)), 2: ((3.0, 2.0),)}  # one of them lies inside the domain
LIBRARY = __name__.partition(".")[0] + "."
ONE = "Elementwise: the gradient has the shape of the input."
SEVERAL = "Elementwise: the inputs broadcast, and each gradient has the shape of its input."


def describe(call: Any, prim: Primitive, numpy: Sequence[Any] = ()) -> None:
    """Give the function that people call its module, its signature and its docstring."""
    call.__module__ = _module(prim)
    letters = _letters(prim)
    signature = getattr(call, "__signature__", None)  # rules may be stated later
    if signature is None:
        call.__signature__ = signature = _signature(prim, numpy, letters)
    call.__doc__ = _docstring(prim, numpy, letters, signature, call.__module__)


def with_kinks(doc: str | None, kinks: str) -> str | None:
    """Put a line that tells the kinks before the example of a docstring.

    >>> with_kinks("Range.", "ties: shared evenly")
    'Range.\\n\\n    Kinks (derivative there): ties: shared evenly.\\n    '
    """
    if not doc or not kinks:
        return doc
    text, mark, example = doc.partition(">>>")
    return f"{text.rstrip()}\n\n    {_kinks(kinks)}\n\n    {mark}{example}" if mark else (
        f"{text.rstrip()}\n\n    {_kinks(kinks)}\n    ")  # fmt: skip


def _kinks(kinks: str) -> str:
    return f"Kinks (derivative there): {kinks}."


def _module(prim: Primitive) -> str:
    """Return the name of the file of the declaration: a ufunc's is where its rules are."""
    for f in (*prim.rules, prim.joint) if isinstance(prim.fun, np.ufunc) else (prim.fun, *prim.rules):
        module = getattr(f, "__module__", None)
        if f is not None and module and not module.startswith("numpy"):
            return str(module)
    return __name__


def _letters(prim: Primitive) -> tuple[str, ...]:
    """Return what the rules call the inputs, nothing where that is not one name each."""
    for rule in (*prim.rules, prim.joint):
        code = getattr(rule, "__code__", None)
        if code and prim.arity and code.co_argcount == prim.arity + 2:
            return tuple(code.co_varnames[2 : code.co_argcount])
    return ()


@lru_cache(1)  # asked for when an operation is declared and again when it is described
def parameters_of(fun: Any) -> Mapping[str, Parameter]:
    """Return the parameters of a forward function."""
    return inspect.signature(fun).parameters


@cache
def _of_arrays(*names: str) -> Signature:
    return Signature([Parameter(name, Parameter.POSITIONAL_ONLY) for name in names])


def _signature(prim: Primitive, numpy: Sequence[Any], letters: tuple[str, ...]) -> Signature:
    """Return the signature with NumPy's names of the arrays, which are given by position."""
    n = prim.arity
    if isinstance(prim.fun, np.ufunc):
        return _of_arrays(*(["x"] if n == 1 else [f"x{i + 1}" for i in range(prim.fun.nin)]))
    try:
        parameters = list(parameters_of(prim.fun).values())
    except (ValueError, TypeError):  # a function of NumPy's in C
        parameters = []
    rest = [Parameter(p.name, p.kind, default=p.default) for p in parameters[n or 0 :]]
    if n is None:
        return Signature(rest)
    code = next((f.__wrapped__.__code__ for f in numpy if hasattr(f, "__wrapped__")), None)
    arrays = _of_arrays(*(code.co_varnames[:n] if code else [p.name for p in parameters[:n]] or letters))
    return Signature([*arrays.parameters.values(), *rest]) if rest else arrays


def _docstring(
    prim: Primitive, numpy: Sequence[Any], letters: tuple[str, ...], signature: Signature, module: str
) -> str:
    doc = prim.doc or ("" if isinstance(prim.fun, np.ufunc) else prim.fun.__doc__) or ""
    doc = inspect.cleandoc(doc) if "\n" in doc else doc
    text, mark, example = doc.partition(">>>")
    known = _known(prim, numpy, letters, signature)
    if not mark and prim.doc and module.startswith(LIBRARY):
        mark, example = _example(prim)
    parts = [text.rstrip(), "\n".join(known), mark + example]
    return "\n\n".join(part for part in parts if part)


def _known(
    prim: Primitive, numpy: Sequence[Any], letters: tuple[str, ...], signature: Signature
) -> list[str]:
    """Return the lines that the declaration alone tells."""
    lines = []
    names = tuple(signature.parameters)[: len(letters)]
    stand = "" if letters == names else (
        f"{', '.join(letters)} stand{'s'[len(letters) - 1 :]} for {', '.join(names)}")  # fmt: skip
    if numpy:
        functions = " and ".join([f"``{name}``" for name in sorted({f.__name__ for f in numpy})])
        lines.append(f"NumPy's {functions}; {stand}." if stand else f"NumPy's {functions}.")
    elif stand:
        lines.append(stand + ".")
    if prim.broadcasts:
        lines.append(ONE if prim.arity == 1 else SEVERAL)
    if prim.linear:
        lines.append("Linear: its derivative is itself.")
    if prim.multilinear:
        lines.append("Linear in each input by itself.")
    if reverse := bool(prim.needs):
        lines.append(f"Reverse {'and forward ' if prim.push else ''}mode, to any order.")
    elif prim.push:
        lines.append("Forward mode, to any order.")
    if prim.kinks:
        lines.append(_kinks(prim.kinks))
    if prim.singular:
        lines.append("Singular points: 0 times an infinite derivative is 0, without a warning.")
    if reverse:
        lines.append(f"Kept for backward: {_kept(prim, letters)}.")
    return lines


def _kept(prim: Primitive, letters: tuple[str, ...]) -> str:
    """Say what the rules need the values of, by their own names; of several rules, which of them."""
    n = arity = prim.arity or 1
    if not prim.joint and len(set(prim.needs)) == 1:
        n = 1  # one answer for all
    names = "y", *(letters or [f"input {i}" for i in range(arity)] if prim.arity else ["all inputs"])
    each = []
    for i in range(n):
        needed = prim.plan[1 << i] if prim.plan else prim.saved([i == k for k in range(arity)])
        words = ", ".join(name for name, needs in zip(names, needed, strict=True) if needs)
        each.append(words or "nothing but shapes")
    if n == 1 or prim.joint or not letters:
        return " and ".join(dict.fromkeys(each))
    return "; ".join(f"{w} for dy/d{x}" for w, x, rule in zip(each, letters, prim.rules, strict=True) if rule)


def _example(prim: Primitive) -> tuple[str, str]:
    """Return an example of an elementwise function, the number of which is the rule's own."""
    rules = prim.rules
    if not prim.broadcasts or len(rules) not in POINTS or not rules[0] or rules[0].__code__.co_kwonlyargcount:
        return "", ""
    for point in POINTS[len(rules)]:
        inputs = [np.float64(v) for v in point]
        try:
            with np.errstate(all="ignore"):
                y = prim.fun(*inputs)
                slopes = [float(r(np.float64(1), y, *inputs)) for r in rules if r]
        except Exception as error:
            error.add_note(f"The rule of {prim.name} cannot run yet: write an example (>>>) into its doc=.")
            raise
        if all(map(isfinite, slopes)):
            break
    at = ", ".join(map(repr, point))
    shown = [f"np.float64({round(d, 6) + 0.0!r})" for d in slopes]
    if len(rules) == 1:
        call, result = f"ag.grad(ag.{prim.name})({at})", shown[0]
    else:
        call, result = f"ag.grad(ag.{prim.name}, (0, 1))({at})", f"({', '.join(shown)})"
    return ">>>", f" import autograd_core as ag\n>>> {call}\n{result}\n"
