"""What is counted, and where the counts lie: numbers in memory that other processes can read."""

from asgilook.metrics.ledger import Ledger, Reading, open_meter
from asgilook.metrics.meter import Meter
from asgilook.metrics.metric import Kind, Metric

__all__ = ["Kind", "Ledger", "Meter", "Metric", "Reading", "open_meter"]
