"""What can be said of the container and of its neighbours without running them."""

import json
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import yaml

from forum.config import Settings
from tests.support.servers import free_port, running

DEPLOY = Path(__file__).resolve().parents[2] / "deploy"
DOCKERFILE = (DEPLOY / "Dockerfile").read_text().replace("\\\n", "")
LAST_STAGE = DOCKERFILE.rpartition("\nFROM ")[2]
SERVICES: dict[str, Any] = yaml.safe_load((DEPLOY / "compose.yaml").read_text())["services"]


def test_the_container_gets_what_it_copies_and_nothing_else() -> None:
    copied = re.findall(r"^COPY (?!--)(.+) \S+$", DOCKERFILE, re.MULTILINE)
    allowed = re.findall(r"^!(.+)$", (DEPLOY / "Dockerfile.dockerignore").read_text(), re.MULTILINE)
    assert sorted(allowed) == sorted(" ".join(copied).split())


def test_the_service_in_the_container_is_not_root() -> None:
    [user] = re.findall(r"^USER (.+)$", LAST_STAGE, re.MULTILINE)
    assert int(user) > 0


@pytest.mark.usefixtures("_no_settings")
def test_the_database_in_the_container_is_on_its_one_volume(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    for name, value in re.findall(r"(FORUM_\w+)=(\S+)", LAST_STAGE):
        monkeypatch.setenv(name, value)
    [volume] = re.findall(r"^VOLUME (.+)$", LAST_STAGE, re.MULTILINE)
    assert Settings.from_environment().database_url.file == Path(volume, "forum.db")


def check_health(port: int) -> int:
    """The status of the check, asking that port of this machine."""
    [command] = re.findall(r"^HEALTHCHECK .*CMD (.+)$", LAST_STAGE, re.MULTILINE)
    python, *words = json.loads(command.replace(":8000/", f":{port}/"))
    assert python == "python"
    return subprocess.run([sys.executable, *words], capture_output=True, check=False).returncode


def test_a_container_that_serves_is_healthy(tmp_path: Path) -> None:
    with running(tmp_path, WORKERS="1") as server:
        assert check_health(server.port) == 0


def test_a_container_that_does_not_serve_is_not_healthy() -> None:
    assert check_health(free_port()) == 1


def test_the_container_listens_where_its_health_is_checked() -> None:
    assert "http://127.0.0.1:8000/" in LAST_STAGE
    assert "FORUM_BIND=0.0.0.0:8000" in LAST_STAGE


@pytest.fixture
def settings(monkeypatch: pytest.MonkeyPatch, _no_settings: None) -> Settings:
    """The settings of the service beside its neighbours, with made-up secrets."""
    for name, value in SERVICES["forum"]["environment"].items():
        monkeypatch.setenv(name, re.sub(r"\$\{.+?}", "x" * 32, value))
    return Settings.from_environment()


def address(service: str) -> str:
    found: str = SERVICES[service]["networks"]["default"]["ipv4_address"]
    return found


def test_the_service_trusts_its_neighbour_nginx(settings: Settings) -> None:
    assert settings.trusted_proxies == (address("nginx"),)


def test_the_service_finds_its_neighbour_postgres(settings: Settings) -> None:
    assert "postgres" in SERVICES
    assert str(settings.database_url) == "postgresql://***@postgres/forum"


def test_nginx_passes_on_to_its_neighbour_the_service() -> None:
    [(old, new)] = re.findall(r"sed s/(.+?)/(.+?)/ ", SERVICES["nginx"]["command"][-1])
    assert f"server {old};" in (DEPLOY / "nginx.conf").read_text()
    assert new == f"{address('forum')}:8000"
