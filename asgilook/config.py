"""The settings: one frozen object, read from the environment here and nowhere else."""

import os
from pathlib import Path
from typing import Annotated, Literal, Self

from pydantic import Field, ValidationError, model_validator
from pydantic_settings import BaseSettings, SettingsConfigDict

from asgilook.errors import ConfigError
from asgilook.quota import Quota
from asgilook.setting_kinds import (
    Address,
    ApiKey,
    Cdn,
    Lifetime,
    Listed,
    Proxies,
    RateLimit,
    RedisUrl,
    SigningKey,
    TracesWanted,
    url,
)

PREFIX = "ASGI_LOOK_"

_CDN_NEEDS: dict[Cdn, set[str]] = {
    Cdn.NONE: set(),
    Cdn.CLOUDFRONT: {"cdn_id"},
    Cdn.FASTLY: {"cdn_id", "cdn_token"},
    Cdn.CLOUDFLARE: {"cdn_id", "cdn_token"},
    Cdn.VARNISH: {"cdn_url"},
}
_NEEDED_TO_START = {"PYTHONPATH", "PYTHONHOME", "LD_LIBRARY_PATH", "DYLD_LIBRARY_PATH"}


def processors() -> int:
    """Count the processors that this process may run on."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


class Settings(BaseSettings):
    """What can be set, with its default; each name is that of a variable, under the prefix."""

    model_config = SettingsConfigDict(env_prefix=PREFIX, env_ignore_empty=True, frozen=True)

    storage_path: Path = Field(
        Path("asgilook-data"), description="the folder for pictures, when no bucket is set"
    )
    s3_bucket: str | None = Field(None, min_length=3, description="the bucket for pictures")
    s3_endpoint_url: Annotated[str, url("http", "https")] | None = Field(
        None, description="where S3 is; leave it out for AWS"
    )
    s3_prefix: str = Field(
        "",
        pattern=r"^([a-z0-9_-]+/)*$",
        description="what all keys in the bucket start with; ends with a slash",
    )
    store_timeout: float = Field(
        3, gt=0, le=60, description="seconds that S3 may take to begin an answer, or pause in one"
    )
    redis_url: RedisUrl | None = Field(None, description="the cache that all processes share")
    cache_ttl: Lifetime = Field(
        3600, ge=1, description="seconds that thumbnails stay in the cache after their last use"
    )
    memory_cache_bytes: int = Field(
        64 * 1024 * 1024, ge=0, description="the bound of the cache inside each process"
    )
    deleted_ttl: Lifetime = Field(
        30 * 24 * 3600,
        ge=3600,
        description="seconds that a deleted image is told from one that never was (410, then 404)",
    )
    max_upload_bytes: int = Field(
        40 * 1024 * 1024, ge=1024, description="the longest body of an upload"
    )
    max_pixels: int = Field(
        50_000_000, ge=1, le=500_000_000, description="the most pixels of a picture"
    )
    min_thumb_size: int = Field(
        64, ge=16, le=1024, description="the shorter side of the smallest thumbnail"
    )
    jpeg_quality: int = Field(90, ge=1, le=100, description="of the originals")
    thumbnail_quality: int = Field(
        80, ge=1, le=100, description="of the thumbnails, on JPEG's scale"
    )
    background: str = Field(
        "#ffffff",
        pattern=r"^#[0-9a-fA-F]{6}$",
        description="the colour that shows where a picture is transparent",
    )
    decode_timeout: float = Field(
        10,
        gt=0,
        le=300,
        description="seconds of a processor that decoding the largest upload may take; "
        "smaller ones get less",
    )
    decode_memory_bytes: int = Field(
        640 * 1024 * 1024,
        ge=64 * 1024 * 1024,
        le=1 << 40,
        description="memory for decoding and rendering, of one picture and of all in a process",
    )
    head_timeout: float = Field(
        10, gt=0, le=300, description="seconds that a client may take for the head of a request"
    )
    upload_timeout: float = Field(
        300, gt=0, le=3600, description="seconds that a client may take to send a body"
    )
    write_timeout: float = Field(
        60, gt=0, le=3600, description="seconds that a client may take nothing of an answer"
    )
    idle_timeout: int = Field(
        125,
        ge=1,
        le=3600,
        description="seconds that an idle connection stays open; longer than the CDN's own",
    )
    shutdown_timeout: int = Field(
        30, ge=1, le=3600, description="seconds that what is under way may still take at the end"
    )
    render_slots: int = Field(
        default_factory=processors,
        ge=1,
        le=256,
        description="pictures decoded at once in each process; by default one for each processor",
    )
    api_keys: Listed[ApiKey] = Field(
        (), description="hashes of the keys that may write; without any, only this machine may"
    )
    cdn: Cdn = Field(
        Cdn.NONE,
        description="what is told of deletions: `none`, `cloudfront`, `fastly`, `cloudflare` or "
        "`varnish`",
    )
    cdn_id: str | None = Field(
        None, description="its distribution (CloudFront), service (Fastly) or zone (Cloudflare)"
    )
    cdn_token: str | None = Field(
        None, repr=False, description="the API token that may purge (Fastly, Cloudflare)"
    )
    cdn_url: Listed[Annotated[str, url("http", "https")]] = Field(
        (), description="where Varnish is; several, separated by commas. Elsewhere, the CDN's API"
    )
    signing_keys: Listed[SigningKey] = Field(
        (),
        repr=False,
        description="keys for thumbnails off the ladder; the first one signs, any one verifies",
    )
    rate_limit_uploads: RateLimit = Field(
        Quota.parse("600/minute"), description="pictures that one client may upload; or `none`"
    )
    rate_limit_bytes: RateLimit = Field(
        Quota.parse("10G/hour"), description="bytes that one client may upload; or `none`"
    )
    rate_limit_rendering: RateLimit = Field(
        Quota.parse("60/minute"),
        description="seconds of a processor that one client may cost; or `none`",
    )
    trusted_proxies: Proxies = Field(
        None,
        description="whose word about a client's address is believed; `direct` for no proxy",
    )
    traces: TracesWanted = Field(
        default=False, description="whether to send traces, as the `OTEL_*` variables say"
    )
    log_format: Literal["auto", "json", "text"] = Field(
        "auto", description="what `asgilook serve` logs; `auto` is text where a terminal shows it"
    )
    admin_port: int | None = Field(
        None, ge=1, le=65535, description="where `asgilook serve` gives its metrics; never public"
    )
    admin_host: Address = Field("127.0.0.1", description="the address that the admin port is on")

    @model_validator(mode="after")
    def _check_quota_for_bytes(self) -> Self:
        if self.rate_limit_bytes and self.rate_limit_bytes.amount < self.max_upload_bytes:
            raise ValueError(f"{PREFIX}RATE_LIMIT_BYTES: less than {PREFIX}MAX_UPLOAD_BYTES")
        return self

    @model_validator(mode="after")
    def _check_bucket(self) -> Self:
        if self.s3_bucket is None and (self.s3_endpoint_url or self.s3_prefix):
            raise ValueError(f"{PREFIX}S3_BUCKET is missing beside the other S3 settings")
        return self

    @model_validator(mode="after")
    def _check_cdn(self) -> Self:
        given = {name for name in ("cdn_id", "cdn_token", "cdn_url") if getattr(self, name)}
        for name in sorted(_CDN_NEEDS[self.cdn] - given):
            raise ValueError(f"{variable(name)} is missing beside {variable('cdn')}={self.cdn}")
        if self.cdn is Cdn.NONE and given:
            raise ValueError(f"{variable('cdn')} is missing beside {variable(min(given))}")
        return self

    @property
    def background_rgb(self) -> tuple[int, int, int]:
        """Give the background as three numbers from 0 to 255."""
        red, green, blue = bytes.fromhex(self.background.removeprefix("#"))
        return red, green, blue


def load() -> Settings:
    """Read and check the settings. Raises `ConfigError` with a line for each that is wrong."""
    lines = [f"{name} is not a setting; `asgilook config` lists them" for name in _unknown_names()]
    try:
        settings = Settings()
    except ValidationError as error:
        lines += dict.fromkeys(_line(details["loc"], details["msg"]) for details in error.errors())
    if lines:
        raise ConfigError("\n".join(lines))
    return settings


def variable(field: str) -> str:
    """Name the variable that sets a field."""
    return PREFIX + field.upper()


def is_set(field: str) -> bool:
    """Tell whether a field comes from the environment, not from its default."""
    return any(value for name, value in os.environ.items() if name.upper() == variable(field))


def temporary_folder() -> Path:
    """Tell where temporary files are to lie; `tempfile` takes another folder where that is full."""
    return Path(os.environ.get("TMPDIR") or "/tmp")  # noqa: S108 - as `tempfile` has it


def child_environment() -> dict[str, str]:
    """Give what a process of our own needs of the environment to start, and no secret of it."""
    return {name: value for name, value in os.environ.items() if name in _NEEDED_TO_START}


def _unknown_names() -> list[str]:
    known = {variable(field) for field in Settings.model_fields}
    # As pydantic reads them: in any case.
    names = (name for name in os.environ if name.upper().startswith(PREFIX))
    return sorted(name for name in names if name.upper() not in known)


def _line(where: tuple[int | str, ...], message: str) -> str:
    message = message.removeprefix("Value error, ")
    return f"{variable(str(where[0]))}: {message}" if where else message
