"""The target for uvicorn and its like: `uvicorn asgilook.asgi:app`."""

import sys

from asgilook.app import create_app
from asgilook.errors import ConfigError

try:
    app = create_app()
except ConfigError as error:
    # A line for whoever set it, not a traceback for whoever wrote this.
    sys.exit(f"asgilook: {error}")
