"""The pages for people and what they load."""

import re
from dataclasses import replace

import pytest
from falcon.testing import Result

from forum import __version__
from forum.config import Settings
from tests.http.conftest import ON_ONE_STORE, Client, answer, ok, refusal

pytestmark = ON_ONE_STORE

PAGES = ["/", "/docs"]
HTML = {"Accept": "text/html,application/xhtml+xml;q=0.9,*/*;q=0.8"}
"""What a browser asks for."""
FILES = ["/favicon.ico", "/robots.txt"]
NOT_FOUND = refusal(404, "Not found")


def linked(page: Result) -> list[str]:
    """The files that a page loads."""
    return re.findall(r'"(static/.+?)"', page.text)


@pytest.mark.parametrize("path", PAGES)
def test_a_page_runs_nothing_but_its_own_files(client: Client, path: str) -> None:
    page = client.get(path, headers=HTML)
    policy = page.headers["content-security-policy"].split("; ")
    assert (page.status_code, page.headers["content-type"]) == (200, "text/html; charset=utf-8")
    assert {"default-src 'none'", "script-src 'self'", "style-src 'self'"} <= set(policy)
    assert "unsafe" not in page.headers["content-security-policy"]
    assert re.findall(r"<script>|<style|\son\w+=|\sstyle=|https?:|//", page.text) == []


@pytest.mark.parametrize("path", PAGES)
def test_what_a_page_loads_is_kept_for_good_under_a_name_of_its_content(
    client: Client, path: str
) -> None:
    files = linked(client.get(path, headers=HTML))
    assert len(files) >= 2
    for name in files:
        file = client.get(f"/{name}")
        assert re.search(r"\.[0-9a-f]{16}\.(js|css)$", name)
        assert file.status_code == 200
        assert "immutable" in file.headers["cache-control"]
        assert re.match("text/(javascript|css)", file.headers["content-type"])
        for module in re.findall(r'from "\./(.+?)"', file.text):
            assert client.get(f"/static/{module}").status_code == 200


def test_a_page_is_asked_for_anew_each_time(client: Client) -> None:
    assert client.get("/docs").headers["cache-control"] == "no-store"


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


@pytest.mark.parametrize(
    "accept",
    ["text/html", "TEXT/HTML;level=1", "application/json, text/html;q=0.1", HTML["Accept"]],
)
def test_who_names_html_gets_the_front_page(client: Client, accept: str) -> None:
    page = client.get("/", headers={"Accept": accept})
    assert (page.headers["content-type"], page.headers["vary"]) == (
        "text/html; charset=utf-8",
        "Accept",
    )


@pytest.mark.parametrize("accept", ["*/*", "", "application/json", "text/*", "text/html;q=0", ",;"])
def test_everybody_else_gets_the_index(client: Client, accept: str) -> None:
    result = client.get("/", headers={"Accept": accept})
    index = {"name": "Forum", "version": __version__, "openapi": "/openapi.json", "docs": "/docs"}
    assert (answer(result), result.headers["vary"]) == (ok(index), "Accept")


@pytest.mark.parametrize("target", ["http://any.example", "http://any.example/", "x:///"])
def test_a_whole_url_may_ask_for_it(client: Client, target: str) -> None:
    result, _ = client.exchange([], path=target, raw_path=target.encode())
    assert result.json["name"] == "Forum"


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
