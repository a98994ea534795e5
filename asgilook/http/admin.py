"""The port for those who run the service: `/metrics`, for Prometheus.

It is served from beside the workers, by the process that started them, and adds them up.
"""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from itertools import accumulate
from pathlib import Path

from prometheus_client import CollectorRegistry, start_http_server
from prometheus_client.core import (
    CounterMetricFamily,
    GaugeMetricFamily,
    HistogramMetricFamily,
    InfoMetricFamily,
)
from prometheus_client.metrics_core import Metric as Family
from prometheus_client.registry import Collector

from asgilook import __version__
from asgilook.http.temporary import metrics_folder
from asgilook.metrics import Kind, Ledger, Metric
from asgilook.metrics.catalogue import METRICS

Series = Mapping[tuple[str, ...], list[float]]


@contextmanager
def admin_port(host: str, port: int) -> Iterator[Path]:
    """Serve metrics for the length of a block; give the folder that processes count in.

    Raises `OSError` where the port cannot be had.
    """
    with metrics_folder() as folder:
        registry = CollectorRegistry()
        registry.register(_Exposition(Ledger(folder)))
        server, thread = start_http_server(port, host, registry)
        try:
            yield folder
        finally:
            server.shutdown()
            thread.join()
            server.server_close()


class _Exposition(Collector):
    """Puts what a ledger adds up into the words of Prometheus."""

    def __init__(self, ledger: Ledger) -> None:
        self._ledger = ledger

    def describe(self) -> Iterator[Family]:
        """Name nothing in advance: no other collector is there to be at odds with."""
        return iter(())

    def collect(self) -> Iterator[Family]:
        """Give every metric, also those that have no series yet."""
        reading = self._ledger.read()
        build = {"version": __version__}
        yield InfoMetricFamily("asgilook_build", "The version that runs.", value=build)
        for metric in METRICS.values():
            yield _family(metric, reading.get(metric, {}))


def _family(metric: Metric, series: Series) -> Family:
    if metric.kind is Kind.HISTOGRAM:
        return _histogram(metric, series)
    make = CounterMetricFamily if metric.kind is Kind.COUNTER else GaugeMetricFamily
    family = make(metric.name, metric.help, labels=metric.labels)
    for labels, [value] in series.items():
        family.add_metric(labels, value)
    return family


def _histogram(metric: Metric, series: Series) -> Family:
    family = HistogramMetricFamily(metric.name, metric.help, labels=metric.labels)
    bounds = [*(str(float(bound)) for bound in metric.buckets), "+Inf"]
    for labels, [*counts, total] in series.items():
        buckets = list(zip(bounds, accumulate(counts), strict=True))
        family.add_metric(labels, buckets, sum_value=total)
    return family
