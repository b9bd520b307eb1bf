"""What a step does, written down: the list of NumPy calls that it makes, while it makes them.

Each call is made on the real arrays, so a captured step is a real one. What a call takes and gives are
:class:`Slot`\\ s, places of the plan: leaves of the step (parameters, buffers, optimizer state), its inputs,
constants and results. A slot that shows the memory of another one is a view of it, and stands in the same
*storage*: writes concern storages.
"""

from __future__ import annotations

import operator
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from threading import get_ident
from typing import Any

import numpy as np
from numpy import ndarray

from ..errors import CompileError
from ..node import Box, strip
from .traced import Traced, TracedGenerator, getitem, setitem

__all__ = ["Call", "Capture", "Slot", "file_of", "is_ours", "located", "replaced", "slots_of", "where"]

OURS = tuple(str(Path(__file__).resolve().parents[2] / name) + "/" for name in ("autograd_core", "nn", "optim"))
LIBRARIES = (str(Path(np.__file__).resolve().parent) + "/", "<frozen")

# NumPy's functions that dispatch and ask for what is known without values.
KNOWN = {
    np.shape, np.ndim, np.size, np.result_type, np.can_cast, np.min_scalar_type, np.common_type, np.iscomplexobj,
    np.isrealobj, np.may_share_memory, np.shares_memory,
}  # fmt: skip
WRITERS = {  # they write into their first argument
    np.copyto, np.put, np.place, np.putmask, np.fill_diagonal, np.put_along_axis,
}  # fmt: skip
SHAPED_BY_VALUES = {
    np.nonzero, np.flatnonzero, np.argwhere, np.unique, np.unique_all, np.unique_counts, np.unique_inverse,
    np.unique_values, np.extract, np.trim_zeros, np.intersect1d, np.union1d, np.setdiff1d, np.setxor1d,
}  # fmt: skip
LIKE = {np.zeros_like, np.ones_like, np.empty_like, np.full_like}  # results that are to be written into


class Slot:
    """An array of the plan: its layout, where it comes from, and the storage that it stands in."""

    __slots__ = ("array", "copy", "kind", "layout", "line", "number", "place", "scalar", "storage", "view")

    def __init__(self, number: int, kind: str, value: Any) -> None:
        self.number, self.kind = number, kind  # leaf, input, constant, result, generator
        self.scalar = isinstance(value, np.generic)  # NumPy's number, which is no array
        self.layout = (value.shape, value.dtype, value.strides) if hasattr(value, "strides") else None
        self.storage = number
        self.view = False  # whether it shows another slot's memory
        self.array: Any = None  # of a constant
        self.copy: Any = None  # its values when it was first used
        self.line: Any = None
        self.place: Any = None  # of a leaf or an input

    @property
    def shape(self) -> tuple[int, ...]:
        return self.layout[0] if self.layout else ()

    @property
    def dtype(self) -> Any:
        return self.layout[1] if self.layout else None

    @property
    def nbytes(self) -> int:
        return int(np.prod(self.shape, dtype=np.int64)) * self.dtype.itemsize if self.layout else 0

    def __repr__(self) -> str:
        return f"{self.kind}{self.number}"


class Call:
    """One call: ``out = fun(*args, **params)``, with slots in the place of arrays."""

    __slots__ = ("args", "draws", "errors", "fun", "kernel", "line", "name", "out", "outs", "params", "writes")

    def __init__(self, fun: Any, args: Any, params: Any, line: Any, errors: Any) -> None:
        self.fun, self.args, self.params, self.line, self.errors = fun, args, params, line, errors
        self.out: Any = None  # a slot, a nest of slots, or None
        self.outs: list[Slot] = []  # the slots of it that this call makes
        self.writes: tuple[Slot, ...] = ()  # what it writes into
        self.draws = False  # from a generator
        self.kernel: Any = None  # the function of the library that marks it as one
        self.name = str(getattr(fun, "__name__", fun))

    def __repr__(self) -> str:
        return f"{self.out} = {self.name}({', '.join(map(repr, self.args))})"


def replaced(x: Any, kind: type, by: Callable[[Any], Any]) -> Any:
    """Return ``x``, in which everything of ``kind``, also within containers and slices, is replaced."""
    cls = type(x)
    if cls is kind:
        return by(x)
    if cls is tuple or cls is list:
        return cls([replaced(item, kind, by) for item in x])
    if isinstance(x, tuple):  # a named one
        return tuple([replaced(item, kind, by) for item in x])
    if cls is dict:
        return {key: replaced(item, kind, by) for key, item in x.items()}
    if cls is slice:
        return slice(*[replaced(part, kind, by) for part in (x.start, x.stop, x.step)])
    return x


def slots_of(x: Any) -> list[Slot]:
    """Return the slots in nested arguments, in order."""
    found: list[Slot] = []
    replaced(x, Slot, lambda slot: found.append(slot))
    return found


def is_ours(file: str) -> bool:
    return file.startswith(OURS)


def file_of(frame: Any) -> str:
    """Return the file of the code that runs in a frame; what was made by ``exec`` is of the file that made it."""
    file: str = frame.f_code.co_filename
    return frame.f_globals.get("__file__") or file if file.startswith("<") else file


def where() -> tuple[str, int]:
    """Return the file and line, outside of the library and NumPy, that runs now."""
    frame: Any = sys._getframe(1)
    while frame.f_back is not None and file_of(frame).startswith((*OURS, *LIBRARIES)):
        frame = frame.f_back
    return frame.f_code.co_filename, frame.f_lineno


def located(line: Any) -> str:
    return f"{line[0]}:{line[1]}" if line else "an unknown line"


class Capture:
    """The calls of one run of a step, in order."""

    def __init__(self) -> None:
        self.thread = get_ident()
        self.calls: list[Call] = []
        self.slots: list[Slot] = []
        self.constants: dict[int, Slot] = {}  # by the id of an array, which its slot holds
        self.handles: dict[int, Traced] = {}  # by the id of the real array of a leaf
        self.owners: dict[int, list[ndarray[Any, Any]]] = {}  # the arrays of a storage that is there before the step
        self.saved: dict[int, list[tuple[Any, Any]]] = {}  # those that are written to, with what they were
        self.generators: list[tuple[Any, Any]] = []
        self.open = True
        self.busy = False  # making a call

    # -- slots ----------------------------------------------------------------------------------

    def slot(self, kind: str, value: Any) -> Slot:
        slot = Slot(len(self.slots), kind, value)
        self.slots.append(slot)
        return slot

    def lift(self, array: Any, kind: str, place: Any) -> Traced:
        """Return the duck array for an array that exists before the step; the same one for the same array."""
        if id(array) in self.handles:
            return self.handles[id(array)]
        slot = self.slot(kind, array)
        slot.place = place
        traced = Traced(self, slot, array, array.base)
        self.handles[id(array)] = traced
        return traced

    def settle(self) -> None:
        """Give leaves and inputs whose memory overlaps one storage, and views of leaves their base."""
        handles = list(self.handles.values())
        spans = sorted((*np.lib.array_utils.byte_bounds(t.value), i) for i, t in enumerate(handles) if t.size)
        end, root = -1, None
        for low, high, i in spans:
            slot = handles[i].slot
            if root is not None and low < end:
                slot.storage = root.storage
            else:
                root = slot
            end = max(end, high)
        for traced in handles:
            self.owners.setdefault(traced.slot.storage, []).append(traced.value)
            owner = traced.base
            if owner is not None and id(owner) in self.handles:
                traced.base = self.handles[id(owner)]
        self.handles = {}  # Tensors count who else holds their memory

    def generator(self, real: Any) -> TracedGenerator:
        self.generators.append((real, real.bit_generator.state))
        return TracedGenerator(self, self.slot("generator", real), real)

    def constant(self, array: Any) -> Slot:
        slot = self.constants.get(id(array))
        if slot is None:
            slot = self.constants[id(array)] = self.slot("constant", array)
            slot.array, slot.copy, slot.line = array, array.copy(), where()
        return slot

    def adopted(self, array: Any) -> Slot:
        """Return the slot of memory that a kernel of the library was given to fill."""
        slot = self.constants.get(id(array))
        if slot is None:
            slot = self.constants[id(array)] = self.slot("result", array)
            slot.array = array
        return slot

    # -- calls ----------------------------------------------------------------------------------

    def call(self, fun: Any, args: Sequence[Any], params: Any = None, writes: Sequence[Any] = (),
             draws: Any = None, kernel: Any = None) -> Any:  # fmt: skip
        """Make a call on the real arrays, write it down, and return its result as duck arrays."""
        if not self.open:
            raise CompileError(
                "[compile] got an array that a captured step left behind where nothing puts it back, "
                "expected it in the results of the step, or in the attributes and containers that the step reads"
            )
        if get_ident() != self.thread:
            raise CompileError("[compile] got a use of an array in one thread while another one captures a step "
                               "that uses it, expected one at a time; try the first calls in one thread")  # fmt: skip
        if self.busy:  # the call that is being made met it within something that is no tuple, list or dict
            raise self.refusal("an array of the step within an object", "arrays in tuples and lists")
        params = params or {}
        line = where()
        written = []
        for x in writes:
            if type(x) is Traced:
                written.append(x.slot)
                storage = x.slot.storage
                if storage in self.owners and storage not in self.saved:
                    self.saved[storage] = [(a, a.copy()) for a in self.owners[storage]]
            elif type(x) is ndarray:
                written.append(self.adopted(x))
        call = Call(fun, None, None, line, tuple(np.geterr().values()))
        call.kernel = kernel
        args = tuple(args)
        call.args, call.params = self.plain(args), self.plain(params)
        real = replaced(args, Traced, operator.attrgetter("value"))
        known = replaced(params, Traced, operator.attrgetter("value"))
        self.busy = True
        try:
            result = draws(*real[1:], **known) if draws else fun(*real, **known)
        finally:
            self.busy = False
        call.writes, call.draws = tuple(written), draws is not None
        inputs: list[Any] = []
        replaced([args, params], Traced, inputs.append)
        replaced([args, params], ndarray, inputs.append)
        found = self.result(result, inputs, call)
        if call.outs or written or result is None or draws:
            self.calls.append(call)
        call.out = replaced(found, Traced, operator.attrgetter("slot"))
        if type(result) is not type(found) and isinstance(result, tuple) and hasattr(result, "_make"):
            return type(result)._make(found)
        return found

    def plain(self, x: Any) -> Any:
        """Return arguments with slots in the place of arrays."""
        x = replaced(x, Traced, operator.attrgetter("slot"))
        return replaced(x, ndarray, self.constant)

    def result(self, value: Any, inputs: Sequence[Any], call: Call) -> Any:
        if isinstance(value, (ndarray, np.generic)):
            if type(value) not in (ndarray,) and isinstance(value, ndarray):
                raise self.refusal(f"{call.name} gave a {type(value).__name__}", "plain arrays")
            base = None
            if type(value) is ndarray:
                for x in inputs:
                    array = x.value if type(x) is Traced else x
                    if array is value:
                        return x  # the result is what came
                    if type(array) is ndarray and value.size and np.may_share_memory(array, value):
                        base = x
                        break
            slot = self.slot("result", value)
            call.outs.append(slot)
            traced = Traced(self, slot, value)
            if base is not None:
                slot.view = True
                slot.storage = base.slot.storage if type(base) is Traced else self.constant(base).storage
                owner = base.base
                traced.base = base if owner is None else owner
            return traced
        if isinstance(value, (tuple, list)):
            parts = [self.result(item, inputs, call) for item in value]
            return parts if isinstance(value, list) else tuple(parts)
        if value is None:
            return None
        raise self.refusal(f"{call.name} would turn an array of the step into {type(value).__name__} {value!r}",
                           "a form that gives an array")  # fmt: skip

    def refusal(self, what: str, hint: str = "") -> CompileError:
        """Build the error for what a replay could not repeat, with the line that does it."""
        text = f"[compile] got {what}, which a replay would not see: {located(where())}"
        return CompileError(text + (f"; try {hint}" if hint else ""))

    # -- what stood in memory before, and after ---------------------------------------------------

    def state(self, like: Any = None) -> tuple[list[tuple[Any, Any]], list[tuple[Any, Any]]]:
        """Return copies of the arrays that the step writes to, and the states of the generators."""
        arrays = [(a, a.copy()) for pairs in self.saved.values() for a, _ in pairs]
        return arrays, [(real, real.bit_generator.state) for real, _ in self.generators]

    def put(self, state: Any) -> None:
        arrays, generators = state
        for array, copy in arrays:
            np.copyto(array, copy)
        for real, numbers in generators:
            real.bit_generator.state = numbers

    def roll_back(self) -> None:
        """Let arrays and generators be what they were before the step."""
        self.put(([pair for pairs in self.saved.values() for pair in pairs], self.generators))

    def differs(self, state: Any) -> str:
        """Say what is another array, or another generator, than in ``state``."""
        arrays, generators = state
        for array, copy in arrays:
            if array.tobytes() != copy.tobytes():
                return f"another array of shape {array.shape}"
        if any(repr(real.bit_generator.state) != repr(numbers) for real, numbers in generators):
            return "another state of a generator"
        return ""

    # -- the forms that calls come in -----------------------------------------------------------

    def ufunc(self, ufunc: Any, method: str, inputs: Any, params: dict[str, Any]) -> Any:
        outs = tuple(x for x in params.get("out", ()) if x is not None)
        writes = outs if method != "at" else inputs[:1]
        for x in writes:
            if type(x) is not Traced or type(x.value) is not ndarray:
                raise self.refusal(f"{ufunc.__name__} writes an array of the step into a plain array",
                                   "a new result, or np.empty_like(x) of an array of the step")  # fmt: skip
        fun = ufunc if method == "__call__" else getattr(ufunc, method)
        if "out" in params and len(params["out"]) == 1:
            params = {**params, "out": params["out"][0]}
        if params.get("out", 0) is None:
            del params["out"]
        result = self.call(fun, inputs, params, writes)
        return outs[0] if len(outs) == 1 and result is None else result

    def function(self, function: Any, args: Any, params: Any) -> Any:
        """Answer a function of NumPy, or a kernel of the library."""
        if function in KNOWN:
            return function(*replaced(args, Traced, operator.attrgetter("value")),
                            **replaced(params, Traced, operator.attrgetter("value")))  # fmt: skip
        kernel = getattr(function, "writes", False)
        if kernel is not False:  # of the library
            writes = kernel(*args, **params) if kernel else ()
            return self.call(function.__wrapped__, args, params, writes, kernel=function)
        name = getattr(function, "__name__", str(function))
        if function in SHAPED_BY_VALUES or (function is np.where and len(args) + len(params) == 1):
            raise self.refusal(f"{name}: the shape of its result depends on values",
                               "a mask that is multiplied with, or np.where(condition, x, y)")  # fmt: skip
        if function is np.compress and has_traced(args[0]) or function is np.repeat and has_traced(args[1:2]):
            raise self.refusal(f"{name}: the shape of its result depends on values")
        writes: tuple[Any, ...] = ()
        if function in WRITERS:
            writes = args[:1] or tuple(params[k] for k in ("dst", "a", "arr") if k in params)
        out = params.get("out")
        if out is not None:
            writes = (*writes, *(out if isinstance(out, tuple) else (out,)))
        for x in writes:
            if type(x) is not Traced:
                raise self.refusal(f"{name} writes an array of the step into a plain array",
                                   "a new result, or np.empty_like(x) of an array of the step")  # fmt: skip
        if not writes and function in (np.save, np.savez, np.savetxt, np.savez_compressed):
            raise self.refusal(f"{name} would write an array of the step into a file")
        return self.call(function, args, params, writes)

    def method(self, method: Any, x: Traced, args: Any, params: Any, writes: bool) -> Any:
        out = params.get("out")
        written = ((x,) if writes else ()) + (() if out is None else (out,))
        if any(type(a) is not Traced for a in written):
            raise self.refusal(f"{method} writes an array of the step into a plain array", "a new result")
        return self.call(method, (x, *args), params, written)

    def item(self, x: Traced, index: Any) -> Any:
        masks = [i for i in (index if isinstance(index, tuple) else (index,))
                 if type(i) is Traced and i.dtype == np.bool]  # fmt: skip
        if masks:
            raise self.refusal("x[mask] with a mask of the step: the shape of the result depends on values",
                               "np.where(mask, x, 0), or x * mask")  # fmt: skip
        return self.call(getitem, (x, index))

    def unboxed(self, value: Any) -> Any:
        if isinstance(value, Box):
            if value._recorded():  # type: ignore[attr-defined]
                raise TypeError("[setitem] got a Tensor that is being differentiated, written into an array that "
                                "is no Tensor: it would leave the graph silently; try x = ag.tensor(x)")  # fmt: skip
            return strip(value)
        return value


def has_traced(x: Any) -> bool:
    found: list[Any] = []
    replaced(x, Traced, found.append)
    return bool(found)
