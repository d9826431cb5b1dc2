"""`python -m forum` is the console script `forum`."""

from forum.cli import main

main(prog_name="forum")
