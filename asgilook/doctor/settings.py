"""Settings that are right each by itself, and wrong for where the service runs."""

from asgilook import config
from asgilook.config import Settings
from asgilook.doctor.findings import Finding, ok, warn

IDLE_TIMES_S = {"CloudFront": 120, "AWS's load balancers": 60, "nginx": 60, "Varnish": 60}
"""How long those in front keep a connection that nothing comes over, at most or by default.

Sources: CloudFront's origin settings (keep-alive timeout), the attributes of an Application Load
Balancer (idle timeout), nginx's `keepalive_timeout` of an upstream, Varnish's
`backend_idle_timeout`.
"""


def examine_settings(settings: Settings) -> list[Finding]:
    """Look at what nobody but the operator can know, and at what goes together."""
    return [_keys(settings), _proxies(settings), _idle(settings)]


def _keys(settings: Settings) -> Finding:
    what = config.variable("api_keys")
    if settings.api_keys:
        return ok(what, f"{len(settings.api_keys)} may write")
    if _is_shared(settings):
        return warn(what, "none, so nobody but this machine may upload", "`asgilook key new`")
    return ok(what, "none: only this machine may upload")


def _proxies(settings: Settings) -> Finding:
    what = config.variable("trusted_proxies")
    if settings.trusted_proxies is None and not _is_shared(settings):
        return ok(what, "none told, and none needed on this machine alone")
    if settings.trusted_proxies is None:
        mend = "name the networks in front of it, or `direct`"
        return warn(what, "none told, so readers have no rate limits", mend)
    return ok(what, ", ".join(settings.trusted_proxies) or "direct")


def _is_shared(settings: Settings) -> bool:
    """Tell whether more than one machine is meant."""
    return bool(settings.s3_bucket or settings.redis_url or settings.api_keys)


def _idle(settings: Settings) -> Finding:
    what, ours_s = config.variable("idle_timeout"), settings.idle_timeout
    longer = [
        f"{name} ({theirs_s} s)" for name, theirs_s in IDLE_TIMES_S.items() if theirs_s >= ours_s
    ]
    if longer:
        mend = "what is sent when we close comes back as a 502; set more than theirs"
        return warn(what, f"{ours_s} s, no longer than {', '.join(longer)}", mend)
    return ok(what, f"{ours_s} s, longer than {', '.join(IDLE_TIMES_S)}")
