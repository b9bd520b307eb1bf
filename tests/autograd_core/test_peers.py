"""Every function that HIPS autograd or MyGrad differentiates is differentiated here, or stands in a table.

Their lists are taken from the installed packages. A name counts as ours if NumPy's function of that name
answers to a Tensor, or if ``autograd_core``, ``nn.functional`` or a distribution of ``ag.stats`` has it.
"""

from __future__ import annotations

import importlib
import inspect
from typing import Any

import numpy as np
import pytest

import autograd_core as ag
from autograd_core.primitive import NUMPY
from nn import functional

WITHOUT = {
    "complex numbers come later": "angle conjugate imag real real_if_close eig sqrtm",
    "Fourier transforms come later": """
        fft fft2 fftn fftshift ifft ifft2 ifftn ifftshift irfft irfft2 irfftn rfft rfft2 rfftn""",
    "Bessel functions, but I0 and I1, come later": "iv ive j0 j1 jv y0 y1 yn",
    "solvers of SciPy's, of which solve and solve_triangular are here": """
        odeint solve_banded solve_sylvester""",
    "the inside of autograd": """
        _make_dict container_take container_untake make_sequence sequence_extend_left
        sequence_extend_right covector inner_prod mut_add scalar_mul sparse_add truncate_pad __getitem__
        dot_adjoint_0 dot_adjoint_1 tensordot_adjoint_0 tensordot_adjoint_1 untake
        _array_from_scalar_or_array array_from_args concatenate_args make_diagonal""",
    "makes arrays from numbers": "full linspace",
    "sums and products of lists: the operators do": "add_sequence multiply_sequence",
    "by another name here: multi_dot, log_softmax, hardtanh, softsign": """
        multi_matmul logsoftmax hard_tanh soft_sign""",
    "MyGrad's form of losses and layers that nn has under PyTorch's names": """
        multiclass_hinge negative_log_likelihood softmax_crossentropy softmax_focal_loss batchnorm conv_nd
        gru max_pool""",
}
REASONS = {name: why for why, names in WITHOUT.items() for name in names.split()}


def ours(name: str) -> bool:
    spaces = (np, np.linalg)
    if any(getattr(s, name, None) in NUMPY for s in spaces if callable(getattr(s, name, None))):
        return True
    spaces = (ag, functional, *(getattr(ag.stats, n) for n in ag.stats.__all__))  # norm.logpdf, ...
    return any(callable(getattr(s, name, None)) for s in spaces)


def autograds() -> set[str]:
    core = pytest.importorskip("autograd.core", reason="autograd gives the list")
    for name in ("numpy", "numpy.linalg", "numpy.fft", "scipy.special", "scipy.linalg", "scipy.signal",
                 "scipy.stats", "scipy.integrate"):  # fmt: skip
        pytest.importorskip(f"autograd.{name}", reason="autograd gives the list, with SciPy's part")
    return {f.__name__ for f in core.primitive_vjps}


def mygrads() -> set[str]:
    """What MyGrad exports with a gradient: its ufuncs (classes of a class of its own), and functions."""
    mygrad = pytest.importorskip("mygrad", reason="MyGrad gives the list")
    found: set[str] = set()
    for module in ("mygrad", "mygrad.linalg", "mygrad.nnet.activations", "mygrad.nnet.losses",
                   "mygrad.nnet.layers"):  # fmt: skip
        for name, value in vars(importlib.import_module(module)).items():
            home = getattr(value, "__module__", None) or ""
            plain = "no_grad" in home or getattr(mygrad.no_grad_funcs, name, None) is value
            makes = any(w in home for w in ("creation", "_utils", "indexing_r", "_io", "random"))
            if name.startswith("_") or not callable(value) or plain or makes:
                continue
            if type(value).__module__.startswith("mygrad") or (
                not inspect.isclass(value) and home.startswith("mygrad")
            ):
                found.add(name)
    return found - NOT_FUNCTIONS


NOT_FUNCTIONS = {
    "add_grad", "asarray", "astensor", "execute_op", "mem_guard_active", "mem_guard_off", "mem_guard_on",
    "no_autodiff", "tensor", "turn_memory_guarding_off", "turn_memory_guarding_on", "save", "load",
    "copyto", "ufunc",
}  # fmt: skip


@pytest.mark.parametrize("theirs", [autograds, mygrads])
def test_what_they_differentiate_is_here_or_has_a_reason(theirs: Any) -> None:
    names = theirs()
    assert len(names) > 80
    assert sorted(n for n in names if not ours(n) and n not in REASONS) == []


def test_no_reason_is_out_of_date() -> None:
    both = autograds() | mygrads()
    assert sorted(set(REASONS) - both) == [], "names that nobody has"
    names = [n for text in WITHOUT.values() for n in text.split()]
    assert len(names) == len(set(names))


def test_the_reasons_are_not_of_what_is_here() -> None:
    differentiated = {n for n in dir(np) if getattr(NUMPY.get(_hashable(n)), "constant", None) is None
                      and _hashable(n) in NUMPY}  # fmt: skip
    assert sorted(set(REASONS) & differentiated) == []
    assert sorted(n for n in REASONS if ours(n)) == []


def _hashable(name: str) -> Any:
    value = getattr(np, name)
    return value if callable(value) else None
