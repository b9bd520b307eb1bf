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
import ctypes, threading
import numpy as np
library = ctypes.CDLL(np._core._multiarray_umath.__file__)
a = np.arange(250_000.0).reshape(500, 500) / 250_000
before = a @ a
if {beside}:
    wait = threading.Event()
    threading.Thread(target=wait.wait).start()
import autograd_core
print(library.openblas_thread_timeout())
assert np.array_equal(a @ a, before)
if {beside}:
    wait.set()
import os
print(os.environ.get("OPENBLAS_THREAD_TIMEOUT"))
"""


def printed(beside: bool = False, **environment: str) -> list[str]:
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
def test_beside_another_thread_nothing_is_stopped() -> None:
    assert printed(beside=True)[0] == "0", "its default: nothing is set"


def test_another_library_is_left_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv(blas.VARIABLE, raising=False)
    monkeypatch.setattr("threading.active_count", lambda: 1)
    monkeypatch.setattr("ctypes.CDLL", lambda path: object())
    assert not blas.rest()
    assert blas.VARIABLE not in os.environ
