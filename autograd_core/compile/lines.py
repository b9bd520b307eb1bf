"""Which line of whose code runs: errors name the line of a captured step, not one of the library."""

from __future__ import annotations

import os
import sys
import sysconfig
from pathlib import Path
from typing import Any

import numpy as np

__all__ = ["LIBRARIES", "OURS", "file_of", "is_ours", "located", "where"]

ROOT = Path(__file__).resolve().parents[2]
OURS = tuple(f"{ROOT / name}/" for name in ("autograd_core", "nn", "optim"))
TRIAL = os.path.join("compile", "trial.py")
LIBRARIES = (str(Path(np.__file__).resolve().parent) + "/", "<frozen",
             *{sysconfig.get_path(kind) + "/" for kind in ("stdlib", "purelib", "platlib")})  # fmt: skip


def is_ours(file: str) -> bool:
    return file.startswith(OURS)


def file_of(frame: Any) -> str:
    """Return the file of the code that runs in a frame; what ``exec`` made is of the file that made it."""
    file: str = frame.f_code.co_filename
    if not file.startswith("<") or file.startswith("<doctest"):  # an example
        return file
    return frame.f_globals.get("__file__") or file


def where(step: tuple[str, int] | None = None) -> tuple[str, int]:
    """Return the file and line, outside of the library and NumPy, that runs now; ``step`` where none does."""
    frame: Any = sys._getframe(1)
    while frame.f_back is not None and file_of(frame).startswith((*OURS, *LIBRARIES)):
        if step is not None and frame.f_code.co_filename.endswith(TRIAL):
            return step
        frame = frame.f_back
    return frame.f_code.co_filename, frame.f_lineno


def located(line: Any) -> str:
    return f"{line[0]}:{line[1]}" if line else "an unknown line"
