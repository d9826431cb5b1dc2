"""Errors in one line."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import click

from forum.config import BadSetting


class OneLineErrors(click.Group):
    """Ends with status 1 and one line where the surroundings are at fault.

    Whatever a line quotes, no terminal obeys it.
    """

    def make_context(self, *arguments: Any, **extra: Any) -> click.Context:
        with _one_line():
            return super().make_context(*arguments, **extra)

    def invoke(self, context: click.Context) -> object:
        with _one_line():
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


class _Refusal(click.ClickException):
    """One line, also for a mistake of usage."""

    def __init__(self, message: str, exit_code: int) -> None:
        super().__init__(message)
        self.exit_code = exit_code  # type: ignore[misc]  # click declares it for the class


def printable(text: str) -> str:
    """The text with escapes in the place of control characters, and of bytes that are not UTF-8."""
    return "".join(each if each.isprintable() else repr(each)[1:-1] for each in text)
