"""What is recorded: the nodes of a computation graph, and the switches that recording obeys.

A graph is made of :class:`Node` objects. A node remembers which operation made an array,
what that operation needs for its chain rule, and its *edges*: for each input the node (or the
leaf Tensor) that the gradient goes on to, or None. Edges lead only to what is older, so nothing
refers downstream, a graph is freed by reference counting alone, and decreasing creation numbers
are a topological order.
"""

from __future__ import annotations

import functools
import inspect
import itertools
from contextlib import ContextDecorator
from contextvars import ContextVar, Token
from math import prod
from typing import Any

__all__ = ["enable_grad", "is_grad_enabled", "no_grad"]

SMALL = 64  # arrays of at most this many elements stay with their node, so that it can be drawn

next_id = itertools.count(1).__next__  # one C call: atomic, so threads may share it


class Box:
    """What flows through operations in place of an array: a Tensor or a dual number.

    Boxes nest by ``level`` (user Tensors are level 0); the highest level acts first.
    """

    __slots__ = ()
    level: int

    @property
    def inside(self) -> Any:
        """The value one level down: an array, or a box of a lower level."""
        raise NotImplementedError

    @classmethod
    def interpret(cls, primitive: Any, args: tuple[Any, ...], params: Any, level: int) -> Any:
        """Apply ``primitive`` to ``args``, the highest box among which is one of this class."""
        raise NotImplementedError


def strip(x: Any) -> Any:
    """Return the plain value inside any number of boxes (also within tuples and lists)."""
    while isinstance(x, Box):
        x = x.inside
    if type(x) is tuple or type(x) is list:
        return type(x)(map(strip, x))
    return x


def has_box(x: Any) -> bool:
    """Tell whether ``x``, or anything in nested tuples and lists, is a box."""
    return isinstance(x, Box) or (isinstance(x, (tuple, list)) and any(map(has_box, x)))


class Standin:
    """Shape and dtype of an array that is not there: what a rule sees of what was not saved."""

    __slots__ = ("dtype", "shape")
    __hash__ = object.__hash__

    def __init__(self, shape: tuple[int, ...], dtype: Any) -> None:
        self.shape, self.dtype = shape, dtype

    @property
    def ndim(self) -> int:
        return len(self.shape)

    @property
    def size(self) -> int:
        return prod(self.shape)

    def refuse(self, *args: Any, **kwargs: Any) -> Any:
        raise TypeError(
            f"a rule read the values of an array of shape {self.shape} that its operation does not "
            "save; name it in saves= where the operation is declared"
        )

    __array__ = __array_ufunc__ = __array_function__ = __getitem__ = __iter__ = __len__ = refuse
    __bool__ = __float__ = __eq__ = __ne__ = __lt__ = __le__ = __gt__ = __ge__ = refuse
    __add__ = __radd__ = __sub__ = __rsub__ = __mul__ = __rmul__ = __truediv__ = refuse
    __rtruediv__ = __pow__ = __rpow__ = __matmul__ = __rmatmul__ = __neg__ = __abs__ = refuse

    def __repr__(self) -> str:
        return f"{type(self).__name__}(shape={self.shape}, dtype={self.dtype})"


class Node(Standin):
    """One recorded operation. It stands in for the array that the operation made."""

    __slots__ = (
        "__weakref__",
        "edges",  # per input: Node, leaf Tensor, or None where no gradient goes
        "grad",  # the last gradient that passed, while it is small; for pictures
        "hooks",  # functions of the gradient, or None
        "id",  # creation number
        "inputs",  # per input: its value if a rule needs it; else its edge, or what stays of a constant
        "output",  # the value, if a rule needs it or it is small, or None
        "params",  # keyword metadata of the call
        "primitive",
        "released",  # True once backward has dropped what was saved
        "viewed",  # the leaves whose memory is saved through views of them
    )

    def __init__(
        self,
        primitive: Any,
        edges: tuple[Any, ...],
        inputs: tuple[Any, ...],
        output: Any,
        params: dict[str, Any],
    ) -> None:
        self.id = next_id()
        self.primitive, self.edges, self.inputs, self.params = primitive, edges, inputs, params
        self.shape, self.dtype = output.shape, output.dtype
        self.output = output
        self.viewed: tuple[Any, ...] = ()
        self.hooks: Any = None
        self.grad: Any = None
        self.released = False

    __eq__, __ne__ = object.__eq__, object.__ne__  # nodes are members of sets
    __hash__ = object.__hash__

    def __bool__(self) -> bool:
        return True

    def __repr__(self) -> str:
        return f"<{self.primitive.name} #{self.id} {self.shape} {self.dtype}>"


class _Leaf:
    """The ``node`` of a Tensor that requires grad and that no operation made."""

    __slots__ = ()

    def __repr__(self) -> str:
        return "LEAF"

    def __reduce__(self) -> str:
        return "LEAF"


LEAF = _Leaf()

# A context variable is one switch per thread (and per task), and costs half of threading.local.
# True and False; inside detect_anomaly what sees each node that is made, in place of True.
recording: ContextVar[Any] = ContextVar("recording", default=True)
watching: ContextVar[Any] = ContextVar("watching", default=True)  # what recording is when it is on


class _Switch(ContextDecorator):
    """Set the recording switch for a ``with`` block or a function."""

    on: bool

    def __init__(self) -> None:
        self._tokens: list[Token[Any]] = []

    def _recreate_cm(self) -> _Switch:  # a decorated function may recurse or run in two threads
        return type(self)()

    def __call__(self, func: Any) -> Any:
        if not inspect.isgeneratorfunction(func):
            return super().__call__(func)

        @functools.wraps(func)
        def steps(*args: Any, **kwargs: Any) -> Any:  # set while it runs, not while it waits
            generator = func(*args, **kwargs)
            resume = functools.partial(generator.send, None)
            while True:
                with type(self)():
                    try:
                        item = resume()
                    except StopIteration as stop:
                        return stop.value
                try:
                    resume = functools.partial(generator.send, (yield item))
                except GeneratorExit:
                    generator.close()
                    raise
                except BaseException as error:
                    resume = functools.partial(generator.throw, error)

        return steps

    def __enter__(self) -> _Switch:
        self._tokens.append(recording.set(self.on and watching.get()))
        return self

    def __exit__(self, *exc: object) -> None:
        recording.reset(self._tokens.pop())


class no_grad(_Switch):
    """Record nothing inside: a context manager and a decorator, per thread.

    >>> import autograd_core as ag
    >>> w = ag.tensor([1.0, 2.0], requires_grad=True)
    >>> with ag.no_grad():
    ...     w -= 0.5
    >>> w
    tensor([0.5, 1.5], requires_grad=True)
    """

    on = False


class enable_grad(_Switch):
    """Record inside, also within :class:`no_grad`."""

    on = True


def is_grad_enabled() -> bool:
    """Tell whether operations are recorded in this thread."""
    return bool(recording.get())
