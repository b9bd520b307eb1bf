"""Ctrl-C during training: the first lets the step end, the second stops at once."""

from __future__ import annotations

import signal
import threading
from typing import Any, Self

__all__ = ["Interrupt"]


class Interrupt:
    """Within a ``with`` block, note the first Ctrl-C in ``came`` instead of raising KeyboardInterrupt.

    Nothing is changed in other threads than the main one, where no Ctrl-C arrives, and where somebody
    else handles it already.
    """

    came = False

    def __enter__(self) -> Self:
        self.active = (
            threading.current_thread() is threading.main_thread()
            and signal.getsignal(signal.SIGINT) is signal.default_int_handler
        )
        if self.active:
            signal.signal(signal.SIGINT, self._note)
        return self

    def __exit__(self, *error: object) -> None:
        if self.active:
            signal.signal(signal.SIGINT, signal.default_int_handler)

    def _note(self, number: int, frame: Any) -> None:
        if self.came:
            raise KeyboardInterrupt
        self.came = True
