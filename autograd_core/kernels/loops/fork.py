"""Parts of one loop in several threads, without Python in between: posted, waited for, and gone on.

A thread that sleeps takes 40 to 110 us to begin, and one that needs Python's lock to begin waits for it.
These wait busily for 0.1 ms for the next part (and let others have the core meanwhile), take it as the
address of machine code, and only then sleep, on a *futex* of Linux. [Franke, Russell and Kirkwood, Fuss,
futexes and furwocks: fast userlevel locking in Linux, 2002]

The work is cut into more chunks than there are threads. Who posts takes them from the front, the others from
the back, until there are none: so each finds in its cache what it left there, and who posts does it all if no
other comes in time, as where something else has the cores.

``team`` is an array of int64, a line of the cache for each word that threads wait for:

    OWNER   1 while somebody's work is done
    WORD    its number, and which chunks nobody has taken: number << 32 | front << 16 | back
    LEFT    chunks that are not done; below it what they are: code, arguments, n, and how many
    WORKER  for each worker: the number of its last call, and beside it, whether it sleeps
"""

from __future__ import annotations

import platform
import sys
from typing import Any

from ..twins import instruction, loop

__all__ = ["HERE", "LINE", "STOP", "WORKER", "code", "kept", "post", "serve", "stop"]

LINE = 16  # int64: two lines of the cache, as processors fetch them in pairs
OWNER, WORD, LEFT, CODE, ARGUMENTS, COUNT, CHUNKS, FAILED, WORKER = 0, 16, 32, 48, 49, 50, 51, 52, 64
EACH, MOST = 4, 1 << 15  # chunks for a thread; at most, as they are counted in 16 bits
STOP = -1
TICKS = 1 << 18  # of the processor's clock: how long a thread waits busily
FUTEX = {"x86_64": 202, "aarch64": 98}.get(platform.machine(), 0)  # numbers of the system's calls
YIELD = {"x86_64": 24, "aarch64": 124}.get(platform.machine(), 0)
HERE = sys.platform == "linux" and FUTEX > 0 and sys.maxsize > 1 << 32  # whether there are such threads
SLEEP, WAKE = 128, 129  # FUTEX_WAIT and FUTEX_WAKE, within a process


# -- instructions ----------------------------------------------------------------------------------


def _place(context: Any, builder: Any, kind: Any, team: Any, i: Any) -> Any:
    return builder.gep(context.make_array(kind)(context, builder, team).data, [i])


@instruction
def look(typing: Any, team: Any, i: Any) -> Any:
    """Return ``team[i]`` as it stands now, and see all that was written before it."""
    from numba.core.types import int64

    def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        return builder.load_atomic(_place(context, builder, signature.args[0], *arguments), "seq_cst", 8)

    return int64(team, i), generate


@instruction
def put(typing: Any, team: Any, i: Any, value: Any) -> Any:
    """``team[i] = value``, seen after all that was written before it."""
    from numba.core.types import int64, void

    def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        team, i, value = arguments
        place = _place(context, builder, signature.args[0], team, i)
        builder.store_atomic(value, place, "seq_cst", 8)
        return context.get_dummy_value()

    return void(team, i, int64), generate


@instruction
def add(typing: Any, team: Any, i: Any, value: Any) -> Any:
    """``team[i] += value``, whole."""
    from numba.core.types import int64, void

    def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        team, i, value = arguments
        builder.atomic_rmw("add", _place(context, builder, signature.args[0], team, i), value, "seq_cst")
        return context.get_dummy_value()

    return void(team, i, int64), generate


@instruction
def swap(typing: Any, team: Any, i: Any, old: Any, new: Any) -> Any:
    """Let ``team[i]`` be new if it is old, and tell whether it was."""
    from numba.core.types import boolean, int64

    def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        team, i, old, new = arguments
        place = _place(context, builder, signature.args[0], team, i)
        return builder.extract_value(builder.cmpxchg(place, old, new, "seq_cst", "seq_cst"), 1)

    return boolean(team, i, int64, int64), generate


@instruction
def clock(typing: Any) -> Any:
    """Return the ticks of the processor's clock."""
    from llvmlite import ir
    from numba.core.types import int64

    def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        name, kind = "llvm.readcyclecounter", ir.FunctionType(ir.IntType(64), [])
        return builder.call(builder.module.globals.get(name) or ir.Function(builder.module, kind, name), [])

    return int64(), generate


def _system(builder: Any, number: int, *arguments: Any) -> None:
    """Call the operating system; nothing where it is not the one that has these calls."""
    from llvmlite import ir

    if not HERE:
        return
    word = ir.IntType(64)
    kind = ir.FunctionType(word, [word], var_arg=True)
    call = builder.module.globals.get("syscall") or ir.Function(builder.module, kind, "syscall")
    builder.call(call, [word(number), *arguments])


@instruction
def futex(typing: Any, team: Any, i: Any, what: Any, value: Any) -> Any:
    """Sleep until somebody wakes who sleeps at ``team[i]``, while that is ``value``; or wake them."""
    from llvmlite import ir
    from numba.core.types import int64, void

    def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        team, i, what, value = arguments
        place, word = _place(context, builder, signature.args[0], team, i), ir.IntType(64)
        _system(builder, FUTEX, builder.ptrtoint(place, word), what, value, word(0), word(0), word(0))
        return context.get_dummy_value()

    return void(team, i, int64, int64), generate


@instruction
def let_others(typing: Any) -> Any:
    """Let another thread have the core that waits for one."""
    from numba.core.types import void

    def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        _system(builder, YIELD)
        return context.get_dummy_value()

    return void(), generate


@instruction
def code(typing: Any, fun: Any, arguments: Any) -> Any:
    """Return the address of machine code that calls ``fun(*arguments, first, last)``, given their address."""
    from llvmlite import ir
    from numba.core import cgutils, types

    given = (*arguments.types, types.int64, types.int64)
    call = fun.get_call_type(typing, given, {})

    def generate(context: Any, builder: Any, signature: Any, _: Any) -> Any:
        pointer = (types.voidptr, types.int64, types.int64)
        module = builder.module
        part = ir.Function(module, context.call_conv.get_function_type(types.none, pointer),
                           module.get_unique_name("part"))  # fmt: skip
        part.linkage = "internal"
        inner = ir.IRBuilder(part.append_basic_block())
        place, first, last = context.call_conv.get_arguments(part)
        whole = context.get_value_type(arguments).as_pointer()
        values = cgutils.unpack_tuple(inner, inner.load(inner.bitcast(place, whole)))
        target = context.get_function(fun, call)
        target(inner, [*values, first, last])
        context.add_linking_libs(getattr(target, "libs", ()))
        context.call_conv.return_value(inner, context.get_dummy_value())
        return builder.ptrtoint(part, ir.IntType(64))

    return types.int64(fun, arguments), generate


@instruction
def kept(typing: Any, arguments: Any) -> Any:
    """Return the address at which the arguments of a part stand until the function that asks returns."""
    from llvmlite import ir
    from numba.core import cgutils
    from numba.core.types import int64

    def generate(context: Any, builder: Any, signature: Any, values: Any) -> Any:
        place = cgutils.alloca_once_value(builder, values[0])
        return builder.ptrtoint(place, ir.IntType(64))

    return int64(arguments), generate


@instruction
def run(typing: Any, address: Any, arguments: Any, first: Any, last: Any) -> Any:
    """Run the code of a part; return 0 if all went well."""
    from llvmlite import ir
    from numba.core import cgutils, types

    def generate(context: Any, builder: Any, signature: Any, given: Any) -> Any:
        address, pointer, first, last = given
        kind = context.call_conv.get_function_type(types.none, (types.voidptr, types.int64, types.int64))
        result = cgutils.alloca_once(builder, kind.args[0].pointee)
        error = cgutils.alloca_once(builder, kind.args[1].pointee)
        part = builder.inttoptr(address, kind.as_pointer())
        place = builder.inttoptr(pointer, ir.IntType(8).as_pointer())
        status = builder.call(part, [result, error, place, first, last])
        return builder.sext(status, ir.IntType(64))

    return types.int64(address, arguments, types.int64, types.int64), generate


# -- who posts, and who serves ---------------------------------------------------------------------


@loop
def claim(team: Any, at_front: bool) -> int:
    """Take a chunk that nobody has, and return its number; -1 if there is none."""
    while True:
        word = look(team, WORD)
        front, back = (word >> 16) & 0xFFFF, word & 0xFFFF
        if front >= back:
            return -1
        if at_front and swap(team, WORD, word, word + (1 << 16)):
            return front
        if not at_front and swap(team, WORD, word, word - 1):
            return back - 1


@loop
def work(team: Any, at_front: bool) -> None:
    """Do chunks until nobody needs to take one."""
    while True:
        k = claim(team, at_front)
        if k < 0:
            return
        n, chunks = team[COUNT], team[CHUNKS]
        if run(team[CODE], team[ARGUMENTS], n * k // chunks, n * (k + 1) // chunks):
            team[FAILED] = 1
        add(team, LEFT, -1)


@loop
def post(team: Any, address: int, arguments: int, n: int, parts: int) -> None:
    """Run code for ``range(n)`` in so many threads side by side: this one is the first.

    Compiled code that shares ``loop(*given, first, last)`` calls
    ``post(team, code(loop, given), kept(given), n, parts)``. If another thread has the team, this does all.
    """
    parts = min(parts, 1 + (len(team) - WORKER) // LINE)
    if parts < 2 or not swap(team, OWNER, 0, 1):
        if n > 0 and run(address, arguments, 0, n):
            raise MemoryError
        return
    chunks = min(n, EACH * parts, MOST)
    team[CODE], team[ARGUMENTS], team[COUNT], team[CHUNKS], team[FAILED] = address, arguments, n, chunks, 0
    put(team, LEFT, chunks)
    put(team, WORD, (((team[WORD] >> 32) + 1) << 32) + chunks)
    for i in range(WORKER, WORKER + (parts - 1) * LINE, LINE):
        put(team, i, team[i] + 1)
        if look(team, i + 1):
            futex(team, i, WAKE, 1)
    work(team, True)
    while look(team, LEFT):
        let_others()
    failed = team[FAILED]
    put(team, OWNER, 0)
    if failed:
        raise MemoryError


@loop
def serve(team: Any, k: int) -> None:
    """Do chunks of whoever posts, as worker k, until it is told to stop."""
    i, done = WORKER + k * LINE, 0
    while True:
        start = clock()
        while look(team, i) == done:
            if clock() - start < TICKS:
                let_others()
            else:
                put(team, i + 1, 1)
                futex(team, i, SLEEP, done)
                put(team, i + 1, 0)
        done = look(team, i)
        if done == STOP:
            return
        work(team, False)


@loop
def stop(team: Any) -> None:
    """Let all workers end, once nobody has the team."""
    while not swap(team, OWNER, 0, 1):
        let_others()
    for i in range(WORKER, len(team), LINE):
        put(team, i, STOP)
        futex(team, i, WAKE, 1)
