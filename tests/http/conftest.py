"""A client in the same process, and the steps that most tests begin with."""

import asyncio
from collections.abc import Iterator
from typing import Any, Self

import pytest
from falcon.testing import ASGIConductor, Result

from forum.http.guard import Application

PASSWORD = "Password#1"


class Client:
    """Calls the service through its ASGI interface, guard and lifespan included."""

    def __init__(self, application: Application) -> None:
        self._loop = asyncio.Runner()
        self._conductor = ASGIConductor(application)

    def __enter__(self) -> Self:
        self._loop.run(self._conductor.__aenter__())
        return self

    def __exit__(self, *error: object) -> None:
        self._loop.run(self._conductor.__aexit__(*error))
        self._loop.close()

    def request(self, method: str, path: str, **options: Any) -> Result:
        """The answer; the options are those of `falcon.testing.simulate_request`: json, body, headers ..."""
        return self._loop.run(self._conductor.simulate_request(method, path, **options))

    def get(self, path: str, **options: Any) -> Result:
        return self.request("GET", path, **options)

    def post(self, path: str, json: object = None, **options: Any) -> Result:
        return self.request("POST", path, json=json, **options)

    def put(self, path: str, json: object = None, **options: Any) -> Result:
        return self.request("PUT", path, json=json, **options)

    def delete(self, path: str, json: object = None, **options: Any) -> Result:
        return self.request("DELETE", path, json=json, **options)

    def sign_up(self, username: str, password: str = PASSWORD) -> str:
        """The token of a new user."""
        credentials = {"username": username, "password": password}
        assert self.post("/register", credentials).status_code == 200
        token = self.post("/login", credentials).json["access-token"]
        assert isinstance(token, str)
        return token

    def write(self, token: str, title: str = "A title", text: str = "A text") -> int:
        """The id of a new article."""
        body = {"title": title, "text": text, "access-token": token}
        id = self.post("/articles/new", body).json["id"]
        assert isinstance(id, int)
        return id


@pytest.fixture
def client(application: Application) -> Iterator[Client]:
    with Client(application) as client:
        yield client


@pytest.fixture
def alice(client: Client) -> str:
    """The token of the first user."""
    return client.sign_up("alice#1")


@pytest.fixture
def bob(client: Client, alice: str) -> str:
    """The token of the second user."""
    return client.sign_up("bobby#2")
