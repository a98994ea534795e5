"""The service under sudden ends and races, as often as wanted: `python -m tests.durability`."""

UNLIMITED = {
    "RATE_LIMIT_UPLOADS": "none",
    "RATE_LIMIT_RENDERING": "none",
    "STORE_TIMEOUT": "20",
}
"""Settings for clients that do in a minute what others do in a day, on however busy a machine."""
