"""The page of a picture, driven: modules open and close, names are found, in light and dark."""

from __future__ import annotations

from typing import Any

import pytest

import autograd_core as ag

from .colours import luminance
from .conftest import Keys, Page
from .measure import faults, measure
from .pictures import CASES


def opened(page: Page, name: str, how: dict[str, Any] | None = None, **window: Any) -> Page:
    case = CASES[name]()
    return page.open(ag.draw(case.function, *case.inputs, **(how or {})).html(), **window)


def shown(page: Page) -> set[str]:
    """Return the names of what is seen: first lines of boxes, and titles of open modules."""
    found: list[str] = page.run("""
        return [...document.querySelectorAll('.ag-view g[data-key], .ag-view [data-group]')]
            .filter(g => g.getClientRects().length && getComputedStyle(g).visibility !== 'hidden')
            .map(g => g.querySelector('text').textContent)""")
    return set(found)


def settled(page: Page) -> list[str]:
    return faults(measure(page, ".ag-view svg"))


@pytest.mark.parametrize("dark", [False, True])
@pytest.mark.parametrize("name", CASES)
def test_nothing_overlaps_closed_and_open(page: Page, name: str, dark: bool) -> None:
    opened(page, name, dark=dark)
    page.shot(f"page {name} {'dark' if dark else 'light'}")
    assert without_view(settled(page)) == []
    if buttons := page.all("[data-do=open]"):
        buttons[0].click()
        page.shot(f"page {name} open {'dark' if dark else 'light'}")
        assert without_view(settled(page)) == []


def without_view(faults: list[str]) -> list[str]:
    """Leave out what only says that the window shows a part of a large picture."""
    return [fault for fault in faults if "cut" not in fault]


def test_a_module_opens_and_closes(page: Page) -> None:
    opened(page, "xor")
    before = shown(page)
    toggle = next(g for g in page.all("g.closed[data-toggle]") if g.is_displayed())
    name = page.run("return arguments[0].querySelector('text').textContent", toggle)
    toggle.click()
    inside = shown(page)
    assert len(inside) > len(before)
    assert without_view(settled(page)) == []
    key = page.run("return arguments[0].dataset.toggle", toggle)
    head = page.find(f"[data-group='{key}'] > .ag-head")
    page.run("arguments[0].dispatchEvent(new MouseEvent('click', {bubbles: true}))", head)
    assert shown(page) == before
    assert name in before
    assert without_view(settled(page)) == []


def test_it_can_be_used_from_the_keyboard(page: Page) -> None:
    opened(page, "xor")
    before = shown(page)
    for _ in range(20):
        page.press(Keys.TAB)
        if page.run("return document.activeElement.dataset.toggle !== undefined"):
            break
    key = page.run("return document.activeElement.dataset.toggle")
    page.press(Keys.ENTER)
    changed = shown(page)
    assert changed != before
    assert page.run("return document.activeElement.dataset.toggle") == key, "the focus stays"
    page.press(Keys.SPACE)
    assert shown(page) == before
    view = "return document.querySelector('.ag-view svg').getAttribute('viewBox')"
    was = page.run(view)
    page.press("+")
    larger = page.run(view)
    assert float(larger.split()[2]) < float(was.split()[2])
    page.press(Keys.ARROW_RIGHT)
    assert float(page.run(view).split()[0]) > float(larger.split()[0])


def test_a_name_is_found_in_a_closed_module(page: Page) -> None:
    opened(page, "transformer layer")
    assert not any("gain" in name for name in shown(page))
    page.find("input[type=search]").send_keys("norm2.gain")
    assert any("gain" in name for name in shown(page))
    assert page.find(".ag-found").text == "1 of 1"
    page.shot("page search")
    page.find("input[type=search]").clear()
    page.find("input[type=search]").send_keys("no such thing")
    assert page.find(".ag-found").text == "nothing"


def test_pointing_shows_all_and_lights_the_ways(page: Page) -> None:
    from selenium.webdriver.common.action_chains import ActionChains

    opened(page, "xor", {"depth": None})
    box = page.find(".ag-view g[data-kind=parameter]")
    ActionChains(page.driver).move_to_element(box).perform()
    tip = page.find(".ag-tip")
    assert tip.is_displayed()
    assert {"value", "grad"} <= set(tip.text.split())
    assert page.all(".ag-here")
    lit = page.all("path.ag-back") + page.all("path.ag-from")
    assert lit
    page.shot("page pointed at")


PAPER = """
let e = document.querySelector('.ag-view svg');
while (e && getComputedStyle(e).backgroundColor === 'rgba(0, 0, 0, 0)') e = e.parentElement;
return e ? getComputedStyle(e).backgroundColor : 'rgb(255, 255, 255)';
"""


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_light_and_dark_can_be_read(page: Page, scheme: str) -> None:
    opened(page, "xor", {"depth": None}, dark=scheme == "dark")
    for dark in (scheme == "dark", scheme != "dark"):
        paper = luminance(page.run(PAPER))
        assert (paper < 0.1) == dark
        pairs = page.run("""
            const fill = e => getComputedStyle(e).fill;
            const seen = g => g.getClientRects().length;
            return [...document.querySelectorAll('.ag-view g[data-key]')].filter(seen).flatMap(g =>
                [...g.querySelectorAll('text:not(.count)')].map(
                    t => [fill(t), fill(g.querySelector('rect, polygon'))]))""")
        assert pairs
        for ink, fill in pairs:
            low, high = sorted(map(luminance, (ink, fill)))
            assert (high + 0.05) / (low + 0.05) >= 4.5, (ink, fill)
        page.click("[data-do=dark]")


def test_texts_are_large_enough(page: Page) -> None:
    opened(page, "xor")
    heights = page.run("""return [...document.querySelectorAll('.ag-view text')].map(
        t => t.getBoundingClientRect().height).filter(h => h)""")
    assert min(heights) >= 9


def test_two_pictures_in_a_notebook_do_not_touch_each_other(page: Page) -> None:
    """As cells of one page, with a style of the page's own, which stays as it is."""
    cases = CASES["xor"](), CASES["lenet"]()
    first, second = (ag.draw(case.function, *case.inputs)._repr_html_() for case in cases)
    button = "<button id=mine class=closed>mine</button>"
    style = "<!doctype html><meta charset=utf-8><style>button{color:rgb(1,2,3)}</style>"
    look = """const s = getComputedStyle(document.getElementById('mine'));
              return [s.cursor, s.fontSize, s.color]"""
    alone = page.open(style + button).run(look)
    page.open(f"{style}{button}<div>{first}</div><div>{second}</div><div>{first}</div>")
    assert page.run(look) == alone
    pages = page.all(".ag-page")
    assert len(pages) == 3
    page.run("arguments[0].querySelector('[data-do=close]').click()", pages[0])
    counts = page.run("""
        const seen = p => [...p.querySelectorAll('g[data-key]')].filter(g => g.getClientRects().length);
        return [...document.querySelectorAll('.ag-page')].map(p => seen(p).length);""")
    assert counts[0] < counts[2], "only the first has closed"


def test_a_large_picture_is_drawn_where_it_is_seen(page: Page) -> None:
    x = ag.tensor(1.0, requires_grad=True)
    y = x
    for _ in range(1000):
        y = ag.tanh(y)
    page.open(ag.draw(y, fold=False, max_nodes=None).html())
    visible = page.run("""return [...document.querySelectorAll('.ag-view g[data-key]')].filter(
        g => getComputedStyle(g).visibility !== 'hidden').length""")
    assert 0 < visible < 200
