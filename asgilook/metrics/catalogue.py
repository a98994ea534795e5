"""Every metric there is.

No label may hold what a client makes up: no id, key, size, host or text of an error.
"""

from asgilook.metrics.metric import Kind, Metric

_SECONDS = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10)

HTTP_REQUESTS = Metric(
    "asgilook_http_requests_total",
    "Requests answered; 499 where the client left before its answer began.",
    labels=("method", "route", "code"),
)
HTTP_REQUEST_SECONDS = Metric(
    "asgilook_http_request_duration_seconds",
    "From the head of a request to the end of its answer, the client's own pace included.",
    Kind.HISTOGRAM,
    ("route",),
    _SECONDS,
)
HTTP_RESPONSE_BYTES = Metric(
    "asgilook_http_response_bytes_total", "Bytes of bodies that were sent.", labels=("route",)
)
HTTP_IN_PROGRESS = Metric(
    "asgilook_http_requests_in_progress", "Requests under way now.", Kind.GAUGE
)
LOOKUPS = Metric(
    "asgilook_thumbnail_lookups_total",
    "Thumbnails asked for: in the cache (hit), not there (miss), being made for another request "
    "of the process (coalesced), answered with another format (stand-in), or not to be had "
    "(negative).",
    labels=("result",),
)
RENDER_SECONDS = Metric(
    "asgilook_render_duration_seconds",
    "Rendering of thumbnails, once it was their turn.",
    Kind.HISTOGRAM,
    ("format",),
    _SECONDS,
)
QUEUE_SECONDS = Metric(
    "asgilook_render_queue_duration_seconds",
    "What requests that need a processor waited for their turn.",
    Kind.HISTOGRAM,
    buckets=_SECONDS,
)
QUEUE_DEPTH = Metric(
    "asgilook_render_queue_depth", "Pictures that wait for their turn now.", Kind.GAUGE, ("work",)
)
RENDERS_IN_PROGRESS = Metric(
    "asgilook_renders_in_progress",
    "Pictures that are decoded or rendered now.",
    Kind.GAUGE,
    ("work",),
)
RENDER_SLOTS = Metric(
    "asgilook_render_slots",
    "Pictures that can be decoded or rendered at once.",
    Kind.GAUGE,
    ("work",),
)
RENDER_REJECTED = Metric(
    "asgilook_render_rejected_total",
    "Pictures that were turned away: their line is full.",
    labels=("work", "reason"),
)
S3_SECONDS = Metric(
    "asgilook_s3_request_duration_seconds",
    "What the store was waited for, tries included; of a stream, to its beginning.",
    Kind.HISTOGRAM,
    ("op",),
    _SECONDS,
)
S3_ERRORS = Metric(
    "asgilook_s3_errors_total", "What the store could not do.", labels=("op", "kind")
)
CACHE_ERRORS = Metric(
    "asgilook_cache_errors_total",
    "What Redis could not do, or was too slow for; while it is left alone, the looks whether it is "
    "well again (ping).",
    labels=("op",),
)
PURGES = Metric(
    "asgilook_purges_total", "Purges that the CDN was asked for.", labels=("cdn", "result")
)
WORKER_RSS = Metric(
    "asgilook_worker_rss_bytes",
    "Resident memory of all workers together, without what works on pictures for them.",
    Kind.GAUGE,
)
WORKERS = Metric("asgilook_workers", "Workers that are alive.", Kind.GAUGE)

METRICS = {metric.name: metric for metric in list(globals().values()) if isinstance(metric, Metric)}
