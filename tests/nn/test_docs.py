"""What ``help`` says of every layer and function: a summary, its arguments, and an example that runs."""

from __future__ import annotations

import doctest
import inspect
import re
import sys
from types import ModuleType
from typing import Any

import pytest

from autograd_core import nn

SPACES: list[ModuleType] = [nn, nn.functional, nn.init, nn.data, nn.utils, nn.utils.rnn]


def public() -> dict[str, Any]:
    """Return the classes and functions that people call, by the name that they use."""
    found = {}
    for space in SPACES:
        for name in getattr(space, "__all__", None) or vars(space):
            value = getattr(space, name)
            if not name.startswith("_") and callable(value) and value.__module__.startswith("nn."):
                found[f"{space.__name__}.{name}"] = value
    return found


PUBLIC = public()


def test_there_are_many_names() -> None:
    assert len(PUBLIC) > 350


@pytest.mark.parametrize("name", PUBLIC)
def test_summary_and_example(name: str) -> None:
    value = PUBLIC[name]
    doc = vars(value).get("__doc__") if isinstance(value, type) else value.__doc__
    told, mark, example = inspect.cleandoc(doc or "").partition(">>>")
    assert re.match(r"\S.*[.:]$", told.split("\n\n")[0].replace("\n", " ")), "a summary"
    assert mark, "an example"
    assert re.search(rf"\b({value.__name__}|{name.rpartition('.')[2]})\b", example), "of this name"
    assert not re.search(r"^(Arguments|Parameters|Examples?):", told, re.M), "Args: and >>>"


@pytest.mark.parametrize("name", PUBLIC)
def test_arguments_are_told_in_the_order_of_the_signature(name: str) -> None:
    """Where there are ``Args:``, each is a parameter, and none is left out."""
    told = (inspect.getdoc(PUBLIC[name]) or "").partition(">>>")[0]
    block = re.search(r"^Args:\n((?:    .*\n|\n)*)", told + "\n", re.M)
    if block:
        described = [n.strip("* ") for names in re.findall(r"^    (\*{0,2}\w[\w*, ]*):", block[1], re.M)
                     for n in names.split(",")]  # fmt: skip
        assert described == list(inspect.signature(PUBLIC[name]).parameters)


def test_examples_are_collected_where_they_stand() -> None:
    """As ``pytest --doctest-modules`` finds them, which also runs them."""
    found = set()
    for module in {sys.modules[value.__module__] for value in PUBLIC.values()}:
        found |= {test.name for test in doctest.DocTestFinder().find(module) if test.examples}
    missing = [name for name, value in PUBLIC.items() if f"{value.__module__}.{value.__name__}" not in found]
    assert not missing
