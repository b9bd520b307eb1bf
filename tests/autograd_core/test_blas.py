"""Idle threads of matrix products sleep, so that other threads have the cores."""

from __future__ import annotations

import ctypes
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from autograd_core.kernels import blas

ROOT = Path(__file__).parents[2]
LIBRARY = ctypes.CDLL(np._core._multiarray_umath.__file__)  # type: ignore[attr-defined]

needs_openblas = pytest.mark.skipif(
    not hasattr(LIBRARY, "openblas_thread_timeout"), reason="NumPy's products are not OpenBLAS's here"
)

PROGRAM = """
import ctypes, threading, time
from functools import partial
import numpy as np
library = ctypes.CDLL(np._core._multiarray_umath.__file__)
a = np.arange(250_000.0).reshape(500, 500) / 250_000
before = a @ a
wait = threading.Event()
def busy():
    while not wait.is_set():
        a[:50] @ a
if {beside}:
    threading.Thread(target={beside}, daemon=True).start()
import autograd_core
print(library.openblas_thread_timeout())
assert np.array_equal(a @ a, before)
wait.set()
import os
print(os.environ.get("OPENBLAS_THREAD_TIMEOUT"))
"""


def printed(beside: str = "None", **environment: str) -> list[str]:
    inherited = {k: v for k, v in os.environ.items() if k != blas.VARIABLE}
    found = subprocess.run([sys.executable, "-c", PROGRAM.format(beside=beside)], text=True, cwd=ROOT,
                           env=inherited | environment, capture_output=True, timeout=300)  # fmt: skip
    assert not found.stderr
    return found.stdout.split()


@needs_openblas
def test_importing_the_library_lets_idle_threads_sleep() -> None:
    assert printed(OPENBLAS_NUM_THREADS="2") == [str(blas.TICKS), "None"]
    assert printed(OPENBLAS_NUM_THREADS="1") == [str(blas.TICKS), "None"]


@needs_openblas
def test_what_the_user_has_set_stays() -> None:
    assert printed(OPENBLAS_THREAD_TIMEOUT="24") == ["24", "24"]


@needs_openblas
def test_beside_a_busy_thread_nothing_is_stopped() -> None:
    assert printed("busy")[0] == "0", "its default: nothing is set"
    assert printed("partial(time.sleep, 5)")[0] == "0", "in code that is not Python's"
    assert printed("wait.wait")[0] == str(blas.TICKS), "one that waits is in no product"


def test_another_library_is_left_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv(blas.VARIABLE, raising=False)
    monkeypatch.setattr(blas, "_others_wait", lambda: True)
    monkeypatch.setattr("ctypes.PyDLL", lambda path: object())
    assert not blas.rest()
    assert blas.VARIABLE not in os.environ
