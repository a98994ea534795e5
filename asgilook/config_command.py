"""`asgilook config`: the settings as they are."""

import re
from collections.abc import Callable
from typing import Any

import click

from asgilook import config
from asgilook.config import Settings
from asgilook.errors import ConfigError
from asgilook.http.access import key_name


def load_settings() -> Settings:
    """Read the settings; a wrong one ends the command with a line about it."""
    try:
        return config.load()
    except ConfigError as error:
        raise click.ClickException(str(error)) from None


@click.command("config")
def show_config() -> None:
    """Show each setting, its value and where that comes from."""
    settings = load_settings()
    rows = [
        (config.variable(name), _shown(name, settings), "set" if config.is_set(name) else "default")
        for name in Settings.model_fields
    ]
    widths = [max(len(row[i]) for row in rows) for i in range(2)]
    for name, value, source in rows:
        click.echo(f"{name:{widths[0]}}  {value:{widths[1]}}  {source}")


def _shown(name: str, settings: Settings) -> str:
    value = getattr(settings, name)
    if name == "trusted_proxies" and value == ():
        return "direct"
    if value in (None, (), ""):
        return "-"
    shown = _SHOWN.get(name, str)
    return ", ".join(map(shown, value)) if type(value) is tuple else shown(value)


def masked(url: str) -> str:
    """Hide the password of a URL, in either of the places where Redis takes it."""
    without = re.sub(r"(?<=://)([^:@/]*):.*@", r"\1:***@", url)
    return re.sub(r"([?&]password=)[^&]*", r"\1***", without)


_SHOWN: dict[str, Callable[[Any], str]] = {
    "redis_url": masked,
    "cdn_url": masked,
    "api_keys": key_name,
    "cdn_token": lambda _: "***",
    "signing_keys": lambda _: "***",
}
"""What is not shown as it is."""
