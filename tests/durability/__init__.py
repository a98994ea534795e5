"""The service under sudden ends and races, as often as wanted: `python -m tests.durability`."""
