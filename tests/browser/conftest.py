"""A headless Chromium for tests: pages from files, no network, and what its console said.

Needs the programs ``chromium`` and ``chromedriver`` (Debian: chromium, chromium-driver) and the extra
``browser``. Screenshots stay in ``build/screenshots``.
"""

from __future__ import annotations

import base64
import importlib.util
import os
import re
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

SHOTS = Path(__file__).parents[2] / "build" / "screenshots"
OFFLINE = (
    "--headless=new", "--disable-gpu", "--disable-dev-shm-usage", "--hide-scrollbars",
    "--disable-background-networking", "--disable-component-update", "--no-first-run",
    "--host-resolver-rules=MAP * ~NOTFOUND", "--force-device-scale-factor=1",
)  # fmt: skip


class Keys:
    """Keys of the keyboard, as WebDriver's standard numbers them."""

    ARROW_LEFT, ARROW_RIGHT, HOME, END = "\ue012", "\ue014", "\ue011", "\ue010"
    ENTER, ESCAPE, TAB, SPACE = "\ue007", "\ue00c", "\ue004", " "


class Page:
    """A page in the browser, with what tests ask of it."""

    def __init__(self, driver: Any, folder: Path) -> None:
        self.driver, self.folder = driver, folder

    def open(self, html: str, *, dark: bool = False, size: tuple[int, int] = (1400, 900)) -> Page:
        """Show a document, from a file as a user would, in light or dark."""
        path = self.folder / "page.html"
        path.write_text(html, encoding="utf-8")
        self.driver.set_window_size(*size)
        self.prefer("dark" if dark else "light")
        self.driver.get(path.as_uri())
        return self

    def prefer(self, scheme: str) -> None:
        """Let the reader's system be light or dark."""
        feature = {"name": "prefers-color-scheme", "value": scheme}
        self.driver.execute_cdp_cmd("Emulation.setEmulatedMedia", {"features": [feature]})

    def run(self, script: str, *args: Any) -> Any:
        return self.driver.execute_script(script, *args)

    def find(self, selector: str) -> Any:
        return self.driver.find_element("css selector", selector)

    def all(self, selector: str) -> list[Any]:
        found: list[Any] = self.driver.find_elements("css selector", selector)
        return found

    def click(self, selector: str) -> None:
        self.find(selector).click()

    def press(self, *keys: str) -> None:
        from selenium.webdriver.common.action_chains import ActionChains

        ActionChains(self.driver, duration=0).send_keys(*keys).perform()

    def shot(self, name: str, whole: bool = False) -> Path:
        """Keep a screenshot to look at: of what is in the window, or of the whole page."""
        SHOTS.mkdir(parents=True, exist_ok=True)
        path = SHOTS / f"{re.sub(r'[^a-z0-9]+', '-', name.lower())}.png"
        settings: dict[str, Any] = {"format": "png"}
        if whole:
            size = self.run("const r = document.documentElement; return [r.scrollWidth, r.scrollHeight]")
            clip = {"x": 0, "y": 0, "width": size[0], "height": size[1], "scale": 1}
            settings |= {"captureBeyondViewport": True, "clip": clip}
        taken = self.driver.execute_cdp_cmd("Page.captureScreenshot", settings)
        path.write_bytes(base64.b64decode(taken["data"]))
        return path

    def complaints(self) -> list[str]:
        """Return what the console has said since the last call: errors, refused downloads."""
        return [entry["message"] for entry in self.driver.get_log("browser")]


@pytest.fixture(scope="session")
def driver(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Any]:
    """Give the browser; it is started once, for all tests."""
    chromium, chromedriver = shutil.which("chromium"), shutil.which("chromedriver")
    missing = [name for name, found in (
        ("the program chromium", chromium), ("the program chromedriver", chromedriver),
        ("the package selenium", importlib.util.find_spec("selenium"))) if not found]  # fmt: skip
    if missing:
        pytest.skip(f"no browser: {', '.join(missing)} not installed")
    from selenium.common.exceptions import SessionNotCreatedException

    for attempts_left in (2, 1, 0):  # a busy machine may be too slow for it the first time
        try:
            driver = started(chromium, chromedriver, tmp_path_factory.mktemp("chromium"))
            break
        except SessionNotCreatedException:
            if not attempts_left:
                raise
    yield driver
    driver.quit()


def started(chromium: str | None, chromedriver: str | None, folder: Path) -> Any:
    from selenium import webdriver
    from selenium.webdriver.chrome.service import Service

    options = webdriver.ChromeOptions()
    options.binary_location = chromium or ""
    for argument in (*OFFLINE, f"--user-data-dir={folder}"):
        options.add_argument(argument)
    if os.geteuid() == 0:
        options.add_argument("--no-sandbox")  # Chromium's sandbox refuses to run as root
    options.set_capability("goog:loggingPrefs", {"browser": "ALL"})
    # A service with a path: selenium then looks for no driver of its own, here or on the network.
    return webdriver.Chrome(options=options, service=Service(executable_path=chromedriver))


@pytest.fixture
def page(driver: Any, tmp_path: Path) -> Iterator[Page]:
    """Give a page; a test fails if the console complained while it ran."""
    driver.get("about:blank")
    page = Page(driver, tmp_path)
    page.complaints()
    yield page
    assert page.complaints() == []
