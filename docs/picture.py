"""Takes docs/front-page.png: the front page of a forum that `forum demo` has filled."""

import os
import shutil
import subprocess
import sys
import tempfile
import time
import urllib.request
from pathlib import Path

from playwright.sync_api import sync_playwright

URL = "http://127.0.0.1:8765"
PICTURE = Path(__file__).with_name("front-page.png")


def main() -> None:
    """Fill, serve, look."""
    with tempfile.TemporaryDirectory() as folder:
        environment = os.environ | {"FORUM_BIND": URL.partition("//")[2]}
        command = [sys.executable, "-m", "forum"]
        subprocess.run([*command, "demo"], cwd=folder, env=environment, check=True)
        server = subprocess.Popen([*command, "serve"], cwd=folder, env=environment)
        try:
            _await_server()
            _take()
        finally:
            server.terminate()
            server.wait()


def _await_server() -> None:
    for _ in range(100):
        try:
            urllib.request.urlopen(URL).close()
        except OSError:
            time.sleep(0.1)


def _take() -> None:
    with sync_playwright() as playwright:
        arguments = ["--no-sandbox"] if os.geteuid() == 0 else []
        chromium = shutil.which("chromium")
        browser = playwright.chromium.launch(executable_path=chromium, args=arguments)
        page = browser.new_page(viewport={"width": 900, "height": 620}, reduced_motion="reduce")
        page.goto(URL)
        page.locator(".articles").wait_for()
        page.screenshot(path=PICTURE)
        browser.close()


if __name__ == "__main__":
    main()
