"""Print the catalogue: ``python -m autograd_core.ops``.

Every operation with what it is known by in NumPy, how many arrays it takes, its modes and kinks; the
functions that are composed of operations; and what of NumPy is not differentiated, and why.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np

from .. import ops
from ..primitive import NUMPY, Primitive

WHY = {
    "complex numbers and polynomials' roots come later": """
        angle conj conjugate imag real real_if_close sort_complex roots poly linalg.eig
        linalg.eigvals""",
    "writes into its argument, and returns nothing": """
        copyto fill_diagonal place put put_along_axis putmask""",
    "whole numbers, bits, sets or indices": """
        bitwise_count bitwise_left_shift bitwise_right_shift gcd lcm left_shift right_shift diag_indices
        diag_indices_from indices intersect1d isin ix_ mask_indices packbits ravel_multi_index
        setdiff1d setxor1d tri tril_indices tril_indices_from triu_indices triu_indices_from union1d
        unique unique_all unique_counts unique_inverse unique_values unpackbits unravel_index
        linalg.matrix_rank histogram histogram2d histogram_bin_edges histogramdd""",
    "makes arrays from numbers, text or files": """
        arange array asanyarray asarray asarray_chkfinite ascontiguousarray asfortranarray asmatrix
        bartlett blackman bmat empty eye from_dlpack frombuffer fromfile fromfunction fromiter
        frompyfunc fromregex fromstring full genfromtxt geomspace hamming hanning identity kaiser
        linspace load loadtxt logspace ones require zeros""",
    "of the numbers' representation": """
        frexp modf nextafter spacing""",
    "not yet": """
        apply_along_axis apply_over_axes cumulative_prod cumulative_sum polyadd polyder polydiv polyfit
        polyint polymul polysub resize row_stack linalg.tensorinv linalg.tensorsolve trim_zeros""",
    "says nothing of values, or does no arithmetic": "",
}


def main() -> None:
    """Print what there is, and what is not."""
    names: dict[int, list[str]] = {}
    missing = []
    for name, function in _functions():
        if function in NUMPY:
            names.setdefault(id(NUMPY[function]), []).append(name)
        else:
            missing.append(name)
    modules = [m for name, m in sys.modules.items() if name.startswith(f"{ops.__name__}.")]
    held = [value for module in modules for value in vars(module).values()]
    calls = {id(c): c for c in (*held, *NUMPY.values()) if callable(c)}
    primitives = {p: c for c in calls.values() if isinstance(p := getattr(c, "primitive", None), Primitive)}
    print(f"{len(primitives)} operations\n")
    print(f"{'':18}{'inputs':>7} {'reverse':8}{'forward':8}{'kinks':28}NumPy's")
    for prim, call in sorted(primitives.items(), key=lambda item: item[0].name):
        inputs = "any" if prim.arity is None else str(prim.arity)
        reverse = "yes" if prim.rules or prim.joint else "-"
        known = ", ".join(names.get(id(call), []))
        print(f"{prim.name:18}{inputs:>7} {reverse:8}{'yes' if prim.push else '-':8}"
              f"{prim.kinks[:27]:28}{known}".rstrip())  # fmt: skip
    others = [(name, hasattr(calls[i], "constant")) for i, known in names.items() for name in known
              if not hasattr(calls[i], "primitive")]  # fmt: skip
    _list("composed of operations, so in both modes and to every order",
          (name for name, is_constant in others if not is_constant))  # fmt: skip
    _list("constants: the derivative is zero or has no meaning, and the result is plain",
          (name for name, is_constant in others if is_constant))  # fmt: skip
    reasons = {name: why for why, text in WHY.items() for name in text.split()}
    *_, rest = WHY
    for why in WHY:
        _list(f"not differentiated: {why}", (n for n in missing if reasons.get(n, rest) == why))


def _functions() -> Iterator[tuple[str, Callable[..., Any]]]:
    """Yield what NumPy exports that can be called and is no class, with its name."""
    for space, prefix in ((np, ""), (np.linalg, "linalg.")):
        for name in sorted(space.__all__):
            function = getattr(space, name)
            if callable(function) and not isinstance(function, type):
                yield prefix + name, function


def _list(title: str, names: Iterator[str]) -> None:
    found = sorted(names)
    print(f"\n{len(found)} {title}:")
    line = " "
    for name in found:
        if len(line) + len(name) > 98:
            print(line)
            line = " "
        line += f" {name}"
    print(line)


if __name__ == "__main__":
    main()
