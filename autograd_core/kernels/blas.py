"""How long the threads of NumPy's matrix products wait busily for the next one.

After a product OpenBLAS's threads spin, by default for 2^26 ticks of the processor's clock, about 25 ms: all
through the next step of a training. Whatever else has threads gets half of their cores in the meantime: a
convolution in our threads took 7.0 instead of 3.9 ms, a step of PyTorch's LSTM in the same process 13 instead
of 8 (2 cores). They keep their pace with a hundredth of that, and then sleep.
"""

from __future__ import annotations

import ctypes
import os
import sys
import threading
from pathlib import PurePath
from types import CodeType
from typing import Any

import numpy as np

__all__ = ["rest"]

VARIABLE = "OPENBLAS_THREAD_TIMEOUT"  # read once, when the library is loaded
TICKS = 18  # their binary logarithm: 0.1 ms
WAITING = {"queue.py", "selectors.py", "threading.py", "ipykernel", "zmq"}  # whose code idle threads are in


def rest() -> bool:
    """Let idle threads of OpenBLAS sleep after 0.1 ms; tell whether they do.

    Nothing happens where NumPy's products are another library's, where ``OPENBLAS_THREAD_TIMEOUT`` is in the
    environment, and where another thread of Python may be within a product: OpenBLAS's are started anew.
    """
    if VARIABLE in os.environ or not _others_wait():
        return False
    try:
        multiarray: Any = np._core._multiarray_umath  # type: ignore[attr-defined]
        library = ctypes.PyDLL(multiarray.__file__)  # keeps Python's lock; finds what that is linked with
        read, stop = library.openblas_read_env, library.blas_thread_shutdown_
    except (AttributeError, OSError):
        return False
    os.environ[VARIABLE] = str(TICKS)
    try:
        read()
    finally:
        del os.environ[VARIABLE]
    stop()  # as before a fork; the next product starts them again
    return True


def _others_wait() -> bool:
    """Tell whether all other threads of Python are waiting: while its lock is held, they stay so."""
    frames = sys._current_frames()
    frames.pop(threading.get_ident(), None)
    return all(map(_waits, (frame.f_code for frame in frames.values())))


def _waits(code: CodeType) -> bool:
    parts = PurePath(code.co_filename).parts
    if (parts[-1], code.co_name) == ("threading.py", "run"):  # of Thread(target=np.matmul)
        return False
    return bool(WAITING.intersection(parts))
