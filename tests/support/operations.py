"""The lines that docs/operations.md tells an operator to type."""

import re
from pathlib import Path

_OPERATIONS = (Path(__file__).resolve().parents[2] / "docs/operations.md").read_text()


def sections() -> dict[str, list[str]]:
    """The lines by the heading above them."""
    parts = re.split(r"^##+ (.+)$", _OPERATIONS, flags=re.MULTILINE)
    found = {heading: _typed(text) for heading, text in zip(parts[1::2], parts[2::2], strict=True)}
    return {heading: typed for heading, typed in found.items() if typed}


def _typed(text: str) -> list[str]:
    blocks = re.findall(r"^```console\n(.*?)^```", text, re.MULTILINE | re.DOTALL)
    return re.findall(r"^\$ (.+)$", "".join(blocks), re.MULTILINE)
