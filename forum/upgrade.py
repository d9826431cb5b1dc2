"""What this process knows about the master beside which it was started, by SIGUSR2."""

import os


def is_beside_another() -> bool:
    """Whether a master of gunicorn, which still serves, has started this one with its sockets."""
    return "GUNICORN_PID" in os.environ
