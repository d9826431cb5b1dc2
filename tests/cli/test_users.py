import json

import pytest

from forum.domain.credentials import is_password
from tests.cli.conftest import Forum
from tests.http.conftest import PASSWORD, Client, answer, refusal

INVALID = refusal(401, "Invalid access-token. Log in please")
WRONG = refusal(401, "Uncorrect username or/and password")


def whose(client: Client, token: str) -> tuple[int, object]:
    return answer(client.post("/verify-token", {"access-token": token}))


def log_in(client: Client, password: str = PASSWORD) -> tuple[int, object]:
    return answer(client.post("/login", {"username": "alice#1", "password": password}))


def test_a_list_has_every_user_by_id(user: Forum, bob: str) -> None:
    head, *lines = user("list").stdout.splitlines()
    assert head.split() == ["ID", "USERNAME", "REGISTERED", "STATUS"]
    assert [line.split()[:2] for line in lines] == [["1", "alice#1"], ["2", "bobby#2"]]


def test_the_columns_of_a_list_are_aligned(user: Forum, client: Client, alice: str) -> None:
    client.sign_up("a-much-longer-name#3")
    lines = user("list").stdout.splitlines()
    assert (
        len({line.index(each) for line, each in zip(lines, ["REG", "20", "20"], strict=True)}) == 1
    )


def test_a_list_is_there_for_programs_too(user: Forum, client: Client, bob: str) -> None:
    user("disable", "bobby#2")
    fields = ["id", "username", "date_registered"]
    users = [client.get(f"/users/{id}").json for id in (1, 2)]
    assert json.loads(user("list", "--json").stdout) == [
        {**{each: one[each] for each in fields}, "is_disabled": one["id"] == 2} for one in users
    ]


def test_a_user_is_shown_with_the_sessions(user: Forum, client: Client, alice: str) -> None:
    log_in(client)
    first, *sessions = user("show", "alice#1").stdout.splitlines()
    assert first.startswith("1  'alice#1'  registered 20")
    assert [line.split(":")[0] for line in sessions] == ["  session 2", "  session 1"]


def test_a_disabled_user_is_out_at_once(user: Forum, client: Client, alice: str) -> None:
    assert user("disable", "alice#1").exit_code == 0
    assert (whose(client, alice), log_in(client)) == (INVALID, WRONG)


def test_a_disabled_user_is_listed_as_such(user: Forum, bob: str) -> None:
    user("disable", "alice#1")
    states = [line.endswith("disabled") for line in user("list").stdout.splitlines()[1:]]
    assert states == [True, False]


def test_an_enabled_user_may_log_in(user: Forum, client: Client, alice: str) -> None:
    user("disable", "alice#1")
    assert user("enable", "alice#1").exit_code == 0
    assert log_in(client)[0] == 200


def test_a_reset_password_is_the_only_one_that_works(
    user: Forum, client: Client, alice: str
) -> None:
    password = user("reset-password", "alice#1").stdout.rstrip("\n")
    assert is_password(password)
    assert (log_in(client), log_in(client, password)[0]) == (WRONG, 200)


def test_a_reset_password_ends_every_session(user: Forum, client: Client, alice: str) -> None:
    user("reset-password", "alice#1")
    assert whose(client, alice) == INVALID


def test_a_user_who_is_logged_out_has_no_session(user: Forum, client: Client, alice: str) -> None:
    log_in(client)
    assert user("logout", "alice#1").stdout == "2 sessions ended\n"
    assert whose(client, alice) == INVALID


def test_nobody_else_is_logged_out(user: Forum, client: Client, bob: str) -> None:
    user("logout", "alice#1")
    assert whose(client, bob)[0] == 200


@pytest.mark.parametrize(("said", "status", "exit_code"), [("y\n", 401, 0), ("n\n", 200, 1)])
def test_a_user_is_deleted_if_that_is_confirmed(
    user: Forum, client: Client, alice: str, said: str, status: int, exit_code: int
) -> None:
    assert user("delete", "alice#1", answer=said).exit_code == exit_code
    assert whose(client, alice)[0] == status


def test_a_deleted_user_is_gone_with_the_articles(user: Forum, client: Client, alice: str) -> None:
    client.write(alice)
    user("delete", "alice#1", "--yes")
    statuses = [client.get(path).status_code for path in ("/users/1", "/articles/1")]
    assert statuses == [404, 404]


def test_the_articles_of_a_deleted_user_go_to_the_new_author(
    user: Forum, client: Client, alice: str, bob: str
) -> None:
    client.write(alice)
    user("delete", "alice#1", "--yes", "--articles-to", "bobby#2")
    assert client.get("/articles/1").json["author.username"] == "bobby#2"


@pytest.mark.parametrize(("new_author", "exit_code"), [("nobody", 1), ("alice#1", 2)])
def test_nobody_is_deleted_without_the_new_author(
    user: Forum, client: Client, alice: str, new_author: str, exit_code: int
) -> None:
    assert user("delete", "alice#1", "--yes", "--articles-to", new_author).exit_code == exit_code
    assert whose(client, alice)[0] == 200


def test_a_name_that_is_given_again_is_another_user(
    user: Forum, client: Client, alice: str
) -> None:
    user("delete", "alice#1", "--yes")
    again = client.sign_up("alice#1")
    assert (whose(client, alice), whose(client, again)[1]) == (
        INVALID,
        {"id": 2, "username": "alice#1"},
    )
