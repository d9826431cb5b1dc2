"""What the process says about itself: one format, whoever starts it and whoever writes the line.

What has time goes through the standard library's loggers; what has none, the line of each request,
is written by `lines` in a third of it.

Every line goes to the standard error. A value that a client chose can neither end a line nor look
like another field: it is quoted, in ASCII.
"""

import json
import logging
import re
import sys
from collections.abc import Callable, MutableMapping
from contextlib import suppress
from contextvars import ContextVar
from datetime import UTC, datetime
from typing import Any

import orjson
import structlog

request_id: ContextVar[str] = ContextVar("request_id")
"""That of the request that is being answered, for every line about it."""

FORMATS = ("auto", "console", "json")
LEVELS = ("debug", "info", "warning", "error")

_PLAIN = re.compile(r"[\w.:/@+-]+", re.ASCII)

_encode_any = json.JSONEncoder(default=str).encode

_Event = MutableMapping[str, Any]
_Renderer = Callable[[object, str, _Event], str]


def configure(log_format: str, level: str) -> None:
    """Write in this format (auto: console on a terminal, json elsewhere) from this level on.

    What gunicorn writes is formatted alike, wherever it is sent. May be called again.
    """
    is_console = log_format == "console" or (log_format == "auto" and sys.stderr.isatty())
    formatter = make_formatter(is_console=is_console)
    lines.render = _renderer(is_console=is_console)
    root = logging.getLogger()
    root.setLevel(level.upper())
    if not any(isinstance(each, _StandardError) for each in root.handlers):
        root.addHandler(_StandardError())
    for handler in [*root.handlers, *logging.getLogger("gunicorn.error").handlers]:
        if isinstance(handler, _StandardError) or hasattr(handler, "_gunicorn"):
            handler.setFormatter(formatter)


def make_formatter(*, is_console: bool) -> logging.Formatter:
    """What turns a record into a line for people, or into one of JSON."""
    return structlog.stdlib.ProcessorFormatter(
        foreign_pre_chain=[
            _with_request_id,
            structlog.stdlib.add_logger_name,
            _with_time_and_level,
            structlog.stdlib.ExtraAdder(),
            _without_leftovers,
            structlog.processors.format_exc_info,
        ],
        processors=[
            structlog.stdlib.ProcessorFormatter.remove_processors_meta,
            _renderer(is_console=is_console),
        ],
    )


def _renderer(*, is_console: bool) -> _Renderer:
    return _render_for_people if is_console else _render_json


def _with_time_and_level(logger: object, name: str, event: _Event) -> _Event:
    return {**_first_fields(name, event.pop("logger"), event.pop("event")), **event}


def _first_fields(level: str, logger: str, event: str) -> dict[str, Any]:
    moment = datetime.now(UTC).isoformat(timespec="microseconds")
    return {"timestamp": f"{moment[:26]}Z", "level": level, "logger": logger, "event": event}


def _with_request_id(logger: object, name: str, event: _Event) -> _Event:
    if id := request_id.get(None):
        event["request_id"] = id
    return event


def _without_leftovers(logger: object, name: str, event: _Event) -> _Event:
    """The fields without those that the standard library leaves in a record it has formatted."""
    for each in ("message", "asctime"):
        event.pop(each, None)
    return event


def _write(line: str) -> None:
    sys.stderr.write(line + "\n")
    sys.stderr.flush()


class _StandardError(logging.Handler):
    """Writes to what is the standard error at that moment."""

    def emit(self, record: logging.LogRecord) -> None:
        try:
            _write(self.format(record))
        except Exception:  # noqa: BLE001  # as every handler of the standard library does
            self.handleError(record)


def _render_json(logger: object, name: str, event: _Event) -> str:
    """JSON in printable ASCII."""
    with suppress(TypeError):  # It knows no lone surrogates and no large numbers.
        line = orjson.dumps(event, default=str)  # in a sixth of the time
        if line.isascii() and b"\x7f" not in line:
            return line.decode()
    return _encode_any(event).replace("\x7f", "\\u007f")


def _render_for_people(logger: object, name: str, event: _Event) -> str:
    """A line, with each line of a traceback below it indented, so that none passes for another."""
    traceback = event.pop("exception", "")
    first = [event.pop("timestamp"), event.pop("level").upper(), event.pop("logger")]
    words = [*first, json.dumps(event.pop("event"))]
    words += [f"{key}={_quoted(value)}" for key, value in event.items()]
    lines = [f"    {json.dumps(each)[1:-1]}" for each in traceback.splitlines()]
    return "\n".join([" ".join(words), *lines]).replace("\x7f", "\\u007f")


def _quoted(value: object) -> str:
    text = str(value)
    return text if _PLAIN.fullmatch(text) else json.dumps(text)


class Lines:
    """Writes lines, whatever the level that is set."""

    def __init__(self) -> None:
        self.render: _Renderer = _render_json

    def write(self, logger: str, event: str, **fields: object) -> None:
        """Write a line with these fields."""
        _write(self.render(None, "info", _first_fields("info", logger, event) | fields))


lines = Lines()
"""The ones of this process."""
