"""The front page, used as people use it."""

import re
from collections.abc import Callable
from pathlib import Path

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, Page, expect

from tests.support.servers import PASSWORD, Server

HOSTILE = "<img src=x onerror=document.title='hacked'><script>alert(1)</script>&amp;\u202e"


STATIC = Path(__file__).resolve().parents[2] / "forum/http/static"


def submit(page: Page, **values: str) -> None:
    """Fill the form of the page and send it."""
    for name, value in values.items():
        page.fill(f"#{name.replace('_', '-')}", value)
    page.click("button[type=submit]")


def heading(page: Page, words: str) -> None:
    """Wait until the page shows this view."""
    expect(page.locator("main[aria-busy]")).to_have_count(0)
    expect(page.locator("h1")).to_have_text(words)


def register(page: Page, url: str, username: str = "alice#1") -> None:
    page.goto(f"{url}/#/register")
    submit(page, username=username, password=PASSWORD)
    heading(page, "Latest articles")


@pytest.fixture
def write(server: Server) -> Callable[..., int]:
    """Makes an article without the page."""
    token = server.sign_up("bobby#2")

    def post(title: str, text: str = "A text") -> int:
        body = {"title": title, "text": text, "access-token": token}
        id: int = server.call("POST", "/articles/new", body)[1]["id"]
        return id

    return post


def test_an_empty_forum_says_what_to_do(page: Page, url: str) -> None:
    page.goto(url)
    page.get_by_role("link", name="Register and write the first article").click()
    heading(page, "Register")


def test_a_user_registers_writes_edits_and_deletes(page: Page, url: str) -> None:
    register(page, url)
    page.get_by_role("link", name="Write", exact=True).click()
    submit(page, title="Hello", text="Hello, world")
    heading(page, "Hello")
    expect(page.locator(".text")).to_have_text("Hello, world")
    page.get_by_role("link", name="Edit").click()
    submit(page, title="Hello again", text="Two\nlines")
    heading(page, "Hello again")
    page.get_by_role("button", name="Delete …").click()
    page.get_by_role("button", name="Keep it").click()
    page.get_by_role("button", name="Delete …").click()
    page.get_by_role("button", name="Delete it").click()
    heading(page, "Latest articles")
    expect(page.locator("main")).to_contain_text("Nothing has been written here yet.")


def test_a_user_logs_out_and_in(page: Page, url: str) -> None:
    register(page, url)
    page.get_by_role("link", name="alice#1").click()
    page.get_by_role("button", name="Log out").click()
    page.get_by_role("link", name="Log in").click()
    submit(page, username="alice#1", password=PASSWORD)
    expect(page.get_by_role("link", name="alice#1")).to_be_visible()


def test_a_user_sees_their_sessions_and_ends_others(page: Page, url: str, server: Server) -> None:
    register(page, url)
    login = {"username": "alice#1", "password": PASSWORD}
    for _ in range(2):
        server.call("POST", "/login", login)
    page.goto(f"{url}/#/account")
    expect(page.locator(".rows li")).to_have_count(3)
    page.locator(".rows button").first.click()
    expect(page.locator(".rows li")).to_have_count(2)
    page.get_by_role("button", name="Log out everywhere else").click()
    expect(page.locator(".rows li")).to_have_count(1)


def test_a_user_changes_the_password_and_stays(page: Page, url: str, server: Server) -> None:
    register(page, url)
    page.goto(f"{url}/#/account")
    submit(page, password=PASSWORD, new_password="Password#2")
    expect(page.locator("#password")).to_have_value("")
    login = {"username": "alice#1", "password": "Password#2"}
    assert server.call("POST", "/login", login)[0] == 200
    page.goto(f"{url}/#/new")
    heading(page, "Write")


@pytest.mark.parametrize(
    ("view", "values", "field", "sentence"),
    [
        ("register", {"username": "x", "password": "x"}, "username", "Bad username format."),
        ("register", {"username": "carol#3", "password": "x"}, "password", "Bad password format."),
        (
            "register",
            {"username": "bobby#2", "password": PASSWORD},
            "username",
            "User with such username already exists.",
        ),
        ("new", {"title": "x" * 301, "text": "x"}, "title", "Bad article title format."),
        (
            "account",
            {"password": PASSWORD, "new_password": "x"},
            "new-password",
            "Bad new password format.",
        ),
        (
            "account",
            {"password": "x", "new_password": "Password#2"},
            "password",
            "Uncorrect password.",
        ),
    ],
)
@pytest.mark.usefixtures("write")
def test_a_refusal_stands_at_its_field(
    refused_page: Page, url: str, *, view: str, values: dict[str, str], field: str, sentence: str
) -> None:
    register(refused_page, url)
    refused_page.goto(f"{url}/#/{view}")
    refused_page.locator("form").wait_for()
    submit(refused_page, **values)
    expect(refused_page.locator(f"#{field}-problem")).to_have_text(sentence)
    expect(refused_page.locator(f"#{field}")).to_be_focused()
    assert refused_page.locator("[aria-invalid]").count() == 1


def test_a_refusal_of_no_field_stands_at_the_form(refused_page: Page, url: str) -> None:
    refused_page.goto(f"{url}/#/login")
    submit(refused_page, username="nobody", password=PASSWORD)
    expect(refused_page.locator("form > .problem")).to_have_text(
        "Uncorrect username or/and password."
    )


def test_pages_are_turned_and_the_back_button_turns_them_back(
    page: Page, url: str, write: Callable[..., int]
) -> None:
    for number in range(11):
        write(f"Number {number}")
    page.goto(url)
    expect(page.locator(".articles a").first).to_have_text("Number 10")
    page.get_by_role("link", name="Older →").click()
    expect(page.locator(".articles h2")).to_have_text(["Number 0"])
    page.get_by_role("link", name="Number 0").click()
    heading(page, "Number 0")
    page.get_by_role("link", name="bobby#2").click()
    heading(page, "bobby#2")
    expect(page.locator(".articles h2")).to_have_count(10)
    for words in ("Number 0", "Latest articles"):
        page.go_back()
        heading(page, words)
    assert page.url.endswith("/#/page/2")


def test_an_address_leads_to_its_view(page: Page, url: str, write: Callable[..., int]) -> None:
    page.goto(f"{url}/#/articles/{write('Deep')}")
    heading(page, "Deep")
    assert page.title() == "Deep · Forum"


def test_what_is_not_there_is_said(refused_page: Page, url: str) -> None:
    for view in ("articles/999", "users/999", "nonsense", "articles/x"):
        refused_page.goto(url)
        heading(refused_page, "Latest articles")
        refused_page.goto(f"{url}/#/{view}")
        heading(refused_page, "Nothing here")


def test_hostile_words_are_shown_as_text(page: Page, url: str, write: Callable[..., int]) -> None:
    id = write(HOSTILE, HOSTILE * 2)
    page.goto(url)
    expect(page.locator(".articles h2")).to_have_text(HOSTILE)
    page.goto(f"{url}/#/articles/{id}")
    heading(page, HOSTILE)
    expect(page.locator(".text")).to_have_text(HOSTILE * 2)
    assert page.locator("main img, main script").count() == 0


def test_a_session_that_is_over_loses_nothing_that_was_written(
    refused_page: Page, url: str, server: Server
) -> None:
    page = refused_page
    register(page, url)
    page.goto(f"{url}/#/new")
    heading(page, "Write")
    token = page.evaluate("JSON.parse(localStorage.getItem('forum.login')).token")
    server.call("POST", "/logout", {"access-token": token})
    submit(page, title="Kept", text="Nothing of this is lost")
    heading(page, "Log in")
    submit(page, username="alice#1", password=PASSWORD)
    heading(page, "Write")
    expect(page.locator("#text")).to_have_value("Nothing of this is lost")
    page.click("button[type=submit]")
    heading(page, "Kept")
    page.goto(f"{url}/#/new")
    heading(page, "Write")
    expect(page.locator("#text")).to_have_value("")


def test_who_is_offline_is_told_and_may_try_again(refused_page: Page, url: str) -> None:
    page = refused_page
    page.goto(f"{url}/#/login")
    heading(page, "Log in")
    page.context.set_offline(offline=True)
    submit(page, username="alice#1", password=PASSWORD)
    expect(page.locator("form > .problem")).to_have_text("The forum cannot be reached.")
    page.get_by_role("link", name="Forum", exact=True).click()
    heading(page, "That did not work")
    page.context.set_offline(offline=False)
    page.get_by_role("button", name="Try again").click()
    heading(page, "Latest articles")


def test_the_token_is_in_no_address(page: Page, url: str) -> None:
    addresses: list[str] = []
    page.on("request", lambda request: addresses.append(request.url))
    register(page, url)
    token = page.evaluate("JSON.parse(localStorage.getItem('forum.login')).token")
    page.goto(f"{url}/#/account")
    page.get_by_role("button", name="Log out").click()
    heading(page, "Latest articles")
    assert any("/sessions" in each for each in addresses)
    assert [each for each in [*addresses, page.url] if token in each] == []


def test_the_keyboard_is_enough(page: Page, url: str) -> None:
    page.goto(url)
    heading(page, "Latest articles")
    page.keyboard.press("Tab")
    expect(page.get_by_role("link", name="Skip to the content")).to_be_focused()
    page.keyboard.press("Enter")
    expect(page.locator("main")).to_be_focused()
    page.goto(f"{url}/#/register")
    expect(page.locator("#username")).to_be_focused()
    page.keyboard.type("alice#1")
    page.keyboard.press("Tab")
    page.keyboard.type(PASSWORD)
    page.keyboard.press("Enter")
    heading(page, "Latest articles")


SHIFTS = """new Promise((resolve) => {
    let sum = 0;
    const observer = new PerformanceObserver((list) => {
        for (const each of list.getEntries()) sum += each.value;
    });
    observer.observe({ type: "layout-shift", buffered: true });
    requestAnimationFrame(() => requestAnimationFrame(() => resolve(sum)));
})"""


@pytest.mark.parametrize(
    ("width", "scheme", "is_full"),
    [(360, "dark", True), (1280, "light", True), (1280, "dark", False), (360, "light", False)],
)
def test_every_view_is_accessible_and_fits(
    browser: Browser,
    url: str,
    write: Callable[..., int],
    tmp_path: Path,
    *,
    width: int,
    scheme: str,
    is_full: bool,
) -> None:
    for number in range(12 if is_full else 0):
        write(f"{number}: a title that is as long as titles often are, and longer {'x' * 60}")
    size = {"width": width, "height": 800}
    page = browser.new_page(viewport=size, color_scheme=scheme, reduced_motion="reduce")  # type: ignore[arg-type]
    register(page, url)
    every = ["", "new", "account", "users/1", "login", "nonsense", "articles/1"]
    for view in every if is_full else ["", "users/1"]:  # The others look the same without articles.
        page.goto(f"{url}/#/{view}")
        expect(page.locator("main[aria-busy]")).to_have_count(0)
        page.screenshot(path=tmp_path / f"{view.replace('/', '-')}-{width}-{scheme}.png")
        found = Axe().run(page)
        assert found.violations_count == 0, (view, found.generate_report())
        assert page.evaluate("document.documentElement.scrollWidth") <= width, view
        assert page.evaluate("getComputedStyle(document.querySelector('main')).transition") in (
            "all", "none", "all 0s ease 0s",
        )  # fmt: skip
    page.goto("about:blank")
    page.goto(url)
    heading(page, "Latest articles")
    assert page.evaluate(SHIFTS) < 0.05
    page.close()


def test_a_dialog_is_accessible(page: Page, url: str) -> None:
    register(page, url)
    page.goto(f"{url}/#/new")
    submit(page, title="Hello", text="Hello, world")
    page.get_by_role("button", name="Delete …").click()
    found = Axe().run(page)
    assert found.violations_count == 0, found.generate_report()
    page.keyboard.press("Escape")
    expect(page.locator("dialog")).to_have_count(0)


def test_all_of_it_fits_into_forty_kilobytes() -> None:
    assert sum(path.stat().st_size for path in STATIC.iterdir()) <= 40 * 1024


def test_times_are_told_as_people_do(page: Page, url: str, write: Callable[..., int]) -> None:
    write("New")
    page.goto(url)
    expect(page.locator("time")).to_have_text("just now")
    assert re.match(r"\w+day, \w+ \d+", page.locator("time").get_attribute("title") or "")
