"""The threads that compiled loops share their work with: :mod:`loops.fork` says how they wait."""

from __future__ import annotations

import os
import threading
from collections.abc import Callable
from functools import cache
from hashlib import sha256
from pathlib import Path
from typing import Any

import numpy as np

from . import threads
from .loops import fork
from .twins import compiled, compiled_by_numba

__all__ = ["parts_of", "share", "team"]

ALONE = 15.0  # microseconds of work that are worth a thread which waits busily

_team: Any = None
_lock = threading.Lock()


def team() -> Any:
    """Return what loops are posted to; its threads start with the first call, and are as many as are set.

    Where the system has no such threads (``fork.HERE``), there are none, and whoever posts does all.
    """
    global _team
    found = _team
    number = threads.get_num_threads()
    if found is None or len(found) != fork.WORKER + (number - 1) * fork.LINE * fork.HERE:
        found = _gathered(number - 1 if fork.HERE else 0)
    return found


def _gathered(workers: int) -> Any:
    global _team
    with _lock:
        before, _team = _team, None
        if before is not None and len(before) > fork.WORKER:
            compiled(fork.stop)(before)
        new, serve = np.zeros(fork.WORKER + workers * fork.LINE, np.int64), compiled(fork.serve)
        serve(np.full(fork.WORKER + fork.LINE, fork.STOP), 0)  # compiled before a thread would wait for that
        for k in range(workers):
            threading.Thread(target=serve, args=(new, k), name=f"autograd-core {k}", daemon=True).start()
        _team = new
        return new


def parts_of(n: int, microseconds: float) -> int:
    """Return into how many parts work is cut that one thread would do in such a time."""
    return max(1, min(threads.get_num_threads(), n, int(microseconds / ALONE)))


def share(
    loop: Callable[..., Any], n: int, microseconds: float, *given: Any,
    cut: tuple[int, ...] = (), each: int = 1,
) -> None:  # fmt: skip
    """Run a loop (:func:`twins.loop`) for parts of n units side by side, without Python in between.

    Args:
        loop: takes ``(*given, first, last)``; or, with ``cut``, parts of arrays in the place of those.
        n: units.
        microseconds: about how long one thread takes for all.
        cut: which of the arguments are arrays with n entries, of which a part of the loop gets its own.
        each: so many units stay together.
    """
    units = -(-n // each)
    parts = parts_of(units, microseconds)
    if fork.HERE:
        _sharing(loop, cut)(team(), units, parts, n, each, *given)
        return
    run = compiled(loop)

    def work(first: int, last: int) -> None:
        first, last = first * each, min(last * each, n)
        if cut:
            run(*[a[first:last] if i in cut else a for i, a in enumerate(given)])
        else:
            run(*given, first, last)

    threads.split(work, units, -(-units // parts))


@cache
def _version() -> str:
    """Return a name of what posts parts, whose machine code is in that of all who do."""
    return sha256(Path(fork.__file__).read_bytes()).hexdigest()[:8]


@cache
def _sharing(loop: Callable[..., Any], cut: tuple[int, ...]) -> Any:
    """Return the compiled function that posts parts of a loop.

    It is written for the loop, in its file as far as numba can tell, which so keeps the machine code on disk.
    """
    loop = getattr(loop, "py_func", loop)  # of one that is compiled already
    name, target = loop.__name__, compiled(loop)
    how = "_".join(["", *map(str, cut), _version()])  # numba tells machine code on disk apart by names
    count = loop.__code__.co_argcount - (0 if cut else 2)
    given = [f"a{i}" for i in range(count)]
    listed = "".join(f"{a}, " for a in given)
    text = "".join(f"{a}[first:last], " if i in cut else f"{a}, " for i, a in enumerate(given))
    lines = [
        f"def part_of_{name}{how}(n, each, {listed}first, last):",
        " first, last = first * each, min(last * each, n)",
        f" {name}({text}{'' if cut else 'first, last'})",
        f"def share_{name}{how}(team, units, parts, n, each, {listed}):",
        f" given = (n, each, {listed})",
        f" post(team, code(part_of_{name}{how}, given), kept(given), units, parts)",
    ]
    space = {"__name__": loop.__module__, name: target}
    space |= {f.__name__: compiled(f) for f in (fork.post, fork.code, fork.kept)}
    blank = "\n" * (loop.__code__.co_firstlineno - 1)  # functions of one name are told apart by their line
    exec(compile(blank + "\n".join(lines), loop.__code__.co_filename, "exec"), space)
    for made in (f"part_of_{name}{how}", f"share_{name}{how}"):
        space[made] = compiled_by_numba(space[made])
    return space[f"share_{name}{how}"]


def _forget() -> None:
    global _team, _lock
    _team, _lock = None, threading.Lock()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_forget)  # a child has the team without its threads
