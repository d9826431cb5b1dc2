"""The units for systemd, and what else names the same files and addresses."""

import shutil
import subprocess
from pathlib import Path

import pytest
from gunicorn.config import Config

from forum.config import Settings
from tests.deploy.conftest import require
from tests.support.units import Unit

DEPLOY = Path(__file__).resolve().parents[2] / "deploy"
SERVICES = ["forum.service", "forum-backup.service"]
UNITS = [*SERVICES, "forum.socket", "forum-backup.timer"]
SERVICE = Unit(DEPLOY / "forum.service")


@pytest.fixture
def settings(monkeypatch: pytest.MonkeyPatch, _no_settings: None) -> Settings:
    """The settings that the units start with."""
    for line in (DEPLOY / "forum.env").read_text().splitlines():
        if not line.startswith("#"):
            monkeypatch.setenv(*line.split("=", 1))
    return Settings.from_environment()


def test_systemd_finds_nothing_to_complain_of(tmp_path: Path) -> None:
    require("systemd-analyze")
    for name in UNITS:
        text = (DEPLOY / name).read_text()
        (tmp_path / name).write_text(text.replace("/opt/forum/bin/forum", "/bin/true"))
    command = ["systemd-analyze", "verify", "--man=no", *UNITS]
    verified = subprocess.run(
        command, cwd=tmp_path, capture_output=True, text=True, check=False, timeout=60
    )
    assert (verified.returncode, verified.stderr) == (0, "")


@pytest.mark.parametrize("name", SERVICES)
def test_a_service_may_do_little(name: str, tmp_path: Path) -> None:
    require("systemd-analyze")
    shutil.copy(DEPLOY / name, tmp_path)
    at_most = "--threshold=20"  # In tenths.
    command = ["systemd-analyze", "security", "--offline=yes", at_most, f"./{name}"]
    judged = subprocess.run(
        command, cwd=tmp_path, capture_output=True, text=True, check=False, timeout=60
    )
    assert (judged.returncode, judged.stderr) == (0, ""), judged.stdout


def test_the_database_is_where_the_service_may_write(settings: Settings) -> None:
    [folder] = SERVICE.values("StateDirectory")
    assert settings.database_url.file
    assert settings.database_url.file.parent == Path("/var/lib", folder)


def test_the_proxy_passes_on_to_the_socket() -> None:
    [address] = Unit(DEPLOY / "forum.socket").values("ListenStream")
    assert f"server {address};" in (DEPLOY / "nginx.conf").read_text()


def test_the_proxy_is_trusted(settings: Settings) -> None:
    [address] = Unit(DEPLOY / "forum.socket").values("ListenStream")
    assert address.partition(":")[0] in settings.trusted_proxies


def test_prometheus_asks_where_metrics_are_served(settings: Settings) -> None:
    assert f'targets: ["{settings.metrics_bind}"]' in (DEPLOY / "prometheus.yml").read_text()


def test_requests_under_way_may_end_before_the_service_is_killed() -> None:
    [seconds] = SERVICE.values("TimeoutStopSec")
    assert int(seconds) > Config().settings["graceful_timeout"].get()
