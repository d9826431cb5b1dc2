"""The explorer, used as a front-end developer would."""

import json
from typing import Any

import pytest
from playwright.sync_api import Locator, Page


@pytest.fixture
def explorer(page: Page, url: str) -> Page:
    page.goto(f"{url}/docs")
    return page


def try_out(explorer: Page, tag: str, operation: str) -> tuple[str, Any]:
    """The status and the JSON that an operation is answered with, called by its own example."""
    block: Locator = explorer.locator(f"#operations-{tag}-{operation}")
    block.locator(".opblock-summary-control").click()
    block.locator(".execute").click()
    answer = block.locator(".live-responses-table .response")
    status = answer.locator(".response-col_status").inner_text()
    return status.strip(), json.loads(answer.locator("pre").first.inner_text())


def test_a_developer_registers_logs_in_authorizes_posts_and_reads(explorer: Page) -> None:
    assert try_out(explorer, "users", "register")[0] == "200"
    status, login = try_out(explorer, "sessions", "log_in")
    assert status == "200"
    explorer.locator(".auth-wrapper .authorize").click()
    explorer.locator(".modal-ux input").fill(login["access-token"])
    explorer.locator(".modal-ux button.authorize").click()
    explorer.locator(".modal-ux button.btn-done").click()
    status, article = try_out(explorer, "articles", "post_article")
    assert (status, article["title"]) == ("200", "Hello")
    status, listed = try_out(explorer, "articles", "list_articles")
    assert (status, [each["id"] for each in listed["articles"]]) == ("200", [article["id"]])
    assert try_out(explorer, "sessions", "list_sessions")[0] == "200"


@pytest.mark.parametrize("width", [360, 1280])
def test_every_operation_is_there_and_nothing_is_cut_off(explorer: Page, width: int) -> None:
    explorer.set_viewport_size({"width": width, "height": 800})
    explorer.locator(".opblock").first.wait_for()
    assert explorer.locator(".opblock").count() == 18
    assert explorer.evaluate("document.documentElement.scrollWidth") <= width
