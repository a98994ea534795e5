"""Programs of the system that the suite can use, and what is said where they are missing."""

import os
import shutil
from typing import NoReturn

import pytest

_FOLDERS = os.pathsep.join([os.environ["PATH"], "/usr/sbin", "/usr/local/sbin"])


def program(name: str, package: str) -> str:
    """Find a program."""
    return shutil.which(name, path=_FOLDERS) or missing(name, package)


def missing(name: str, package: str) -> NoReturn:
    """Say what is missing; where everything is meant to be there, that is a failure."""
    text = f"NOTHING IS SHOWN HERE: {name} is missing (Debian's package {package})"
    (pytest.fail if "CI" in os.environ else pytest.skip)(text)
