"""The mutation score of the gradient checker: of faults made on purpose, how many does it find?

    python -m tests.gradcheck.mutation [--hints] [name ...]

walks the table of all primitives, gives each reverse rule every fault of :mod:`mutants`, and calls
the checker on the first case of the row in which the fault shows, and on the first large one; it
has to find it in both. A mutant that gives the same gradients as the original in all cases, on
several random inputs, is equivalent and does not count; nor does one that raises in all cases.
Everything is seeded: two runs print the same.

With ``--hints`` it also says how the caught faults were named. Every hint is held against the
gradients themselves, so a hint is *right* if it names the fault, *vague* if it is true but says
less than could be said, and *misleading* if what it claims is false.
"""

from __future__ import annotations

import argparse
import sys
import time
import zlib
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any, NamedTuple

import numpy as np

import autograd_core as ag
from tests.autograd_core.table import ROWS, Case, Row

from .mutants import KINDS, Fault, Skipped, faults, patterns, same

__all__ = ["Score", "measure"]

DRAWS = 3  # random inputs for each case, to tell a mutant from the original
EASY = range(4, 41)  # elements of the inputs: enough to tell patterns apart, few enough to be fast
LARGE = 65  # from so many elements on, a checker may look along random directions only
NAMES = {  # by kind of fault, the hints that name it, where they are true; else whatever is true
    "scale": {"factor", "mean for sum"}, "sign": {"sign"}, "broadcast": {"missing sum", "zero"},
    "swap": {"argument swapped", "sign", "zero"},
}  # fmt: skip
PLACES = {"elements", "boundary"}  # true by accident, too: a gradient of 0 is often right
HINTS = ("right", "vague", "misleading", "unnamed")

Checker = Callable[..., Any]


class Place(NamedTuple):
    """Where a fault shows: a case, its inputs, the gradient from above, and the original there."""

    case: Case
    inputs: list[Any]
    output: Any
    above: Any
    right: list[Any]
    number: int

    @property
    def size(self) -> int:
        return sum(x.size for x in self.inputs)


@dataclass
class Score:
    """What became of the faults of one primitive."""

    name: str
    made: Counter[str] = field(default_factory=Counter)
    caught: Counter[str] = field(default_factory=Counter)
    named: Counter[tuple[str, str]] = field(default_factory=Counter)
    equivalent: int = 0
    raising: int = 0
    skipped: list[str] = field(default_factory=list)
    survivors: list[str] = field(default_factory=list)
    refused: list[str] = field(default_factory=list)  # the checker does not pass the original
    unhelpful: list[str] = field(default_factory=list)  # faults whose hint is not the right one


def measure(row: Row, check: Checker = ag.check_gradients, name: str = "") -> Score:
    """Give the primitive of a row all faults, and count those that the checker finds."""
    score = Score(name or str(row))
    places, passed = _places(row), dict[int, str]()
    for fault in faults(row.primitive):
        if isinstance(fault, Skipped):
            score.skipped.append(f"{fault.kind}: {fault.text}")
            continue
        live, ran = _live(fault, places)
        for place in live:
            if place.number not in passed:
                _, passed[place.number] = _caught(check, row.op, place)
                if passed[place.number]:
                    score.refused.append(f"{place.case}: {passed[place.number]}")
        usable = [place for place in live if not passed[place.number]]
        if not live:
            score.equivalent += ran
            score.raising += not ran
        elif usable:
            _count(score, fault, usable, check)
    return score


def _count(score: Score, fault: Fault, live: Sequence[Place], check: Checker) -> None:
    """Let the checker look for a fault where it shows, and judge its hints at the first place."""
    score.made[fault.kind] += 1
    found = [_caught(check, fault.op, place) for place in live]
    for (_, text), place in zip(found, live, strict=True):
        if not text:
            score.survivors.append(f"{fault.kind}: {fault.text}, case {place.case}")
            return
    score.caught[fault.kind] += 1
    kinds = [hint.kind for hint in getattr(found[0][0], "hints", ())]
    verdict, why = _judged(fault, live[0], kinds)
    score.named[fault.kind, verdict] += 1
    if verdict != "right":
        score.unhelpful.append(f"{verdict}, {fault.kind}: {fault.text}, case {live[0].case}: {why}")


def _caught(check: Checker, op: Any, place: Place) -> tuple[Any, str]:
    """Return the checker's report, and the type and first line of its error, if it raises one."""

    def f(*xs: Any) -> Any:
        return op(*xs, **place.case.params)

    try:
        with np.errstate(all="ignore"):
            return check(f, *map(np.array, place.inputs), modes="reverse"), ""
    except Exception as error:
        lines = str(error).splitlines() or [""]
        return getattr(error, "report", None), f"{type(error).__name__}: {lines[0]}"


# -- where a fault shows ---------------------------------------------------------------------------


def _places(row: Row) -> list[Place]:
    """Return the cases of a row with several inputs each, those best to look at first."""
    found: list[Place] = []
    for case in sorted(row.cases, key=_awkward):
        for draw in range(DRAWS):
            seed = zlib.crc32(f"{row}{case}".encode())
            rng = np.random.default_rng([seed, draw])
            inputs = row.draw(case, rng)
            y = np.asarray(row.numpy(*inputs, **case.params))
            above = rng.uniform(0.5, 2, y.shape) * rng.choice([-1.0, 1.0], y.shape)
            above = above.astype(y.dtype)
            right = _gradients(row.op, case, inputs, above)
            found.append(Place(case, inputs, y, above, right, len(found)))
    return found


def _awkward(case: Case) -> tuple[bool, ...]:
    shapes, sizes = case.shapes, [int(np.prod(s)) for s in case.shapes]
    return (
        0 in sizes,
        case.params.get("dtype") == np.float32,
        sum(sizes) not in EASY,
        len(set(shapes)) > 1,
        any(1 in s or len(s) < 2 for s in shapes),
        len(set(shapes[0])) < len(shapes[0]),
    )


def _gradients(op: Any, case: Case, inputs: Sequence[Any], above: Any) -> list[Any]:
    """Return the gradient of each input (zeros where there is none), None for what is no number."""
    leaves = [ag.tensor(x, requires_grad=True) if x.dtype.kind == "f" else x for x in inputs]
    with np.errstate(all="ignore"):
        op(*leaves, **case.params).backward(above)
    return [None if x is leaf else np.zeros(x.shape) if leaf.grad is None else np.array(leaf.grad)
            for x, leaf in zip(inputs, leaves, strict=True)]  # fmt: skip


def _live(fault: Fault, places: Iterable[Place]) -> tuple[list[Place], bool]:
    """Return the first place and the first large one where the fault shows, and if it ever ran."""
    found: list[Place] = []
    ran = False
    for place in places:
        large = place.size >= LARGE
        if found and not large:
            continue
        try:
            wrong = _gradients(fault.op, place.case, place.inputs, place.above)
        except Exception:
            continue
        ran = True
        if not all(same(a, b) for a, b in zip(wrong, place.right, strict=True)):
            found.append(place)
            if large:
                break
    return found, ran


# -- hints -----------------------------------------------------------------------------------------


def _judged(fault: Fault, place: Place, hints: Sequence[str]) -> tuple[str, str]:
    """Return how helpful the hints are, and the false ones with what is true instead."""
    if not hints:
        return "unnamed", ""
    true = _truths(fault, place)
    if lies := set(hints) - true:
        return "misleading", f"{sorted(lies)} where {sorted(true)} is true"
    wanted = NAMES.get(fault.kind, set()) & true or true - {"wrong"}
    if wanted <= PLACES:
        wanted = true
    if wanted & set(hints):
        return "right", ""
    return "vague", f"{sorted(set(hints))} where {sorted(wanted)} is true"


def _truths(fault: Fault, place: Place) -> set[str]:
    """Return the kinds of hint that are true of a fault: any of its wrong gradients will do."""

    def gradients(above: Any) -> list[Any]:
        return _gradients(fault.op, place.case, place.inputs, above)

    rng = np.random.default_rng(place.number)
    other = np.asarray(rng.uniform(0.5, 2, place.above.shape), place.above.dtype)
    wrong, second, both = map(gradients, (place.above, other, place.above + other))
    found = {"wrong"} | ({"missing sum"} if fault.kind == "broadcast" else set())
    for i, (given, expected) in enumerate(zip(wrong, place.right, strict=True)):
        if given is None or same(given, expected):
            continue
        if not np.isfinite(given).all():
            found.add("not finite")
            continue
        with np.errstate(all="ignore"):
            found.update(patterns(given, expected, place.inputs, place.output, place.above))
        if any(same(given, g, 1e-7) for j, g in enumerate(place.right) if j != i):
            found.add("argument swapped")
        if same(given, second[i], 1e-7):
            found.add("upstream ignored")
        if not same(given + second[i], both[i], 1e-7):
            found.add("not linear")
    return found


# -- the command -----------------------------------------------------------------------------------


def _named_rows(names: Sequence[str]) -> list[tuple[str, Row]]:
    """Return rows by name; two primitives of one name are told apart by their number of inputs."""
    times = Counter(map(str, ROWS))
    rows = [(f"{r}/{r.primitive.arity}" if times[str(r)] > 1 else str(r), r) for r in ROWS]
    unknown = set(names) - {n for n, _ in rows} - set(times)
    if unknown:
        raise SystemExit(f"[mutation] got {sorted(unknown)}, expected names of primitives")
    return [(n, r) for n, r in rows if not names or n in names or str(r) in names]


def _table(scores: Sequence[Score]) -> Iterator[str]:
    yield f"{'primitive':<34}{'faults':>7}{'caught':>7}{'equivalent':>12}{'raising':>9}"
    for s in scores:
        made, caught = s.made.total(), s.caught.total()
        mark = "" if made == caught else "  <- survivors"
        yield f"{s.name:<34}{made:>7}{caught:>7}{s.equivalent:>12}{s.raising:>9}{mark}"
    yield ""
    for kind in (*KINDS, "all"):
        made, caught = (sum(c.total() if kind == "all" else c[kind] for c in counts)
                        for counts in ([s.made for s in scores], [s.caught for s in scores]))  # fmt: skip
        share = f"{100 * caught / made:.1f} %" if made else "-"
        yield f"{kind:<34}{made:>7}{caught:>7}{share:>12}"
    yield (f"dropped: {sum(s.equivalent for s in scores)} equivalent to the original, "
           f"{sum(s.raising for s in scores)} that raise in every case")  # fmt: skip


def _hints(scores: Sequence[Score]) -> Iterator[str]:
    yield "\nhints for what was caught"
    yield f"{'':<12}" + "".join(f"{h:>12}" for h in HINTS)
    for kind in (*KINDS, "all"):
        counts = [sum(n for s in scores for (k, v), n in s.named.items()
                      if v == verdict and kind in (k, "all")) for verdict in HINTS]  # fmt: skip
        yield f"{kind:<12}" + "".join(f"{n:>12}" for n in counts)


def _lists(scores: Sequence[Score], hints: bool) -> Iterator[str]:
    kinds = [("survivors", "survivors"), ("skipped", "kinds of fault that were skipped"),
             ("refused", "originals that the checker does not pass: their faults do not count")]  # fmt: skip
    for attribute, title in kinds + [("unhelpful", "hints that are not right")] * hints:
        lines = [f"  {s.name}: {line}" for s in scores for line in getattr(s, attribute)]
        yield f"\n{title}: {len(lines)}"
        yield from lines


def main(arguments: Sequence[str]) -> None:
    parser = argparse.ArgumentParser(prog="python -m tests.gradcheck.mutation")
    parser.add_argument("--hints", action="store_true", help="also say how the faults were named")
    parser.add_argument("names", nargs="*", help="of primitives; all by default")
    options = parser.parse_args(arguments)
    start = time.perf_counter()
    scores = [measure(row, name=name) for name, row in _named_rows(options.names)]
    for line in (*_table(scores), *(_hints(scores) if options.hints else ())):
        print(line)
    for line in _lists(scores, options.hints):
        print(line)
    print(f"\n{time.perf_counter() - start:.0f} s")


if __name__ == "__main__":
    main(sys.argv[1:])
