"""The errors of the library, and the one form in which they speak."""

from __future__ import annotations

from typing import Any

__all__ = ["GradientError", "GraphError", "NotDifferentiableError", "message"]


class GraphError(RuntimeError):
    """The graph cannot answer: nothing was recorded, it was released, or its inputs changed."""


class NotDifferentiableError(TypeError):
    """An operation without a derivative rule met a Tensor that is being differentiated."""


class GradientError(AssertionError):
    """A gradient disagrees with finite differences; the text is the report."""


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
