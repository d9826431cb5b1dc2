"""Lines of the log, whatever their fields are."""

import json

import pytest

from forum import logs
from forum.logs import lines


@pytest.mark.parametrize(
    ("value", "read"),
    [
        ("plain", "plain"),
        (2**70, 2**70),
        ("\ud800", "\ud800"),
        ("\u202e\x7f", "\u202e\x7f"),
        (None, None),
        (0.000012, 0.000012),
        (b"x", "b'x'"),
    ],
)
def test_a_line_of_json_is_printable_ascii(
    capsys: pytest.CaptureFixture[str], value: object, read: object
) -> None:
    logs.configure("json", "error")
    lines.write("forum.access", "request", field=value)
    written = capsys.readouterr().err
    assert written.endswith("\n")
    assert written[:-1].isascii()
    assert written[:-1].isprintable()
    line = json.loads(written)
    assert list(line) == ["timestamp", "level", "logger", "event", "field"]
    assert line["field"] == read
