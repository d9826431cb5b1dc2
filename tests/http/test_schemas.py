from dataclasses import asdict
from datetime import UTC, datetime

import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from marshmallow import Schema

from forum.domain.model import (
    Article,
    Author,
    Headline,
    Login,
    Page,
    Principal,
    Session,
    User,
)
from forum.http import body_schemas, schemas
from forum.http.bodies import fields_of

MOMENTS = [
    pytest.param(datetime(2020, 2, 2, 0, 17, 49, 735642, UTC), id="with microseconds"),
    pytest.param(datetime(2020, 2, 2, 0, 17, 49, 0, UTC), id="without microseconds"),
    pytest.param(datetime(2020, 2, 2, 0, 0, 0, 1, UTC), id="at midnight and a bit"),
    pytest.param(datetime(1, 1, 1, tzinfo=UTC), id="in the year 1"),
    pytest.param(datetime(9999, 12, 31, 23, 59, 59, 999999, UTC), id="in the year 9999"),
]
AUTHOR = Author(7, "alice#1")


def headline(moment: datetime, id: int = 1) -> Headline:
    return Headline(id, "A title", moment, AUTHOR)


@pytest.mark.parametrize("moment", MOMENTS)
def test_an_article_is_written_as_its_schema_says(moment: datetime) -> None:
    article = Article(1, "A title", "A text", moment, AUTHOR)
    assert schemas.ArticleAnswer().dump(article) == schemas.article_answer(article)


@pytest.mark.parametrize("moment", MOMENTS)
def test_a_written_article_is_written_as_its_schema_says(moment: datetime) -> None:
    article = Article(1, "A title", "A text", moment, AUTHOR)
    assert schemas.WrittenArticleAnswer().dump(article) == schemas.written_answer(article)


@pytest.mark.parametrize("moment", MOMENTS)
def test_a_user_is_written_as_their_schemas_say(moment: datetime) -> None:
    user = User(7, "alice#1", moment)
    assert schemas.UserAnswer().dump(user) == schemas.user_answer(user)
    assert schemas.IdentityAnswer().dump(user) == schemas.identity_answer(user)


def test_a_login_is_written_as_its_schema_says() -> None:
    login = Login(User(7, "alice#1", datetime(2020, 2, 2, tzinfo=UTC)), "a token")
    assert schemas.LoginAnswer().dump(login) == schemas.login_answer(login)


@pytest.mark.parametrize("moment", MOMENTS)
@pytest.mark.parametrize("current", [True, False])
def test_sessions_are_written_as_their_schemas_say(moment: datetime, *, current: bool) -> None:
    session = Session(3, moment, moment, moment)
    principal = Principal(
        User(7, "alice#1", moment), session if current else Session(4, moment, moment, moment)
    )
    as_dumped = {**asdict(session), "current": current}
    expected = schemas.SessionAnswer().dump(as_dumped)
    assert expected == schemas.session_answer(session, principal)
    several = schemas.SessionsAnswer().dump({"sessions": [as_dumped]})
    assert several == schemas.sessions_answer([session], principal)


@pytest.mark.parametrize("moment", MOMENTS)
def test_a_headline_is_written_as_its_schema_says(moment: datetime) -> None:
    expected = schemas.HeadlineAnswer().dump(headline(moment))
    assert expected == schemas.headline_answer(headline(moment))


@pytest.mark.parametrize("moment", MOMENTS)
@pytest.mark.parametrize("has_next", [True, False])
@pytest.mark.parametrize("length", [0, 1, 3])
def test_a_page_is_written_as_its_schema_says(
    moment: datetime, length: int, has_next: bool
) -> None:
    headlines = [headline(moment, id) for id in range(length)]
    page = Page(headlines, has_next)
    assert schemas.PageAnswer().dump(page) == schemas.page_answer(page)


@pytest.mark.parametrize(
    ("moment", "expected"),
    [
        (datetime(2020, 2, 2, 0, 17, 49, 735642, UTC), "2020-02-02T00:17:49.735642"),
        (datetime(2020, 2, 2, 0, 17, 49, 0, UTC), "2020-02-02T00:17:49.000000"),
        (datetime(1, 1, 1, tzinfo=UTC), "0001-01-01T00:00:00.000000"),
    ],
)
def test_a_moment_has_six_fractional_digits_and_no_offset(moment: datetime, expected: str) -> None:
    assert expected == schemas.format_timestamp(moment)


BODIES = [
    pytest.param(each(), id=each.__name__)
    for each in (
        body_schemas.CredentialsBody,
        body_schemas.RegistrationBody,
        body_schemas.TokenBody,
        body_schemas.PasswordBody,
        body_schemas.ArticleBody,
    )
]


@pytest.mark.parametrize("schema", BODIES)
def test_the_fields_of_an_empty_body_are_none(schema: Schema) -> None:
    assert set(fields_of({}, schema).values()) == {None}


@pytest.mark.parametrize("schema", BODIES)
def test_fields_that_nobody_asked_for_are_dropped(schema: Schema) -> None:
    assert fields_of({}, schema) == fields_of({"id": 1, "is_admin": True}, schema)


SENT = st.dictionaries(
    st.sampled_from(["username", "password", "new-password", "access-token", "access_token"])
    | st.sampled_from(["title", "text", "id"])
    | st.text(max_size=5),
    st.none() | st.booleans() | st.integers() | st.text(max_size=5) | st.just([]) | st.just({}),
)


@pytest.mark.parametrize("schema", BODIES)
@given(sent=SENT)
@example(sent={})
@example(sent={"id": 1, "is_admin": True})
def test_a_body_is_read_as_its_schema_loads_it(schema: Schema, sent: dict[str, object]) -> None:
    assert fields_of(sent, schema) == schema.load(sent)
