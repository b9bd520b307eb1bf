"""The errors of the library, and the one form in which they speak."""

from __future__ import annotations

from typing import Any

__all__ = ["AnomalyError", "CompileError", "GradientError", "GraphError", "NotDifferentiableError"]


class GraphError(RuntimeError):
    """The graph cannot answer: nothing was recorded, it was released, or its inputs changed."""


class NotDifferentiableError(TypeError):
    """An operation without a derivative rule met a Tensor that is being differentiated."""


class AnomalyError(FloatingPointError):
    """Under ``detect_anomaly`` an operation made a gradient that is not finite."""


class CompileError(RuntimeError):
    """A step cannot be replayed as what was captured: the text names the line and what it does."""


class GradientError(AssertionError):
    """A gradient disagrees with finite differences; the text is the report."""

    report: Any = None


def message(operation: str, got: Any, expected: str = "", hint: str = "") -> str:
    """Return ``[operation] got X, expected Y; try Z``.

    >>> message("matmul", "shapes (2, 3) and (2, 3)", "(..., n) @ (n, ...)", "b.T")
    '[matmul] got shapes (2, 3) and (2, 3), expected (..., n) @ (n, ...); try b.T'
    """
    text = f"[{operation}] got {got}"
    if expected:
        text += f", expected {expected}"
    if hint:
        text += f"; try {hint}"
    return text


def counted(n: int, what: str) -> str:
    """Return a number and a noun.

    >>> counted(1, "channel"), counted(3, "channel")
    ('1 channel', '3 channels')
    """
    return f"{n:,} {what}{'s' * (n != 1)}"


def explain(error: Exception, operation: str, arrays: Any) -> Exception:
    """Return NumPy's error with the operation and the shapes that came, in the same type."""
    if str(error).startswith("["):
        return error  # one of ours, from an operation inside
    shapes = ", ".join(str(getattr(a, "shape", a)) for a in arrays)
    said = str(error).replace(f"_{operation}(", f"{operation}(")
    text = f"[{operation}] got {'shapes' if len(arrays) > 1 else 'shape'} {shapes}: {said}"
    try:
        return type(error)(text)
    except TypeError:  # a type with a constructor of its own
        error.add_note(text)
        return error
