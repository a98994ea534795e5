"""`python -m asgilook` is `asgilook`."""

from asgilook.cli import main

main(prog_name="asgilook")
