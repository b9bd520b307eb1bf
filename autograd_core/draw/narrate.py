"""What a page shows at each step: what is said, what lights up, what becomes known. Plain data."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from .records import Amount, Backward, Forward, Steps
from .terms import behind, elements, is_table, table, total
from .wording import (
    DASH,
    Segment,
    bracketed,
    computed,
    is_number,
    noted,
    number,
    pretty,
    result_of,
    rule,
    short,
    signed,
    stated,
    values,
)  # fmt: skip

__all__ = ["narrate"]

Step = dict[str, Any]
LISTED = 8  # numbers in one sentence


def narrate(steps: Steps, called: Mapping[str, str]) -> list[Step]:
    """Return the steps as a page shows them.

    Each has ``phase``, ``title``, ``say`` and ``math``; ``value`` and ``grad``, which become known;
    ``op``, ``slot``, ``from`` and ``to``, which light up; ``badge``, the label on the edge, ``kept``,
    what stays of it; ``sum`` and ``change`` of a gradient; and ``tables`` of numbers.
    """
    loss, known = result_of(steps, called), values(steps)
    shown = [_given(steps, called)]
    shown += [_forward(f, called) for f in steps.forward]
    shown += [_seed(key, a, called, loss) for key, a in steps.seeds.items()]
    pieces: dict[str, list[Amount | None]] = {key: [a] for key, a in steps.seeds.items()}
    for b in steps.backward:
        pieces.setdefault(b.key, []).append(b.contribution)
        if b.note:
            shown.append(_unknown(b, called, loss))
        else:
            shown.append(_back(b, called, loss, known, pieces[b.key]))
    return [*shown, _end(steps, called, loss)]


def _step(phase: str, title: str, say: str, math: list[Segment], **more: Any) -> Step:
    return {"phase": phase, "title": title, "say": say, "math": math, **more}


def _given(steps: Steps, called: Mapping[str, str]) -> Step:
    known = [f"{called[k]} = {pretty(short(a))}" for k, a in steps.given.items() if called[k] != short(a)]
    more = f" and {len(known) - LISTED} more" if len(known) > LISTED else ""
    say = f"These values are given: {', '.join(known[:LISTED])}{more}."
    tables = [table(called[k], "value", a) for k, a in steps.given.items() if is_table(a)]
    value = {k: short(a) for k, a in steps.given.items()}
    return _step("given", "Given", say, [], value=value, tables=tables)


def _forward(f: Forward, called: Mapping[str, str]) -> Step:
    name, y, seen = called[f.key], pretty(short(f.value)), dict(zip(f.inputs, f.values, strict=True))
    takes = " and ".join(called[k] if short(v) in (DASH, called[k]) else f"{called[k]} = {pretty(short(v))}"
                         for k, v in seen.items())  # fmt: skip
    say = f"{f.name} takes {takes} and gives {name} = {y}."
    if f.value is None:
        say = f"{f.name} makes {name} from {takes}; the value was not kept."
    tables = [table(called[k], "value", v) for k, v in seen.items() if is_table(v)]
    if is_table(f.value):
        tables.append(table(name, "value", f.value, behind=elements(f, called)))
    math = [(pretty(text), kind) for text, kind in computed(f, called)]
    return _step("forward", f"{name} = {f.name}: {y}", say, math, value={f.key: short(f.value)},
                 op=f.operation, to=f.key, tables=tables)  # fmt: skip


def _seed(key: str, a: Amount | None, called: Mapping[str, str], loss: str) -> Step:
    name, to = called[key], f"∂{loss}/∂{called[key]}"
    if a is None or set(a.flat or [a.low, a.high]) != {1.0}:
        say = f"Now back. The gradient of {name} begins as {pretty(short(a))}, given to backward()."
    elif name == loss and is_number(a):
        say = f"Now back. {loss} changes with itself one to one: the gradient begins as 1."
    else:
        say = f"Now back. The gradient of {name} begins as 1{'' if is_number(a) else ' for each element'}."
    one = pretty(short(a))
    tables = [table(to, "grad", a)] if is_table(a) else []
    return _step("seed", f"{to} = {one}", say, [(to, "name"), (" = ", ""), (one, "upstream")],
                 grad={key: short(a)}, to=key, tables=tables)  # fmt: skip


def _end(steps: Steps, called: Mapping[str, str], loss: str) -> Step:
    grads = {f"∂{loss}/∂{called[k]}": steps.gradients[k] for k in steps.learning}
    listed = ", ".join(f"{name} = {pretty(short(a))}" for name, a in list(grads.items())[:LISTED])
    more = f" and {len(grads) - LISTED} more" if len(grads) > LISTED else ""
    checked = "The sums equal the engine's own gradients."
    missing = "What is missing is gone: draw(f, *inputs) keeps all of it."
    notes = [checked if steps.complete else missing, *(noted(n, called) for n in steps.notes)]
    say = " ".join([f"Done: {listed}{more}.", *notes])
    tables = [table(name, "grad", a) for name, a in grads.items() if is_table(a)]
    return _step("end", "All gradients", say, [], tables=tables)


# -- one edge --------------------------------------------------------------------------------------


def _unknown(b: Backward, called: Mapping[str, str], loss: str) -> Step:
    x = called[b.key]
    say = f"What {b.name} passes back to {x} is not known: {b.note}."
    badge = [("not known", ""), (DASH, "")]
    return _step("back", f"∂{loss}/∂{x}: not known", say, [], op=b.operation, slot=b.slot, to=b.key,
                 **{"from": b.source}, badge=badge, kept=DASH, grad={b.key: DASH})  # fmt: skip


def _back(b: Backward, called: Mapping[str, str], loss: str, known: Mapping[str, Amount | None],
          pieces: list[Amount | None]) -> Step:  # fmt: skip
    x, y = called[b.key], called[b.source]
    to, up, down = f"∂{loss}/∂{x}", f"∂{loss}/∂{y}", f"∂{y}/∂{x}"
    scalar = b.local is not None and is_number(b.local) and is_number(b.upstream)
    if scalar:
        say, math, badge = _product(b, x, up, down, stated(b, called), stated(b, called, known))
    else:
        way = pretty(rule(b, stated(b, called)))
        say = f"Through {b.name}, the gradient G of {y} reaches {x} as {way}."
        math = [(f"{to} += ", "name"), (way, "local"), (",  ", ""), (f"G = {up}", "upstream")]
        brief = way.partition(",")[0]
        badge = [(f"{brief}, G = {up}", ""), (_norm(b.upstream), "upstream"), (" → ", ""),
                 (_norm(b.contribution), "contribution")]  # fmt: skip
    tables = [table(down, "local", b.local)] if is_table(b.local) else []
    if is_table(b.upstream):
        tables.append(table(up if scalar else f"G = {up}", "upstream", b.upstream))
    if is_table(b.contribution):
        tables.append(table("contribution", "contribution", b.contribution, behind=behind(b)))
    last = b.part == b.parts
    if b.parts > 1 and is_table(b.after):
        name = to if last else f"{to} so far"
        tables.append(table(name, "grad", b.after, behind=total(to, pieces, b.after)))
    gives = pretty(signed(b.contribution))
    title = f"{to}: {gives}" + (f" ({b.part} of {b.parts})" if b.parts > 1 else "")
    change = [to, "0" if b.before is None else pretty(short(b.before)), pretty(short(b.after))]
    return _step("back", title, say, math, op=b.operation, slot=b.slot, to=b.key, **{"from": b.source},
                 badge=badge, kept=gives if scalar else _norm(b.contribution), change=change,
                 sum=_summed(b, x, to, pieces), grad={b.key: short(b.after)}, tables=tables)  # fmt: skip


def _product(
    b: Backward, x: str, up: str, down: str, formula: str, put: str
) -> tuple[str, list[Segment], list[Segment]]:
    """Write  local derivative x upstream gradient = contribution  as a sentence, a line and a label."""
    local, upstream, gives = short(b.local), short(b.upstream), pretty(signed(b.contribution))
    product = f"{bracketed(local)} × {bracketed(upstream)}"
    chain = pretty(" = ".join(dict.fromkeys([down, *filter(None, (formula, put)), local])))
    math = [(chain, "local"), ("  ×  ", ""), (f"{up} = {pretty(upstream)}", "upstream"), ("  =  ", ""),
            (gives, "contribution")]  # fmt: skip
    badge = [(f"{down} × {up}", ""), (bracketed(local), "local"), (" × ", ""),
             (bracketed(upstream), "upstream"), (" = ", ""), (gives, "contribution")]  # fmt: skip
    return f"Through {b.name}, {x} gets {product} = {gives}.", math, badge


def _summed(b: Backward, x: str, to: str, pieces: list[Amount | None]) -> str:
    """Spell out the sum over the uses of a tensor."""
    if b.parts < 2:
        return ""
    last = b.part == b.parts
    if not is_number(b.after):
        return f"{x} is used {b.parts} times; this is contribution {b.part}" + (", the last" if last else "")
    added = " + ".join(bracketed(short(p)) for p in pieces)
    result = f" = {pretty(short(b.after))}" if len(pieces) > 1 else ""
    said = f"all {b.parts} uses of {x} together:" if last else f"{x} is used {b.parts} times; so far"
    return f"{said} {to} = {added}{result}"


def _norm(a: Amount | None) -> str:
    return DASH if a is None else f"‖{pretty(number(a.norm))}‖"
