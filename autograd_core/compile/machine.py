"""The machine code of generated loops, which stays on disk: the next process need not compile them.

A text stands in a file of its own, named by what it says and by the loops that it calls, so that a file is
never written twice; beside it numba keeps what it compiles. ``AUTOGRAD_CORE_CACHE`` names another folder than
``autograd_core`` in the user's cache, or, empty, none.
"""

from __future__ import annotations

import os
import tempfile
from functools import cache
from hashlib import sha256
from pathlib import Path
from typing import Any

from ..kernels.loops import fork, inner
from ..kernels.twins import compiled_by_numba

__all__ = ["made"]

VARIABLE = "AUTOGRAD_CORE_CACHE"
_made: dict[str, Any] = {}  # numba keeps what it compiled as long as the process lives


def made(source: str, space: dict[str, Any], names: tuple[str, ...]) -> Any:
    """Run a text, let numba compile the functions of these names in it, and return the last of them.

    What ``space`` holds is the same for each text, so a text that was run before gives what it gave then.
    """
    if source in _made:
        return _made[source]
    digest = sha256((_called() + source).encode()).hexdigest()[:32]
    file = _file(source, f"loop_{digest}.py")
    space["__name__"] = __name__
    exec(compile(source, file or "<loop>", "exec"), space)
    for name in names:
        # By it numba tells machine code of this text from that of others that it finds on disk.
        space[name].__qualname__ = f"{name}_{digest}"
        space[name] = compiled_by_numba(space[name], cache=file is not None, fastmath=False)
    _made[source] = space[names[-1]]
    return _made[source]


def _file(source: str, name: str) -> str | None:
    """Return the file of a text, written if it is new; None if there can be none."""
    place = os.environ.get(VARIABLE)
    if place is None:
        place = f"{os.environ.get('XDG_CACHE_HOME') or '~/.cache'}/autograd_core"
    if not place:
        return None
    try:
        file = Path(place).expanduser().absolute() / name
        if not file.exists():
            file.parent.mkdir(parents=True, exist_ok=True)
            with tempfile.NamedTemporaryFile("w", dir=file.parent, suffix=".new", delete=False) as new:
                new.write(source)
            os.replace(new.name, file)
    except (OSError, RuntimeError):  # of a folder that cannot be written to, or a user without a home
        return None
    return str(file)


@cache
def _called() -> str:
    """Return the texts of what generated loops call: machine code contains it."""
    return "".join(Path(module.__file__ or "").read_text() for module in (fork, inner))
