# Varnish in front of asgilook: it keeps one copy of everything for everybody.
#
#   varnishd -a :80 -f /etc/varnish/default.vcl -s malloc,1g
#
# with site.vcl beside it, which is looked for in vcl_path (/etc/varnish, unless set otherwise).
# Needs the xkey module (varnish-modules). Writing through it needs API_KEYS, for nobody who comes
# through a proxy is on asgilook's machine.

vcl 4.1;

import std;
import xkey;

include "site.vcl";

sub vcl_recv {
    # For those who run asgilook, not for everybody: each /readyz is a request to the store.
    if (req.url ~ "^/(healthz|readyz|metrics)(\?|$)") {
        return (synth(404));
    }
    if (req.http.X-Request-Id !~ "^[A-Za-z0-9._-]{1,64}$") {
        set req.http.X-Request-Id = req.xid;
    }
    # Varnish has added the client to X-Forwarded-For. asgilook reads it from the right, and no
    # further than the proxies that TRUSTED_PROXIES names: what a CDN in front says counts, what a
    # client says of itself does not. The other form has no chain.
    unset req.http.Forwarded;

    # PURGE with the tags to forget in Surrogate-Key.
    if (req.method == "PURGE") {
        if (client.ip !~ purgers) {
            return (synth(403));
        }
        return (synth(200, "Purged " + xkey.purge(req.http.Surrogate-Key)));
    }
    if (req.method != "GET" && req.method != "HEAD") {
        return (pass);
    }
    # Events are passed on as they come, to each who listens. A minute without any ends it.
    if (req.url ~ "^/events(\?|$)") {
        return (pass);
    }

    # Only the listing has a query that means something; elsewhere it would make copies without end.
    set req.url = regsub(req.url, "^(/(?:images|thumbnails|signed)/[^?]*)\?.*$", "\1");
    # Reading is public: nothing about the reader changes an answer.
    unset req.http.Cookie;
    unset req.http.Authorization;

    # Copies outlive their freshness by their grace, which is their stale-if-error (see below). As
    # long as the origin answers they may be used for the listing's stale-while-revalidate only.
    set req.grace = 30s;
    if (req.restarts > 0) {
        set req.grace = 365d;
    }
    return (hash);
}

sub vcl_hash {
    # The Host is none of asgilook's business, so every name of the site shares its copies.
    hash_data(req.url);
    return (lookup);
}

sub vcl_backend_fetch {
    set bereq.connect_timeout = 2s;
    set bereq.first_byte_timeout = 60s;  # decoding and rendering included
    set bereq.between_bytes_timeout = 20s;
    if (bereq.url ~ "^/events(\?|$)") {
        set bereq.between_bytes_timeout = 60s;
    }
}

sub vcl_backend_response {
    if (beresp.status >= 500) {
        # Not the condition of a client whose request is passed: that is not to be sent again.
        if (bereq.http.If-None-Match && !bereq.uncacheable) {
            return (error(503));
        }
        # Not even a note that it is not to be kept: others may wait for one answer again.
        set beresp.uncacheable = true;
        set beresp.ttl = 0s;
        return (deliver);
    }
    set beresp.http.xkey = beresp.http.Surrogate-Key;
    # Spelt out, since Varnish knows stale-while-revalidate only. Without it there is no grace: a
    # missing image, above all, is missing no longer than it says.
    set beresp.grace = std.duration(
        regsub(beresp.http.Cache-Control, "^.*stale-if-error=([0-9]+).*$", "\1s"), 0s);
    if (beresp.http.Content-Type ~ "json") {
        set beresp.do_gzip = true;
    }
}

sub vcl_backend_error {
    if (bereq.is_bgfetch) {
        return (abandon);
    }
    # There is a copy still, or there would be nothing to revalidate: vcl_deliver turns to that.
    if (bereq.http.If-None-Match && !bereq.uncacheable) {
        set beresp.http.X-Stale = "there";
    }
    set beresp.status = 503;
    set beresp.http.Content-Type = "application/problem+json";
    set beresp.http.Cache-Control = "no-store";
    set beresp.http.Retry-After = "5";
    set beresp.body = {"{"title": "Service Unavailable", "status": 503, "detail": "}
        + {""The pictures are out of reach right now.", "code": "origin-unreachable""} + "}";
    return (deliver);
}

sub vcl_deliver {
    if (resp.http.X-Stale && req.restarts == 0) {
        return (restart);
    }
    # What a write changes is forgotten at once (RFC 9111, section 4.4).
    if (req.method != "GET" && req.method != "HEAD" && resp.status < 400) {
        std.log("purged " + xkey.purge("listing " + regsub(req.url, "^/images/?([^?]*).*$", "img-\1")));
    }

    # RFC 9211
    if (resp.http.Cache-Status) {
        set resp.http.Cache-Status = resp.http.Cache-Status + ", ";
    }
    if (obj.hits > 0) {
        set resp.http.Cache-Status = resp.http.Cache-Status + "varnish; hit";
        # How long the making took says nothing about the copy.
        unset resp.http.Server-Timing;
    } else if (obj.uncacheable) {
        set resp.http.Cache-Status = resp.http.Cache-Status + "varnish; fwd=bypass";
    } else {
        set resp.http.Cache-Status = resp.http.Cache-Status + "varnish; fwd=uri-miss";
    }
    # The copy's own is that of whoever came first.
    set resp.http.X-Request-Id = req.http.X-Request-Id;
    unset resp.http.X-Stale;
    unset resp.http.X-Varnish;
    unset resp.http.xkey;
}

sub vcl_synth {
    set resp.http.Content-Type = "application/problem+json";
    set resp.http.Cache-Control = "no-store";
    set resp.http.X-Request-Id = req.http.X-Request-Id;
    set resp.body = {"{"title": ""} + resp.reason + {"", "status": "} + resp.status + "}";
    return (deliver);
}
