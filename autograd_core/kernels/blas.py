"""How long the threads of NumPy's matrix products wait busily for the next one.

After a product OpenBLAS's threads spin, by default for 2^26 ticks of the processor's clock, about 25 ms: all
through the next step of a training. Whatever else has threads gets half of their cores in the meantime: a
convolution in our threads took 7.0 instead of 3.9 ms, a step of PyTorch's LSTM in the same process 13 instead
of 8 (2 cores). They keep their pace with a hundredth of that, and then sleep.
"""

from __future__ import annotations

import ctypes
import os
import threading
from typing import Any

import numpy as np

__all__ = ["rest"]

VARIABLE = "OPENBLAS_THREAD_TIMEOUT"  # read once, when the library is loaded
TICKS = 18  # their binary logarithm: 0.1 ms


def rest() -> bool:
    """Let idle threads of OpenBLAS sleep after 0.1 ms; tell whether they do.

    Nothing happens where NumPy's products are another library's, where ``OPENBLAS_THREAD_TIMEOUT`` is in the
    environment, and where other threads run, which might be within a product: its threads are started anew.
    """
    if VARIABLE in os.environ or threading.active_count() > 1:
        return False
    try:
        multiarray: Any = np._core._multiarray_umath  # type: ignore[attr-defined]
        library = ctypes.CDLL(multiarray.__file__)  # finds what that is linked with
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
