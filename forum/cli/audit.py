"""`forum audit`: what was done to accounts."""

import json
from dataclasses import asdict

import click

from forum.cli.errors import printable
from forum.cli.parameters import WORD
from forum.cli.tables import aligned, timestamp
from forum.config import Settings
from forum.domain.model import AuditEntry
from forum.storage import opened_repositories


@click.command()
@click.argument("username", type=WORD, required=False)
@click.option(
    "--limit", type=click.IntRange(1, 10**6), default=1000, show_default=True,
    help="Print the latest of them only.",
)  # fmt: skip
@click.option("--json", "as_json", is_flag=True, help="Print an array of JSON, for programs.")
def audit(username: str | None, limit: int, as_json: bool) -> None:
    """Print what was done to all accounts, or to that of USERNAME.

    Logins and failed ones, ended sessions, changed passwords, and what operators did: when, what,
    to whom, by whom and from where; the latest comes last. Accounts that were deleted are there,
    too. Entries are kept for FORUM_AUDIT_LIFETIME.
    """
    with opened_repositories(Settings.from_environment()) as repositories:
        entries = repositories.audit.latest(username, limit)[::-1]
    if as_json:
        click.echo(json.dumps([_as_json(each) for each in entries], indent=2))
    else:
        for line in aligned(
            ("TIME", "EVENT", "USER", "BY", "FROM", "DETAILS"), map(_cells, entries)
        ):
            click.echo(line)


def _as_json(entry: AuditEntry) -> dict[str, object]:
    return asdict(entry) | {"moment": timestamp(entry.moment)}


def _cells(entry: AuditEntry) -> tuple[str, ...]:
    who = f"{entry.username} ({entry.user_id})"
    words = (entry.event, who, entry.actor, entry.address, entry.details)
    return f"{entry.moment:%F %T}", *map(printable, words)
