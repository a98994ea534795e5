"""How many processes a load takes, and what a month of it costs on AWS.

    python infra/capacity.py --help

The figures of work are processor time per answer, from `tests/benchmarks/REPORT.md`; they are this
project's own machine's, so measure yours (`make bench`). Prices are AWS's for us-east-1 as they
were known in November 2026, without discounts, free tiers and taxes: look yours up.
"""

import argparse
import math
from dataclasses import dataclass, fields

HOURS = 730
"""Of a month."""


@dataclass(frozen=True)
class Work:
    """What one of each takes of a processor, in milliseconds."""

    hit_ms: float = 0.06
    """A thumbnail from Redis; one in the process's memory takes half of that."""
    ladder_ms: float = 29
    """All JPEG thumbnails of a photograph of 2560x1600 that is in no cache."""
    upload_ms: float = 69
    """A JPEG of that size."""


@dataclass(frozen=True)
class Load:
    """What people do, a month, and what the caches keep from the service."""

    views: float = 1_000_000
    """Of thumbnails."""
    kilobytes: float = 60
    """Of a view."""
    edge_hits: float = 0.9
    """The share of views that the CDN answers by itself, its shield included."""
    cache_hits: float = 0.98
    """The share of the rest that is in a process's memory or in Redis."""
    uploads: float = 10_000
    peak: float = 5
    """How many times the mean the busiest minutes are."""


@dataclass(frozen=True)
class Prices:
    """In dollars."""

    edge_gigabyte: float = 0.085
    edge_request: float = 0.01 / 10_000
    s3_get: float = 0.0004 / 1000
    s3_put: float = 0.005 / 1000
    vcpu_hour: float = 0.03238
    gigabyte_hour: float = 0.00356
    balancer_hour: float = 0.0225
    nat_hour: float = 0.045
    cache_node_hour: float = 0.0256


UTILISATION = 0.5
"""What the autoscaler aims at: above it, bursts of rendering wait."""
MIN_TASKS = 2
GIGABYTES_OF_TASK = 2


def processor_s(load: Load, work: Work) -> float:
    """Tell how much of a processor's time a month of this takes."""
    asked = load.views * (1 - load.edge_hits)
    rendered = asked * (1 - load.cache_hits)
    milliseconds = (
        (asked - rendered) * work.hit_ms + rendered * work.ladder_ms + load.uploads * work.upload_ms
    )
    return milliseconds / 1000


def tasks(load: Load, work: Work) -> int:
    """Tell how many tasks of one processor the busiest minutes take."""
    mean = processor_s(load, work) / (HOURS * 3600)
    return max(MIN_TASKS, math.ceil(mean * load.peak / UTILISATION))


def month(load: Load, work: Work, prices: Prices) -> dict[str, float]:
    """Give what a month costs, by what it is for."""
    asked = load.views * (1 - load.edge_hits)
    rendered = asked * (1 - load.cache_hits)
    # Between its least and its most, the service has what the mean takes.
    mean_tasks = max(MIN_TASKS, processor_s(load, work) / (HOURS * 3600) / UTILISATION)
    task_hour = prices.vcpu_hour + GIGABYTES_OF_TASK * prices.gigabyte_hour
    gigabytes = load.views * load.kilobytes / 1e6
    return {
        "CloudFront": gigabytes * prices.edge_gigabyte + load.views * prices.edge_request,
        # A picture and its record; a look for the picture before each rendering.
        "S3 requests": 2 * load.uploads * prices.s3_put + rendered * prices.s3_get,
        "tasks": mean_tasks * task_hour * HOURS,
        "load balancer": prices.balancer_hour * HOURS,
        "NAT gateway": prices.nat_hour * HOURS,
        "Valkey, two nodes": 2 * prices.cache_node_hour * HOURS,
    }


def table(load: Load, work: Work, prices: Prices) -> str:
    """Spell out what a load takes and costs."""
    costs = month(load, work, prices)
    hours = processor_s(load, work) / 3600
    each = sum(costs.values()) / load.views * 1e6
    lines = [
        f"{load.views:,.0f} views and {load.uploads:,.0f} uploads a month:",
        f"{hours:.2f} hours of a processor, {tasks(load, work)} tasks at the busiest",
        *(f"{what:18} {dollars:10,.2f} $" for what, dollars in costs.items()),
        f"{'in all':18} {sum(costs.values()):10,.2f} $, {each:,.2f} $ a million views",
    ]
    return "\n".join(lines)


def main() -> None:
    """Take a load from the command line."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0] if __doc__ else "")
    for kind in (Load, Work):
        for field in fields(kind):
            name = f"--{field.name.replace('_', '-')}"
            parser.add_argument(name, type=float, default=field.default, help="(%(default)s)")
    given = vars(parser.parse_args())
    load = Load(**{field.name: given[field.name] for field in fields(Load)})
    work = Work(**{field.name: given[field.name] for field in fields(Work)})
    print(table(load, work, Prices()))


if __name__ == "__main__":
    main()
