"""The pages for people and what they load."""

import re
from dataclasses import replace

import pytest
from falcon.testing import Result

from forum.config import Settings
from tests.http.conftest import ON_ONE_STORE, Client, answer, refusal

pytestmark = ON_ONE_STORE

PAGES = ["/docs"]
FILES = ["/favicon.ico", "/robots.txt"]
NOT_FOUND = refusal(404, "Not found")


def linked(page: Result) -> list[str]:
    """The files that a page loads."""
    return re.findall(r'"(static/.+?)"', page.text)


@pytest.mark.parametrize("path", PAGES)
def test_a_page_runs_nothing_but_its_own_files(client: Client, path: str) -> None:
    page = client.get(path)
    policy = page.headers["content-security-policy"].split("; ")
    assert (page.status_code, page.headers["content-type"]) == (200, "text/html; charset=utf-8")
    assert {"default-src 'none'", "script-src 'self'", "style-src 'self'"} <= set(policy)
    assert "unsafe" not in page.headers["content-security-policy"]
    assert re.findall(r"<script>|<style|\son\w+=|\sstyle=|https?:|//", page.text) == []


@pytest.mark.parametrize("path", PAGES)
def test_what_a_page_loads_is_kept_for_good_under_a_name_of_its_content(
    client: Client, path: str
) -> None:
    files = linked(client.get(path))
    assert len(files) >= 2
    for name in files:
        file = client.get(f"/{name}")
        assert re.search(r"\.[0-9a-f]{16}\.(js|css)$", name)
        assert file.status_code == 200
        assert "immutable" in file.headers["cache-control"]
        assert re.match("text/(javascript|css)", file.headers["content-type"])


def test_a_page_is_asked_for_anew_each_time(client: Client) -> None:
    assert client.get("/docs").headers["cache-control"] == "no-cache"


@pytest.mark.parametrize(
    "name",
    ["docs.js", "docs.html", "docs.0000000000000000.js", "..%2fapp.py", "%2e%2e", "x" * 9000],
)
def test_an_unknown_file_is_not_found(client: Client, name: str) -> None:
    assert answer(client.get(f"/static/{name}")) == NOT_FOUND


@pytest.mark.parametrize(
    ("path", "kind"), [("/favicon.ico", "image/x-icon"), ("/robots.txt", "text/plain")]
)
def test_what_every_server_is_asked_for_is_answered(client: Client, path: str, kind: str) -> None:
    result = client.get(path)
    assert (result.status_code, result.headers["content-type"].partition(";")[0]) == (200, kind)
    assert result.content


@pytest.mark.parametrize("path", PAGES + FILES)
def test_other_methods_are_answered_as_everywhere(client: Client, path: str) -> None:
    head, other = client.request("HEAD", path), client.post(path)
    assert (head.status_code, head.content) == (200, b"")
    assert head.headers["content-length"] == client.get(path).headers["content-length"]
    assert answer(other) == refusal(405, "Method not allowed")
    assert other.headers["allow"] == client.request("OPTIONS", path).headers["allow"]


class TestWithoutPages:
    @pytest.fixture
    def settings(self, settings: Settings) -> Settings:
        return replace(settings, pages=False)

    @pytest.mark.parametrize("path", [*PAGES, "/static/docs.js"])
    def test_no_page_is_found(self, client: Client, path: str) -> None:
        assert answer(client.get(path)) == NOT_FOUND

    @pytest.mark.parametrize("path", FILES)
    def test_what_every_server_is_asked_for_is_there(self, client: Client, path: str) -> None:
        assert client.get(path).status_code == 200
