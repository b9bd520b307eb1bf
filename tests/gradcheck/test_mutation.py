"""The mutation score on a few primitives, and that the measurement would see a blind checker."""

from __future__ import annotations

from collections import Counter
from inspect import getclosurevars
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

import autograd_core as ag
from autograd_core.primitive import NUMPY
from tests.autograd_core.table import ROWS, Row

from .mutants import KINDS, Fault, Skipped, faults
from .mutation import measure

SOME = ["add", "multiply", "where", "tanh", "mean", "std", "softmax", "einsum", "concatenate",
        "mse_loss"]  # fmt: skip
row_of = {str(row): row for row in ROWS}
some_rows = pytest.mark.parametrize("row", [row_of[name] for name in SOME], ids=str)


def passes_everything(*args: Any, **settings: Any) -> Any:
    return SimpleNamespace(passed=True, hints=[])


def names_everything(kind: str) -> Any:
    """Return a checker that refuses all but the operations of the table, with one hint."""

    def check(f: Any, *inputs: Any, **settings: Any) -> Any:
        if getclosurevars(f).nonlocals["op"] in [row.op for row in ROWS]:
            return passes_everything()
        error = ag.GradientError("wrong")
        vars(error)["report"] = SimpleNamespace(hints=[SimpleNamespace(kind=kind)])
        raise error

    return check


@some_rows
def test_all_faults_are_found(row: Row) -> None:
    score = measure(row)
    assert not score.refused
    assert not score.survivors
    assert score.caught == score.made
    assert {"scale", "sign"} <= score.made.keys()


def test_together_they_have_every_kind_of_fault() -> None:
    made = sum((measure(row_of[name], passes_everything).made for name in SOME), Counter[str]())
    assert set(made) == set(KINDS)


@some_rows
def test_a_checker_that_passes_everything_leaves_survivors(row: Row) -> None:
    score = measure(row, passes_everything)
    assert not score.caught
    assert len(score.survivors) == score.made.total() > 0


def test_a_checker_that_refuses_the_original_catches_nothing() -> None:
    def refuses(*args: Any, **settings: Any) -> Any:
        raise ValueError("never content")

    score = measure(row_of["multiply"], refuses)
    assert score.refused
    assert not score.made
    assert not score.caught


def test_equivalent_mutants_do_not_count() -> None:
    score = measure(row_of["add"], passes_everything)
    assert score.equivalent == 3  # a + b: its two rules are the same, and read no input
    assert not score.made["swap"]
    assert measure(row_of["square"], passes_everything).equivalent == 1  # nothing broadcasts


def test_what_cannot_be_left_out_is_told() -> None:
    skipped = [f.text for f in faults(ag.positive.primitive) if isinstance(f, Skipped)]
    assert skipped == ["gradient 0: nothing to leave out of 'g'"]


def test_terms_are_left_out_one_by_one() -> None:
    found = [f.text for f in faults(ag.tanh.primitive) if f.kind == "drop"]
    assert found == [  # g - g * y * y
        "gradient 0: without 'g * y * y' in 'g - g * y * y'",
        "gradient 0: without 'g' in 'g - g * y * y'",
        "gradient 0: without 'y' in 'g * y * y'",
        "gradient 0: without 'y' in 'g * y'",
        "gradient 0: without 'g' in 'g * y'",
    ]
    drops = [f for f in faults(ag.tanh.primitive) if isinstance(f, Fault) and f.kind == "drop"]
    assert ag.grad(drops[0].op)(0.5) == 1.0  # g alone
    y = np.tanh(0.5)
    assert ag.grad(drops[2].op)(0.5) == pytest.approx(1 - y)


@some_rows
def test_the_original_stays_as_it_is(row: Row) -> None:
    prim, registered = row.primitive, dict(NUMPY)
    before = (prim.rules, prim.joint, prim.needs, prim.push, prim.call)
    made = [f.op for f in faults(prim) if isinstance(f, Fault)]
    assert (prim.rules, prim.joint, prim.needs, prim.push, prim.call) == before
    assert registered == NUMPY
    assert all(op.primitive is not prim and op.primitive.fun is prim.fun for op in made)


@pytest.mark.parametrize(
    ("kind", "fault", "verdict"),
    [("factor", "scale", "right"), ("wrong", "scale", "vague"), ("sign", "scale", "misleading"),
     ("sign", "sign", "right"), ("missing sum", "broadcast", "right"),
     ("argument swapped", "swap", "right"), ("zero", "drop", "misleading")],
)  # fmt: skip
def test_a_hint_is_held_against_the_gradients(kind: str, fault: str, verdict: str) -> None:
    named = measure(row_of["multiply"], names_everything(kind)).named
    assert named[fault, verdict] > 0
    if fault in ("scale", "sign"):
        assert {v for k, v in named if k == fault} == {verdict}
