"""Where PyTorch and this library differ on PyTorch's samples, and why; by OpInfo name.

An exception that agrees by now makes the test fail.
"""

from __future__ import annotations

from typing import Any

from .opinfo_walk import Except


def _lost_dots(sample: Any) -> bool:
    left, _, right = sample.args[0].partition("->")
    return "..." in left and "..." not in right


def _unequal(sample: Any) -> bool:
    dims, shapes = sample.kwargs["dims"], (sample.input.shape, sample.args[0].shape)
    return not isinstance(dims, int) and any(
        shapes[0][i] != shapes[1][j] for i, j in zip(*dims, strict=True))  # fmt: skip


def _both_hold_back(sample: Any) -> bool:
    a, b = (sample.kwargs.get(f"{name}_mask") for name in ("input", "other"))
    return a is not None and b is not None and bool((~a & ~b).any())


EXCEPTED: dict[str, list[Except]] = {
    "einsum": [Except("NumPy refuses an ellipsis that the result leaves out", "[einsum]", _lost_dots)],
    "tensordot": [Except("NumPy asks for equal lengths; PyTorch stretches a length of 1",
                         "expected equal lengths", _unequal)],
    "nn.functional.hardsigmoid": [Except(
        "PyTorch's derivative is 1/6 rounded to float32", "gradient 0",
        lambda s: bool((s.input.abs() < 3).any()))],
    "nn.functional.gaussian_nll_loss": [Except(
        "a target that would broadcast is refused", "as nothing is broadcast here",
        lambda s: s.input.shape != s.args[0].shape)],
    "nn.functional.hinge_embedding_loss": [Except(
        "labels are -1 or +1", "expected -1 and +1", lambda s: bool((s.args[0].abs() != 1).any()))],
    "nn.functional.multi_margin_loss": [Except(
        "the outputs of one sample are a vector, and its class a number", "[multi_margin_loss]",
        lambda s: s.input.ndim == 0 or s.input.ndim == s.args[0].ndim == 1)],
    "nn.functional.multilabel_margin_loss": [Except(
        "the outputs of one sample are a vector", "[multilabel_margin_loss]", lambda s: s.input.ndim == 0)],
    "linalg.norm/subgradients_at_zero": [Except(
        "the second derivative has no value at 0: NaN there, finite here", "second order 0",
        lambda s: s.input.numel() > 0 and bool(s.args) and s.args[0] in (None, -2), order=2)],
    "masked.logaddexp": [Except(
        "log(0 + 0) where both masks hold back: its second derivative is NaN there, 0 here", "second order",
        _both_hold_back, order=2)],
}  # fmt: skip
FIRST_ONLY = {
    f"nn.functional.linear_cross_entropy/{variant}":
        "PyTorch computes it in pieces and holds their gradients as constants: its second derivative is 0"
    for variant in ("chunked", "chunked_none")
}  # fmt: skip
LOOSER = {  # a tolerance of their own, and why
    "logcumsumexp": (
        1e-11, "PyTorch subtracts the sums of two parts: 3e-12 from long double, this library 4e-16"),
    "nn.functional.binary_cross_entropy": (
        1e-10, "PyTorch adds 1e-12 to p and to 1 - p where the second derivative divides by them"),
    **{f"mvlgamma/mvlgamma_p_{p}": (
        1e-9, "PyTorch's trigamma has ten digits: 5e-10 from mpmath's at 1.3, this library's 2e-16")
       for p in (1, 3, 5)},
}  # fmt: skip
