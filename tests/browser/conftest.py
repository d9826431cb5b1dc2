"""A real browser, and a service for it to visit."""

import os
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, ConsoleMessage, Page, Request, sync_playwright

from tests.support.servers import Server, running

CHROMIUM = "chromium"


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    path = shutil.which(CHROMIUM)
    if not path and "CI" not in os.environ:
        pytest.skip("chromium is not installed")
    with sync_playwright() as playwright:
        arguments = ["--no-sandbox"] if os.geteuid() == 0 else []
        browser = playwright.chromium.launch(executable_path=path or CHROMIUM, args=arguments)
        yield browser
        browser.close()


@pytest.fixture
def server(tmp_path: Path) -> Iterator[Server]:
    with running(tmp_path, WORKERS="1") as server:
        yield server


@pytest.fixture
def url(server: Server) -> str:
    return f"http://127.0.0.1:{server.port}"


@pytest.fixture
def complaints() -> list[str]:
    """What the page of a test complained of."""
    return []


@pytest.fixture
def refused_page(browser: Browser, url: str, complaints: list[str]) -> Iterator[Page]:
    """A page that asks no other host for anything, and complains of nothing but refusals."""
    page = browser.new_page()
    page.set_default_timeout(10_000)

    def notice(message: ConsoleMessage) -> None:
        if message.type in {"error", "warning"}:
            complaints.append(message.text)

    def notice_request(request: Request) -> None:
        if not request.url.startswith((f"{url}/", "data:")):
            complaints.append(f"asks for {request.url}")

    page.on("console", notice)
    page.on("pageerror", lambda error: complaints.append(str(error)))
    page.on("request", notice_request)
    yield page
    page.close()
    assert [each for each in complaints if "Failed to load resource" not in each] == []


@pytest.fixture
def page(refused_page: Page, complaints: list[str]) -> Iterator[Page]:
    """A page that complains of nothing at all."""
    yield refused_page
    assert complaints == []
