"""What ``help`` says of every operation: it is there, it runs, and its formula is true."""

from __future__ import annotations

import doctest
import importlib
import inspect
import re
import sys
from typing import Any

import numpy as np
import pytest

import autograd_core as ag
from autograd_core import ops
from autograd_core.primitive import NUMPY

from .formulas import evaluate, formulas
from .table import ROWS, Row

MODULES = [m for name, m in sorted(sys.modules.items()) if name.startswith(f"{ops.__name__}.")]
PUBLIC = {name: getattr(m, name) for m in MODULES for name in getattr(m, "__all__", ())
          if getattr(m, name) is getattr(ag, name, None) and not hasattr(getattr(m, name), "constant")}
DERIVATIVE = re.compile(r"dy/d\w|\w_bar|[Gg]radient|[Dd]erivative|d/d\w|\bd[A-Zr]\w*( =|/d)")
ELEMENTWISE = [row for row in ROWS if row.elementwise]
WITHOUT = {  # elementwise, and no formula
    "where": "the gradient goes where the value came from",
    "clip": "inside: a part of the function clip, which tells it",
    "sinc_slope": "inside: the next derivative",
    "i0_slope": "inside: the next derivative",
    "polygamma": "the next derivative",
}


@pytest.mark.parametrize("name", PUBLIC)
def test_summary_formula_and_example(name: str) -> None:
    doc = inspect.getdoc(PUBLIC[name]) or ""
    told, mark, example = doc.partition(">>>")
    assert re.match(r"\S.*[.:]$", told.split("\n\n")[0].replace("\n", " ")), "a summary"
    assert DERIVATIVE.search(told), "a formula, or words on where the gradient goes"
    assert mark, "an example"
    assert re.search(rf"\b{PUBLIC[name].__name__}\b|\[", example), "of this function"


@pytest.mark.parametrize("module", MODULES, ids=lambda m: m.__name__.rpartition(".")[2])
def test_examples_are_collected_where_the_operation_is_declared(module: Any) -> None:
    """As ``pytest --doctest-modules`` finds them, which also runs them."""
    found = {t.name.rpartition(".")[2] for t in doctest.DocTestFinder().find(module) if t.examples}
    mine = {name for name in getattr(module, "__all__", ())
            if name in PUBLIC and PUBLIC[name].__module__ == module.__name__}  # fmt: skip
    assert mine <= found


def test_every_operation_is_declared_in_a_file_of_the_library() -> None:
    for name, function in PUBLIC.items():
        module = importlib.import_module(function.__module__)
        assert module in MODULES, name


@pytest.mark.parametrize("row", ELEMENTWISE, ids=str)
def test_the_formula_is_what_the_rule_computes(row: Row) -> None:
    prim = row.primitive
    found = formulas(prim.doc)
    rule = next(r for r in prim.rules if r)
    letters = rule.__code__.co_varnames[2 : rule.__code__.co_argcount]
    names = tuple(n for n, r in zip(letters, prim.rules, strict=True) if r)
    if str(row) in WITHOUT:
        assert not found
        return
    assert tuple(found) == names
    rng = np.random.default_rng(7)
    for case in row.cases:
        if any(s not in ((3,), (2, 3)) for s in case.shapes):
            continue
        xs = [x.astype(float) for x in row.draw(case, rng)]
        which = tuple(row.differentiable(case))
        got = ag.grad(lambda *x, p=case.params: ag.sum(row.op(*x, **p)), which)(*xs)
        y = row.numpy(*xs, **case.params)
        values = dict(zip(letters, xs, strict=True)) | {"y": y} | case.params
        for name, g in zip(names, got, strict=True):
            expected = np.broadcast_to(evaluate(found[name], values), y.shape)
            axes = tuple(range(y.ndim - g.ndim))
            np.testing.assert_allclose(g, expected.sum(axes), rtol=1e-12, atol=1e-14, err_msg=f"dy/d{name}")


def test_signatures_are_numpys() -> None:
    compared = 0
    for numpy, ours in NUMPY.items():
        prim = getattr(ours, "primitive", None)
        if prim is None or prim.arity is None:
            continue
        try:
            theirs = list(inspect.signature(numpy).parameters)[: prim.arity]
        except ValueError:  # a ufunc before NumPy 2.4, or a function in C
            continue
        mine = inspect.signature(ours).parameters
        assert list(mine)[: prim.arity] == theirs
        assert all(mine[n].kind is inspect.Parameter.POSITIONAL_ONLY for n in theirs)
        compared += 1
    assert compared > 10


def test_what_is_told_of_an_operation_of_ones_own() -> None:
    calls = []

    def rule(g: Any, y: Any, x: Any) -> Any:
        calls.append(g)
        return 3 * g * x * x

    cube = ag.elementwise(lambda x: x**3, rule, saves="x", name="cube", kinks="none", doc="x^3.")
    assert not calls, "an example would run a user's rule when it is declared"
    assert cube.__doc__ == (
        "x^3.\n\nElementwise: the gradient has the shape of the input.\n"
        "Reverse and forward mode, to any order.\nKinks (derivative there): none.\nKept for backward: x."
    )
    assert str(inspect.signature(cube)) == "(x, /)"
    assert cube.__module__ == __name__


def test_what_is_told_follows_the_rules_that_are_stated_later() -> None:
    @ag.primitive
    def double(x: Any, factor: float = 2.0) -> Any:
        """Twice x."""
        return x * factor

    assert "mode" not in double.__doc__
    double.defvjp(lambda g, y, x, factor=2.0: g * factor, saves="")
    assert "Reverse mode, to any order.\nKept for backward: nothing but shapes." in double.__doc__
    double.defjvp(lambda t, y, x, factor=2.0: t * factor)
    assert "Reverse and forward mode" in double.__doc__
    assert str(inspect.signature(double)) == "(x, /, factor=2.0)"
