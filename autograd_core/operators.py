"""What Tensors and dual numbers share: they behave as NumPy's arrays do.

Operators, methods and NumPy's own functions (through its two protocols) all lead to the operations
of :mod:`ops`, by tables: one line each.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy import ndarray

from . import ops
from .errors import NotDifferentiableError, message
from .node import Box, strip
from .ops.borrowed import of_scipy
from .primitive import NUMPY
from .writing import update, write

if TYPE_CHECKING:
    from .tensor import Tensor

__all__ = ["Array"]

# -- from functions to operators and methods: tables, so that each is one line --------------------


def _unary(f: Any) -> Callable[[Any], Tensor]:
    return f


def _binary(f: Any) -> Callable[[Any, Any], Tensor]:
    return f


def _reflected(f: Any) -> Callable[[Any, Any], Tensor]:
    return lambda self, other: f(other, self)


def _method(f: Any) -> Callable[..., Tensor]:
    return f


def _plain(f: Any) -> Callable[..., Any]:
    return f


def _in_place(f: Any, ufunc: np.ufunc) -> Callable[[Any, Any], Any]:
    return lambda self, other: update(self, f, ufunc, other)


def _power(a: Any, b: Any) -> Any:
    """``a ** b``; a square is 200 times faster as a product than as a general power."""
    if type(b) is int or type(b) is float:
        if b == 2:
            return ops.square(a)
        if b == 1:
            return ops.positive(a)
        if b == 3:
            return ops.multiply(ops.square(a), a)
        if b == 0.5:
            return ops.sqrt(a)
    return ops.power(a, b)


class Array(Box):
    """What Tensors and dual numbers share: NumPy's operators, methods and protocols."""

    __slots__ = ()
    if TYPE_CHECKING:
        data: Any

    __add__, __radd__ = _binary(ops.add), _reflected(ops.add)
    __sub__, __rsub__ = _binary(ops.subtract), _reflected(ops.subtract)
    __mul__, __rmul__ = _binary(ops.multiply), _reflected(ops.multiply)
    __truediv__, __rtruediv__ = _binary(ops.divide), _reflected(ops.divide)
    __matmul__, __rmatmul__ = _binary(ops.matmul), _reflected(ops.matmul)
    __mod__, __rmod__ = _binary(ops.remainder), _reflected(ops.remainder)
    __pow__, __rpow__ = _binary(_power), _reflected(ops.power)
    __floordiv__, __rfloordiv__ = _plain(ops.floor_divide), _reflected(ops.floor_divide)
    __neg__, __pos__, __abs__ = _unary(ops.negative), _unary(ops.positive), _unary(ops.absolute)

    __and__, __rand__ = _plain(ops.bitwise_and), _reflected(ops.bitwise_and)
    __or__, __ror__ = _plain(ops.bitwise_or), _reflected(ops.bitwise_or)
    __xor__, __rxor__ = _plain(ops.bitwise_xor), _reflected(ops.bitwise_xor)
    __invert__ = _plain(ops.invert)

    __lt__, __le__ = _plain(ops.less), _plain(ops.less_equal)
    __gt__, __ge__ = _plain(ops.greater), _plain(ops.greater_equal)
    __eq__, __ne__ = _plain(ops.equal), _plain(ops.not_equal)
    __hash__ = object.__hash__  # by identity, as PyTorch's
    __getitem__ = _method(ops.getitem)
    __setitem__ = write
    __iadd__, __isub__ = _in_place(ops.add, np.add), _in_place(ops.subtract, np.subtract)
    __imul__, __itruediv__ = _in_place(ops.multiply, np.multiply), _in_place(ops.divide, np.divide)
    __ipow__, __imod__ = _in_place(_power, np.power), _in_place(ops.remainder, np.remainder)

    exp, log, sqrt, square = _unary(ops.exp), _unary(ops.log), _unary(ops.sqrt), _unary(ops.square)
    log1p, expm1, reciprocal = _unary(ops.log1p), _unary(ops.expm1), _unary(ops.reciprocal)
    sin, cos, tan = _unary(ops.sin), _unary(ops.cos), _unary(ops.tan)
    sinh, cosh, tanh = _unary(ops.sinh), _unary(ops.cosh), _unary(ops.tanh)
    sigmoid, relu, abs = _unary(ops.sigmoid), _unary(ops.relu), _unary(ops.absolute)
    sum, mean, prod = _method(ops.sum), _method(ops.mean), _method(ops.prod)
    max, min, ptp = _method(ops.max), _method(ops.min), _method(ops.ptp)
    var, std = _method(ops.var), _method(ops.std)
    cumsum, cumprod, median = _method(ops.cumsum), _method(ops.cumprod), _method(ops.median)
    clip, dot, trace = _method(ops.clip), _binary(ops.dot), _method(ops.trace)
    softmax, log_softmax = _method(ops.softmax), _method(ops.log_softmax)
    logsumexp, norm = _method(ops.logsumexp), _method(ops.norm)
    ravel, copy = _method(ops.ravel), _unary(ops.copy)
    squeeze, swapaxes = _method(ops.squeeze), _method(ops.swapaxes)
    repeat, take, diagonal = _method(ops.repeat), _method(ops.take), _method(ops.diagonal)
    flip, unsqueeze, put = _method(ops.flip), _method(ops.expand_dims), _method(ops.put)
    pow, matmul = _binary(_power), _binary(ops.matmul)
    astype = _method(ops.astype)
    argmax, argmin, argsort = _plain(ops.argmax), _plain(ops.argmin), _plain(ops.argsort)
    any, all, round = _plain(ops.any), _plain(ops.all), _plain(ops.round)

    def __divmod__(self, other: Any) -> tuple[Any, Tensor]:
        return ops.floor_divide(self, other), ops.remainder(self, other)

    def reshape(self, *shape: Any, order: str = "C") -> Tensor:
        """Return the elements in another shape, given as numbers or as one tuple."""
        return ops.reshape(self, shape[0] if len(shape) == 1 else shape, order)

    def transpose(self, *axes: Any) -> Tensor:
        """Reorder the axes; by default reverse them."""
        if len(axes) == 1 and not isinstance(axes[0], int):
            axes = axes[0]
        return ops.transpose(self, axes or None)

    permute = transpose

    def fill(self, value: Any) -> None:
        """Write ``value`` everywhere."""
        self[...] = value

    def compress(self, condition: Any, axis: int | None = None) -> Tensor:
        """Return the slices where the condition holds."""
        return ops.compress(condition, self, axis)

    def flatten(self, order: str = "C") -> Tensor:
        """Return a copy of the elements along one axis; ``ravel`` copies only where it must."""
        flat = ops.ravel(self, order)
        return ops.copy(flat) if np.may_share_memory(strip(flat), strip(self)) else flat

    @property
    def T(self) -> Tensor:
        """The array with its axes reversed."""
        return ops.transpose(self)

    @property
    def mT(self) -> Tensor:
        """The array with its last two axes exchanged."""
        return ops.matrix_transpose(self)

    @property
    def shape(self) -> tuple[int, ...]:
        """Lengths of the axes."""
        return self.inside.shape

    @property
    def dtype(self) -> np.dtype[Any]:
        """Data type of the elements."""
        return self.inside.dtype

    @property
    def ndim(self) -> int:
        """Number of axes."""
        return len(self.inside.shape)

    @property
    def flags(self) -> Any:
        """Memory layout of the array."""
        return strip(self).flags

    @property
    def size(self) -> int:
        """Number of elements."""
        return self.inside.size

    def __len__(self) -> int:
        if not self.shape:
            raise TypeError(f"len() of a {type(self).__name__} without axes")
        return self.shape[0]

    def __iter__(self) -> Iterator[Tensor]:
        if not self.shape:
            raise TypeError(f"iteration over a {type(self).__name__} without axes")
        return (self[i] for i in range(self.shape[0]))

    def __bool__(self) -> bool:
        return bool(strip(self))

    def _number(self, kind: str) -> Any:
        if self._recorded():  # NumPy calls float(t) for plain[0] = t, which would lose the graph
            raise TypeError(message(
                kind, f"a {type(self).__name__} that is being differentiated; a plain number would "
                "leave the graph silently", "", "t.item() or t.detach()"))  # fmt: skip
        return strip(self).item()

    def __int__(self) -> int:
        return int(self._number("int"))

    def __float__(self) -> float:
        return float(self._number("float"))

    def __index__(self) -> int:
        return strip(self).__index__()

    def __contains__(self, value: Any) -> bool:
        return value in strip(self)

    def item(self, *index: int) -> Any:
        """Return one element as a Python number."""
        return strip(self).item(*index)

    def tolist(self) -> Any:
        """Return the values as nested lists of Python numbers."""
        return strip(self).tolist()

    def _recorded(self) -> bool:
        """Tell whether turning this into a plain array would lose a derivative."""
        return True

    def __array__(self, dtype: Any = None, copy: bool | None = None) -> ndarray[Any, Any]:
        if self._recorded():
            raise TypeError(message(
                "asarray", f"a {type(self).__name__} that is being differentiated; a plain array "
                "would leave the graph silently", "", "np.stack to join Tensors, t.numpy() or "
                "t.detach() to leave the graph, or the autograd_core function of the same name"))  # fmt: skip
        value = np.asarray(strip(self), dtype=dtype)
        return value.copy() if copy else value

    def __array_ufunc__(self, ufunc: np.ufunc, method: str, *inputs: Any, **kwargs: Any) -> Any:
        ours = NUMPY.get(ufunc)
        if method == "__call__" and not kwargs and ours is not None:
            return ours(*inputs)
        return _ufunc(ufunc, method, ours, inputs, kwargs)

    def __array_function__(self, func: Any, types: Any, args: Any, kwargs: Any) -> Any:
        ours = NUMPY.get(func)
        if ours is not None:
            return ours(*args, **kwargs) if args else ours(*_positional(func, kwargs), **kwargs)
        module = getattr(func, "__module__", "") or ""
        name = f"{module}.{func.__name__}" if module.startswith("numpy") else func.__name__
        return _fallback(name, func, args, kwargs)


def _positional(func: Any, kwargs: dict[str, Any]) -> list[Any]:
    """Take out of ``kwargs`` the arrays that NumPy lets one give by name: np.sum(a=x)."""
    args = []
    for p in inspect.signature(func).parameters.values():
        if p.name not in kwargs or p.default is not p.empty:
            break
        args.append(kwargs.pop(p.name))
    return args


REDUCE = {np.add: ops.sum, np.multiply: ops.prod, np.maximum: ops.max, np.minimum: ops.min}
ACCUMULATE = {np.add: ops.cumsum, np.multiply: ops.cumprod}


def _boxes(x: Any) -> Iterator[Box]:
    if isinstance(x, Box):
        yield x
    elif isinstance(x, (tuple, list)):
        for item in x:
            yield from _boxes(item)
    elif isinstance(x, dict):
        yield from _boxes(list(x.values()))


def _ufunc(ufunc: Any, method: str, ours: Any, inputs: Any, kwargs: Any) -> Any:
    """Answer SciPy's ufuncs, and a ufunc's less usual calls: reduce, accumulate, outer, and keywords."""
    ours = of_scipy(ufunc) if ours is None else ours
    name = ufunc.__name__ if method == "__call__" else f"{ufunc.__name__}.{method}"
    if method == "at":
        return _at(name, ufunc, *inputs)
    axis = kwargs.get("axis", 0)
    if kwargs.get("where") is True:
        del kwargs["where"]
    for empty in ("out", "dtype"):
        if kwargs.get(empty, 0) is None:
            del kwargs[empty]
    if hasattr(ours, "constant"):
        return getattr(ufunc, method)(*strip(inputs), **{k: strip(v) for k, v in kwargs.items()})
    if isinstance(out := kwargs.get("out", (None,))[0], Array):
        out[...] = getattr(ufunc, method)(*inputs, **{k: v for k, v in kwargs.items() if k != "out"})
        return out
    if "out" in kwargs and any(box._recorded() for box in _boxes([inputs, kwargs])):  # type: ignore[attr-defined]
        raise TypeError(message(
            name, "out= a plain array, with a Tensor that is being differentiated",
            "a new result, or a Tensor to write into",
            "y = f(x), x = ag.tensor(x), or detach() what shall not be differentiated"))  # fmt: skip
    words = kwargs.keys()
    if method == "__call__" and ours is not None:
        if not words or (ufunc is np.vecdot and words == {"axis"}):
            return ours(*inputs, **kwargs)
        if words == {"dtype"}:
            return ours(
                *[np.astype(x, kwargs["dtype"]) if hasattr(x, "dtype") else x for x in inputs]
            )
    if method == "reduce" and ufunc in REDUCE and words <= {"axis", "keepdims"}:
        return REDUCE[ufunc](inputs[0], axis=axis, keepdims=kwargs.get("keepdims", False))
    if method == "accumulate" and ufunc in ACCUMULATE and words <= {"axis"}:
        return ACCUMULATE[ufunc](inputs[0], axis=axis)
    if method == "outer" and ours is not None and not words:
        a, b = inputs
        return ours(ops.reshape(a, np.shape(a) + (1,) * np.ndim(b)), b)
    return _fallback(name, getattr(ufunc, method), inputs, kwargs)


def _at(name: str, ufunc: Any, x: Any, index: Any, *values: Any) -> None:
    """Answer ``np.add.at(x, index, v)``: a place that the index names twice gets both."""
    if not isinstance(x, Array):
        raise TypeError(message(name, "a plain array, for a Tensor that is being differentiated", "a Tensor",
                                "x = ag.tensor(x)"))  # fmt: skip
    if ufunc not in (np.add, np.subtract) or len(values) != 1:
        raise NotDifferentiableError(message(name, "a Tensor", "np.add.at or np.subtract.at",
                                             "x[index] = v, where the index is free of repeats"))  # fmt: skip
    index = strip(index)
    v = ops.broadcast_to(values[0], np.broadcast_to(0, x.shape)[index].shape)
    x[...] = ufunc(x, ops.scatter(v, index=index, shape=x.shape))


def _fallback(name: str, func: Any, args: Any, kwargs: Any) -> Any:
    """Call NumPy's own function on the values, unless that would lose a derivative."""
    if any(box._recorded() for box in _boxes([args, kwargs])):  # type: ignore[attr-defined]
        raise NotDifferentiableError(message(
            name, "a Tensor that is being differentiated, and has no derivative rule here", "",
            "detach(), or @ag.primitive with rules of your own"))  # fmt: skip
    return func(*strip(args), **{k: strip(v) for k, v in kwargs.items()})
