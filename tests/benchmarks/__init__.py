"""Measures asgilook beside others, in one run, and prints; `python -m tests.benchmarks --help`."""
