"""asgilook: an image sharing service for your own object storage.

The rooms, from the bottom up: see `ARCHITECTURE.md` beside this file.
"""

__version__ = "0.1.0"
