"""Elementwise calls in a row as one loop that numba compiles: a tile at a time, without Python's lock.

Arithmetic that is rounded once, as IEEE 754 defines it (+, -, *, /, square root, comparisons, casts,
choices), is written out: what is computed on the way stays in registers, and is neither reordered nor
contracted. Functions such as ``exp`` are NumPy's own inner loops (:mod:`autograd_core.kernels.loops.inner`)
on a tile of two thousand numbers, which stays in the cache of a core. So each result has the bits that
NumPy's call gives, but for the sign of a NaN, which the standard leaves open. Floating-point warnings are not
raised in such a loop.

Arrays are seen as rows: ``(rows, width)`` for those of full shape, ``(width,)`` for what broadcasts over
rows, ``(rows,)`` for what broadcasts along them. Without the latter two a row is a tile.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from functools import cached_property
from itertools import groupby
from math import prod
from typing import Any

import numpy as np

from ..fitting import _tamed
from ..kernels.loops import fork, inner
from ..kernels.twins import compiled, is_used
from .capture import Call, Slot, slots_of
from .emit import Names, form_of
from .machine import made
from .passes import QUIET

__all__ = ["Loop", "merged", "rows_of"]

TEXTS = {
    np.add: "{} + {}", np.subtract: "{} - {}", np.multiply: "{} * {}", np.divide: "{} / {}",
    np.negative: "-{}", np.positive: "{}", np.square: "{0} * {0}", np.sqrt: "sqrt({})",
    np.absolute: "abs({})", np.reciprocal: "{one} / {}", np.greater: "{} > {}", np.greater_equal: "{} >= {}",
    np.less: "{} < {}", np.less_equal: "{} <= {}", np.equal: "{} == {}", np.not_equal: "{} != {}",
}  # fmt: skip
KINDS = {np.dtype(np.float32), np.dtype(np.float64), np.dtype(np.bool)}
TILE = 2048  # elements: a few arrays of them stay in the first cache of a core
APART = 256  # bytes by which places in pages differ: reads and writes at the same place wait for each other
NOBODY = np.zeros(fork.WORKER, np.int64)  # a team without workers
NARROW, WIDE = 16, 1 << 15  # elements of a row: shorter ones are no loop of their own, longer ones no tile


def is_arithmetic(call: Call) -> bool:
    """Tell whether a call can be written out with the same bits."""
    if not _is_plain(call):
        return False
    if call.kernel is not None:
        return call.kernel is _tamed
    if form_of(call) in ("select", "copy"):
        return call.out.dtype.kind == "f"
    loop = _types(call) if call.fun in TEXTS else None
    return loop is not None and KINDS.issuperset(loop) and loop[0].kind == "f"  # + of two truths is "or"


def inner_of(call: Call) -> tuple[int, int] | None:
    """Return the addresses of NumPy's inner loop for a call, if it takes the arguments as they are."""
    if not _is_plain(call) or call.kernel is not None or type(call.fun) is not np.ufunc:
        return None
    types = _types(call)
    if types is None or not KINDS.issuperset(types) or types[-1] != call.out.dtype:
        return None
    if any(isinstance(a, Slot) and a.dtype != t for a, t in zip(call.args, types, strict=False)):
        return None
    if call.fun is np.power and isinstance(call.args[1], Slot) and call.args[1].shape != call.out.shape:
        return None  # it looks whether the exponent is one number: in a row of a tile it may be
    text = "".join(t.char for t in types[:-1]) + "->" + types[-1].char
    return inner.found(call.fun, text)


def _is_plain(call: Call) -> bool:
    if not QUIET.issuperset(call.errors) or call.out.dtype not in KINDS:
        return False
    return all(s.dtype in KINDS for s in slots_of([call.args, call.params]))


def _types(call: Call) -> tuple[Any, ...] | None:
    """Return the dtypes that NumPy's call computes in."""
    given = [a.dtype if isinstance(a, Slot) else type(a) if type(a) in (int, float) else np.asarray(a).dtype
             for a in call.args]  # fmt: skip
    try:
        return tuple(call.fun.resolve_dtypes((*given, None)))
    except (TypeError, AttributeError):
        return None


def is_tail(slot: Slot, shape: tuple[int, ...]) -> bool:
    """Tell whether an array is the same in all rows: its axes, but for leading ones, end a shape."""
    own = _stripped(slot.shape)
    return own == shape[len(shape) - len(own) :]


def is_head(slot: Slot, shape: tuple[int, ...]) -> bool:
    """Tell whether an array has one number for each row: its axes, but for the last ones, begin a shape."""
    own = _stripped(slot.shape[::-1])[::-1]
    return len(slot.shape) == len(shape) and own == shape[: len(own)]


def _stripped(shape: tuple[int, ...]) -> tuple[int, ...]:
    """Return a shape without its leading ones."""
    return shape[next((k for k, n in enumerate(shape) if n != 1), len(shape)) :]


def rows_of(shape: tuple[int, ...], slots: Iterable[Slot]) -> tuple[int, int] | None:
    """Return rows and width as which arrays of a shape, and those that broadcast to it, can be seen.

    None if there is no such width for all, or if the rows are too short or too long.
    """
    size, widths = prod(shape), set()
    for s in slots:
        n = prod(s.shape)
        if n in (1, size):
            continue
        if not is_tail(s, shape) and not is_head(s, shape):
            return None
        widths.add(n if is_tail(s, shape) else size // n)
    if not widths:
        return 1, size
    width = widths.pop()
    return (size // width, width) if not widths and NARROW <= width <= WIDE else None


class Loop:
    """Calls that are made together, tile by tile.

    Args:
        calls: in order.
        stored: the slots of results that something else reads.
        shape: of the results.
        rows: as how many rows, and of which width, that shape is seen.
    """

    def __init__(self, calls: Sequence[Call], stored: set[Slot], shape: tuple[int, ...],
                 rows: tuple[int, int]) -> None:  # fmt: skip
        self.calls, self.shape = calls, shape
        self.errors = calls[-1].errors
        self.tile = rows[1] if rows[0] > 1 else TILE
        self.by_rows = rows[0] > 1
        made: set[Slot] = set()
        self.reads: list[Slot] = []
        self.stores: list[Slot] = []
        for call in calls:
            for s in slots_of([call.args]):
                if s not in made and s not in self.reads:
                    self.reads.append(s)
            made.add(call.out)
            if call.out in stored and call.out not in self.stores:
                self.stores.append(call.out)
        self.arrays = list(dict.fromkeys([*(s for s in self.reads if prod(s.shape) > 1), *self.stores]))
        self.single = [s for s in self.reads if s not in self.arrays]
        found = [inner_of(call) for call in calls if not is_arithmetic(call)]
        self.source = ""  # of the compiled loop, once there is one
        self.addresses = tuple(address for pair in found if pair is not None for address in pair)

    @cached_property
    def share(self) -> Any:
        """The compiled ``share(team, parts, tiles, width, *arrays, *numbers, *addresses)``."""
        text = _Text(self)
        self.source = text.source
        return made(text.source, text.space, ("loop", "share"))

    def is_full(self, slot: Slot) -> bool:
        """Tell whether an array has as many elements as a result, so that none stands for several."""
        return prod(slot.shape) == prod(self.shape)

    def text(self, names: Names) -> str:
        """Return the text that runs the loop in one thread, on parts of arrays that are in a row."""
        size = f"{names.slot(self.stores[0])}.size"
        return f"{names(self.share)}({names(NOBODY)}, 1, -(-{size} // {TILE}), {size}, {self.given(names)})"

    def given(self, names: Names) -> str:
        """Return the text of its arrays and numbers."""
        single = [f"{names(number)}({names.slot(s)})" for s in self.single]
        return ", ".join([*map(names.slot, self.arrays), *single, *map(str, self.addresses)])


class _Text:
    """The text of a loop, and the objects that it names."""

    def __init__(self, loop: Loop) -> None:
        self.loop = loop
        self.space: dict[str, Any] = {
            "sqrt": np.sqrt, "abs": np.abs, "isinf": np.isinf, "empty": np.empty, "fromhex": float.fromhex,
            **{name: compiled(getattr(fork, name)) for name in ("post", "code", "kept")},
            **{name: compiled(getattr(inner, name)) for name in ("address", "inner")},
        }  # fmt: skip
        self.arrays = {s: f"a{i}" for i, s in enumerate(loop.arrays)}
        self.single = {s: f"r{i}" for i, s in enumerate(loop.single)}
        self.temporary: dict[Slot, str] = {}
        self.before: list[str] = []  # lines before the first tile
        self.constants: list[str] = []  # lines before the function
        self.value = self.inner = 0
        body = self._body()
        addresses = [f"f{i}" for i in range(self.inner)]
        given = ", ".join([*self.arrays.values(), *self.single.values(), *addresses])
        start = "tile * width" if loop.by_rows else f"tile * {TILE}"
        width = "width" if loop.by_rows else f"min({TILE}, width - at)"
        # Parts, of which the indices are not below 0, as the compiler sees: those of the whole could be.
        parts = [f"   {name}_ = {name}[{'tile' if self._is_head(s) else 'at : at + n'}]"
                 for s, name in self.arrays.items() if not self._is_tail(s)]  # fmt: skip
        self.source = "\n".join([
            *self.constants, f"def loop(width, {given}, first, last):", *self.before,
            " for tile in range(first, last):",
            f"   at = {start}", f"   n = {width}", *parts, *body,
            f"def share(team, parts, tiles, width, {given}):", f" given = (width, {given})",
            " post(team, code(loop, given), kept(given), tiles, parts)", "",
        ])  # fmt: skip

    def _is_head(self, slot: Slot) -> bool:
        return not self.loop.is_full(slot) and not self._is_tail(slot)

    def _is_tail(self, slot: Slot) -> bool:
        return not self.loop.is_full(slot) and is_tail(slot, self.loop.shape)

    def _array(self, slot: Slot) -> str | None:
        """Return the name of what holds a slot's part of a tile."""
        if slot in self.temporary:
            return self.temporary[slot]
        name = self.arrays.get(slot)
        return name and (name if self._is_tail(slot) else f"{name}_")

    def _element(self, slot: Slot) -> str:
        """Return the text of a slot's element k of a tile."""
        name = self._array(slot)
        if name is None:
            return self.single[slot]
        return name if slot in self.arrays and self._is_head(slot) else f"{name}[k]"

    def _place(self, a: Any, dtype: Any) -> tuple[str, int]:
        """Return the text of the address of an argument of an inner loop, and the step between elements."""
        name = self._array(a) if isinstance(a, Slot) else None
        if name is None:
            name = self._new(dtype, 1)
            value = self.single[a] if isinstance(a, Slot) else self._constant(dtype.type(a))
            self.before.append(f" {name}[0] = {value}")
            return f"address({name}, 0)", 0
        if a in self.arrays and self._is_head(a):
            return f"address({self.arrays[a]}, tile)", 0
        return f"address({name}, 0)", dtype.itemsize

    def _new(self, dtype: Any, size: int) -> str:
        """Return the name of memory of its own."""
        name, apart = f"t{len(self.before)}", APART * (len(self.before) % 15 + 1) // dtype.itemsize
        self.before.append(f" {name} = empty({size + apart}, {self._kind(dtype)})[{apart}:]")
        return name

    def _body(self) -> list[str]:
        lines = []
        calls = self.loop.calls
        pieces = [list(group) for _, group in groupby(calls, key=lambda c: is_arithmetic(c) or id(c))]
        for i, piece in enumerate(pieces):
            later = {s for rest in pieces[i + 1 :] for c in rest for s in (*slots_of([c.args]), c.out)}
            for c in piece:
                if c.out not in self.arrays and c.out in later and c.out not in self.temporary:
                    self.temporary[c.out] = self._new(c.out.dtype, self.loop.tile)
            if is_arithmetic(piece[0]):
                lines += self._arithmetic(piece)
            else:
                if piece[0].out not in self.arrays and piece[0].out not in self.temporary:
                    self.temporary[piece[0].out] = self._new(piece[0].out.dtype, self.loop.tile)
                lines.append(self._inner(piece[0]))
        return lines

    def _inner(self, call: Call) -> str:
        types = _types(call)
        assert types is not None
        self.inner += 2
        name = f"f{self.inner - 2}", f"f{self.inner - 1}"  # other addresses in each process
        places = [self._place(a, t) for a, t in zip((*call.args, call.out), types, strict=True)]
        texts, steps = zip(*places, strict=True)
        return f"   inner({', '.join(name)}, ({', '.join(texts)}), {steps}, n)"

    def _arithmetic(self, calls: list[Call]) -> list[str]:
        lines, current = ["   for k in range(n):"], {}
        for call in calls:
            for s in slots_of([call.args]):
                if s not in current:
                    current[s] = f"v{self._next()}"
                    lines.append(f"    {current[s]} = {self._element(s)}")
            value = self._formula(call, current)
            current[call.out] = f"v{self._next()}"
            lines.append(f"    {current[call.out]} = {value}")
        for s in dict.fromkeys(call.out for call in calls):
            if s in self.arrays or s in self.temporary:
                lines.append(f"    {self._element(s)} = {current[s]}")
        return lines

    def _next(self) -> int:
        self.value += 1
        return self.value

    def _formula(self, call: Call, current: dict[Slot, str]) -> str:
        out = call.out.dtype

        def cast(a: Any, dtype: Any) -> str:
            if not isinstance(a, Slot):
                return self._constant(dtype.type(a))
            return current[a] if a.dtype == dtype else f"{self._kind(dtype)}({current[a]})"

        if call.kernel is _tamed:
            x, y = (current[a] if isinstance(a, Slot) else self._constant(a) for a in call.args)
            return f"{self._kind(out)}(0) if {x} != {x} and ({y} == 0 or isinf({y})) else {x}"
        form = form_of(call)
        if form == "select":
            mask, x, y = call.args
            return f"{cast(x, out)} if {current[mask]} else {cast(y, out)}"
        if form == "copy":
            return cast(call.args[0], out)
        types = _types(call)
        assert types is not None
        operands = [cast(a, t) for a, t in zip(call.args, types, strict=False)]
        one = self._constant(types[0].type(1)) if call.fun is np.reciprocal else ""
        value = TEXTS[call.fun].format(*operands, one=one)
        # x += y, with a y of more bits, is rounded once more
        return value if types[-1] == out else f"{self._kind(out)}({value})"

    def _kind(self, dtype: Any) -> str:
        name = f"to_{dtype.name}"
        self.space[name] = dtype.type
        return name

    def _constant(self, value: Any) -> str:
        name = f"k{len(self.constants)}"
        value = np.asarray(value)
        self.constants.append(f"{name} = {self._kind(value.dtype)}(fromhex({float(value).hex()!r}))")
        return name


def merged(calls: Sequence[Call], temporary: set[int], rows: tuple[int, int] | None) -> list[Any]:
    """Return the calls of a group, with loops for those in a row that can stand in one.

    Args:
        calls: in order.
        temporary: storages that only the group reads.
        rows: as how many rows, and of which width, arrays are seen; None if they cannot be.
    """
    if rows is None or not is_used():
        return list(calls)
    shape = calls[0].out.shape
    out: list[Any] = []
    i = 0
    while i < len(calls):
        j = i
        while j < len(calls) and (is_arithmetic(calls[j]) or inner_of(calls[j]) is not None):
            j += 1
        if j == i:
            out.append(calls[i])
            i += 1
            continue
        run = calls[i:j]
        later = {s for c in calls[j:] for s in (*slots_of([c.args, c.params]), *c.outs)}
        stored = {c.out for c in run if c.out.storage not in temporary or c.out in later}
        out.append(Loop(run, stored, shape, rows))
        i = j
    return out


def number(x: Any) -> Any:
    """Return the number in an array of one element."""
    return x.reshape(())[()]
