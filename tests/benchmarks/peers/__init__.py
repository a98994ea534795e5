"""The services that asgilook is measured beside, each as its own documentation sets it up."""

from tests.benchmarks.peers.peer import Peer, serving
from tests.benchmarks.peers.programs import available, versions

__all__ = ["Peer", "available", "serving", "versions"]
