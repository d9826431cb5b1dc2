"""The variables of the environment that belong to the forum."""

import os
import re
from collections.abc import Collection
from difflib import get_close_matches

PREFIX = "FORUM_"

FILE = "_FILE"
"""Ends the name of a variable that names a file with the value: containers get secrets so."""

_INJECTED = re.compile(
    r"FORUM_(\w+_)?(SERVICE_HOST|SERVICE_PORT(_\w+)?|PORT(_\d+_(TCP|UDP|SCTP)(_(PROTO|PORT|ADDR))?)?)"
)
"""What Kubernetes, and links of Docker, tell every container about a service that is called forum,
or forum-something.
"""


class BadSetting(Exception):
    """A setting that the service cannot safely start with; the text says what to do."""


def require_known(known: Collection[str], in_files: Collection[str]) -> None:
    """Raise `BadSetting` at a variable that is no setting.

    Those `in_files` may stand in a file that a second variable names, instead.
    """
    files = {name + FILE for name in in_files}
    for name in sorted(each for each in os.environ if each.startswith(PREFIX)):
        if not _has_utf8(name + os.environ[name]):
            raise BadSetting(f"{name} is not UTF-8")
        if name in files and not os.environ[name]:
            raise unreadable(name)
        if name in files and name.removesuffix(FILE) in os.environ:
            raise BadSetting(f"set {name.removesuffix(FILE)} or {name}, not both")
        if name not in files and name not in known and not _INJECTED.fullmatch(name):
            raise BadSetting(f"{name} is no setting; {_advice(name, {*known, *files})}")


def unreadable(name: str) -> BadSetting:
    """The refusal where the variable of this name should name a file."""
    return BadSetting(f"{name} must name a readable file of text")


def _advice(name: str, known: Collection[str]) -> str:
    nearest = get_close_matches(name, sorted(known), n=1, cutoff=0.75)
    return f"did you mean {nearest[0]}?" if nearest else "forum config prints all that there are"


def _has_utf8(text: str) -> bool:
    return text.encode(errors="replace").decode() == text
