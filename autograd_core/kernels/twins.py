"""Which of a kernel's two versions runs: the NumPy one, or the loop that numba compiles.

numba is imported, and a loop compiled, when the kernel is first called; the machine code is kept on disk for
the next time. ``AUTOGRAD_CORE_NUMBA=0`` in the environment, or :func:`using`, leaves it out.
"""

from __future__ import annotations

import importlib.util
import os
import sys
import warnings
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import cache, wraps
from typing import Any, TypeVar

from ..errors import message
from .threads import split, worth_a_thread

__all__ = ["compiled", "compiled_by_numba", "instruction", "is_used", "loop", "twin", "using"]

F = TypeVar("F", bound=Callable[..., Any])

_used: bool | None = None  # None: where it is installed
INTRINSIC: dict[str, Any] = {}
_loops: dict[str, dict[str, tuple[Callable[..., Any], dict[str, Any]]]] = {}  # by module and name


@cache
def _installed() -> bool:
    return os.environ.get("AUTOGRAD_CORE_NUMBA", "1") != "0" and importlib.util.find_spec("numba") is not None


def is_used() -> bool:
    """Tell whether numba runs the loops."""
    return _installed() if _used is None else _used


@contextmanager
def using(numba: bool) -> Iterator[None]:
    """Use the numba versions of kernels, or only the NumPy ones, within a ``with`` block (of all threads).

    Raises:
        ImportError: numba is asked for and is not installed.

    >>> import numpy as np
    >>> from autograd_core import kernels, nn
    >>> with kernels.using(numba=False):
    ...     nn.functional.relu(np.array([-1.0, 2.0]))
    array([0., 2.])
    """
    global _used
    if numba and importlib.util.find_spec("numba") is None:
        raise ImportError(message("kernels.using", "numba=True without numba", "numba",
                                  "pip install 'autograd-core[fast]'"))  # fmt: skip
    before, _used = _used, numba
    try:
        yield
    finally:
        _used = before


def loop(fun: F | None = None, **options: Any) -> Any:
    """Mark a function for numba; until its twin is called it is a plain Python function.

    ``options`` go to ``numba.njit``. Loops may call each other, also those that a module imports.
    """

    def mark(fun: F) -> F:
        _loops.setdefault(fun.__module__, {})[fun.__name__] = fun, options
        return fun

    return mark if fun is None else mark(fun)


def instruction(fun: Callable[..., Any]) -> Any:
    """Mark a function that makes machine instructions for the loops of its module: a ``numba`` intrinsic."""
    _loops.setdefault(fun.__module__, {})[fun.__name__] = fun, INTRINSIC
    return fun


@cache
def _compile(module: str) -> None:
    """Put compiled functions in the place of a module's loops, and of those that it imports."""
    import numba.extending

    space = vars(sys.modules[module])
    for name, value in list(space.items()):
        home = getattr(value, "__module__", None)
        if home != module and isinstance(home, str) and value is _loops.get(home, {}).get(name, (None,))[0]:
            space[name] = compiled(value)
    for name, (fun, options) in _loops.get(module, {}).items():
        if options is INTRINSIC:
            space[name] = numba.extending.intrinsic(fun)
            continue
        space[name] = compiled_by_numba(fun, **options)


def compiled_by_numba(fun: Callable[..., Any], **options: Any) -> Any:
    """Return a function as numba compiles loops; the machine code is kept beside the function's file."""
    import numba

    # Sums may be reordered, so that they run on vectors; NaN and infinity keep their meaning.
    fast = {"contract", "reassoc", "nsz"}
    how = {"cache": True, "nogil": True, "error_model": "numpy", "fastmath": fast} | options
    try:
        return numba.njit(**how)(fun)
    except RuntimeError:  # nowhere to keep the machine code
        return numba.njit(**how | {"cache": False})(fun)


@cache
def compiled(fast: Any) -> Any:
    """Return a loop, or a function beside loops, as it runs once those of its module are compiled."""
    _compile(fast.__module__)
    return vars(sys.modules[fast.__module__])[fast.__name__]


def _kind(a: Any) -> Any:
    """Return what numba compiles for: the type, of arrays with dtype and axes, of tuples part by part."""
    if isinstance(a, tuple):
        return tuple(map(_kind, a))
    return type(a), getattr(a, "dtype", None), getattr(a, "ndim", None)


def twin(
    fast: Callable[..., Any], cut: tuple[int, ...] = (), cost: float = 0.0, least: float = 0.0
) -> Callable[[F], F]:
    """Let a kernel run as the loop ``fast`` where numba is installed.

    Both take the same positional arguments: arrays in C order of float32 or float64 (the first is asked),
    integers, numbers and tuples of them. Arguments that numba cannot compile the loop for go to NumPy: if it
    takes them, with a warning. Arguments of other kinds are as fast as before.

    Args:
        fast: the loop.
        cut: which arguments may be cut along their first axis, so that threads share the work.
        cost: nanoseconds of one thread for an element of the first argument, in the loop.
        least: elements for which NumPy's version is worth a thread.
    """

    def mark(fun: F) -> F:
        slow: set[Any] = set()  # kinds of arguments that the loop does not take

        def plain(*args: Any) -> Any:
            if not cut:
                return fun(*args)
            return split(lambda i, j: fun(*[a[i:j] if k in cut else a for k, a in enumerate(args)]),
                         len(args[0]), worth_a_thread(least, args[0].size, len(args[0])))  # fmt: skip

        def run(*args: Any) -> Any:
            if not cut:
                return compiled(fast)(*args)
            from .team import share

            return share(fast, len(args[0]), cost * args[0].size / 1000, *args, cut=cut)

        @wraps(fun)
        def call(*args: Any) -> Any:
            if not (_installed() if _used is None else _used) or args[0].dtype.char not in "fd":
                return plain(*args)
            if slow and _kind(args) in slow:
                return plain(*args)
            try:
                return run(*args)
            except Exception as error:
                if not type(error).__module__.startswith(("numba.", "llvmlite.")):
                    raise
                text = message(fun.__name__, f"{type(error).__name__} from numba",
                               "a version that compiles it", "another; NumPy is used")  # fmt: skip
            result = plain(*args)  # arguments that are wrong raise here
            slow.add(_kind(args))
            warnings.warn(text, RuntimeWarning, stacklevel=2)
            return result

        return call  # type: ignore[return-value]

    return mark
