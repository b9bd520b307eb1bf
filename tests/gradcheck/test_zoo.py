"""The checker walks the zoo: no right gradient raises an alarm, no wrong one passes unnamed."""

from __future__ import annotations

from typing import Any

import pytest

import autograd_core as ag
from autograd_core import GradientError

from .zoo import CORRECT, FAULTY, Entry

NAMED = 0.9  # share of the faults that a hint has to name


def check(entry: Entry, seed: int = 0) -> Any:
    f, vjp, inputs = entry.fresh()
    return ag.check_gradients(f, *inputs, vjp=vjp, seed=seed, **entry.options)


def refusal(entry: Entry, seed: int = 0) -> Any:
    """Return the report that comes with the checker's refusal."""
    with pytest.raises(GradientError) as caught:
        check(entry, seed)
    return caught.value.report


@pytest.mark.parametrize("seed", [0, 1])
@pytest.mark.parametrize("entry", CORRECT, ids=lambda entry: entry.name)
def test_a_right_gradient_passes(entry: Entry, seed: int) -> None:
    assert check(entry, seed).passed


@pytest.mark.parametrize("entry", FAULTY, ids=lambda entry: entry.name)
def test_a_wrong_gradient_is_refused(entry: Entry) -> None:
    assert not refusal(entry).passed


def test_the_hints_name_the_faults() -> None:
    named, missed = 0, []
    for entry in FAULTY:
        try:
            check(entry)
        except GradientError as error:
            kinds = [hint.kind for hint in error.report.hints]
        else:
            kinds = ["not refused"]
        if {entry.kind, *entry.also} & set(kinds):
            named += 1
        else:
            missed.append(f"{entry.name}: got {kinds}, expected {[entry.kind, *entry.also]}")
    share = named / len(FAULTY)
    print(f"{named} of {len(FAULTY)} faults named ({share:.0%})", *missed, sep="\n  ")
    assert share >= NAMED, missed


def test_the_zoo_is_large_and_its_names_are_its_own() -> None:
    assert len(FAULTY) >= 45
    assert len(CORRECT) >= 28
    names = [entry.name for entry in CORRECT + FAULTY]
    assert len(set(names)) == len(names)
    assert all(entry.kind for entry in FAULTY)
    assert not any(entry.kind for entry in CORRECT)
