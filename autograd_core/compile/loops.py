"""Arithmetic of a block in one loop that numba compiles: what is computed on the way stays in registers.

Only operations that are rounded once, as IEEE 754 defines them (+, -, *, /, square root, comparisons, casts).
The loop neither reorders nor contracts them: each result has the bits that NumPy's call gives, but for the
sign of a NaN, which the standard leaves open. Functions such as ``exp`` stay NumPy's calls. Floating-point
warnings of the arithmetic are not raised in such a loop.
"""

from __future__ import annotations

from collections.abc import Sequence
from math import prod
from typing import Any

import numpy as np

from ..fitting import _tamed
from ..kernels.twins import is_used
from .capture import Call, Slot, slots_of
from .emit import Names
from .passes import QUIET

__all__ = ["Loop", "merged"]

TEXTS = {
    np.add: "{} + {}", np.subtract: "{} - {}", np.multiply: "{} * {}", np.divide: "{} / {}",
    np.negative: "-{}", np.positive: "{}", np.square: "{0} * {0}", np.sqrt: "sqrt({})",
    np.absolute: "abs({})", np.reciprocal: "one / {}", np.greater: "{} > {}", np.greater_equal: "{} >= {}",
    np.less: "{} < {}", np.less_equal: "{} <= {}", np.equal: "{} == {}", np.not_equal: "{} != {}",
}  # fmt: skip
KINDS = {np.dtype(np.float32), np.dtype(np.float64), np.dtype(np.bool)}


def is_arithmetic(call: Call, flat: bool) -> bool:
    """Tell whether a loop gives the same bits as a call."""
    if not flat or not QUIET.issuperset(call.errors) or call.out.dtype not in KINDS:
        return False
    if any(s.dtype not in KINDS for s in slots_of([call.args, call.params])):
        return False
    if call.kernel is _tamed:
        return True
    loop = _types(call) if call.fun in TEXTS else None
    return loop is not None and KINDS.issuperset(loop) and loop[0].kind == "f"  # + of two truths is "or"


def _types(call: Call) -> tuple[Any, ...] | None:
    """Return the dtypes that NumPy's call computes in."""
    given = [a.dtype if isinstance(a, Slot) else type(a) if type(a) in (int, float) else np.asarray(a).dtype
             for a in call.args]  # fmt: skip
    try:
        return tuple(call.fun.resolve_dtypes((*given, None)))
    except (TypeError, AttributeError):
        return None


class Loop:
    """Calls that are made together, element by element.

    Args:
        calls: in order.
        stored: the slots of results that something else reads.
    """

    def __init__(self, calls: Sequence[Call], stored: set[Slot]) -> None:
        self.calls = calls
        self.errors = calls[-1].errors
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

    def text(self, names: Names) -> str:
        """Return the text that runs the loop on a block."""
        import numba

        wide = [s for s in self.reads if prod(s.shape) > 1]
        single = [s for s in self.reads if prod(s.shape) == 1]
        name = {s: f"r{i}" for i, s in enumerate(self.reads)}
        space: dict[str, Any] = {"sqrt": np.sqrt, "abs": np.abs, "isinf": np.isinf}
        lines = []
        for i, s in enumerate(wide):
            lines.append(f"  {name[s]} = a{i}[i]")
        current = dict(name)
        for k, call in enumerate(self.calls):
            value = self._formula(call, current, space)
            types = None if call.kernel else _types(call)
            if types and types[-1] != call.out.dtype:  # x += y, with a y of more bits: rounded once more
                value = f"{_kind(call.out.dtype, space)}({value})"
            lines.append(f"  v{k} = {value}")
            current[call.out] = f"v{k}"
        for j, s in enumerate(self.stores):
            lines.append(f"  o{j}[i] = {current[s]}")
        given = [f"a{i}" for i in range(len(wide))] + [name[s] for s in single]
        given += [f"o{j}" for j in range(len(self.stores))]
        source = "\n".join([f"def loop({', '.join(given)}):", f" for i in range({given[-1]}.size):", *lines])
        exec(compile(source, "<loop>", "exec"), space)
        compiled = numba.njit(nogil=True, error_model="numpy")(space["loop"])
        compiled.source = source
        arguments = [names.slot(s) for s in wide] + [f"{names(_number)}({names.slot(s)})" for s in single]
        arguments += [names.slot(s) for s in self.stores]
        return f"{names(compiled)}({', '.join(arguments)})"

    def _formula(self, call: Call, current: dict[Slot, str], space: dict[str, Any]) -> str:
        if call.kernel is _tamed:
            kind = _kind(call.out.dtype, space)
            x, y = [current[a] if isinstance(a, Slot) else _constant(a, space) for a in call.args]
            return f"{kind}(0) if {x} != {x} and ({y} == 0 or isinf({y})) else {x}"
        types = _types(call)
        assert types is not None
        operands = []
        for a, dtype in zip(call.args, types, strict=False):
            kind = _kind(dtype, space)
            if isinstance(a, Slot):
                operands.append(current[a] if a.dtype == dtype else f"{kind}({current[a]})")
            else:
                operands.append(_constant(dtype.type(a), space))
        if call.fun is np.reciprocal:
            space["one"] = types[0].type(1)
        return TEXTS[call.fun].format(*operands)


def _kind(dtype: Any, space: dict[str, Any]) -> str:
    name = f"to_{dtype.name}"
    space[name] = dtype.type
    return name


def _constant(value: Any, space: dict[str, Any]) -> str:
    name = f"k{len(space)}"
    space[name] = value
    return name


def _number(x: Any) -> Any:
    """Return the number in an array of one element."""
    return x.reshape(())[()]


def merged(calls: Sequence[Call], temporary: set[int], flat: bool) -> list[Any]:
    """Return the calls of a group, runs of arithmetic among them as loops."""
    if not is_used():
        return list(calls)
    out: list[Any] = []
    i = 0
    while i < len(calls):
        j = i
        while j < len(calls) and is_arithmetic(calls[j], flat):
            j += 1
        if j - i < 2:
            out.extend(calls[i : max(j, i + 1)])
            i = max(j, i + 1)
            continue
        run = calls[i:j]
        later = {s for c in calls[j:] for s in (*slots_of([c.args, c.params]), *c.outs)}
        stored = {c.out for c in run if c.out.storage not in temporary or c.out in later}
        out.append(Loop(run, stored))
        i = j
    return out
