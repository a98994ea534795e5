"""The command line, through its front door."""

import hashlib
import subprocess
import sys
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from asgilook import __version__, config
from asgilook.cli import main
from asgilook.config import Settings
from tests.processes import python

DIGEST = "0123456789abcdef" * 4
SERVE = ("-m", "asgilook", "serve", "--port", "0")
UVICORN = ("-m", "uvicorn", "--port", "0", "asgilook.asgi:app")


def asgilook(*arguments: str, **settings: str) -> Result:
    """Run a command in this process, with these settings."""
    environment = {f"ASGI_LOOK_{name}": value for name, value in settings.items()}
    return CliRunner().invoke(main, arguments, env=environment)


def shown(result: Result) -> dict[str, list[str]]:
    """Read the table of `asgilook config`: value and source, by variable."""
    assert result.exit_code == 0, result.output
    return {name: rest for name, *rest in map(str.split, result.stdout.splitlines())}


@pytest.mark.parametrize(
    "arguments",
    [(), ("serve",), ("config",), ("fsck",), ("key",), ("key", "new")],
    ids=lambda words: " ".join(words) or "asgilook",
)
def test_every_command_explains_itself(arguments: tuple[str, ...]) -> None:
    result = asgilook(*arguments, "--help")
    assert result.exit_code == 0
    assert result.output.startswith("Usage: ")
    assert asgilook(*arguments, "-h").output == result.output


def test_the_help_names_every_command() -> None:
    assert all(name in asgilook("--help").output for name in main.commands)


def test_the_version_is_that_of_the_package(tmp_path: Path) -> None:
    assert asgilook("--version").output.split()[-1] == __version__
    as_a_module = subprocess.run(
        [sys.executable, "-m", "asgilook", "--version"],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=True,
    )
    assert as_a_module.stdout == f"asgilook, version {__version__}\n"


@pytest.mark.parametrize(
    "arguments",
    [("serve", "--port", "65536"), ("serve", "--workers", "0"), ("serv",), ("key", "old")],
    ids=" ".join,
)
def test_a_wrong_argument_is_a_usage_error(arguments: tuple[str, ...]) -> None:
    result = asgilook(*arguments)
    assert result.exit_code == 2
    assert "Error: " in result.stderr


@pytest.mark.parametrize("command", [SERVE, (*SERVE, "--workers", "2"), UVICORN], ids=" ".join)
@pytest.mark.parametrize(
    ("name", "value", "told"),
    [
        ("CACHE_TTL", "for ever", "ASGI_LOOK_CACHE_TTL: "),
        ("CACHE_TIL", "7", "ASGI_LOOK_CACHE_TIL is not a setting"),
        ("S3_ENDPOINT_URL", "http://127.0.0.1:8333", "ASGI_LOOK_S3_BUCKET is missing"),
        ("API_KEYS", "a-key-instead-of-its-hash", "ASGI_LOOK_API_KEYS: "),
    ],
)
def test_a_wrong_setting_stops_the_start_with_one_line(
    tmp_path: Path, command: tuple[str, ...], name: str, value: str, told: str
) -> None:
    ended = python(tmp_path, *command, settings={f"ASGI_LOOK_{name}": value})
    assert ended.returncode == 1
    assert ended.stdout == ""
    [line] = ended.stderr.splitlines()
    assert told in line
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("arguments", [("config",), ("serve",)], ids=" ".join)
def test_no_command_goes_on_with_a_wrong_setting(arguments: tuple[str, ...]) -> None:
    result = asgilook(*arguments, JPEG_QUALITY="101")
    assert result.exit_code == 1
    assert result.stdout == ""
    assert result.stderr.startswith("Error: ASGI_LOOK_JPEG_QUALITY: ")


def test_config_shows_every_setting_and_that_it_is_the_default() -> None:
    table = shown(asgilook("config"))
    assert list(table) == [config.variable(name) for name in Settings.model_fields]
    assert table["ASGI_LOOK_CACHE_TTL"] == ["3600", "default"]
    assert table["ASGI_LOOK_S3_BUCKET"] == ["-", "default"]
    assert {source for *_, source in table.values()} == {"default"}


def test_config_shows_which_settings_come_from_the_environment() -> None:
    table = shown(asgilook("config", CACHE_TTL="7", S3_BUCKET="my-pictures", JPEG_QUALITY=""))
    assert table["ASGI_LOOK_CACHE_TTL"] == ["7", "set"]
    assert table["ASGI_LOOK_S3_BUCKET"] == ["my-pictures", "set"]
    assert table["ASGI_LOOK_JPEG_QUALITY"] == ["90", "default"]


def test_config_shows_no_secret() -> None:
    result = asgilook(
        "config",
        REDIS_URL="redis://:hunter2@cache.test/0",
        API_KEYS=DIGEST,
        SIGNING_KEYS=DIGEST,
    )
    table = shown(result)
    assert "hunter2" not in result.output
    assert DIGEST not in result.output
    assert table["ASGI_LOOK_REDIS_URL"] == ["redis://:***@cache.test/0", "set"]
    assert table["ASGI_LOOK_API_KEYS"] == ["01234567...", "set"]
    assert table["ASGI_LOOK_SIGNING_KEYS"] == ["***", "set"]


def test_a_new_key_comes_with_the_hash_that_lets_it_in() -> None:
    result = asgilook("key", "new")
    made = dict(line.split() for line in result.stdout.splitlines())
    assert hashlib.sha256(made["key"].encode()).hexdigest() == made["hash"]
    assert asgilook("config", API_KEYS=made["hash"]).exit_code == 0
    assert "ASGI_LOOK_API_KEYS" in result.stderr


def test_a_new_key_can_have_a_name_which_is_shown_and_its_hash_is_not() -> None:
    made = dict(line.split() for line in asgilook("key", "new", "--name", "ci").stdout.splitlines())
    digest = hashlib.sha256(made["key"].encode()).hexdigest()
    assert made["hash"] == f"ci:{digest}"
    table = shown(asgilook("config", API_KEYS=f"{made['hash']},{DIGEST}"))
    assert table["ASGI_LOOK_API_KEYS"] == ["ci,", "01234567...", "set"]


@pytest.mark.parametrize(
    ("set_to", "words"),
    [
        ("", ["-", "default"]),
        ("direct", ["direct", "set"]),
        ("::1,unix", ["::1/128,", "unix", "set"]),
    ],
)
def test_what_stands_in_front_is_shown_and_so_is_that_nobody_has_said_it(
    set_to: str, words: list[str]
) -> None:
    assert shown(asgilook("config", TRUSTED_PROXIES=set_to))["ASGI_LOOK_TRUSTED_PROXIES"] == words


def test_a_name_that_the_settings_would_not_take_is_refused() -> None:
    result = asgilook("key", "new", "--name", "two words")
    assert result.exit_code == 2
    assert "--name" in result.stderr


def test_no_two_keys_are_the_same() -> None:
    assert asgilook("key", "new").stdout != asgilook("key", "new").stdout
