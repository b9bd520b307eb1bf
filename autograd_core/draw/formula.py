"""The formula of a derivative, as the docstring of its operation states it, and names put into it."""

from __future__ import annotations

import inspect
import re
from collections.abc import Mapping
from functools import cache
from typing import Any

__all__ = ["formula", "in_words", "substituted"]

END = r"(?=[,;] dy/d|, s the sigmoid|; 0 at |\.(?:\s|$)|$)"


@cache
def _stated(doc: str) -> dict[str, str]:
    """Return what a docstring says of each input.

    >>> _stated("Quotient a / b: dy/da = 1/b, dy/db = -y/b.")
    {'a': '1/b', 'b': '-y/b'}
    >>> _stated("Product: a_bar = g b^T, b_bar = a^T g.")
    {'a': 'g b^T', 'b': 'a^T g'}
    """
    text = " ".join(doc.split(">>>")[0].split("\n\n")[0].replace("``", "").split())
    found = re.findall(rf"dy/d(\w+) = (.*?){END}", text)
    found += re.findall(r"(\w+)_bar = (.*?)(?=,? (?:and )?\w+_bar =|[.;:,](?:\s|$)|$)", text)
    return {name: stated.strip() for name, stated in found}


def formula(primitive: Any, slot: int, letters: tuple[str, ...]) -> str:
    """Return the formula for one input, in the letters of its rule; nothing where none is stated.

    >>> import autograd_core as ag
    >>> formula(ag.multiply.primitive, 0, ("a", "b")), formula(ag.sum.primitive, 0, ("x",))
    ('b', '1')
    """
    doc = primitive.doc or inspect.getdoc(primitive.fun) or ""
    stated = _stated(doc)
    letter = letters[min(slot, len(letters) - 1)] if letters else ""  # a Value's sum has any number of terms
    for name in (letter, letter.upper()):
        if name in stated:
            capitals = {n for n in stated if n not in letters and n.lower() in letters}
            return substituted(stated[name], {n: n.lower() for n in capitals})
    return next(iter(stated.values())) if len(stated) == 1 and len(letters) == 1 else ""


def in_words(primitive: Any) -> str:
    """Say what an operation does with the gradient G that arrives, where no formula is stated."""
    if primitive.view:
        return "G, put back where it came from"
    if primitive.broadcasts:
        return "the local derivative times G"
    return f"the {'transpose' if primitive.linear else 'rule'} of {primitive.name}, applied to G"


def substituted(stated: str, names: Mapping[str, str]) -> str:
    """Put names, or numbers, for the letters of a formula.

    >>> substituted("b a^(b-1)", {"a": "x", "b": "2"})
    '2 x^(2-1)'
    >>> substituted("b", {"b": "-3"}), substituted("y^2", {"y": "v2"})
    ('-3', '(v2)^2')
    """
    alone = stated.strip() in names

    def put(match: re.Match[str]) -> str:
        name = names.get(match[0])
        if name is None:
            return match[0]
        raised = stated[match.end() : match.end() + 1] == "^"
        confusing = name.startswith("-") or raised and re.search(r"[^\d.]", name) and name[-1].isdigit()
        return f"({name})" if confusing and not alone else name

    return re.sub(r"[A-Za-z]\w*", put, stated)
