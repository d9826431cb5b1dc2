"""The calls that the documents print, made as printed."""

import json
import re
import subprocess
from pathlib import Path

import pytest

from tests.support.openapi import check
from tests.support.servers import Server, running

ROOT = Path(__file__).resolve().parents[2]

PRINTED = {
    path.name: block
    for path in [ROOT / "README.md", *(ROOT / "docs").glob("*.md")]
    for block in re.findall(r"```sh\n(.*?)```", path.read_text(), re.DOTALL)
    if "curl" in block
}
"""The blocks with calls, by the document."""

NOTING = """
set -e
curl() {
    command curl --show-error --dump-header headers "$@" --write-out \
        '%{stderr}%{method} %{http_code} %{url_effective}\\n' | tee --append answers
    echo >> answers
}
"""
"""Each call leaves its answer in a line of a file."""


@pytest.mark.parametrize("block", PRINTED.values(), ids=PRINTED)
def test_every_printed_call_is_answered_as_documented(tmp_path: Path, block: str) -> None:
    with running(tmp_path) as server:
        done = call(server, block, tmp_path)
    calls = [line.split(" ") for line in done.stderr.splitlines()]
    answers = [json.loads(line) for line in (tmp_path / "answers").read_text().splitlines()]
    assert len(calls) == len(answers) == block.count("curl -s")
    for (method, status, url), answer in zip(calls, answers, strict=True):
        assert status == "200", (method, url, answer)
        target = url.partition(str(server.port))[2]
        check(method, target, int(status), {"x-request-id", "etag"}, answer)


def call(server: Server, block: str, folder: Path) -> subprocess.CompletedProcess[str]:
    script = NOTING + block.replace("127.0.0.1:8000", f"127.0.0.1:{server.port}")
    return subprocess.run(
        ["bash", "-c", script], cwd=folder, capture_output=True, text=True, check=True
    )


def test_the_readme_prints_calls() -> None:
    assert "README.md" in PRINTED
