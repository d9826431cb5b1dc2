"""What this process knows about the master beside which it was started, by SIGUSR2."""

import os
from collections.abc import MutableMapping

_SCHEMA = "GUNICORN_FORUM_SCHEMA"
"""The variable in which it is left. (Those that begin with FORUM_ are settings.)"""


def is_beside_another() -> bool:
    """Whether a master of gunicorn, which still serves, has started this one with its sockets."""
    return "GUNICORN_PID" in os.environ


def running_schema() -> int | None:
    """The version of the schema that the other master's program makes; None where there is none.

    0 where that does not say so.
    """
    return int(os.environ.get(_SCHEMA, "0")) if is_beside_another() else None


def tell_schema(environment: MutableMapping[str, str], version: int) -> None:
    """Leave the version of the schema in what will be the environment of another master."""
    environment[_SCHEMA] = str(version)
