"""Every picture is measured as the browser draws it: nothing overlaps, nothing is cut."""

from __future__ import annotations

import re
import shutil
from typing import Any

import pytest

import autograd_core as ag
from autograd_core.draw import Graph
from tests.autograd_core.pictures import random_picture

from .conftest import Page
from .measure import faults, measure
from .pictures import CASES, loss_of

needs_dot = pytest.mark.skipif(not shutil.which("dot"), reason="Graphviz's dot is not installed")
EMPTY = "<!doctype html><meta charset='utf-8'><body>{}"


def as_result(name: str, **how: Any) -> Graph:
    return ag.draw(loss_of(name), **how)


def closed(name: str, **how: Any) -> Graph:
    case = CASES[name]()
    return ag.draw(case.function, *case.inputs, **how)


def opened(name: str, **how: Any) -> Graph:
    return closed(name, depth=None, fold=False, **how)


@pytest.mark.parametrize("engine", ["own", pytest.param("dot", marks=needs_dot)])
@pytest.mark.parametrize("direction", ["LR", "TB"])
@pytest.mark.parametrize("draw", [as_result, closed, opened])
@pytest.mark.parametrize("name", CASES)
def test_nothing_overlaps_and_nothing_is_cut(
    page: Page, name: str, draw: Any, direction: str, engine: str
) -> None:
    graph = draw(name, direction=direction, engine=engine)
    page.open(EMPTY.format(graph.svg()))
    found = measure(page)
    page.shot(f"{name} {draw.__name__} {direction} {engine}", whole=True)
    keys = {v["key"].partition("~")[0] for v in found["vertices"]}
    assert keys == {v.key for v in graph.picture.vertices}
    assert {g["key"] for g in found["groups"]} == {g.key for g in graph.picture.groups}
    assert all(v["texts"] for v in found["vertices"])
    assert faults(found) == []


@pytest.mark.parametrize("places", ["own", pytest.param("dot", marks=needs_dot)])
@pytest.mark.parametrize("seed", range(6))
def test_modules_counts_marks_and_hostile_names_have_room(page: Page, seed: int, places: str) -> None:
    picture = random_picture(seed)
    if places == "dot":  # where it would put the words beside edges is not asked
        picture.edges = [edge._replace(label="") for edge in picture.edges]
    graph = Graph(picture, engine=places)
    page.open(EMPTY.format(graph.svg()))
    page.shot(f"random {seed} {places}", whole=True)
    found = measure(page)
    assert {v["key"].partition("~")[0] for v in found["vertices"]} == {
        v.key for v in graph.picture.vertices
    }
    assert {g["key"] for g in found["groups"]} == {g.key for g in graph.picture.groups}
    assert faults(found) == []


def test_a_fault_is_found(page: Page) -> None:
    """The measure sees what it is there for."""
    graph = ag.draw(loss_of("xor"))
    broken = graph.svg().replace('font-size="12"', 'font-size="24"')
    assert any("leaves" in fault for fault in faults(measure(page.open(EMPTY.format(broken)))))
    moved = [graph.svg().replace('<g data-key="t0"', f'<g transform="translate(0,{y})" data-key="t0"')
             for y in (60, -60)]  # fmt: skip
    found = [faults(measure(page.open(EMPTY.format(svg)))) for svg in moved]
    assert any("overlaps" in fault for fault in found[0] + found[1])
    cut = re.sub(r'viewBox="0 0 \d+', 'viewBox="0 0 200', graph.svg())
    assert any("is cut" in fault for fault in faults(measure(page.open(EMPTY.format(cut)))))
