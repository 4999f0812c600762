"""The board in a real browser: every page, wide and narrow, light and dark."""

from __future__ import annotations

import os
import secrets
import shutil
import socket
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass
from email.message import EmailMessage
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from tests.integration.test_board import World, seeded

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Page

    from tests.conftest import Engine

pytestmark = [pytest.mark.browser, pytest.mark.engine]

SCREENSHOTS = Path(__file__).parents[2] / "build" / "screenshots"
ARGUMENTS = (
    "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run",
    "--disable-background-networking", "--disable-component-update", "--disable-sync",
)  # fmt: skip
WIDE, NARROW = 1280, 390
PAGES = {
    "overview": "/",
    "model": "/models/MODEL",
    "model-24h": "/models/MODEL?range=24h",
    "model-30d-fr": "/models/MODEL?range=30d&lang=fr",
    "logs": "/logs?range=7d",
    "logs-hostile": "/logs?kind=service&model=MODEL",
    "alerts": "/alerts",
    "mails": "/mails",
    "mail": "/mails/0001.eml",
}


@dataclass(frozen=True)
class Board:
    """A served board: its address, and the model that it shows."""

    url: str
    model: str

    def address(self, path: str) -> str:
        return self.url + path.replace("MODEL", self.model)


@pytest.fixture(scope="module")
def world(engine: Engine) -> Iterator[World]:
    from tests.conftest import _remove

    word = f"t{secrets.token_hex(4)}"
    yield from seeded(engine, word)
    _remove(engine.client, word)


@pytest.fixture(scope="module")
def board(world: World, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Board]:
    mails = tmp_path_factory.mktemp("mails")
    (mails / "0001.eml").write_bytes(_mail(world).as_bytes())
    with _served(world.app(mails=mails)) as url:
        yield Board(url, world.contract.model)


def _mail(world: World) -> EmailMessage:
    message = EmailMessage()
    message["From"], message["To"] = "vigie <vigie@example.org>", "oncall@example.org"
    message["Subject"] = "[vigie] error rate 7.1 % above 2 %"
    message["Date"] = world.now
    message.set_content("The error rate has passed its limit.\n")
    message.add_alternative("<h1 style='color:#b00'>Error rate</h1><p>7.1 %</p>", subtype="html")
    return message


class _served:  # noqa: N801 - reads as a function
    """Serves an application on a free port of 127.0.0.1, in a thread."""

    def __init__(self, app: object) -> None:
        import uvicorn

        self.listener = socket.create_server(("127.0.0.1", 0))
        config = uvicorn.Config(app, log_level="warning", access_log=False)  # type: ignore[arg-type]
        self.server = uvicorn.Server(config)
        self.thread = threading.Thread(target=self.server.run, args=([self.listener],))

    def __enter__(self) -> str:
        self.thread.start()
        deadline = time.monotonic() + 20
        while not self.server.started:
            if time.monotonic() > deadline or not self.thread.is_alive():
                pytest.fail("the board did not start within 20 s", pytrace=False)
            time.sleep(0.02)
        return f"http://127.0.0.1:{self.listener.getsockname()[1]}"

    def __exit__(self, *_: object) -> None:
        self.server.should_exit = True
        self.thread.join(timeout=20)
        self.listener.close()


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    from playwright.sync_api import sync_playwright

    path = os.environ.get("VIGIE_CHROMIUM") or shutil.which("chromium") or "/usr/bin/chromium"
    if not Path(path).is_file():
        cure = "apt-get install chromium, or set VIGIE_CHROMIUM to its executable"
        pytest.fail(f"no chromium at {path}; {cure}", pytrace=False)
    with sync_playwright() as playwright:
        opened = playwright.chromium.launch(executable_path=path, args=list(ARGUMENTS))
        yield opened
        opened.close()


@pytest.fixture
def complaints() -> list[str]:
    """What the console and the network said against a page."""
    return []


@pytest.fixture(params=[WIDE, NARROW], ids=["1280", "390"])
def page(request: pytest.FixtureRequest, browser: Browser, complaints: list[str]) -> Iterator[Page]:
    size = {"width": int(request.param), "height": 900}
    context = browser.new_context(viewport=size, locale="en-GB")  # type: ignore[arg-type]
    page = context.new_page()
    page.on("console", lambda m: complaints.append(m.text) if m.type == "error" else None)
    page.on("pageerror", lambda error: complaints.append(str(error)))
    page.on("requestfailed", lambda r: complaints.append(f"{r.url}: {r.failure}"))
    yield page
    context.close()


def width(page: Page) -> int:
    return (page.viewport_size or {"width": 0})["width"]


def overflow(page: Page) -> int:
    """Pixels by which the page is wider than its window."""
    return int(page.evaluate("document.documentElement.scrollWidth - window.innerWidth"))


@pytest.mark.parametrize("name", PAGES)
def test_a_page_opens_fits_and_complains_of_nothing(
    board: Board, page: Page, complaints: list[str], name: str
) -> None:
    answer = page.goto(board.address(PAGES[name]))
    SCREENSHOTS.mkdir(parents=True, exist_ok=True)
    page.screenshot(path=SCREENSHOTS / f"board-{name}-{width(page)}.png", full_page=True)

    assert answer is not None
    assert answer.status == 200
    assert overflow(page) <= 0
    assert page.locator("h1").count() == 1
    assert complaints == []


@pytest.mark.parametrize("name", ["overview", "model", "logs"])
def test_a_page_has_a_dark_side(board: Board, page: Page, name: str) -> None:
    page.goto(board.address(PAGES[name]))
    light = page.evaluate("getComputedStyle(document.body).backgroundColor")
    page.emulate_media(color_scheme="dark")

    dark = page.evaluate("getComputedStyle(document.body).backgroundColor")
    page.screenshot(path=SCREENSHOTS / f"board-{name}-{width(page)}-dark.png", full_page=True)

    assert light != dark


def test_charts_are_painted_and_fit_their_panel(board: Board, page: Page) -> None:
    page.goto(board.address(PAGES["model"]))

    shown = page.locator(".chart svg:visible")
    assert shown.count() == 5
    for i in range(shown.count()):
        box, panel = shown.nth(i).bounding_box(), shown.nth(i).locator("..").bounding_box()
        assert box is not None
        assert panel is not None
        assert box["height"] > 100
        assert box["width"] <= panel["width"] + 1
    stroke = "e => getComputedStyle(e).stroke"
    line = page.locator(".chart:visible .p95_marks path").first.evaluate(stroke)
    assert line == page.locator(".swatch.p95 line").first.evaluate(stroke) != "none"


def test_a_line_opens_on_click_and_shows_its_document(board: Board, page: Page) -> None:
    page.goto(board.address("/logs?kind=inference&model=MODEL"))
    row = page.locator(".lines details").first
    assert not row.locator("pre").is_visible()

    row.locator("summary").click()

    assert '"event"' in row.locator("pre").inner_text()
    assert overflow(page) <= 0


def test_a_hostile_line_runs_nothing(board: Board, page: Page) -> None:
    said: list[str] = []
    page.on("dialog", lambda dialog: (said.append(dialog.message), dialog.dismiss()))

    page.goto(board.address(PAGES["logs-hostile"]))
    page.locator(".lines summary").first.click()

    assert "<script>alert(1)</script>" in page.locator(".lines .what").first.inner_text()
    assert "\\u202e" in page.locator(".lines pre").first.inner_text()
    assert said == []


def test_a_search_is_typed_and_answered(board: Board, page: Page, complaints: list[str]) -> None:
    page.goto(board.address("/logs?model=MODEL&range=7d"))

    page.fill("input[name=q]", "TimeoutError")
    page.press("input[name=q]", "Enter")

    assert page.locator("figcaption h2").inner_text() == "8 lines"
    assert page.input_value("input[name=q]") == "TimeoutError"
    assert "range=7d" in page.url
    assert complaints == []


def test_a_bad_query_is_said_where_it_was_typed(board: Board, page: Page) -> None:
    page.goto(board.address("/logs"))

    page.fill("input[name=q]", "foo:(")
    page.press("input[name=q]", "Enter")

    assert "was not understood" in page.locator("[role=alert]").inner_text()
    assert page.get_attribute("input[name=q]", "aria-describedby") == "fault"
    assert overflow(page) <= 0


def test_a_period_is_chosen_and_kept(board: Board, page: Page) -> None:
    page.goto(board.address("/models/MODEL"))

    page.click(".ranges a:has-text('24h')")

    assert page.locator(".ranges [aria-current]").inner_text() == "24h"
    page.click("text=Logs of this model")
    assert "range=24h" in page.url


def test_the_keyboard_leads_to_the_content_and_shows_where_it_is(board: Board, page: Page) -> None:
    page.goto(board.address("/"))

    page.keyboard.press("Tab")
    assert page.evaluate("document.activeElement.className") == "skip"
    page.keyboard.press("Tab")
    outline = page.evaluate("getComputedStyle(document.activeElement).outlineStyle")
    assert outline == "solid"


def test_the_language_is_switched(board: Board, page: Page) -> None:
    page.goto(board.address("/"))

    page.click(".languages a[lang=fr]")

    assert page.locator("h1").inner_text() == "Vue d'ensemble"
    assert page.get_attribute("html", "lang") == "fr"


def test_a_mail_is_shown_in_a_frame_that_may_do_nothing(board: Board, page: Page) -> None:
    page.goto(board.address(PAGES["mail"]))

    frame = page.frame_locator("iframe.mail")

    assert frame.locator("h1").inner_text() == "Error rate"
    assert page.get_attribute("iframe.mail", "sandbox") == ""
    assert "has passed its limit" in page.locator("pre.plain").inner_text()
