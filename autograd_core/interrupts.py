"""Ctrl-C while arrays are being written: it waits until they are whole."""

from __future__ import annotations

# The calls themselves: the module `signal` takes ten times as long to wrap them.
import _signal  # type: ignore[import-not-found]
import threading
from _thread import get_ident
from typing import Any

__all__ = ["deferred"]

SIGINT = int(_signal.SIGINT)


class deferred:  # a context manager, named as contextlib names them
    """Let Ctrl-C take effect at the end of a ``with`` block, not within it.

    In other threads than the main one, and where Ctrl-C has no handler in Python, nothing is changed:
    it does not interrupt there. Blocks nest. It costs about a microsecond.

    >>> with deferred():
    ...     pass  # write what belongs together
    """

    __slots__ = ("came", "handler")

    def __enter__(self) -> None:
        self.handler: Any = None
        self.came: Any = None
        if get_ident() == threading.main_thread().ident:
            handler = _signal.getsignal(SIGINT)
            if callable(handler) and not isinstance(getattr(handler, "__self__", None), deferred):
                _signal.signal(SIGINT, self._remember)
                self.handler = handler

    def __exit__(self, *error: object) -> None:
        if self.handler is not None:
            _signal.signal(SIGINT, self.handler)
            if self.came is not None:
                self.handler(*self.came)

    def _remember(self, number: int, frame: Any) -> None:
        self.came = number, frame
