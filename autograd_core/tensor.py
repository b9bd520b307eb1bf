"""What people hold: an array that remembers how it was made.

A :class:`Tensor` is a NumPy array and a place in a graph. It behaves as the array does (operators,
methods, NumPy's functions), and each operation on it is recorded while it requires grad.
"""

from __future__ import annotations

import weakref
from collections.abc import Callable
from operator import attrgetter
from sys import getrefcount
from typing import Any

import numpy as np
from numpy import ndarray
from numpy.typing import ArrayLike, DTypeLike

from . import ops
from .backward import accumulate, propagate
from .calls import apply, as_array, copied, hold_results_in, made, wrap
from .errors import GraphError, message
from .node import LEAF, Box, Node, next_id, recording, strip, watching
from .operators import Array
from .primitive import Primitive
from .views import note

__all__ = ["Parameter", "Tensor", "as_tensor", "tensor"]

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
    extras: dict[str, Any] | None  # "name", "hooks", "retains"; "view" and "views" (see views.py)

    def __init__(
        self,
        data: ArrayLike | Tensor,
        dtype: DTypeLike | None = None,
        requires_grad: bool = False,
        name: str | None = None,
    ) -> None:
        if isinstance(data, Box):
            data = strip(data)
        array = copied(data, dtype)
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
            seed = ops.astype(gradient, self.dtype) if isinstance(gradient, Box) else as_array(
                gradient, self.dtype)  # fmt: skip
        if create_graph:
            seed = seed if isinstance(seed, Tensor) else wrap(seed)
        else:
            seed = strip(seed)
        retain = create_graph if retain_graph is None else retain_graph
        _, leaves = propagate([(edge, seed)], record=create_graph, retain=retain)
        del seed
        token = recording.set(watching.get()) if create_graph else None
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
            me = weakref.ref(self)  # a node must not refer to what came after it

            def keep(g: Any) -> None:
                if (t := me()) is not None:
                    g = g if isinstance(g, Box) else copied(g)
                    t.grad = g if t.grad is None else t.grad + g

            self.extras = {**(self.extras or {}), "retains": self.register_hook(keep)}

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

    def join(self, node: Any) -> None:
        """Stand at another place in the graph, as a write makes it."""
        if node is not self.node:
            retained = self.extras and self.extras.pop("retains", None)
            self.node = node
            if retained:
                retained()
                self.retain_grad()

    def become(self, y: Any) -> None:
        """Hold the result ``y`` from now on."""
        self.version = next_id()
        if isinstance(y, Tensor):
            self.data = y.data
            if recording.get():
                self.join(y.node)
        else:
            self.data = y
            self.join(None)

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
        grad = None if self.grad is None else strip(self.grad)  # perhaps part of a graph itself
        return _rebuild, (type(self), self.data, self.node is LEAF, grad, extras)


def _rebuild(cls: type[Tensor], data: Any, requires_grad: bool, grad: Any, extras: Any) -> Tensor:
    t = object.__new__(cls)
    t.data, t.node, t.grad, t.version, t.extras = (
        data if data.flags.writeable else data.copy(),  # memory that a pickle lent
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
    t = wrap(y := as_array(y))
    if prim.view:
        t.data = y = note(t, args[0], y, prim, params)
    if recording.get() and any(e is not None for e in edges):
        t.node = made(prim, values, edges, y, params)
    return t


Tensor.interpret = classmethod(_interpret)  # type: ignore[method-assign, assignment]
