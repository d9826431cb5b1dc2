"""Ids as clients write them."""

import re

_PLAIN_DECIMAL = re.compile(r"[1-9][0-9]{0,18}", re.ASCII)

MAX_ID = 2**63 - 1
"""The largest key of a 64-bit integer column, in SQLite and in PostgreSQL alike."""


def parse_id(text: str) -> int | None:
    """The id that the text spells in plain decimal digits without leading zeros, or None."""
    if not _PLAIN_DECIMAL.fullmatch(text):
        return None
    number = int(text)
    return number if number <= MAX_ID else None
