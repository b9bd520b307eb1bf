"""The duck array that flows through a step while it is captured: it writes down each call made on it.

A :class:`Traced` carries the real array, so that what it answers is what eager NumPy would, and a place in
the list of calls. It is no ndarray: NumPy hands it every call on it (``__array_ufunc__``,
``__array_function__``), and what would turn it into a plain array or a Python value, and so go by unrecorded,
is refused. Only
``isinstance(x, np.ndarray)`` says yes, so that a step takes the way that it takes with arrays.
"""

from __future__ import annotations

import operator
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np
from numpy import ndarray

from ..node import Box

if TYPE_CHECKING:
    from .capture import Capture, Slot

__all__ = ["Method", "Traced"]


class Method:
    """A method as a function: ``Method("sum")(x, axis=0)`` is ``x.sum(axis=0)``."""

    __slots__ = ("__name__",)
    __name__: str
    known: ClassVar[dict[str, Method]] = {}

    def __new__(cls, name: str) -> Method:
        if name not in cls.known:
            cls.known[name] = super().__new__(cls)
            cls.known[name].__name__ = name
        return cls.known[name]

    @property
    def method(self) -> str:
        return self.__name__

    def __call__(self, x: Any, *args: Any, **params: Any) -> Any:
        return getattr(x, self.__name__)(*args, **params)

    def __repr__(self) -> str:
        return f".{self.__name__}"


def getitem(x: Any, index: Any) -> Any:
    return x[index]


def setitem(x: Any, index: Any, value: Any) -> None:
    x[index] = value


def _operator(ufunc: Any, reflected: bool = False) -> Callable[[Any, Any], Any]:
    def act(self: Traced, other: Any) -> Any:
        if isinstance(other, Box) or not _is_value(other):
            return NotImplemented
        return self._capture.call(ufunc, (other, self) if reflected else (self, other))

    return act


def _in_place(ufunc: Any) -> Callable[[Any, Any], Any]:
    def act(self: Traced, other: Any) -> Any:
        if isinstance(other, Box):
            return NotImplemented
        if type(self._value) is not ndarray:  # eagerly a number: it is not changed, the name is bound anew
            return self._capture.call(ufunc, (self, other))
        return self._capture.call(ufunc, (self, other), {"out": self}, writes=(self,))

    return act


def _repeating(multiply: Callable[[Any, Any], Any]) -> Callable[[Any, Any], Any]:
    def act(self: Traced, other: Any) -> Any:
        if isinstance(other, (list, tuple, str, bytes)) and type(self._value) is not ndarray:
            return other * operator.index(self)  # NumPy's numbers repeat a list
        return multiply(self, other)

    return act


def _part(name: str) -> Any:
    def write(self: Traced, value: Any) -> None:
        getattr(self, name)[...] = value

    return property(lambda self: self._capture.call(getattr(np, name), (self,)), write)


def _method(name: str, writes: bool = False) -> Callable[..., Any]:
    method = Method(name)

    def act(self: Traced, *args: Any, **params: Any) -> Any:
        return self._capture.method(method, self, args, params, writes)

    act.__name__ = name
    return act


def _refused(name: str, what: str = "a Python value", hint: str = "") -> Callable[..., Any]:
    def act(self: Any, *args: Any, **params: Any) -> Any:
        raise self._capture.refusal(f"{name} would turn an array of the step into {what}", hint)

    act.__name__ = name
    return act


def _is_value(x: Any) -> bool:
    kinds = (bool, int, float, complex, str, bytes, np.generic, list, tuple, type(None))
    return isinstance(x, kinds) or hasattr(type(x), "__array_ufunc__")


MEMORY = {"__array_wrap__", "__buffer__"}
BRANCH = "np.where, a mask that is multiplied with, or fallback=True"


class Traced:
    """An array of a step that is being captured."""

    # Names with an underscore, as a step may ask an array for its .value
    __slots__ = ("__weakref__", "_base", "_capture", "_slot", "_value")

    def __init__(self, capture: Capture, slot: Slot, value: Any, base: Any = None) -> None:
        self._capture, self._slot, self._value, self._base = capture, slot, value, base

    @property  # type: ignore[misc]
    def __class__(self) -> Any:  # for isinstance; type(x) tells
        return type(self._value)

    # -- what is known without its values -------------------------------------------------------

    shape = property(lambda self: self._value.shape)
    dtype = property(lambda self: self._value.dtype)
    ndim = property(lambda self: self._value.ndim)
    size = property(lambda self: self._value.size)
    strides = property(lambda self: self._value.strides)
    itemsize = property(lambda self: self._value.itemsize)
    nbytes = property(lambda self: self._value.nbytes)
    flags = property(lambda self: Flags(self))
    device = property(lambda self: self._value.device)

    def __len__(self) -> int:
        return len(self._value)

    @property
    def base(self) -> Any:
        """The array whose memory this one shows."""
        if type(self._base) is ndarray and self._capture.open:
            return self._capture.plain_base(self._base)
        return self._base

    def __hash__(self) -> int:
        if type(self._value) is ndarray:
            raise TypeError("unhashable type: 'numpy.ndarray'")
        raise self._capture.refusal("a hash (a key of a dict, an item of a set, a cached call) would turn an "
                                    "array of the step into a Python value")  # fmt: skip

    def __getattr__(self, name: str) -> Any:
        if name in ("__array_struct__", "__array_interface__"):
            self.__array__()
        if name in MEMORY or (not name.startswith("__") and hasattr(self._value, name)):
            raise self._capture.refusal(f".{name} would turn an array of the step into a Python value or "
                                        "plain memory", "x itself")  # fmt: skip
        raise AttributeError(f"'{type(self._value).__name__}' object has no attribute {name!r} (as a Traced)")

    # -- NumPy's two protocols ------------------------------------------------------------------

    def __array_ufunc__(self, ufunc: Any, method: str, *inputs: Any, **params: Any) -> Any:
        outs = params.get("out", ())
        if any(isinstance(x, Box) for x in (*inputs, *outs)):
            return NotImplemented
        return self._capture.ufunc(ufunc, method, inputs, params)

    def __array_function__(self, function: Any, types: Any, args: Any, params: Any) -> Any:
        if any(issubclass(kind, Box) for kind in types):
            return NotImplemented
        return self._capture.function(function, args, params)

    # -- operators ------------------------------------------------------------------------------

    __add__, __radd__ = _operator(np.add), _operator(np.add, True)
    __sub__, __rsub__ = _operator(np.subtract), _operator(np.subtract, True)
    __mul__, __rmul__ = _repeating(_operator(np.multiply)), _repeating(_operator(np.multiply, True))
    __truediv__, __rtruediv__ = _operator(np.divide), _operator(np.divide, True)
    __floordiv__, __rfloordiv__ = _operator(np.floor_divide), _operator(np.floor_divide, True)
    __mod__, __rmod__ = _operator(np.remainder), _operator(np.remainder, True)
    __divmod__, __rdivmod__ = _operator(np.divmod), _operator(np.divmod, True)
    __matmul__, __rmatmul__ = _operator(np.matmul), _operator(np.matmul, True)
    __and__, __rand__ = _operator(np.bitwise_and), _operator(np.bitwise_and, True)
    __or__, __ror__ = _operator(np.bitwise_or), _operator(np.bitwise_or, True)
    __xor__, __rxor__ = _operator(np.bitwise_xor), _operator(np.bitwise_xor, True)
    __lshift__, __rlshift__ = _operator(np.left_shift), _operator(np.left_shift, True)
    __rshift__, __rrshift__ = _operator(np.right_shift), _operator(np.right_shift, True)
    __lt__, __le__ = _operator(np.less), _operator(np.less_equal)
    __gt__, __ge__ = _operator(np.greater), _operator(np.greater_equal)
    __eq__, __ne__ = _operator(np.equal), _operator(np.not_equal)

    __iadd__, __isub__ = _in_place(np.add), _in_place(np.subtract)
    __imul__, __itruediv__ = _in_place(np.multiply), _in_place(np.divide)
    __ifloordiv__, __imod__ = _in_place(np.floor_divide), _in_place(np.remainder)
    __iand__, __ior__ = _in_place(np.bitwise_and), _in_place(np.bitwise_or)
    __ixor__, __imatmul__ = _in_place(np.bitwise_xor), _in_place(np.matmul)
    __ilshift__, __irshift__ = _in_place(np.left_shift), _in_place(np.right_shift)

    def __pow__(self, other: Any, modulus: Any = None) -> Any:
        if isinstance(other, Box) or modulus is not None:
            return NotImplemented
        return self._capture.call(operator.pow, (self, other))

    def __rpow__(self, other: Any) -> Any:
        return self._capture.call(operator.pow, (other, self))

    def __ipow__(self, other: Any) -> Any:  # type: ignore[misc]
        if isinstance(other, Box):
            return NotImplemented
        if type(self._value) is not ndarray:
            return self._capture.call(operator.pow, (self, other))
        return self._capture.call(operator.ipow, (self, other), writes=(self,))

    def __neg__(self) -> Any:
        return self._capture.call(np.negative, (self,))

    def __pos__(self) -> Any:
        return self._capture.call(np.positive, (self,))

    def __abs__(self) -> Any:
        return self._capture.call(np.absolute, (self,))

    def __invert__(self) -> Any:
        return self._capture.call(np.invert, (self,))

    # -- elements -------------------------------------------------------------------------------

    def __getitem__(self, index: Any) -> Any:
        return self._capture.item(self, index)

    def __setitem__(self, index: Any, value: Any) -> None:
        self._capture.call(setitem, (self, index, self._capture.unboxed(value)), writes=(self,))

    def __iter__(self) -> Iterator[Any]:
        if not self._value.ndim:
            raise TypeError("iteration over a 0-d array")
        return (self[i] for i in range(len(self._value)))

    T = property(lambda self: self._capture.call(Method("transpose"), (self,)))
    mT = property(lambda self: self._capture.call(Method("swapaxes"), (self, -1, -2)))
    real, imag = _part("real"), _part("imag")
    flat = property(_refused("x.flat", "an iterator of plain numbers", "x.reshape(-1)"))

    # -- methods --------------------------------------------------------------------------------

    all, any, argmax, argmin = _method("all"), _method("any"), _method("argmax"), _method("argmin")
    argpartition, argsort, astype = _method("argpartition"), _method("argsort"), _method("astype")
    byteswap, choose, clip = _method("byteswap"), _method("choose"), _method("clip")
    conj, conjugate, copy = _method("conj"), _method("conjugate"), _method("copy")
    cumprod, cumsum, diagonal = _method("cumprod"), _method("cumsum"), _method("diagonal")
    dot, flatten, max, mean = _method("dot"), _method("flatten"), _method("max"), _method("mean")
    min, prod, ravel = _method("min"), _method("prod"), _method("ravel")
    reshape, round = _method("reshape"), _method("round")
    searchsorted, squeeze, std = _method("searchsorted"), _method("squeeze"), _method("std")
    sum, swapaxes, take, trace = _method("sum"), _method("swapaxes"), _method("take"), _method("trace")
    transpose, var, view = _method("transpose"), _method("var"), _method("view")
    fill, partition = _method("fill", writes=True), _method("partition", writes=True)
    put, sort = _method("put", writes=True), _method("sort", writes=True)

    def repeat(self, repeats: Any, axis: Any = None) -> Any:
        return self._capture.function(np.repeat, (self, repeats), {"axis": axis})

    def compress(self, condition: Any, axis: Any = None, out: Any = None) -> Any:
        params = {"axis": axis} if out is None else {"axis": axis, "out": out}
        return self._capture.function(np.compress, (condition, self), params)

    def nonzero(self) -> Any:
        return self._capture.function(np.nonzero, (self,), {})

    def __copy__(self) -> Any:
        return self.copy()

    def __deepcopy__(self, memo: Any) -> Any:
        return self.copy()

    # -- what a replay would not see ------------------------------------------------------------

    __repr__ = _refused("print, str(), repr() or a format", "text", "return the array, and print it there")
    __str__ = __format__ = __repr__

    __bool__ = _refused("a branch (if, while, and, or, not, bool)", "True or False", BRANCH)
    __float__ = _refused("float()", hint="x.astype, or return the array from the step")
    __int__ = _refused("int()", hint="x.astype, or return the array from the step")
    __complex__ = _refused("complex()")
    __trunc__ = _refused("math.trunc()", hint="np.trunc")
    __index__ = _refused("an index, a slice's end or a range", hint="x[array] or np.take, which gather")
    item = _refused(".item()", hint="return the array from the step, and call .item() there")
    tolist = _refused(".tolist()", "a list of plain numbers")
    tobytes, tofile, dump, dumps = (
        _refused(f".{name}()", "bytes") for name in ("tobytes", "tofile", "dump", "dumps")
    )
    __reduce_ex__ = _refused("pickle", "bytes")
    __contains__ = _refused("in", "True or False", "(x == value).any()")
    __array__ = _refused("np.asarray, np.array, or a write into a plain array", "a plain array",
                         "x itself, x.copy() or np.stack; as the result to write into an array of the step, "
                         "such as np.zeros_like(x)")  # fmt: skip
    __dlpack__ = _refused("__dlpack__", "plain memory")
    ctypes = property(_refused(".ctypes", "plain memory"))
    data = property(_refused(".data", "plain memory"))

    def __round__(self, digits: int | None = None) -> Any:
        if type(self._value) is ndarray:
            raise TypeError("type numpy.ndarray doesn't define __round__ method")
        raise self._capture.refusal("round() would turn an array of the step into a Python value", "np.round")

    resize = _refused(".resize()", "another shape in place", "np.resize, which returns it")
    setflags = _refused(".setflags()", "memory that is locked")


class Flags:
    """The flags of an array, to be read."""

    __slots__ = ("_of",)

    def __init__(self, of: Traced) -> None:
        object.__setattr__(self, "_of", of)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._of._value.flags, name)

    def __getitem__(self, name: str) -> Any:
        return self._of._value.flags[name]

    def __setattr__(self, name: str, value: Any) -> None:
        raise self._of._capture.refusal(f"a write to .flags.{name}")

    __setitem__ = __setattr__
