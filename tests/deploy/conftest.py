"""Programs that deployments need, and machines of developers may lack."""

import os
import shutil

import pytest


def require(*programs: str) -> None:
    """Skip what needs these programs where one is missing, but in CI."""
    missing = [each for each in programs if not shutil.which(each)]
    if missing and "CI" not in os.environ:
        pytest.skip(f"{missing[0]} is not installed")
