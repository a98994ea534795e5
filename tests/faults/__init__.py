"""The service while what it needs fails, as a report: `python -m tests.faults`."""
