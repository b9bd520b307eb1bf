"""PyTorch's own sample inputs, of some 370 of its operations: this library gives the same numbers.

For each operation of the table in ``opinfo.py`` the calls with which PyTorch tests itself are made on both
sides, in float64. Compared are values; the gradients of all inputs under a random gradient from
above; for each third sample the gradients of these gradients, in a random direction; and dtypes and
shapes of all. Samples of complex numbers or of more than 100 000 elements are left out, and beyond
200 of one variant. Where the two differ stands in ``opinfo_excepted.py``, with the reason.
"""

from __future__ import annotations

from collections import defaultdict
from functools import cache

import pytest

from .opinfo import table
from .opinfo_excepted import EXCEPTED, FIRST_ONLY, LOOSER
from .opinfo_walk import RTOL, Walked, infos, walk

for package in ("torch", "expecttest"):  # PyTorch's table of samples imports the second
    pytest.importorskip(package, reason=f"{package} is not installed: nothing to compare with")

TABLE = table()
NAMES: dict[str, list[str]] = defaultdict(list)
for variant in TABLE:
    NAMES[variant.partition("/")[0]].append(variant)


@cache
def walked(name: str) -> Walked:
    """Walk the samples of one variant, once in a run."""
    rtol = LOOSER[name][0] if name in LOOSER else RTOL
    return walk(name, TABLE[name], EXCEPTED.get(name, []), rtol, first=name in FIRST_ONLY)


@pytest.mark.parametrize("operation", NAMES)
def test_samples(operation: str) -> None:
    for name in NAMES[operation]:
        result = walked(name)
        assert not result.failures, "\n".join([name, *result.failures[:5]])
        assert result.agree, f"{name}: no sample was compared"
        assert bool(result.excepted) == (name in EXCEPTED), f"{name}: which sample is excepted?"


def test_how_many_were_compared() -> None:
    """The sentences about this test, in figures."""
    results = [walked(name) for name in TABLE]
    agree, second, apart = (sum(r[i] for r in results) for i in range(3))
    print(f"{len(NAMES)} operations, {len(TABLE)} variants: {agree} samples agree, "
          f"{second} to second order; {apart} are excepted")  # fmt: skip
    assert len(NAMES) >= 300
    assert agree >= 7000
    assert second >= 2000
    assert apart <= 0.02 * (agree + apart)


@pytest.mark.parametrize("name", FIRST_ONLY)
def test_what_is_compared_to_first_order_differs_in_the_second(name: str) -> None:
    assert infos()[name].supports_gradgrad
    failures = walk(name, TABLE[name], []).failures
    assert any("second order" in failure for failure in failures), "it agrees by now"
    assert not any("gradient 0" in failure for failure in failures)


@pytest.mark.parametrize("name", LOOSER)
def test_a_looser_tolerance_is_needed(name: str) -> None:
    assert walk(name, TABLE[name], EXCEPTED.get(name, [])).failures, "it agrees by now"


def test_every_exception_is_of_an_operation_in_the_table() -> None:
    assert {*EXCEPTED, *FIRST_ONLY, *LOOSER} <= TABLE.keys() <= infos().keys()
