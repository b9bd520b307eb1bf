"""Print the catalogue: ``python -m autograd_core.ops``.

One table of every operation: how many arrays it takes, its modes, to which order it can be
differentiated, what it is compared with, what NumPy calls it, and its kinks with the derivative that
stands in there. Then what is constant, and what of NumPy is not differentiated, and why.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Iterable, Iterator
from types import FunctionType
from typing import Any, NamedTuple

import numpy as np

from .. import ops
from ..primitive import NUMPY, Primitive

WHY = {
    "complex numbers and polynomials' roots come later": """
        angle conj conjugate imag real real_if_close sort_complex roots poly linalg.eig
        linalg.eigvals""",
    "whole numbers, bits, sets or indices": """
        bitwise_count bitwise_left_shift bitwise_right_shift gcd lcm left_shift right_shift diag_indices
        diag_indices_from indices intersect1d isin ix_ mask_indices packbits ravel_multi_index
        setdiff1d setxor1d tri tril_indices tril_indices_from triu_indices triu_indices_from union1d
        unique unique_all unique_counts unique_inverse unique_values unpackbits unravel_index
        histogram histogram2d histogram_bin_edges histogramdd""",
    "makes arrays from numbers, text or files": """
        arange array asanyarray asarray asarray_chkfinite ascontiguousarray asfortranarray asmatrix
        bartlett blackman bmat empty eye from_dlpack frombuffer fromfile fromfunction fromiter
        frompyfunc fromregex fromstring full genfromtxt geomspace hamming hanning identity kaiser
        linspace load loadtxt logspace ones require zeros""",
    "of the numbers' representation": """
        frexp modf nextafter spacing""",
    "says nothing of values, or does no arithmetic": "",
}
TORCH = """
    absolute add arccos arccosh arcsin arcsinh arctan arctan2 arctanh array_split astype atleast_1d
    atleast_2d atleast_3d broadcast_arrays broadcast_to cholesky clip column_stack concatenate cond
    copy copysign corrcoef correlate cos cosh cov cross cumprod cumsum degrees det diag diagflat
    diagonal diff divide dot dsplit dstack eigh eigvalsh einsum exp exp2 expand_dims expm expm1
    extract flip fliplr flipud float_power fmax fmin fmod getitem gradient hsplit hstack hypot i0
    inner inv kron ldexp linalg.cross linalg.diagonal log log10 log1p log2 log_softmax logaddexp
    logaddexp2 logsumexp lstsq matmul matrix_norm matrix_power matrix_transpose matvec max maximum
    mean median meshgrid min minimum moveaxis multi_dot multiply nan_to_num nanmean nanquantile
    nansum negative norm norm_p outer pad partition pinv positive power prod qr quantile radians
    ravel reciprocal relu remainder repeat reshape roll rot90 sigmoid sin sinc sinh
    sliding_window_view slogdet softmax softplus solve solve_triangular sort split sqrt square
    squeeze stack std subtract sum svd svdvals swapaxes take take_along_axis tan tanh tensordot tile
    trace transpose trapezoid tril triu unstack vander var vdot vecdot vector_norm vsplit vstack
    where
"""  # what the tests compare with PyTorch: values, gradients, and the kinks


class Entry(NamedTuple):
    """A line of the table."""

    name: str
    inputs: str
    reverse: bool
    forward: bool
    numpy: list[str]
    kinks: str

    @property
    def order(self) -> str:
        """The highest order of its derivatives: a rule is made of operations, so there is none."""
        return "any" if self.reverse or self.forward else "0"


def entries() -> list[Entry]:
    """Return the operations and the functions that are composed of them, one line for each name."""
    names: dict[int, list[str]] = {}
    for name, function in _functions():
        if function in NUMPY:
            names.setdefault(id(NUMPY[function]), []).append(name)
    modules = [m for name, m in sys.modules.items() if name.startswith(f"{ops.__name__}.")]
    primitives = [v for m in modules for v in vars(m).values() if isinstance(v, FunctionType)]
    public = [getattr(m, name) for m in modules for name in getattr(m, "__all__", ()) if hasattr(ops, name)]
    found: dict[str, Entry] = {}
    for call in dict.fromkeys((*primitives, *public, *NUMPY.values())):
        prim, known = getattr(call, "primitive", None), names.get(id(call), [])
        if isinstance(prim, Primitive):
            reverse, forward = bool(prim.rules or prim.joint), prim.push is not None
            inputs = "any" if prim.arity is None else str(prim.arity)
            entry = Entry(prim.name, inputs, reverse, forward, known, prim.kinks)
        elif hasattr(call, "constant") or not (hasattr(call, "kinks") or call in public):
            continue
        else:  # composed of operations; an underscore stands before what only NumPy's name reaches
            name = call.__name__ if call.__name__[0] != "_" else known[0]
            entry = Entry(name, "", True, True, known, getattr(call, "kinks", ""))
        if other := found.get(entry.name):  # the function that people call, and the primitive behind it
            inner, outer = (other, entry) if other.inputs else (entry, other)
            known = sorted({*inner.numpy, *outer.numpy})
            entry = inner._replace(numpy=known, kinks=outer.kinks or inner.kinks)
        found[entry.name] = entry
    return sorted(found.values())


def main() -> None:
    """Print what there is, and what is not."""
    table, compared = entries(), set(TORCH.split())
    composed = sum(not e.inputs for e in table)
    print(f"{len(table) - composed} operations, and {composed} functions that are composed of them "
          "(no number of inputs).\n")  # fmt: skip
    print("All values and gradients are compared with finite differences; where it says PyTorch, also with "
          "PyTorch's.\n")  # fmt: skip
    print(f"{'':21}{'inputs':>7} {'reverse':8}{'forward':8}{'order':6}{'oracle':9}"
          f"{'known as':36} kinks (derivative there)")
    for e in table:
        reverse, forward = ("yes" if mode else "-" for mode in (e.reverse, e.forward))
        oracle = "PyTorch" if e.name in compared else "-"
        print(f"{e.name:21}{e.inputs:>7} {reverse:8}{forward:8}{e.order:6}{oracle:9}"
              f"{', '.join(e.numpy):36} {e.kinks}".rstrip())  # fmt: skip
    functions = list(_functions())
    _list("constants: the derivative is zero or has no meaning, and the result is plain",
          (name for name, f in functions if hasattr(NUMPY.get(f), "constant")))  # fmt: skip
    reasons = {name: why for why, text in WHY.items() for name in text.split()}
    *_, rest = WHY
    for why in WHY:
        _list(f"not differentiated: {why}",
              (n for n, f in functions if f not in NUMPY and reasons.get(n, rest) == why))  # fmt: skip


def _functions() -> Iterator[tuple[str, Callable[..., Any]]]:
    """Yield what NumPy exports that can be called and is no class, with its name."""
    for space, prefix in ((np, ""), (np.linalg, "linalg.")):
        for name in sorted(space.__all__):
            function = getattr(space, name)
            if callable(function) and not isinstance(function, type):
                yield prefix + name, function


def _list(title: str, names: Iterable[str]) -> None:
    found = sorted(names)
    if not found:
        return
    print(f"\n{len(found)} {title}:")
    line = " "
    for name in found:
        if len(line) + len(name) > 98:
            print(line)
            line = " "
        line += f" {name}"
    print(line)


if __name__ == "__main__":
    try:
        main()
        sys.stdout.flush()
    except BrokenPipeError:  # as of `| head`; the interpreter would write again when it ends
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
