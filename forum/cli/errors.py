"""How commands end where something goes wrong."""

import os
import signal
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import click

from forum.environment import BadSetting

_INTERRUPTED = 128 + signal.SIGINT
"""The status of a command that was interrupted, as shells report it."""


class OneLineErrors(click.Group):
    """Ends with status 1 and one line where the surroundings are at fault, and with 130 at SIGINT.

    Whatever a line quotes, no terminal obeys it.
    """

    def make_context(self, *arguments: Any, **extra: Any) -> click.Context:
        with _one_line():
            return super().make_context(*arguments, **extra)

    def invoke(self, context: click.Context) -> object:
        with _interruptible(), _one_line():
            return super().invoke(context)


@contextmanager
def _one_line() -> Iterator[None]:
    try:
        yield
    except BadSetting as error:
        message = " ".join(str(error).split())
        raise click.ClickException(printable(message)) from error
    except click.ClickException as error:
        message = error.format_message()
        if message.isprintable():
            raise
        raise _Refusal(printable(message), error.exit_code) from error


@contextmanager
def _interruptible() -> Iterator[None]:
    """Ends the process at SIGINT, after what surrounds the work has cleaned up."""
    is_interrupted = False

    def interrupt(number: int, frame: object) -> None:
        nonlocal is_interrupted
        is_interrupted = True
        signal.signal(signal.SIGINT, signal.SIG_IGN)  # A second one would disturb the cleaning.
        raise KeyboardInterrupt

    before = signal.signal(signal.SIGINT, interrupt)
    try:
        yield
    except BaseException:
        if not is_interrupted:  # Else it may be what an interrupted connection makes of it.
            raise
        click.echo("Error: interrupted", err=True)
        os._exit(_INTERRUPTED)  # Nobody waits for threads that are still hashing.
    finally:
        signal.signal(signal.SIGINT, before)


class _Refusal(click.ClickException):
    """One line, also for a mistake of usage."""

    def __init__(self, message: str, exit_code: int) -> None:
        super().__init__(message)
        self.exit_code = exit_code  # type: ignore[misc]  # click declares it for the class


def printable(text: str) -> str:
    """The text with escapes in the place of control characters, and of bytes that are not UTF-8."""
    return "".join(each if each.isprintable() else repr(each)[1:-1] for each in text)
