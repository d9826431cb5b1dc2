"""What a deployment installs, held to the versions that are tested."""

import re
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
REQUIREMENTS = (ROOT / "deploy/requirements.txt").read_text().replace("\\\n", "")
HASHED = re.compile(r"\S+==\S+( +--hash=sha256:[0-9a-f]{64})+")


def pins(text: str) -> set[tuple[str, str]]:
    """Names, as the index compares them, and versions."""
    found = re.findall(r"^([\w.-]+)==(\S+)", text, re.MULTILINE)
    return {(re.sub(r"[-_.]+", "-", name).lower(), version) for name, version in found}


def test_the_versions_are_those_that_are_tested() -> None:
    assert pins(REQUIREMENTS) <= pins((ROOT / "constraints.txt").read_text())


def test_every_line_is_a_version_with_hashes() -> None:
    lines = REQUIREMENTS.splitlines()
    assert [each for each in lines if not HASHED.fullmatch(each.strip())] == []


def test_the_driver_for_postgres_comes_along() -> None:
    assert {"psycopg", "psycopg-binary"} <= {name for name, _ in pins(REQUIREMENTS)}
