"""A client that a program wrote from the OpenAPI document."""

import json
import subprocess
import sys
from collections.abc import Iterator
from importlib import import_module
from pathlib import Path
from typing import Any

import pytest

from tests.support.openapi import DOCUMENT
from tests.support.servers import PASSWORD, Server, running


@pytest.fixture(scope="module")
def _generated(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """The package `forum_client`, ready to be imported."""
    folder = tmp_path_factory.mktemp("generated")
    (folder / "openapi.json").write_text(json.dumps(DOCUMENT))
    (folder / "config.json").write_text(json.dumps({"post_hooks": []}))
    subprocess.run(
        [
            *(sys.executable, "-m", "openapi_python_client", "generate", "--fail-on-warning"),
            *("--path", "openapi.json", "--config", "config.json"),
            *("--meta", "none", "--output-path", "forum_client"),
        ],
        cwd=folder,
        check=True,
        capture_output=True,
    )
    with pytest.MonkeyPatch.context() as patch:
        patch.syspath_prepend(folder)
        yield


@pytest.fixture
def server(tmp_path: Path) -> Iterator[Server]:
    with running(tmp_path) as server:
        yield server


def operation(tag: str, name: str) -> Any:
    return import_module(f"forum_client.api.{tag}.{name}")


@pytest.mark.usefixtures("_generated")
def test_it_registers_logs_in_posts_reads_and_is_refused(server: Server) -> None:
    package, models = import_module("forum_client"), import_module("forum_client.models")
    url = f"http://127.0.0.1:{server.port}"
    anybody = package.Client(base_url=url)

    def log_in(name: str) -> Any:
        body = models.RegistrationBody(username=name, password=PASSWORD)
        operation("users", "register").sync(client=anybody, body=body)
        body = models.CredentialsBody(username=name, password=PASSWORD)
        login = operation("sessions", "log_in").sync(client=anybody, body=body)
        assert login.username == name
        return package.AuthenticatedClient(base_url=url, token=login.access_token)

    alice, bob = log_in("alice#1"), log_in("bobby#2")
    words = models.ArticleBody(title="Hello", text="Hello, world")
    article = operation("articles", "post_article").sync(client=alice, body=words)
    page = operation("articles", "list_articles").sync(client=anybody)
    mine = operation("sessions", "list_sessions").sync(client=alice)
    refused = operation("articles", "edit_article").sync_detailed(
        article.id, client=bob, body=words
    )
    assert [(each.id, each.title, each.author_username) for each in page.articles] == [
        (article.id, "Hello", "alice#1")
    ]
    assert [each.current for each in mine.sessions] == [True]
    assert (refused.status_code, refused.parsed) == (
        403,
        models.Error(error="You can edit only own article"),
    )
    for client in (anybody, alice, bob):
        client.get_httpx_client().close()
