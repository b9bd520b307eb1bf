"""The stepper, driven: forward through the values, back through the chain rule, and what it shows."""

from __future__ import annotations

import re
from typing import Any

import numpy as np
import pytest

import autograd_core as ag
from autograd_core.value import Value

from .colours import luminance
from .conftest import Keys, Page
from .measure import faults, measure, overlap

NUMBER = re.compile(r"[+-]?\d+(?:\.\d+)?(?:e[+-]?\d+)?")


def expression() -> tuple[Any, dict[str, Any]]:
    a, b, c = Value(2.0, "a"), Value(-3.0, "b"), Value(10.0, "c")
    loss = (a * b + c) * a
    return loss, {"a": a, "b": b, "c": c}


def layer() -> tuple[Any, dict[str, Any]]:
    x = ag.tensor([[1.0, 2.0], [-1.0, 0.5]], name="x")
    w = ag.tensor([[1.0, -1.0, 0.5], [2.0, 0.0, -0.5]], requires_grad=True, name="w")
    b = ag.tensor(np.zeros(3, "f"), requires_grad=True, name="b")
    return ((x @ w + b) ** 2).sum(), {"w": w, "b": b}


def opened(page: Page, loss: Any, **how: Any) -> Page:
    return page.open(ag.draw(loss).step().html(), **how)


def shown(page: Page) -> dict[str, str]:
    """Return all that a reader sees of the present step."""
    state: dict[str, str] = page.run("""
        const out = {};
        for (const id of ['phase', 'sentence', 'math', 'sum', 'change', 'tables', 'count'])
            out[id] = document.getElementById(id).textContent;
        out.graph = document.querySelector('#graph svg').textContent;
        out.lit = [...document.querySelectorAll('#graph .lit')].map(g => g.dataset.key).join();
        out.now = document.querySelector('[aria-current=step]').textContent;
        return out;""")
    return state


def last(page: Page) -> int:
    return int(page.find("#count").text.split(" / ")[1])


def lines_of(page: Page, name: str) -> list[str]:
    """Return the lines of the box with this name."""
    found: list[str] = page.run(
        "return [...document.querySelectorAll('#graph g[data-key]')].map(g =>"
        " [...g.querySelectorAll('text')].map(t => t.textContent)).find(l => l[0] === arguments[0])", name)
    return found


def test_it_opens_before_the_first_step(page: Page) -> None:
    loss, leaves = expression()
    opened(page, loss).shot("stepper open")
    assert page.find("#count").text.startswith("0 / ")
    for name in leaves:
        assert [line.split() for line in lines_of(page, name)][-1] == ["grad", "—"]
    assert not page.find("#prev").is_enabled()
    assert page.find("#next").is_enabled()


@pytest.mark.parametrize("make", [expression, layer])
def test_forward_then_back_is_where_it_was(page: Page, make: Any) -> None:
    opened(page, make()[0])
    seen = [shown(page)]
    for _ in range(last(page)):
        page.press(Keys.ARROW_RIGHT)
        seen.append(shown(page))
    assert len({str(state) for state in seen}) == len(seen)
    assert not page.find("#next").is_enabled()
    page.shot(f"stepper end {make.__name__}")
    for state in reversed(seen[:-1]):
        page.press(Keys.ARROW_LEFT)
        assert shown(page) == state


def test_buttons_keys_and_the_list_lead_to_the_same_step(page: Page) -> None:
    opened(page, expression()[0])
    for _ in range(3):
        page.click("#next")
    third = shown(page)
    page.press(Keys.END)
    assert page.find("#count").text == f"{last(page)} / {last(page)}"
    page.press(Keys.HOME)
    assert page.find("#count").text.startswith("0 / ")
    page.all(".step-list button")[3].click()
    assert shown(page) == third
    page.click("#next")
    page.click("#prev")
    assert shown(page) == third
    page.click("#last")
    page.click("#first")
    assert page.find("#count").text.startswith("0 / ")


def test_every_step_back_multiplies_and_the_sums_are_the_gradients(page: Page) -> None:
    loss, leaves = expression()
    opened(page, loss)
    back = 0
    for _ in range(last(page)):
        page.press(Keys.ARROW_RIGHT)
        math = page.find("#math").text
        if "×" in math or " x " in math:
            local, upstream, contribution = (
                float(NUMBER.findall(page.find(f"#math .{kind}").text.replace("−", "-"))[-1])
                for kind in ("local", "upstream", "contribution"))  # fmt: skip
            assert contribution == pytest.approx(local * upstream)
            back += 1
    assert back == 6  # two inputs of each of three operations
    loss.backward()
    for name, leaf in leaves.items():
        (told,) = (line.split()[1] for line in lines_of(page, name) if line.startswith("grad"))
        assert float(told.replace("−", "-")) == pytest.approx(leaf.grad)


def test_an_element_shows_the_scalar_terms_behind_it(page: Page) -> None:
    loss, leaves = layer()
    opened(page, loss, size=(1400, 1000))
    loss.backward()
    clicked = 0
    for _ in range(last(page)):
        page.press(Keys.ARROW_RIGHT)
        for cell in page.all("#tables td > button")[:2]:
            assert page.find("#terms").text == ""
            cell.click()
            told = page.find("#terms").text.replace("−", "-")
            assert told, "terms appear"
            total = float(NUMBER.findall(told)[-1])
            assert total == pytest.approx(float(cell.text.replace("−", "-")), rel=1e-3)
            if not clicked:
                page.shot("stepper element")
            clicked += 1
            cell.click()  # and away again
    assert clicked
    (told,) = (line for line in lines_of(page, "b") if line.startswith("grad"))
    numbers = [float(n) for n in NUMBER.findall(told.replace("−", "-"))]
    assert numbers == pytest.approx(leaves["b"].grad, rel=1e-3)


@pytest.mark.parametrize("dark", [False, True])
def test_light_and_dark_can_be_read(page: Page, dark: bool) -> None:
    opened(page, layer()[0], dark=dark)
    for _ in range(last(page) - 1):
        page.press(Keys.ARROW_RIGHT)
    page.shot(f"stepper {'dark' if dark else 'light'}")
    behind = page.run("return getComputedStyle(document.body).backgroundColor")
    assert (luminance(behind) < 0.1) == dark
    ink = page.run("return getComputedStyle(document.getElementById('sentence')).color")
    bright, dim = sorted([luminance(behind), luminance(ink)], reverse=True)
    assert (bright + 0.05) / (dim + 0.05) >= 4.5
    page.click("#theme")
    behind = page.run("return getComputedStyle(document.body).backgroundColor")
    assert (luminance(behind) < 0.1) != dark


LABELS = """
const place = e => { const r = e.getBoundingClientRect(); return [r.left, r.top, r.right, r.bottom]; };
const of = (what) => [...document.querySelectorAll('#graph ' + what)];
return {labels: of('.label > rect').map(place), texts: of('.label > text').map(place),
        boxes: of('g[data-key]').map(g => [g.dataset.key, place(g.querySelector('rect, polygon'))])};
"""


@pytest.mark.parametrize("make", [expression, layer])
def test_at_no_step_anything_lies_on_anything(page: Page, make: Any) -> None:
    opened(page, make()[0], size=(1400, 1000))
    wrong = []
    for n in range(last(page) + 1):
        told = faults(measure(page, "#graph svg"))
        wrong += [f"step {n}: {fault}" for fault in told if "touch" not in fault and "cut" not in fault]
        found = page.run(LABELS)
        for i, label in enumerate(found["labels"]):
            wrong += [f"step {n}: a label lies on {key}" for key, box in found["boxes"]
                      if overlap(label, box, 1)]  # fmt: skip
            wrong += [f"step {n}: labels overlap" for other in found["labels"][:i]
                      if overlap(label, other, 1)]  # fmt: skip
        page.press(Keys.ARROW_RIGHT)
    assert wrong == []
