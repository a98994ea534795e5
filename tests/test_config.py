"""The settings: each field's bounds, and what a wrong environment is told."""

import os

import pytest

from asgilook import config
from asgilook.config import Settings
from asgilook.errors import ConfigError
from asgilook.quota import Quota

DIGEST = "0123456789abcdef" * 4
OTHER_DIGEST = "fedcba9876543210" * 4

ACCEPTED: list[tuple[str, str, object]] = [
    ("S3_BUCKET", "my-pictures", "my-pictures"),
    ("REDIS_URL", "redis://127.0.0.1:6379/0", "redis://127.0.0.1:6379/0"),
    ("REDIS_URL", "rediss://:secret@cache.test/0", "rediss://:secret@cache.test/0"),
    ("REDIS_URL", "unix:///run/redis.sock", "unix:///run/redis.sock"),
    ("REDIS_URL", "redis+sentinel://:a@b:1,c/d/0", "redis+sentinel://:a@b:1,c/d/0"),
    ("STORE_TIMEOUT", "0.5", 0.5),
    ("CACHE_TTL", "1", 1),
    ("MEMORY_CACHE_BYTES", "0", 0),
    ("DELETED_TTL", "3600", 3600),
    ("MAX_UPLOAD_BYTES", "1024", 1024),
    ("MAX_PIXELS", "500000000", 500_000_000),
    ("MIN_THUMB_SIZE", "16", 16),
    ("JPEG_QUALITY", "100", 100),
    ("THUMBNAIL_QUALITY", "1", 1),
    ("BACKGROUND", "#0A0b0c", "#0A0b0c"),
    ("DECODE_TIMEOUT", "0.5", 0.5),
    ("DECODE_MEMORY_BYTES", "67108864", 67108864),
    ("HEAD_TIMEOUT", "300", 300.0),
    ("UPLOAD_TIMEOUT", "3600", 3600.0),
    ("WRITE_TIMEOUT", "3600", 3600.0),
    ("IDLE_TIMEOUT", "1", 1),
    ("SHUTDOWN_TIMEOUT", "3600", 3600),
    ("RENDER_SLOTS", "256", 256),
    ("API_KEYS", DIGEST, (DIGEST,)),
    ("API_KEYS", f" {DIGEST} , {OTHER_DIGEST}", (DIGEST, OTHER_DIGEST)),
    ("SIGNING_KEYS", f"{DIGEST},{OTHER_DIGEST}", (DIGEST, OTHER_DIGEST)),
    ("API_KEYS", f"ci-2.x_1:{DIGEST},{OTHER_DIGEST}", (f"ci-2.x_1:{DIGEST}", OTHER_DIGEST)),
    ("RATE_LIMIT_UPLOADS", "1/second", Quota(1, 1, "1/second")),
    ("RATE_LIMIT_UPLOADS", "none", None),
    ("RATE_LIMIT_BYTES", "2G/12 hours", Quota(2_000_000_000, 43_200, "2G/12 hours")),
    ("RATE_LIMIT_BYTES", "999999G/day", Quota(999_999_000_000_000, 86_400, "999999G/day")),
    ("RATE_LIMIT_RENDERING", "90/2minutes", Quota(90, 120, "90/2minutes")),
    ("TRUSTED_PROXIES", "direct", ()),
    ("ADMIN_PORT", "65535", 65535),
    ("ADMIN_HOST", "::", "::"),
    ("TRUSTED_PROXIES", "unix, 192.0.2.1,2001:db8::/32", ("unix", "192.0.2.1/32", "2001:db8::/32")),
]

REFUSED = [
    ("CDN", "akamai"),
    *(("CDN_URL", text) for text in ("127.0.0.1", "http://", "http://varnish.test:65536")),
    ("S3_BUCKET", "ab"),
    *(("REDIS_URL", text) for text in ("127.0.0.1:6379", "http://a", "redis://a:port")),
    *(("REDIS_URL", f"redis{text}") for text in ("://a?b=7", "+sentinel://a:b/c/d")),
    ("STORE_TIMEOUT", "0"),
    ("STORE_TIMEOUT", "61"),
    *(("CACHE_TTL", text) for text in ("0", "an hour", "1.5", "1000000000000")),
    ("MEMORY_CACHE_BYTES", "-1"),
    ("DELETED_TTL", "3599"),
    ("DELETED_TTL", "1000000000000"),
    ("MAX_UPLOAD_BYTES", "1023"),
    ("MAX_PIXELS", "0"),
    ("MAX_PIXELS", "500000001"),
    ("MIN_THUMB_SIZE", "15"),
    ("MIN_THUMB_SIZE", "1025"),
    ("JPEG_QUALITY", "0"),
    ("JPEG_QUALITY", "101"),
    ("THUMBNAIL_QUALITY", "101"),
    *(("BACKGROUND", text) for text in ("white", "#fff", "#ffffff\n")),
    ("DECODE_TIMEOUT", "0"),
    ("DECODE_MEMORY_BYTES", str(2**64)),
    ("DELETED_TTL", "999999999999"),
    ("API_KEYS", f":{DIGEST}"),
    ("API_KEYS", f"two words:{DIGEST}"),
    ("API_KEYS", f"{'n' * 33}:{DIGEST}"),
    *(("RATE_LIMIT_UPLOADS", text) for text in ("600", "0/minute", "1/0 minutes", "-1/minute")),
    *(("RATE_LIMIT_UPLOADS", text) for text in ("1.5/minute", "1/week", "1K/minute", "None")),
    ("RATE_LIMIT_BYTES", "1000000G/day"),
    ("RATE_LIMIT_BYTES", "1M/day"),
    ("RATE_LIMIT_RENDERING", "a processor"),
    ("TRUSTED_PROXIES", "none"),
    ("TRUSTED_PROXIES", "direct,192.0.2.1"),
    ("TRUSTED_PROXIES", "192.0.2.1/24"),
    ("TRUSTED_PROXIES", "proxy.test"),
    ("TRUSTED_PROXIES", "192.0.2.1,"),
    ("DECODE_MEMORY_BYTES", "67108863"),
    ("DECODE_TIMEOUT", "301"),
    ("HEAD_TIMEOUT", "nan"),
    ("UPLOAD_TIMEOUT", "inf"),
    ("WRITE_TIMEOUT", "-1"),
    ("IDLE_TIMEOUT", "0"),
    ("SHUTDOWN_TIMEOUT", "0"),
    ("RENDER_SLOTS", "0"),
    ("RENDER_SLOTS", "257"),
    ("API_KEYS", "a-key-instead-of-its-hash"),
    ("API_KEYS", DIGEST.upper()),
    ("API_KEYS", f"{DIGEST},"),
    ("SIGNING_KEYS", "0123"),
    ("LOG_FORMAT", "xml"),
    ("TRACES", "perhaps"),
    ("ADMIN_PORT", "0"),
    ("ADMIN_HOST", "everywhere"),
]


@pytest.mark.parametrize(("name", "text", "value"), ACCEPTED)
def test_a_variable_sets_its_field(
    monkeypatch: pytest.MonkeyPatch, name: str, text: str, value: object
) -> None:
    monkeypatch.setenv(f"ASGI_LOOK_{name}", text)
    assert getattr(config.load(), name.lower()) == value


@pytest.mark.parametrize(("name", "text"), REFUSED)
def test_a_wrong_value_is_told_in_one_line_with_the_variables_name(
    monkeypatch: pytest.MonkeyPatch, name: str, text: str
) -> None:
    monkeypatch.setenv(f"ASGI_LOOK_{name}", text)
    with pytest.raises(ConfigError, match=rf"\AASGI_LOOK_{name}: [^\n]+\Z"):
        config.load()


def test_what_is_told_does_not_repeat_a_wrong_secret(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ASGI_LOOK_API_KEYS", "hunter2")
    monkeypatch.setenv("ASGI_LOOK_SIGNING_KEYS", "hunter2")
    for url in ("tcp://:hunter2@a", "redis://:hunter2/@a", "redis://:hunter2/b@a:1"):
        monkeypatch.setenv("ASGI_LOOK_REDIS_URL", url)
        with pytest.raises(ConfigError) as told:
            config.load()
        assert "hunter2" not in str(told.value)


def test_every_field_has_bounds_that_are_tried_here() -> None:
    # Whatever path a folder may have is for the system to say; the rest of S3 stands further down.
    unbounded = {"storage_path", "s3_endpoint_url", "s3_prefix", "cdn_id", "cdn_token"}
    assert {name.lower() for name, _ in REFUSED} == Settings.model_fields.keys() - unbounded


@pytest.mark.parametrize("field", Settings.model_fields)
def test_an_empty_variable_is_one_that_is_not_set(
    monkeypatch: pytest.MonkeyPatch, field: str
) -> None:
    default = config.load()
    monkeypatch.setenv(config.variable(field), "")
    assert config.load() == default
    assert not config.is_set(field)


@pytest.mark.parametrize("name", ["ASGI_LOOK_CACHE_TIL", "ASGI_LOOK_", "asgi_look_cache_til"])
def test_an_unknown_name_under_the_prefix_is_an_error(
    monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    monkeypatch.setenv(name, "7")
    with pytest.raises(ConfigError, match=rf"\A{name} is not a setting"):
        config.load()


def test_names_under_other_prefixes_are_not_looked_at(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ASGILOOK_URL", "http://127.0.0.1:8000")
    monkeypatch.setenv("CACHE_TTL", "7")
    assert config.load().cache_ttl == 3600


def test_a_variable_in_lower_case_counts_as_set(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("asgi_look_cache_ttl", "7")
    assert config.load().cache_ttl == 7
    assert config.is_set("cache_ttl")


def test_everything_wrong_is_told_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ASGI_LOOK_CACHE_TTL", "0")
    monkeypatch.setenv("ASGI_LOOK_JPEG_QUALITY", "0")
    monkeypatch.setenv("ASGI_LOOK_JPEG_QUALTY", "90")
    with pytest.raises(ConfigError) as told:
        config.load()
    assert [line.split(":")[0].split()[0] for line in str(told.value).splitlines()] == [
        "ASGI_LOOK_JPEG_QUALTY",
        "ASGI_LOOK_CACHE_TTL",
        "ASGI_LOOK_JPEG_QUALITY",
    ]


@pytest.mark.parametrize(
    ("name", "text"), [("S3_ENDPOINT_URL", "http://127.0.0.1:8333"), ("S3_PREFIX", "pictures/")]
)
def test_other_s3_settings_need_a_bucket(
    monkeypatch: pytest.MonkeyPatch, name: str, text: str
) -> None:
    monkeypatch.setenv(f"ASGI_LOOK_{name}", text)
    with pytest.raises(ConfigError, match=r"\AASGI_LOOK_S3_BUCKET is missing"):
        config.load()
    monkeypatch.setenv("ASGI_LOOK_S3_BUCKET", "my-pictures")
    assert getattr(config.load(), name.lower()) == text


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("S3_ENDPOINT_URL", "127.0.0.1:8333"),
        ("S3_ENDPOINT_URL", "s3://my-pictures"),
        ("S3_PREFIX", "pictures"),
        ("S3_PREFIX", "/pictures/"),
        ("S3_PREFIX", "Pictures/"),
        ("S3_PREFIX", "a//b/"),
        ("S3_PREFIX", "../"),
    ],
)
def test_a_wrong_s3_setting_is_told_beside_a_sound_bucket(
    monkeypatch: pytest.MonkeyPatch, name: str, text: str
) -> None:
    monkeypatch.setenv("ASGI_LOOK_S3_BUCKET", "my-pictures")
    monkeypatch.setenv(f"ASGI_LOOK_{name}", text)
    with pytest.raises(ConfigError, match=rf"\AASGI_LOOK_{name}: [^\n]+\Z"):
        config.load()


def test_a_loaded_setting_cannot_be_changed() -> None:
    settings = config.load()
    with pytest.raises(ValueError, match="frozen"):
        settings.cache_ttl = 7  # type: ignore[misc] # the type checker says the same


def test_the_background_is_three_numbers() -> None:
    assert Settings(background="#0a10FF").background_rgb == (10, 16, 255)


def test_there_are_no_more_render_slots_than_processors() -> None:
    assert 1 <= config.load().render_slots <= (os.cpu_count() or 1)


@pytest.mark.parametrize("cdn", ["fastly", "cloudflare"])
def test_a_purge_without_credentials_is_refused_by_name(
    cdn: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("ASGI_LOOK_CDN", cdn)
    monkeypatch.setenv("ASGI_LOOK_CDN_ID", "mine")
    with pytest.raises(ConfigError, match=f"ASGI_LOOK_CDN_TOKEN is missing .*{cdn}"):
        config.load()


def test_credentials_for_no_cdn_are_a_mistake(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ASGI_LOOK_CDN_TOKEN", "secret")
    with pytest.raises(ConfigError, match="ASGI_LOOK_CDN is missing"):
        config.load()
