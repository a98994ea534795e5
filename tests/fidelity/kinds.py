"""All kinds of pictures."""

from collections.abc import Iterator
from itertools import chain

from tests.fidelity import colours, depths, forms, gossip, orientations, transparency
from tests.fidelity.kind import Kind

ROOMS = (orientations, colours, depths, transparency, forms, gossip)


def kinds() -> Iterator[Kind]:
    """Give them group by group."""
    return chain.from_iterable(room.kinds() for room in ROOMS)
