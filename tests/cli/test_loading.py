"""What a command loads before it does anything."""

import subprocess
import sys

import click
import pytest

from forum.cli import _LATER, main


@pytest.mark.parametrize("name", _LATER)
def test_a_command_is_found_under_its_name(name: str) -> None:
    command = main.get_command(click.Context(main), name)
    assert command
    assert command.name == name


def test_a_command_that_needs_the_settings_alone_loads_neither_store_nor_server() -> None:
    program = "import sys, forum.cli; print({'peewee', 'falcon', 'gunicorn'} & set(sys.modules))"
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, check=True)
    assert done.stdout == b"set()\n"
