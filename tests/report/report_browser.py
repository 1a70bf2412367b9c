"""A page in a real browser, and what it did while it was open."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, BrowserContext, Page, sync_playwright

CHROMIUM = "/usr/bin/chromium"
DESKTOP, PHONE = (1280, 800), (390, 844)
# What WCAG 2.2 asks for at A and AA, and axe's own good practice (landmarks, headings).
RULES = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]


@dataclass
class Opened:
    """An open page: its problems are console messages and errors, its requests all it asked for."""

    page: Page
    context: BrowserContext
    url: str
    problems: list[str]
    requests: list[str]

    def texts(self, selector: str) -> list[str]:
        """Return the texts of all elements that match, as they are shown."""
        return [text.strip() for text in self.page.locator(selector).all_inner_texts()]

    def column(self, table: str, place: int) -> list[str]:
        """Return the texts of a table's column (1 is the first) in the rows shown."""
        return self.texts(f"#{table} tbody tr:not(.all) > :nth-child({place})")

    def violations(self) -> list[str]:
        """Return what axe-core finds, each with the first element that it is about."""
        found = Axe().run(self.page, options={"runOnly": RULES}).response["violations"]
        return [f"{v['id']}: {v['help']}: {v['nodes'][0]['html'][:200]}" for v in found]

    def view(self) -> str:
        """Return the time that the charts show, as the page says it."""
        return self.page.locator("#view").inner_text()


@contextmanager
def chromium() -> Iterator[Browser]:
    """Start Debian's Chromium without a window; as root it runs without its sandbox."""
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(
            executable_path=CHROMIUM, args=["--no-sandbox", "--disable-gpu"]
        )
        yield browser
        browser.close()


def open_page(
    browser: Browser,
    path: Path,
    *,
    size: tuple[int, int] = DESKTOP,
    scheme: Any = "light",
) -> Opened:
    """Open a page and wait until it is complete."""
    context = browser.new_context(
        viewport={"width": size[0], "height": size[1]}, color_scheme=scheme
    )
    page = context.new_page()
    opened = Opened(page, context, path.as_uri(), [], [])
    page.on("console", lambda message: opened.problems.append(message.text))
    page.on("pageerror", lambda error: opened.problems.append(str(error)))
    page.on("request", lambda request: opened.requests.append(request.url))
    page.goto(opened.url)
    page.wait_for_selector("html[data-ready]")
    return opened
