"""What a step does, written down: the list of NumPy calls that it makes, while it makes them.

Each call is made on the real arrays, so a captured step is a real one. What a call takes and gives are
:class:`Slot`\\ s, places of the plan: leaves of the step (parameters, buffers, optimizer state), its inputs,
constants and results. A slot that shows the memory of another one is a view of it, and stands in the same
*storage*: writes concern storages.
"""

from __future__ import annotations

import sys
import traceback
from collections.abc import Sequence
from threading import get_ident
from typing import Any

import numpy as np
from numpy import ndarray

from ..errors import CompileError
from ..node import Box, strip
from .functions import (
    KNOWN,
    SHAPED_IN_USE,
    Fixed,
    array_of,
    has_traced,
    in_order,
    objection,
    shape_of,
    writes_of,
)
from .generators import TracedGenerator
from .lines import LIBRARIES, OURS, file_of, is_ours, located, where
from .own import Own, shows
from .slots import Call, Slot, replaced, slots_of
from .traced import Traced, getitem

__all__ = ["OURS", "Call", "Capture", "Slot", "file_of", "is_ours", "located", "replaced", "slots_of"]


class Capture:
    """The calls of one run of a step, in order."""

    def __init__(self, step: tuple[str, int] | None = None) -> None:
        self.step = step  # where it is defined
        self.thread = get_ident()
        self.calls: list[Call] = []
        self.slots: list[Slot] = []
        self.constants: dict[int, Slot] = {}  # by the id of an array, which its slot holds
        self.handles: dict[int, Traced] = {}  # by the id of the real array of a leaf
        self.owners: dict[int, list[ndarray[Any, Any]]] = {}  # the arrays of a leaf's storage
        self.saved: dict[int, list[tuple[Any, Any]]] = {}  # those that are written to, with what they were
        self.generators: list[tuple[Any, Any]] = []
        self.errors = tuple(np.geterr().values())  # where the step begins
        self.open = True
        self.refused: CompileError | None = None  # raised even if somebody caught it
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
        bounds = np.lib.array_utils.byte_bounds
        spans = sorted((*bounds(t._value), i) for i, t in enumerate(handles) if t.size)
        end, root = -1, None
        for low, high, i in spans:
            slot = handles[i]._slot
            if root is not None and low < end:
                slot.storage = root.storage
            else:
                root = slot
            end = max(end, high)
        for traced in handles:
            self.owners.setdefault(traced._slot.storage, []).append(traced._value)
            owner = traced._base
            if owner is not None and id(owner) in self.handles:
                traced._base = self.handles[id(owner)]
        self.handles = {}  # Tensors count who else holds their memory

    def generator(self, real: Any) -> TracedGenerator:
        self.generators.append((real, real.bit_generator.state))
        return TracedGenerator(self, self.slot("generator", real), real)

    def constant(self, array: Any) -> Slot:
        slot = self.constants.get(id(array))
        if slot is None:
            slot = self.constants[id(array)] = self.slot("constant", array)
            slot.array, slot.copy, slot.line = array, array.copy(), where(self.step)
        elif slot.kind == "constant" and array.tobytes() != slot.copy.tobytes():
            raise self.refusal(f"an array of shape {array.shape} that was changed after it was used, by no "
                               "call that a replay would make", "to make it from arrays of the step"
                               )  # fmt: skip
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
        watch = sys.getprofile()
        sys.setprofile(None)  # what this runs is known: it is four times as fast unwatched
        try:
            return self._call(fun, args, params, writes, draws, kernel)
        finally:
            sys.setprofile(watch)

    def _call(self, fun: Any, args: Sequence[Any], params: Any, writes: Sequence[Any], draws: Any,
              kernel: Any) -> Any:  # fmt: skip
        if not self.open:
            raise CompileError(
                "[compile] got an array that a captured step left behind where nothing puts it back, "
                "expected it in the results of the step, or in attributes and containers that the step reads"
            )
        if get_ident() != self.thread:
            raise CompileError("[compile] got a use of an array in one thread while another one captures a "
                               "step that uses it, expected one at a time; try the first calls in one thread"
                               )  # fmt: skip
        if self.busy:  # the call that is being made met it within something that is no tuple, list or dict
            raise self.refusal("an array of the step within an object", "arrays in tuples and lists")
        params = params or {}
        line = where(self.step)
        written = []
        for x in writes:
            if type(x) is Traced:
                written.append(x._slot)
                storage = x._slot.storage
                if storage in self.owners and storage not in self.saved:
                    self.saved[storage] = [(a, a.copy()) for a in self.owners[storage]]
            elif type(x) is ndarray:
                written.append(self.adopted(x))
        call = Call(fun, None, None, line, tuple(np.geterr().values()))
        call.kernel = kernel
        args = tuple(args)
        call.args, call.params = self.plain(args), self.plain(params)
        real = replaced(args, Traced, array_of)
        known = replaced(params, Traced, array_of)
        self.busy = True
        try:
            result = draws(*real[1:], **known) if draws else fun(*real, **known)
        finally:
            self.busy = False
        if kernel and not written and shows(result, real):  # and perhaps not in the next step
            call.fun, result = Own(fun), result.copy()
        call.writes, call.draws = tuple(written), draws is not None
        inputs: list[Any] = []
        replaced([args, params], Traced, inputs.append)
        replaced([args, params], ndarray, inputs.append)
        found = self.result(result, inputs, call)
        if call.outs or written or result is None or draws or kernel:  # one that returns what came is a check
            self.calls.append(call)
        call.out = replaced(found, Traced, _slot_of)
        if type(result) is not type(found) and isinstance(result, tuple) and hasattr(result, "_make"):
            return type(result)._make(found)
        return found

    def plain(self, x: Any) -> Any:
        """Return arguments with slots in the place of arrays."""
        x = replaced(x, Traced, _slot_of)
        return replaced(x, ndarray, self.constant)

    def result(self, value: Any, inputs: Sequence[Any], call: Call) -> Any:
        if isinstance(value, (ndarray, np.generic)):
            if type(value) is not ndarray and isinstance(value, (ndarray, np.void)):
                raise self.refusal(f"{call.name} gave a {type(value).__name__}", "plain arrays")
            if value.dtype.hasobject:
                raise self.refusal(f"{call.name} gave an array of Python objects (dtype object)", "numbers")
            base = None
            if type(value) is ndarray:
                for x in inputs:
                    array = x._value if type(x) is Traced else x
                    if array is value:
                        if x is not inputs[0] and not call.writes:
                            raise self.refusal(f"{call.name} writes into an argument", "out=")
                        return x  # the result is what came
                    if type(array) is ndarray and value.size and np.may_share_memory(array, value):
                        base = x
                        break
            slot = self.slot("result", value)
            call.outs.append(slot)
            traced = Traced(self, slot, value)
            if base is not None:
                slot.view = True
                slot.storage = base._slot.storage if type(base) is Traced else self.constant(base).storage
                owner = base._base if type(base) is Traced else base.base
                traced._base = base if owner is None else owner
            return traced
        if isinstance(value, (tuple, list)):
            parts = [self.result(item, inputs, call) for item in value]
            return parts if isinstance(value, list) else tuple(parts)
        if value is None:
            return None
        what = f"{type(value).__name__} {value!r}"
        raise self.refusal(f"{call.name} would turn an array of the step into {what}", "what gives an array")

    def refusal(self, what: str, hint: str = "") -> CompileError:
        """Build the error for what a replay could not repeat, with the line that does it."""
        text = f"[compile] got {what}, which a replay would not see: {located(where(self.step))}"
        error = CompileError(text + (f"; try {hint}" if hint else ""))
        if self.open:
            self.refused = self.refused or error
        return error

    def reason(self, error: BaseException) -> BaseException:
        """Return the refusal behind an error of a captured step, or the error, if that is the step's own."""
        if self.refused is not None or isinstance(error, CompileError):
            return self.refused or error
        if "Traced" not in str(error):
            return error
        lines = [(frame.f_code.co_filename, line) for frame, line in traceback.walk_tb(error.__traceback__)
                 if not file_of(frame).startswith((*OURS, *LIBRARIES))]  # fmt: skip
        return CompileError(
            f"[compile] got {type(error).__name__} ({error}) from a function that takes no array of a "
            f"captured step (Traced): {located(lines and lines[-1])}; try a function of NumPy, or an operator"
        )

    def plain_base(self, base: Any) -> Any:
        """Return the array whose memory one of the step shows, and which the step does not reach."""
        if is_ours(file_of(sys._getframe(2))):  # it is compared, not read
            return base
        raise self.refusal("the .base of an array, which the step does not reach", "the array itself")

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
            if type(x) is not Traced or type(x._value) is not ndarray:
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
            return function(*replaced(args, Traced, array_of), **replaced(params, Traced, array_of))
        kernel: Any = getattr(function, "writes", False)
        if kernel is not False:  # of the library
            writes = kernel(*args, **params) if kernel else ()
            return self.call(function.__wrapped__, args, params, writes, kernel=function)
        args, params = in_order(function, args, params)
        return self._checked(function, args, params, writes_of(function, args, params))

    def method(self, method: Any, x: Traced, args: Any, params: Any, writes: bool) -> Any:
        args, params = in_order(method, (x, *args), params)
        written = [x] if writes else []
        return self._checked(method, args, params, written + writes_of(method, args, params))

    def _checked(self, function: Any, args: Any, params: Any, writes: Sequence[Any]) -> Any:
        """Make a call, if a replay can make it again."""
        name = getattr(function, "__name__", str(function))
        if why := objection(function, args, params):
            raise self.refusal(f"{name}: {why[0]}", why[1])
        if any(type(x) is not Traced for x in writes):
            raise self.refusal(f"{name} writes an array of the step into a plain array",
                               "a new result, or np.empty_like(x) of an array of the step")  # fmt: skip
        if function in SHAPED_IN_USE:
            now = function(*replaced(args, Traced, array_of), **replaced(params, Traced, array_of))
            function = Fixed(function, shape_of(now))
        return self.call(function, args, params, writes)

    def item(self, x: Traced, index: Any) -> Any:
        parts = index if isinstance(index, tuple) else (index,)
        if any(type(part) is slice and has_traced(part) for part in parts):
            raise self.refusal("x[a:b] with bounds of the step: the shape of the result depends on values",
                               "plain numbers, a mask that is multiplied with, or x[array]")  # fmt: skip
        if any(is_mask(part) for part in parts):
            raise self.refusal("x[mask] with a mask of the step: the shape of the result depends on values",
                               "np.where(mask, x, 0), or x * mask")  # fmt: skip
        return self.call(getitem, (x, index))

    def unboxed(self, value: Any) -> Any:
        if isinstance(value, Box):
            if value._recorded():  # type: ignore[attr-defined]
                raise TypeError("[setitem] got a Tensor that is being differentiated, written into an array "
                                "that is no Tensor: it would leave the graph silently; try x = ag.tensor(x)"
                                )  # fmt: skip
            return strip(value)
        return value


def _slot_of(x: Traced) -> Slot:
    return x._slot


def is_mask(index: Any) -> bool:
    """Tell whether an index chooses by truth, as an array of the step says."""
    if type(index) is list:
        return any(map(is_mask, index))
    return type(index) is Traced and index.dtype == np.bool
