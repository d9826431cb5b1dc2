"""What the words of the command line may be."""

from pathlib import Path
from typing import Any

import click


class Word(click.ParamType[str]):
    """A word of the command line in UTF-8: no name, no URL and no id is anything else."""

    name = "text"

    def convert(self, value: str, param: click.Parameter | None, ctx: click.Context | None) -> str:
        return _require_utf8(value, param)


class File(click.Path):
    """The path of a file in UTF-8: SQLite takes no other."""

    def __init__(self, *, must_exist: bool) -> None:
        super().__init__(exists=must_exist, dir_okay=not must_exist, path_type=Path)

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Any:
        return super().convert(_require_utf8(value, param), param, ctx)


def _require_utf8(value: str, param: click.Parameter | None) -> str:
    try:
        value.encode()
    except UnicodeEncodeError:
        name = param.human_readable_name if param else "a word"
        raise click.ClickException(f"{name} is not UTF-8") from None
    return value


WORD = Word()
