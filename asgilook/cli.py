"""The command line: `asgilook --help`."""

import logging.config
import os
import secrets
import signal
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from functools import partial
from pathlib import Path
from typing import Any
from uuid import UUID

import click
import uvicorn
from uvicorn.config import STARTUP_FAILURE

from asgilook import __version__, config
from asgilook.app import create_metered_app
from asgilook.config import Settings
from asgilook.config_command import load_settings, show_config
from asgilook.doctor_command import doctor
from asgilook.errors import ConfigError
from asgilook.fsck_command import fsck
from asgilook.http import logs
from asgilook.http.access import hash_key
from asgilook.http.admin import admin_port
from asgilook.http.service import Service
from asgilook.http.supervisor import Supervisor
from asgilook.http.urls import signed_path
from asgilook.image import Format, parse_size
from asgilook.setting_kinds import check_api_key
from asgilook.signing import Signer
from asgilook.signing import new_key as new_signing_key
from asgilook.variant import MAX_SIDE, Fit, Options, Variant

_CENTURY_S = 100 * 365 * 24 * 3600
"""Paths have ten digits for the time at which they expire."""

_log = logging.getLogger(__name__)


@click.group(context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100})
@click.version_option(__version__)
def main() -> None:
    """Share images from your own object storage.

    Settings come from the environment; `asgilook config` lists them.
    """
    _open_standard_streams()


@main.command()
@click.option("--host", default="127.0.0.1", show_default=True, help="The address to listen on.")
@click.option(
    "--port", default=8000, show_default=True, type=click.IntRange(0, 65535), help="Its port."
)
@click.option(
    "--workers",
    default=1,
    show_default=True,
    type=click.IntRange(1, 64),
    help="How many processes share the port.",
)
@click.option(
    "--access-log/--no-access-log", default=True, show_default=True, help="A line per request."
)
def serve(host: str, port: int, workers: int, *, access_log: bool) -> None:
    """Serve until interrupted."""
    settings = load_settings()
    log_config = logs.config(_log_format(settings), with_requests=access_log)
    logging.config.dictConfig(log_config)
    _tell(settings, workers)
    # uvicorn raises the signal again once it has stopped in good order: no reason to end in error.
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    with _admin_port(settings) as folder:
        _run(
            partial(_make_app, folder),
            host=host,
            port=port,
            workers=workers,
            factory=True,
            lifespan="on",
            server_header=False,
            http="asgilook.http.protocol:EdgeProtocol",
            ws="none",
            # Who may write hangs on the connection itself: nothing that a client says is believed.
            proxy_headers=False,
            access_log=False,  # the application writes a line for each request itself
            log_config=log_config,
            timeout_keep_alive=settings.idle_timeout,
            timeout_graceful_shutdown=settings.shutdown_timeout,
            # The supervisor kills a worker that does not answer it for so long.
            timeout_worker_healthcheck=30,
        )


@main.command()
@click.argument("image_id", metavar="ID", type=click.UUID)
@click.argument("box", metavar="WxH")
@click.option(
    "--format",
    "kind",
    type=click.Choice([kind.value for kind in Format]),
    default="jpeg",
    show_default=True,
)
@click.option(
    "--fit", type=click.Choice([fit.value for fit in Fit]), default="contain", show_default=True
)
@click.option("--quality", type=click.IntRange(1, 100), help="Instead of THUMBNAIL_QUALITY.")
@click.option("--dpr", type=click.IntRange(1, 3), default=1, help="Pixels to one of the box.")
@click.option(
    "--expires-in", metavar="SECONDS", type=click.IntRange(1, _CENTURY_S), help="Never, without it."
)
def sign(
    image_id: UUID,
    box: str,
    kind: str,
    fit: str,
    quality: int | None,
    dpr: int,
    expires_in: int | None,
) -> None:
    """Print the path of a thumbnail off the ladder: any box WxH, fit, quality and density."""
    settings = load_settings()
    size = parse_size(box)
    if not settings.signing_keys:
        raise click.ClickException(f"{config.variable('signing_keys')} is not set")
    options = Options(Fit(fit), quality, dpr, int(time.time()) + expires_in if expires_in else None)
    if size is None or Variant.of(size, Format(kind), options) is None:
        text = f"two numbers such as 300x200, up to {MAX_SIDE} pixels"
        raise click.BadParameter(text, param_hint="WxH")
    click.echo(signed_path(Signer(settings.signing_keys), options, image_id, size, Format(kind)))


main.add_command(show_config)
main.add_command(fsck)
main.add_command(doctor)


@main.group()
def key() -> None:
    """Keys for those who may write."""


@key.command("new")
@click.option("--name", metavar="NAME", help="Whose it is, for the log and the limits.")
@click.option("--signing", is_flag=True, help="A key for `asgilook sign` instead.")
def new_key(name: str | None, *, signing: bool) -> None:
    """Make a key: give it to whoever may upload, and its hash to the service."""
    if signing:
        click.echo(new_signing_key())
        click.echo(f"\nPut it first in {config.variable('signing_keys')}.", err=True)
        return
    made = secrets.token_urlsafe(32)
    entry = f"{name}:{hash_key(made).hex()}" if name else hash_key(made).hex()
    try:
        check_api_key(entry)
    except ValueError:
        text = "up to 32 letters, digits, dots, dashes and underscores"
        raise click.BadParameter(text, param_hint="--name") from None
    click.echo(f"key   {made}")
    click.echo(f"hash  {entry}")
    click.echo(
        f"\nAdd the hash to {config.variable('api_keys')}; the key is shown only now.", err=True
    )


def _open_standard_streams() -> None:
    """Open those that whoever started this has closed.

    What is opened next would take their numbers: libuv ends a process that closes one of them, and
    children would read from it, or write to it.
    """
    for name, mode in (("stdin", "r"), ("stdout", "w"), ("stderr", "w")):
        if getattr(sys, name) is None:
            stream = open(os.devnull, mode)  # noqa: PTH123, SIM115 - it stays open
            os.set_inheritable(stream.fileno(), True)  # noqa: FBT003 - it has no name
            setattr(sys, name, stream)


def _tell(settings: Settings, workers: int) -> None:
    """Log what is to be served, and what whoever set it up may not have meant."""
    where = f"s3://{settings.s3_bucket}" if settings.s3_bucket else settings.storage_path
    cache = "memory and Redis" if settings.redis_url else "memory"
    _log.info("asgilook %s: pictures in %s, thumbnails in %s", __version__, where, cache)
    if not settings.api_keys:
        _log.warning("no API_KEYS are set, so only this machine may upload")
    elif settings.trusted_proxies is None:
        _log.warning("no TRUSTED_PROXIES are set, so readers have no rate limits")
    if workers > 1 and not settings.redis_url:
        _log.warning(
            "without REDIS_URL each worker has a cache of its own, and may serve a deleted "
            "image's thumbnails for %s s more",
            settings.cache_ttl,
        )


def _log_format(settings: Settings) -> logs.Form:
    if settings.log_format == "auto":
        return "text" if sys.stderr.isatty() else "json"
    return settings.log_format


@contextmanager
def _admin_port(settings: Settings) -> Iterator[Path | None]:
    """Serve the metrics, where that is wanted; give the folder that they come from."""
    if settings.admin_port is None:
        yield None
        return
    host = settings.admin_host
    where = f"{f'[{host}]' if ':' in host else host}:{settings.admin_port}"
    with ExitStack() as open_port:
        try:
            folder = open_port.enter_context(admin_port(host, settings.admin_port))
        except OSError as error:
            raise click.ClickException(
                f"{config.variable('admin_port')}, {where}: {error}"
            ) from None
        _log.info("metrics on http://%s/metrics", where)
        yield folder


def _make_app(folder: Path | None) -> Service:
    """Make the application, in the process that is to serve it."""
    try:
        return create_metered_app(folder)
    except ConfigError as error:
        click.echo(f"Error: {error}", err=True)
        # By this the supervisor knows that another try would fail as well.
        sys.exit(STARTUP_FAILURE)


def _run(app: Callable[[], Service], *, workers: int, **options: Any) -> None:
    if workers == 1:
        # Told of no number, it takes that of WEB_CONCURRENCY, which some platforms set.
        uvicorn.run(app, workers=workers, **options)
    else:
        server = uvicorn.Config(app, workers=workers, **options)
        Supervisor(server, sockets=[server.bind_socket()]).run()
