"""What is done to the list of calls before it is replayed: none of it changes a bit of a result.

Calls stay in their order. A call is left out where nothing reads what it makes, and one whose like was made
from the same values before is replaced by that.
"""

from __future__ import annotations

import operator
from math import prod
from typing import Any

import numpy as np
from numpy import ndarray

from ..kernels.columns import column_sums
from .capture import Call, Slot, replaced, slots_of
from .traced import Method, getitem

__all__ = ["QUIET", "lowered", "neutral", "numbers", "rooted", "shared", "used"]

REDUCTIONS = {
    "sum": np.add, "prod": np.multiply, "max": np.maximum, "min": np.minimum,
    "any": np.logical_or, "all": np.logical_and,
}  # fmt: skip
REDUCING = {Method(name): ufunc for name, ufunc in REDUCTIONS.items()} | {
    getattr(np, name): ufunc for name, ufunc in REDUCTIONS.items()
}
MANY, WIDE = 1 << 15, 64  # elements and columns of a sum over rows that is worth a loop
QUIET = {"ignore", "warn"}  # how NumPy may treat floating-point errors where nobody needs to hear of each
POWERS = {1: np.positive, 2: np.square, 0.5: np.sqrt, -1: np.reciprocal}  # as NumPy's own operator has it


def lowered(call: Call) -> Call:
    """Return a call in the form that NumPy itself brings it to: ``sum`` is ``add.reduce``. It costs less."""
    fun, args, params = call.fun, call.args, call.params
    if fun in REDUCING and params.keys() <= {"axis", "keepdims"} and len(args) <= 2 and "out" not in params:
        axis = args[1] if len(args) == 2 else params.get("axis")
        kept = {"keepdims": True} if params.get("keepdims") else {}
        call.fun, call.args, call.params = REDUCING[fun].reduce, args[:1], {"axis": axis, **kept}
        if fun in (Method("any"), Method("all"), np.any, np.all) and args[0].dtype != np.bool:
            call.fun, call.args, call.params = fun, args, params
    elif fun is operator.pow and isinstance(args[0], Slot) and args[0].dtype.kind == "f" and _is_array(
        call.out
    ):  # fmt: skip
        power = args[1]
        if type(power) in (int, float) and power in POWERS:
            call.fun, call.args = POWERS[power], args[:1]
        elif type(power) in (int, float) and power != 0 or isinstance(power, Slot) and not power.scalar:
            call.fun = np.power
    if call.fun == np.add.reduce and _is_of_columns(call):
        call.fun = call.kernel = column_sums
        call.args, call.params = call.args[:1], {}
    return call


def _is_of_columns(call: Call) -> bool:
    """Tell whether a sum is one of many rows, for which there is a loop that adds in the same order."""
    x, out, axis = call.args[0], call.out, call.params.get("axis", (*call.args, 0, 0)[1])
    return (
        isinstance(x, Slot) and _is_array(out) and axis in (0, (0,)) and call.params.keys() <= {"axis"}
        and len(x.shape) == 2 and x.contiguous and x.dtype.char in "fd" and out.dtype == x.dtype
        and prod(x.shape) >= MANY and x.shape[1] >= WIDE and QUIET.issuperset(call.errors)
    )  # fmt: skip


def neutral(calls: list[Call], keep: set[int]) -> tuple[list[Call], dict[Slot, Slot]]:
    """Leave out products with 1, as the gradient of a sum begins; let what is one number everywhere be that.

    Args:
        calls: in order.
        keep: storages whose memory is handed out.

    Returns:
        the calls that are left, and what stands for the results of the others.
    """
    written = {slot.storage for call in calls for slot in call.writes} | keep
    instead: dict[Slot, Slot] = {}
    left = []
    for call in calls:
        call.args = replaced(call.args, Slot, lambda s: instead.get(s, s))
        call.params = replaced(call.params, Slot, lambda s: instead.get(s, s))
        out = call.out
        by_element = call.kernel.elementwise if call.kernel else (
            type(call.fun) is np.ufunc and call.fun.signature is None)  # fmt: skip
        if not by_element or not _is_array(out):
            left.append(call)
            continue
        whole = [a for a in call.args if isinstance(a, Slot) and a.shape == out.shape and not _is_uniform(a)]
        if whole:
            call.args = tuple([a.array.flat[0] if _is_uniform(a) else a for a in call.args])
        if call.fun is np.multiply and not call.params and len(whole) == 1 and whole[0].layout == out.layout:
            other = next((a for a in call.args if not isinstance(a, Slot)), None)
            if isinstance(other, (int, float, np.floating)) and other == 1 and type(other) is not bool:
                if written.isdisjoint((out.storage, whole[0].storage)):
                    instead[out] = whole[0]
                    continue
        left.append(call)
    return left, instead


def numbers(calls: list[Call]) -> None:
    """Let arithmetic read a NumPy number, which costs less than the array of no axes that was made of it."""
    written = {slot.storage for call in calls for slot in call.writes}
    number: dict[Slot, Slot] = {}
    for call in calls:
        if call.fun is getitem and call.args[1] is Ellipsis and call.args[0].scalar:
            if call.out.storage not in written:
                number[call.out] = number.get(call.args[0], call.args[0])
        elif number and type(call.fun) is np.ufunc and not call.writes:
            call.args = tuple([number.get(a, a) if type(a) is Slot else a for a in call.args])


def _is_uniform(slot: Any) -> bool:
    """Tell whether a constant shows one number everywhere, and will in each step."""
    return (isinstance(slot, Slot) and slot.kind == "constant" and not slot.live and slot.layout is not None
            and prod(slot.shape) > 0 and (prod(slot.shape) == 1 or not any(slot.layout[2])))  # fmt: skip


def _is_array(out: Any) -> bool:
    return isinstance(out, Slot) and not out.scalar


def shared(calls: list[Call], keep: set[int]) -> tuple[list[Call], dict[Slot, Slot]]:
    """Leave out calls that were made before, with the same arguments of the same values.

    Args:
        calls: in order.
        keep: storages whose memory is handed out, so that it is nobody else's.

    Returns:
        the calls that are left, and what stands for the results of the others.
    """
    versions: dict[int, int] = {}  # of storages
    instead: dict[Slot, Slot] = {}
    made: dict[Any, Call] = {}
    left: list[Call] = []
    written = {slot.storage for call in calls for slot in call.writes}
    for call in calls:
        call.args = replaced(call.args, Slot, lambda s: instead.get(s, s))
        call.params = replaced(call.params, Slot, lambda s: instead.get(s, s))
        for slot in call.writes:
            versions[slot.storage] = versions.get(slot.storage, 0) + 1
        pure = not call.writes and not call.draws and isinstance(call.out, Slot) and call.out in call.outs
        if not pure or call.out.storage in written or call.out.storage in keep:
            left.append(call)
            continue
        states = tuple([versions.get(slot.storage, 0) for slot in slots_of([call.args, call.params])])
        loud = () if QUIET.issuperset(call.errors) else call.errors  # it may raise where the other did not
        kind = (call.out.layout, call.out.scalar, loud)
        key = (call.fun, _frozen(call.args), _frozen(call.params), states, kind)
        try:
            before = made.setdefault(key, call)
        except TypeError:  # an argument that cannot be hashed
            before = call
        if before is call:
            left.append(call)
        else:
            instead[call.out] = before.out
    return left, instead


def rooted(slots: list[Slot], instead: dict[Slot, Slot]) -> None:
    """Let views of results that others stand for stand in the storage of those, which must live as long."""
    moved = {a.storage: b.storage for a, b in instead.items() if a.storage == a.number != b.storage}
    for slot in slots:
        while slot.storage in moved:
            slot.storage = moved[slot.storage]


def _frozen(x: Any) -> Any:
    """Return arguments as a key, in which 1, 1.0 and True, and 0.0 and -0.0 differ."""
    if isinstance(x, (tuple, list)):
        return type(x), tuple([_frozen(item) for item in x])
    if isinstance(x, dict):
        return tuple([(key, _frozen(item)) for key, item in x.items()])
    if type(x) is slice:
        return slice, _frozen((x.start, x.stop, x.step))
    if isinstance(x, (float, complex, np.inexact)):
        return type(x), repr(x)
    return type(x), x


def used(calls: list[Call], wanted: set[int], outside: set[int]) -> list[Call]:
    """Leave out calls whose results nobody reads.

    Args:
        calls: in order.
        wanted: storages that are read after the step.
        outside: storages that exist before the step, so that writes into them are seen.
    """
    live = set(wanted)
    left = []
    for call in reversed(calls):
        makes = {slot.storage for slot in (*call.outs, *call.writes)}
        effect = call.draws or not (call.outs or call.writes)  # a check, which may raise
        effect = effect or not QUIET.issuperset(call.errors)  # as this may
        effect = effect or any(s.storage in outside for s in call.writes)
        if effect or not makes.isdisjoint(live):
            left.append(call)
            live.update(slot.storage for slot in slots_of([call.args, call.params]))
            live.update(slot.storage for slot in call.writes)
    return left[::-1]


def same(a: Any, b: Any) -> bool:
    """Tell whether two constants of calls are the same, to the last bit."""
    if a is b:
        return True
    if type(a) is not type(b):
        return False
    if isinstance(a, ndarray):
        return a.dtype == b.dtype and a.shape == b.shape and a.tobytes() == b.tobytes()
    if isinstance(a, (float, complex, np.inexact)):
        return repr(a) == repr(b)
    if isinstance(a, (tuple, list)):
        return len(a) == len(b) and all(map(same, a, b))
    if isinstance(a, dict):
        return a.keys() == b.keys() and all(same(a[key], b[key]) for key in a)
    if type(a) is slice:
        return same((a.start, a.stop, a.step), (b.start, b.stop, b.step))
    try:
        return bool(a == b)
    except Exception:
        return False
