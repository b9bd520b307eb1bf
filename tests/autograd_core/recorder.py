"""A duck array that writes down each NumPy call made on it, and the plan that it leaves.

    plan = Plan()
    a, b = plan.input(array_a), plan.input(array_b)
    y = np.tanh(a @ b) * 2                      # computed now, and written down
    plan.replay([other_a, other_b], y)          # the same calls, on other arrays

A :class:`Recorded` holds a value and its slot in the plan. It answers NumPy's two protocols and
Python's operators, so a function made of those is written down as a list of calls whose arguments
are slots or constants. Shapes and dtypes are facts of the plan, fixed when it is written; values
are not: whatever would turn one into a plain array or a Python value (a test, a conversion, a
loop) or change one raises :class:`NotRecordable`, since a plan could not follow it.
"""

from __future__ import annotations

import operator
from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

import numpy as np

__all__ = ["NotRecordable", "Plan", "Recorded", "Slot", "Step"]


class NotRecordable(TypeError):
    """Something was asked of a recorded array that no list of NumPy calls can give."""


class Slot(NamedTuple):
    """A place in a plan: where an argument is found, where a result is put."""

    number: int


class Step(NamedTuple):
    """One call: its arguments with slots for arrays, and where its results go."""

    call: Callable[..., Any]
    args: tuple[Any, ...]
    kwargs: dict[str, Any]
    out: Any  # a Slot, or a tuple or list of them


class Plan:
    """The calls made on recorded arrays, in order."""

    def __init__(self) -> None:
        self.slots, self.inputs, self.steps = 0, list[Slot](), list[Step]()

    def new(self, value: Any) -> Recorded:
        """Return ``value`` as recorded, in a slot of its own."""
        self.slots += 1
        return Recorded(self, Slot(self.slots - 1), value)

    def input(self, value: Any) -> Recorded:
        """Return an array as recorded, to be given again at each replay."""
        if not isinstance(value, (np.ndarray, np.generic)):
            raise NotRecordable(f"[recorder] got an input of type {type(value).__name__}")
        x = self.new(value)
        self.inputs.append(x.slot)
        return x

    def record(self, call: Callable[..., Any], args: Any, kwargs: Any) -> Any:
        """Make a call on the values and write it down; its results are recorded arrays."""
        named = walk(self._slot, args), walk(self._slot, kwargs)
        result = call(*walk(_value, args), **walk(_value, kwargs))
        out = walk(self._result, result)
        self.steps.append(Step(call, *named, walk(lambda x: x.slot, out)))
        return out

    def replay(self, inputs: Sequence[Any], result: Any) -> Any:
        """Make all the calls again on new inputs, and return what ``result`` is then.

        ``result`` may be any nest of tuples, lists and dicts of recorded arrays and constants.
        """
        memory: list[Any] = [None] * self.slots
        for slot, x in zip(self.inputs, inputs, strict=True):
            memory[slot.number] = x

        def look(a: Any) -> Any:
            return memory[a.number] if isinstance(a, Slot) else a

        def put(slot: Any, value: Any) -> None:
            if isinstance(slot, Slot):
                memory[slot.number] = value
                return
            for inner, item in zip(slot, value, strict=True):
                put(inner, item)

        for step in self.steps:
            put(step.out, step.call(*walk(look, step.args), **walk(look, step.kwargs)))
        return walk(look, walk(self._slot, result))

    def __str__(self) -> str:
        lines = [f"inputs {', '.join(f'%{s.number}' for s in self.inputs)}"]
        for step in self.steps:
            words = [_text(a) for a in step.args]
            words += [f"{k}={_text(v)}" for k, v in step.kwargs.items()]
            lines.append(f"{_text(step.out)} = {_name(step.call)}({', '.join(words)})")
        return "\n".join(lines)

    def _slot(self, x: Any) -> Any:
        if not isinstance(x, Recorded):
            return x
        if x.plan is not self:
            raise NotRecordable("[recorder] got an array of another plan")
        return x.slot

    def _result(self, y: Any) -> Any:
        if not isinstance(y, (np.ndarray, np.generic)):
            raise NotRecordable(f"[recorder] got a call that returned a {type(y).__name__}, "
                                "expected arrays")  # fmt: skip
        return self.new(y)


def walk(f: Callable[[Any], Any], tree: Any) -> Any:
    """Apply ``f`` to what nested tuples, lists and dicts hold."""
    if isinstance(tree, Slot):
        return f(tree)
    if isinstance(tree, tuple) and hasattr(tree, "_fields"):
        return type(tree)(*(walk(f, x) for x in tree))
    if isinstance(tree, (tuple, list)):
        return type(tree)(walk(f, x) for x in tree)
    if isinstance(tree, dict):
        return {k: walk(f, v) for k, v in tree.items()}
    return f(tree)


def _value(x: Any) -> Any:
    return x.value if isinstance(x, Recorded) else x


def _name(call: Any) -> str:
    if isinstance(owner := getattr(call, "__self__", None), np.ufunc):  # add.reduce and its like
        return f"{owner.__name__}.{call.__name__}"
    return getattr(call, "__name__", repr(call))


def _text(x: Any) -> str:
    if isinstance(x, Slot):
        return f"%{x.number}"
    if isinstance(x, (tuple, list)):
        return f"({', '.join(map(_text, x))})"
    return f"<{x.dtype} {x.shape}>" if isinstance(x, np.ndarray) else repr(x)


def transposed(x: Any) -> Any:
    """Return ``x.T``, as a call that can be written down."""
    return x.T


def matrix_transposed(x: Any) -> Any:
    """Return ``x.mT``, as a call that can be written down."""
    return x.mT


def converted(x: Any, dtype: Any, copy: bool = True) -> Any:
    """Return ``x.astype(dtype)``, as a call that can be written down."""
    return x.astype(dtype, copy=copy)


FACTS = {  # functions of shapes and dtypes alone
    np.shape, np.ndim, np.size, np.result_type, np.can_cast, np.iscomplexobj, np.isrealobj,
    np.common_type,
}  # fmt: skip


def _foreign(kind: type) -> bool:
    """Tell whether a type answers NumPy's protocols by itself: what it holds is not ours to see."""
    known = (Recorded, np.ndarray, np.generic)
    return hasattr(kind, "__array_function__") and not issubclass(kind, known)


def _refuse(what: str) -> Callable[..., Any]:
    def method(self: Recorded, *args: Any, **kwargs: Any) -> Any:
        raise NotRecordable(f"[recorder] got {what} of {self!r}, whose value is not known when "
                            "a plan is written")  # fmt: skip

    return method


class Recorded(np.lib.mixins.NDArrayOperatorsMixin):
    """A value in a slot of a plan."""

    __slots__ = ("plan", "slot", "value")
    __hash__ = object.__hash__

    def __init__(self, plan: Plan, slot: Slot, value: Any) -> None:
        self.plan, self.slot, self.value = plan, slot, value

    # -- facts ------------------------------------------------------------------------------------

    @property
    def shape(self) -> tuple[int, ...]:
        return self.value.shape

    @property
    def dtype(self) -> np.dtype[Any]:
        return self.value.dtype

    @property
    def ndim(self) -> int:
        return self.value.ndim

    @property
    def size(self) -> int:
        return self.value.size

    def __repr__(self) -> str:
        return f"Recorded(%{self.slot.number}, shape={self.shape}, dtype={self.dtype})"

    # -- calls ------------------------------------------------------------------------------------

    def __array_ufunc__(self, ufunc: np.ufunc, method: str, *inputs: Any, **kwargs: Any) -> Any:
        if kwargs.get("out") is not None or method == "at":
            raise NotRecordable(f"[recorder] got {ufunc.__name__} writing into an array")
        if any(map(_foreign, map(type, inputs))):
            return NotImplemented
        call = ufunc if method == "__call__" else getattr(ufunc, method)
        return self.plan.record(call, inputs, kwargs)

    def __array_function__(self, func: Any, types: Any, args: Any, kwargs: Any) -> Any:
        if any(map(_foreign, types)):
            return NotImplemented
        if func in FACTS:
            return func(*walk(_value, args), **walk(_value, kwargs))
        return self.plan.record(func, args, kwargs)

    # A power of arrays is not always np.power: x ** 2 is a square. The operator itself is written.
    def __pow__(self, other: Any) -> Any:
        if _foreign(type(other)):
            return NotImplemented
        return self.plan.record(operator.pow, (self, other), {})

    def __rpow__(self, other: Any) -> Any:
        return self.plan.record(operator.pow, (other, self), {})

    def __getitem__(self, index: Any) -> Any:
        return self.plan.record(operator.getitem, (self, index), {})

    @property
    def T(self) -> Any:
        return self.plan.record(transposed, (self,), {})

    @property
    def mT(self) -> Any:
        return self.plan.record(matrix_transposed, (self,), {})

    def astype(self, dtype: Any, copy: bool = True) -> Any:
        return self.plan.record(converted, (self, dtype), {"copy": copy})

    def reshape(self, *shape: Any) -> Any:
        return np.reshape(self, shape[0] if len(shape) == 1 else shape)

    # -- what no plan can follow ------------------------------------------------------------------

    __array__ = _refuse("a plain array")
    __bool__ = _refuse("the truth")
    __float__ = __int__ = __complex__ = __index__ = _refuse("a Python number")
    __iter__ = __len__ = _refuse("the elements, one by one,")
    __contains__ = _refuse("a search through the elements")
    __setitem__ = __delitem__ = _refuse("a write into the memory")
    __iadd__ = __isub__ = __imul__ = __itruediv__ = __ifloordiv__ = _refuse("a write into itself")
    __imod__ = __ipow__ = __imatmul__ = __iand__ = __ior__ = __ixor__ = __iadd__
    __ilshift__ = __irshift__ = __iadd__
    item = tolist = tobytes = _refuse("a Python value")
    fill = sort = put = resize = partition = _refuse("a write into the memory")

    def __getattr__(self, name: str) -> Any:
        if name.startswith("__"):
            raise AttributeError(name)
        raise AttributeError(
            f"[recorder] got .{name} of {self!r}, expected operators, NumPy functions, "
            "or .shape .dtype .ndim .size .T .mT .astype .reshape"
        )
