"""The documents, held to the code."""

import re
from pathlib import Path

from forum.http.errors import ANSWERS
from forum.http.routes import ROUTES, Route

ROOT = Path(__file__).resolve().parents[1]
README = (ROOT / "README.md").read_text()

Row = tuple[str, frozenset[str], frozenset[int]]
"""A method and a path, the fields of the body, and the statuses of refusals."""


def printed() -> set[Row]:
    """The rows of the README's table."""
    lines = re.findall(r"^\| `(\w+ /.*?)` \|(.*?)\|.*\|(.*?)\|$", README, re.MULTILINE)
    return {
        (
            route.partition("?")[0],
            frozenset(re.findall(r"`(.+?)`", body)),
            frozenset(map(int, re.findall(r"\b\d{3}\b", refusals))),
        )
        for route, body, refusals in lines
    }


def built(route: Route) -> Row:
    """What stands in the README for a route, if all is well."""
    fields = route.body().fields if route.body else {}
    statuses = {ANSWERS[each].status for each in route.refusals}
    return (
        f"{route.method} {re.sub(r'{.+?}', '{id}', route.path)}",
        frozenset(each.data_key or name for name, each in fields.items()),
        frozenset(statuses | {401} if route.needs_token else statuses),
    )


def test_the_readme_has_every_route_and_no_other() -> None:
    assert printed() == {built(route) for route in ROUTES}


def test_the_readme_stays_short() -> None:
    assert len(README.splitlines()) <= 250


def test_no_document_installs_the_program_of_others() -> None:
    documents = [ROOT / "README.md", *(ROOT / "docs").glob("*.md"), *(ROOT / "forum").rglob("*.py")]
    assert [each for each in documents if re.search(r"install '?forum\b", each.read_text())] == []
