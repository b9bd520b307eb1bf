"""What people hold: an array that remembers how it was made.

A :class:`Tensor` is a NumPy array and a place in a graph. It behaves as the array does (operators,
methods, NumPy's functions), and each operation on it is recorded while it requires grad.
"""

from __future__ import annotations

import weakref
from collections.abc import Callable, Iterator
from operator import attrgetter
from sys import getrefcount
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy import ndarray
from numpy.typing import ArrayLike, DTypeLike

from . import ops
from .backward import accumulate, propagate
from .calls import apply, hold_results_in, leaf_of, unsaved, wrap
from .errors import GraphError, NotDifferentiableError, explain, message
from .node import LEAF, SMALL, Box, Node, next_id, recording, strip
from .primitive import NUMPY, Primitive

__all__ = ["Parameter", "Tensor", "as_tensor", "tensor"]

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

    exp, log, sqrt, square = _unary(ops.exp), _unary(ops.log), _unary(ops.sqrt), _unary(ops.square)
    sin, cos, tanh = _unary(ops.sin), _unary(ops.cos), _unary(ops.tanh)
    sigmoid, relu, abs = _unary(ops.sigmoid), _unary(ops.relu), _unary(ops.absolute)
    sum, mean, prod = _method(ops.sum), _method(ops.mean), _method(ops.prod)
    max, min, ptp = _method(ops.max), _method(ops.min), _method(ops.ptp)
    var, std = _method(ops.var), _method(ops.std)
    cumsum, cumprod = _method(ops.cumsum), _method(ops.cumprod)
    clip, dot, trace = _method(ops.clip), _binary(ops.dot), _method(ops.trace)
    softmax, log_softmax = _method(ops.softmax), _method(ops.log_softmax)
    logsumexp, norm = _method(ops.logsumexp), _method(ops.norm)
    ravel, flatten, copy = _method(ops.ravel), _method(ops.ravel), _unary(ops.copy)
    squeeze, swapaxes = _method(ops.squeeze), _method(ops.swapaxes)
    repeat, take, diagonal = _method(ops.repeat), _method(ops.take), _method(ops.diagonal)
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
            return ours(*args, **kwargs)
        module = getattr(func, "__module__", "") or ""
        name = f"{module}.{func.__name__}" if module.startswith("numpy") else func.__name__
        return _fallback(name, func, args, kwargs)


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
    """Answer a ufunc's less usual calls: reduce, accumulate, outer, and keywords."""
    name = ufunc.__name__ if method == "__call__" else f"{ufunc.__name__}.{method}"
    if method == "at":
        raise TypeError(message(name, "a Tensor, into whose values it would write", "",
                                "np.where or np.concatenate, which make a new one"))  # fmt: skip
    axis = kwargs.get("axis", 0)
    if kwargs.get("where") is True:
        del kwargs["where"]
    for empty in ("out", "dtype"):
        if kwargs.get(empty, 0) is None:
            del kwargs[empty]
    if hasattr(ours, "constant"):
        return getattr(ufunc, method)(*strip(inputs), **{k: strip(v) for k, v in kwargs.items()})
    if "out" in kwargs and any(box._recorded() for box in _boxes([inputs, kwargs])):  # type: ignore[attr-defined]
        raise TypeError(message(
            name, "out=, with a Tensor that is being differentiated", "a new result",
            "y = f(x), or detach() what shall not be differentiated"))  # fmt: skip
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


def _fallback(name: str, func: Any, args: Any, kwargs: Any) -> Any:
    """Call NumPy's own function on the values, unless that would lose a derivative."""
    if any(box._recorded() for box in _boxes([args, kwargs])):  # type: ignore[attr-defined]
        raise NotDifferentiableError(message(
            name, "a Tensor that is being differentiated, and has no derivative rule here", "",
            "detach(), or @ag.primitive with rules of your own"))  # fmt: skip
    return func(*strip(args), **{k: strip(v) for k, v in kwargs.items()})


@hold_results_in
class Tensor(Array):
    """A NumPy array whose operations are recorded, so that gradients can flow back through them.

    Args:
        data: anything that NumPy takes as an array; it is copied. Python floats become float32.
        dtype: NumPy dtype to convert to.
        requires_grad: record what is computed from this Tensor, so that ``backward()`` fills
            its ``grad``. Only floating dtypes can.
        name: a label for pictures and errors.

    >>> import autograd_core as ag
    >>> w = ag.tensor([1.0, 2.0, 3.0], requires_grad=True)
    >>> loss = (w * w).sum()
    >>> loss.backward()
    >>> w.grad
    array([2., 4., 6.], dtype=float32)
    """

    __slots__ = ("__weakref__", "data", "extras", "grad", "node", "version")

    data: Any  # the array (inside a transform perhaps a box of a lower level)
    node: Any  # None: a constant. LEAF: requires grad. Else the Node that made it.
    grad: Any  # an array after backward(), a Tensor after backward(create_graph=True), or None
    version: int  # next_id() at the last write: older nodes have seen other values
    extras: dict[str, Any] | None  # "name", "hooks"

    def __init__(
        self,
        data: ArrayLike | Tensor,
        dtype: DTypeLike | None = None,
        requires_grad: bool = False,
        name: str | None = None,
    ) -> None:
        if isinstance(data, Box):
            data = strip(data)
        array = np.array(data, dtype=dtype)
        if (
            dtype is None
            and array.dtype == np.float64
            and not isinstance(data, (ndarray, np.generic))
        ):
            array = array.astype(np.float32) if _pure_python(data) else array
        if array.dtype.kind not in "biufc":
            raise TypeError(message("tensor", f"data of dtype {array.dtype}", "numbers"))
        self.data = array
        self.node, self.grad, self.version, self.extras = None, None, 0, None
        if name is not None:
            self.name = name
        if requires_grad:
            self.requires_grad = True

    # -- its place in the graph ---------------------------------------------------------------

    inside = property(attrgetter("data"))  # a C call; as a method it is twice as slow
    shape = property(attrgetter("data.shape"))
    dtype = property(attrgetter("data.dtype"))
    size = property(attrgetter("data.size"))

    @property
    def level(self) -> int:  # type: ignore[override]
        """0 for a user's Tensor; inside a transform one more than what it holds."""
        return self.data.level + 1 if isinstance(self.data, Box) else 0

    @property
    def edge(self) -> Any:
        """What a gradient of this Tensor goes to: its node, itself if it is a leaf, or None."""
        return self if self.node is LEAF else self.node

    @property
    def requires_grad(self) -> bool:
        """Whether operations on this Tensor are recorded."""
        return self.node is not None

    @requires_grad.setter
    def requires_grad(self, value: bool) -> None:
        if isinstance(self.node, Node):
            if value:
                return
            raise GraphError(message("requires_grad", "False for a result of an operation",
                                     "a leaf", "t.detach()"))  # fmt: skip
        if value and self.dtype.kind != "f":  # complex numbers come later
            raise TypeError(message(
                "requires_grad", f"a Tensor of dtype {self.dtype}", "a floating dtype",
                "ag.tensor([1.0, 2.0]) with decimal points, or dtype=float"))  # fmt: skip
        self.node = LEAF if value else None

    def requires_grad_(self, requires_grad: bool = True) -> Tensor:
        """Set ``requires_grad`` and return the Tensor itself."""
        self.requires_grad = requires_grad
        return self

    @property
    def is_leaf(self) -> bool:
        """Whether no operation made this Tensor."""
        return not isinstance(self.node, Node)

    @property
    def grad_fn(self) -> Node | None:
        """The node that made this Tensor, or None for a leaf."""
        return self.node if isinstance(self.node, Node) else None

    @property
    def name(self) -> str | None:
        """A label for pictures and errors."""
        return self.extras.get("name") if self.extras else None

    @name.setter
    def name(self, value: str | None) -> None:
        self.extras = {**(self.extras or {}), "name": value}

    def _recorded(self) -> bool:
        return self.node is not None or isinstance(self.data, Box)

    def detach(self) -> Tensor:
        """Return the same memory outside the graph: a constant."""
        return wrap(strip(self.data))

    def numpy(self) -> ndarray[Any, Any]:
        """Return the array itself; read-only while the Tensor is part of a graph."""
        array: ndarray[Any, Any] = strip(self.data)
        if self.node is not None:
            array = array.view()
            array.flags.writeable = False
        return array

    # -- the chain rule -----------------------------------------------------------------------

    def backward(
        self,
        gradient: ArrayLike | Tensor | None = None,
        retain_graph: bool | None = None,
        create_graph: bool = False,
    ) -> None:
        """Add the gradient of this Tensor to the ``grad`` of every leaf that it came from.

        Args:
            gradient: dL/d(self), of this Tensor's shape; may be left out for a single element,
                where it is 1.
            retain_graph: keep what the graph saved, so that backward can run through it again.
            create_graph: make the gradients Tensors that can be differentiated in turn.

        Raises:
            GraphError: nothing here requires grad, or an earlier backward released the graph.
            RuntimeError: several elements and no ``gradient``.
            ValueError: a ``gradient`` of another shape.

        >>> import autograd_core as ag
        >>> x = ag.tensor(3.0, requires_grad=True)
        >>> (x * x).backward()
        >>> x.grad
        array(6., dtype=float32)
        """
        edge = self if self.node is LEAF else self.node
        if edge is None:
            raise GraphError(message(
                "backward", "a Tensor that nothing requiring grad led to", "a recorded result",
                "requires_grad=True on its inputs, outside no_grad"))  # fmt: skip
        data = self.data
        if gradient is None:
            if data.size != 1:
                raise GraphError(message(
                    "backward", f"a Tensor of shape {self.shape} and no gradient", "one element",
                    "t.sum().backward(), or t.backward(gradient) of its shape"))  # fmt: skip
            seed: Any = np.array(1, data.dtype, ndmin=data.ndim)  # np.ones takes four times as long
        else:
            if np.shape(gradient) != self.shape:
                raise ValueError(message("backward", f"a gradient of shape {np.shape(gradient)}",
                                         f"{self.shape}"))  # fmt: skip
            seed = ops.astype(gradient, self.dtype) if isinstance(gradient, Box) else np.asarray(
                gradient, self.dtype)  # fmt: skip
        if create_graph:
            seed = seed if isinstance(seed, Tensor) else wrap(seed)
        else:
            seed = strip(seed)
        retain = create_graph if retain_graph is None else retain_graph
        _, leaves = propagate([(edge, seed)], record=create_graph, retain=retain)
        del seed
        token = recording.set(True) if create_graph else None
        try:
            accumulate(leaves, record=create_graph)
        finally:
            if token is not None:
                recording.reset(token)

    def register_hook(self, hook: Callable[[Any], Any]) -> Callable[[], None]:
        """Call ``hook(gradient)`` when this Tensor's gradient is known; it may return another.

        Returns:
            a function that removes the hook.
        """
        if self.node is None:
            raise GraphError(message("register_hook", "a Tensor that does not require grad"))
        if isinstance(self.node, Node):
            hooks = self.node.hooks = self.node.hooks or []
        else:
            self.extras = self.extras or {}
            hooks = self.extras.setdefault("hooks", [])
        hooks.append(hook)
        return lambda: hooks.remove(hook) if hook in hooks else None

    def retain_grad(self) -> None:
        """Keep this intermediate result's gradient in its ``grad`` during backward."""
        if isinstance(self.node, Node) and not (self.extras and "retains" in self.extras):
            self.extras = {**(self.extras or {}), "retains": True}
            me = weakref.ref(self)  # a node must not refer to what came after it

            def keep(g: Any) -> None:
                if (t := me()) is not None:
                    g = g if isinstance(g, Box) else np.array(g)
                    t.grad = g if t.grad is None else t.grad + g

            self.register_hook(keep)

    # -- writing ------------------------------------------------------------------------------

    def writable(self, what: str = "write") -> Any:
        """Return memory that may be written to.

        What somebody else may still hold is copied first, so a graph keeps the values that it
        saved; and ``version`` is set, so that a graph which used this leaf refuses its backward.
        Everything that writes goes through here, optimizers too.

        Raises:
            GraphError: a leaf that requires grad, outside ``no_grad``.
        """
        is_leaf = self.node is LEAF
        if is_leaf and recording.get():
            raise GraphError(message(
                what, "a write into a leaf that requires grad", "",
                "with ag.no_grad(): w -= step"))  # fmt: skip
        data = self.data
        if data.base is not None:
            shared = not is_leaf  # a parameter may be a part of one flat array
        else:
            shared = getrefcount(data) > 3  # more than: this variable, the slot, the argument
        if shared:
            data = self.data = data.copy()
        self.version = next_id()
        return data

    def __setitem__(self, index: Any, value: Any) -> None:
        if (isinstance(self.node, Node) or isinstance(self.data, Box)) and recording.get():
            raise NotImplementedError(message(
                "setitem", "a write into a Tensor that is part of a graph", "",
                "np.where or np.concatenate, which make a new Tensor"))  # fmt: skip
        if isinstance(value, Array) and value._recorded() and recording.get():
            raise NotImplementedError(message(
                "setitem", "a Tensor that is being differentiated as the value written", "",
                "np.where or np.concatenate, or value.detach()"))  # fmt: skip
        self.writable("setitem")[strip(index)] = strip(value)

    def _update(self, op: Any, ufunc: np.ufunc, other: Any) -> Tensor:
        other_recorded = isinstance(other, Array) and other._recorded()
        if recording.get() and (isinstance(self.node, Node) or isinstance(self.data, Box)
                                or (other_recorded and self.node is None)):  # fmt: skip
            y = ops.astype(op(self, other), self.dtype)  # in place keeps the dtype, as NumPy does
            if y.shape != self.shape:
                raise ValueError(message(ufunc.__name__, f"an in-place result of shape {y.shape}",
                                         f"{self.shape}"))  # fmt: skip
            self.data, self.node = y.data, y.node
            self.version = next_id()
            return self
        data = self.writable(f"in-place {ufunc.__name__}")
        other = strip(other)
        try:
            ufunc(data, other, out=data)
        except ValueError as error:
            raise explain(error, ufunc.__name__, (data, other)) from None
        return self

    def __iadd__(self, other: Any) -> Tensor:
        return self._update(ops.add, np.add, other)

    def __isub__(self, other: Any) -> Tensor:
        return self._update(ops.subtract, np.subtract, other)

    def __imul__(self, other: Any) -> Tensor:
        return self._update(ops.multiply, np.multiply, other)

    def __itruediv__(self, other: Any) -> Tensor:
        return self._update(ops.divide, np.divide, other)

    # -- as text, as a copy ---------------------------------------------------------------------

    def __repr__(self) -> str:
        if isinstance(self.data, Box):
            return f"Tensor({self.data!r}, level={self.level})"
        kind = "tensor" if type(self) is Tensor else type(self).__name__
        text = np.array2string(self.data, separator=", ", prefix=f"{kind}(")
        if self.dtype not in (np.float32, np.int64, np.bool):
            text += f", dtype={self.dtype}"
        if isinstance(self.node, Node):
            text += f", grad_fn=<{self.node.primitive.name}>"
        elif self.node is LEAF and type(self) is Tensor:
            text += ", requires_grad=True"
        return f"{kind}({text})"

    def __format__(self, spec: str) -> str:
        return format(self.item(), spec) if self.size == 1 and spec else repr(self)

    def __reduce__(self) -> Any:
        if isinstance(self.node, Node) or isinstance(self.data, Box):
            raise GraphError(
                message("copy", "a Tensor that is part of a graph", "a leaf", "detach()")
            )
        extras = {"name": self.name} if self.name else None
        return _rebuild, (type(self), self.data, self.node is LEAF, self.grad, extras)


def _rebuild(cls: type[Tensor], data: Any, requires_grad: bool, grad: Any, extras: Any) -> Tensor:
    t = object.__new__(cls)
    t.data, t.node, t.grad, t.version, t.extras = (
        data,
        LEAF if requires_grad else None,
        grad,
        0,
        extras,
    )
    return t


class Parameter(Tensor):
    """A Tensor that a module learns: it requires grad, and is float32 unless told otherwise."""

    __slots__ = ()

    def __init__(
        self, data: ArrayLike | Tensor, requires_grad: bool = True, name: str | None = None
    ) -> None:
        super().__init__(data, requires_grad=requires_grad, name=name)


def _pure_python(data: Any) -> bool:
    """Tell whether nested lists hold Python numbers only: then floats are float32."""
    while isinstance(data, (list, tuple)) and data:
        data = data[0]
    return isinstance(data, (int, float, list, tuple)) and not isinstance(data, np.generic)


def tensor(
    data: ArrayLike | Tensor, dtype: DTypeLike | None = None, requires_grad: bool = False,
    name: str | None = None,
) -> Tensor:  # fmt: skip
    """Make a Tensor from numbers, nested lists or an array, whose values are copied.

    Arrays keep their dtype; Python floats become float32 and integers int64, as in PyTorch.

    >>> import autograd_core as ag
    >>> ag.tensor([[1.0, 2.0]])
    tensor([[1., 2.]])
    """
    return Tensor(data, dtype, requires_grad, name)


def as_tensor(data: ArrayLike | Tensor, dtype: DTypeLike | None = None) -> Tensor:
    """Return ``data`` as a Tensor without copying an array (a Tensor is returned as it is)."""
    if isinstance(data, Tensor):
        return data if dtype is None else ops.astype(data, dtype)
    if isinstance(data, ndarray):
        return wrap(data if dtype is None else data.astype(dtype, copy=False))
    return Tensor(data, dtype)


def _interpret(
    cls: type[Tensor], prim: Primitive, args: tuple[Any, ...], params: dict[str, Any], level: int
) -> Tensor:
    """Record one call: peel the Tensors of this level, compute one level down, make the node."""
    values, edges = [], []
    for a in args:
        if isinstance(a, Tensor) and a.level == level:
            values.append(a.data)
            edges.append(a.edge)
        else:
            values.append(
                a if hasattr(a, "dtype") or type(a) in (int, float, bool) else np.asarray(a)
            )
            edges.append(None)
    y = apply(prim, tuple(values), params)
    if isinstance(y, (np.generic, float, int)):
        y = np.asarray(y)
    if not recording.get() or not any(e is not None for e in edges):
        return wrap(y)
    save_y, *save = prim.saved([e is not None for e in edges])
    inputs = tuple(
        v if s else unsaved(v) if e is None else e
        for v, s, e in zip(values, save, edges, strict=True)
    )
    node = Node(prim, tuple(edges), inputs, y, params)
    if not save_y and y.size > SMALL:
        node.output = None
    for edge, saved in zip(edges, save, strict=True):
        if saved:
            node.viewed += leaf_of(edge)
    return wrap(y, node)


Tensor.interpret = classmethod(_interpret)  # type: ignore[method-assign, assignment]
