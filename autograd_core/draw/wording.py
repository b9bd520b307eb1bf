"""How the steps are put into words: names, numbers, formulas; and all of them as lines of text."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from .boxes import printable
from .formula import substituted
from .records import Amount, Backward, Forward, Steps

__all__ = ["DASH", "Segment", "bracketed", "computed", "is_number", "lines", "noted", "number", "pretty",
           "result_of", "rule", "short", "signed", "stated", "symbols", "values"]  # fmt: skip

DASH = "—"
WIDE = 26  # characters of an array that is written into a line
Segment = tuple[str, str]  # text, and what it is: "local", "upstream", "contribution", "name" or ""


# -- numbers ---------------------------------------------------------------------------------------


def number(x: Any) -> str:
    """Write a number to four digits.

    >>> number(-2.0), number(0.196611), number(1e-9)
    ('-2', '0.1966', '1e-09')
    """
    return x if isinstance(x, str) else f"{x + 0.0:.4g}" if isinstance(x, float) else str(x)


def short(a: Amount | None) -> str:
    """Write an amount where there is little room: all of it if that is short, else its norm."""
    if a is None:
        return DASH
    if is_number(a):
        return number(a.numbers)
    if a.numbers is not None:
        text = _nested(a.numbers)
        if len(text) <= WIDE:
            return text
    return f"norm {number(a.norm)}"


def _nested(x: Any) -> str:
    return "[" + ", ".join(map(_nested, x)) + "]" if isinstance(x, list) else number(x)


def is_number(a: Amount | None) -> bool:
    """Tell whether an amount is a single number, of no axes."""
    return a is not None and not a.shape


def signed(a: Amount | None) -> str:
    """Write a contribution with its sign."""
    text = short(a)
    return f"+{text}" if text[:1].isdigit() and text != "0" else text


def bracketed(text: str) -> str:
    """Put a negative number into brackets.

    >>> bracketed("-2"), bracketed("2")
    ('(−2)', '2')
    """
    return f"({pretty(text)})" if text.startswith("-") else pretty(text)


def pretty(text: str) -> str:
    """Set a formula as people write it: minus signs, exponents, transposes.

    >>> pretty("-g b^T x^2"), pretty("1e-05")
    ('−g bᵀ x²', '1e−05')
    """
    text = text.replace("^T", "ᵀ").replace("^-T", "⁻ᵀ")
    text = re.sub(r"\^([23])(?![\w.])", lambda m: "²³"[int(m[1]) - 2], text)
    return text.replace("-", "−")


# -- names and formulas ----------------------------------------------------------------------------


def symbols(steps: Steps, names: Mapping[str, str]) -> dict[str, str]:
    """Call each tensor by its name, a constant number by itself, the result L, the rest v1, v2, ...

    Arrays that no gradient goes to are c1, c2, ...
    """
    called: dict[str, str] = {}
    taken = set(names.values())
    roots = steps.roots if len(steps.roots) == 1 else []
    count = {"c": 0, "v": 0}
    for key in (*steps.given, *(f.key for f in steps.forward)):
        given = steps.given.get(key)
        if name := printable(names.get(key, "")):
            called[key] = name
        elif given is not None and len(given.flat) == 1 and key not in steps.learning:
            called[key] = number(given.flat[0])
        elif key in roots and "L" not in taken:
            called[key] = "L"
        else:
            letter = "c" if key in steps.given and key not in steps.learning else "v"
            count[letter] += 1
            while f"{letter}{count[letter]}" in taken:
                count[letter] += 1
            called[key] = f"{letter}{count[letter]}"
    return called


def result_of(steps: Steps, called: Mapping[str, str]) -> str:
    """Return what is differentiated: the root, or L for the sum of several."""
    return called[steps.roots[0]] if len(steps.roots) == 1 else "L"


def values(steps: Steps) -> dict[str, Amount | None]:
    """Return the value of each tensor."""
    return {**steps.given, **{f.key: f.value for f in steps.forward}}


def stated(b: Backward, called: Mapping[str, str], known: Mapping[str, Amount | None] | None = None) -> str:
    """Return the formula of a local derivative in the names of this graph, or with ``known`` numbers."""
    if known is None:
        names = {"g": "G", "y": called[b.source]}
        names |= {letter: called[key] for letter, key in zip(b.letters, b.inputs, strict=False)}
    else:
        names = {"y": short(known.get(b.source))}
        names |= {a: short(known.get(key)) for a, key in zip(b.letters, b.inputs, strict=False)}
    text = substituted(re.sub(r"(\d)([A-Za-z])", r"\1 \2", b.formula), names)
    return f"({text})" if " where " in text else text


def rule(b: Backward, formula: str) -> str:
    """Say what is done with the gradient G that arrives: ``G B^T``, or ``(1 - y^2) G``."""
    if not formula:
        said = b.words
    elif re.search(r"\bg\b|_bar\b", b.formula):
        said = formula
    elif b.formula in ("1", "-1"):
        said = formula.replace("1", "G")
    else:
        said = f"{formula} G" if re.fullmatch(r"[\w.^]+|\(.* where .*\)", formula) else f"({formula}) G"
    return f"{said}, summed over what was broadcast" if b.summed else said


def computed(f: Forward, called: Mapping[str, str]) -> list[Segment]:
    """Write ``e = multiply(a, b) = multiply(2, -3) = -6``, the middle only for numbers."""
    params = [printable(f.params)] if f.params else []
    names = [called[k] for k in f.inputs]
    parts: list[Segment] = [(called[f.key], "name"), (f" = {f.name}({', '.join([*names, *params])})", "")]
    texts = [short(v) for v in f.values]
    if all(is_number(v) for v in f.values) and texts != names:
        parts.append((f" = {f.name}({', '.join([*texts, *params])})", ""))
    return [*parts, (" = ", ""), (short(f.value), "value")]


def noted(text: str, called: Mapping[str, str]) -> str:
    """Put names for the keys in a note."""
    return re.sub(r"\{(\w+)\}", lambda m: called.get(m[1], m[1]), text)


# -- lines of text ---------------------------------------------------------------------------------


def lines(steps: Steps, called: Mapping[str, str]) -> list[str]:
    """Write all steps as on a blackboard: ``a=2.0 --(de/da = b = -3) x (dL/de = -2) = +6--> ...``."""
    loss, known = result_of(steps, called), values(steps)
    given = [f"{called[k]} = {short(a)}" for k, a in steps.given.items() if called[k] != short(a)]
    out = ["given " + ", ".join(given)]
    for f in steps.forward:
        out.append("".join(text for text, _ in computed(f, called)))
    out += [f"d{loss}/d{called[k]} = {short(a)}" for k, a in steps.seeds.items()]
    for b in steps.backward:
        name = called[b.key]
        before = "0" if b.before is None else short(b.before)
        if b.note:
            out.append(f"{name} --({b.note})--> {name}.grad: {before} -> {DASH}")
        else:
            start, arrow = f"{name}{_head(known.get(b.key))}", _arrow(b, called, loss)
            out.append(f"{start} --{arrow}--> {name}.grad: {before} -> {short(b.after)}")
    return out + [noted(n, called) for n in steps.notes]


def _head(a: Amount | None) -> str:
    text = "" if a is None else f"={short(a)}"
    return f"{text}.0" if re.fullmatch(r"=-?\d+", text) else text


def _arrow(b: Backward, called: Mapping[str, str], loss: str) -> str:
    x, y = called[b.key], called[b.source]
    formula, upstream = stated(b, called), f"d{loss}/d{y} = {short(b.upstream)}"
    if b.local is not None and is_number(b.upstream) and is_number(b.local):
        equals = f" = {formula}" if formula and formula != short(b.local) else ""
        return f"(d{y}/d{x}{equals} = {short(b.local)}) x ({upstream}) = {signed(b.contribution)}"
    return f"({rule(b, formula)}; G = {upstream}) = {short(b.contribution)}"
