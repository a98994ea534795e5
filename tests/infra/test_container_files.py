"""The container files, held against the service that they run. No container is run here."""

import json
import os
import re
import subprocess
import sys
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest
import yaml

from asgilook import config
from asgilook.doctor.findings import Level
from asgilook.doctor.redis import judge_eviction
from tests import servers

ROOT = Path(__file__).parents[2]
DOCKERFILE = ROOT / "infra/docker/Dockerfile"
COMPOSE = ROOT / "localstack-compose.yml"
API_KEYS = "0123456789abcdef" * 4
BIN = Path(sys.executable).parent

Service = dict[str, Any]


@pytest.fixture(scope="module")
def instructions() -> list[tuple[str, str]]:
    """Read the Dockerfile: each instruction and what stands behind it."""
    text = re.sub(r"^#.*\n", "", DOCKERFILE.read_text(), flags=re.MULTILINE).replace("\\\n", " ")
    words = [line.partition(" ") for line in text.splitlines() if line]
    return [(word, " ".join(rest.split())) for word, _, rest in words]


@pytest.fixture(scope="module")
def last_stage(instructions: list[tuple[str, str]]) -> dict[str, str]:
    """Pick what the image is made of: the last of each instruction in the last stage."""
    start = max(i for i, (word, _) in enumerate(instructions) if word == "FROM")
    return dict(instructions[start:])


@pytest.fixture(scope="module")
def services() -> dict[str, Service]:
    found: dict[str, Service] = yaml.safe_load(COMPOSE.read_text())["services"]
    return found


def run(*command: str | Path) -> "subprocess.CompletedProcess[str]":
    return subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)


def copied(instructions: list[tuple[str, str]]) -> set[str]:
    sources = [rest.split()[:-1] for word, rest in instructions if word == "COPY"]
    return {source for names in sources for source in names if not names[0].startswith("--from")}


def test_hadolint_finds_nothing_in_the_dockerfile() -> None:
    verdict = run(BIN / "hadolint", DOCKERFILE)
    assert (verdict.returncode, verdict.stdout) == (0, "")


def test_the_compose_file_is_what_its_specification_allows() -> None:
    verdict = run(BIN / "check-jsonschema", "--builtin-schema", "vendor.compose-spec", COMPOSE)
    assert verdict.returncode == 0, verdict.stdout


def test_both_stages_stand_on_the_base_that_the_builder_chose(
    instructions: list[tuple[str, str]],
) -> None:
    assert [rest for word, rest in instructions if word == "FROM"] == [
        "${BASE} AS build",
        "${BASE}",
    ]


def test_what_is_installed_is_pinned_by_hash_and_never_compiled(
    instructions: list[tuple[str, str]],
) -> None:
    installs = [rest for word, rest in instructions if word == "RUN" and " install " in rest]
    assert [rest for rest in installs if "--only-binary :all: --require-hashes -r" in rest]
    assert not [rest for rest in installs if "apt" in rest]


def test_the_image_runs_as_a_user_without_rights(last_stage: dict[str, str]) -> None:
    assert re.fullmatch(r"[1-9]\d{3,}:[1-9]\d{3,}", last_stage["USER"])


def test_the_image_starts_with_a_command_that_asgilook_knows(last_stage: dict[str, str]) -> None:
    python, *program = json.loads(last_stage["ENTRYPOINT"])
    arguments = json.loads(last_stage["CMD"])
    assert python == "python"
    assert arguments == ["serve", "--host", "0.0.0.0"]
    assert run(sys.executable, *program, *arguments, "--help").returncode == 0


def test_the_health_check_tells_a_process_that_serves_from_none(
    last_stage: dict[str, str], tmp_path: Path
) -> None:
    python, *check = json.loads(last_stage["HEALTHCHECK"].partition("CMD ")[2])
    with servers.service(servers.ServiceOptions(tmp_path)) as service:
        here = [word.replace("8000", str(urlsplit(service.url).port)) for word in check]
        assert here != check
        assert (python, run(sys.executable, *here).returncode) == ("python", 0)
    assert run(sys.executable, *here).returncode == 1


def test_every_file_that_goes_into_the_image_is_under_version_control(
    instructions: list[tuple[str, str]],
) -> None:
    for source in copied(instructions):
        assert run("git", "ls-files", "--cached", "--others", "--exclude-standard", source).stdout


def test_the_builder_is_shown_those_files_and_no_other(
    instructions: list[tuple[str, str]],
) -> None:
    lines = (ROOT / ".dockerignore").read_text().splitlines()
    patterns = [line for line in lines if line and not line.startswith("#")]
    assert patterns[0] == "*"
    shown = {pattern[1:] for pattern in patterns if pattern.startswith("!")}
    assert shown == copied(instructions)


def test_asgilook_accepts_the_environment_that_the_compose_file_gives_it(
    services: dict[str, Service], monkeypatch: pytest.MonkeyPatch
) -> None:
    for name, value in services["asgilook"]["environment"].items():
        monkeypatch.setenv(name, re.sub(r"\$\{ASGI_LOOK_API_KEYS:.*\}", API_KEYS, value))
    settings = config.load()
    assert settings.api_keys == (API_KEYS,)
    assert settings.s3_bucket == services["localstack"]["environment"]["BUCKET"]
    assert settings.s3_endpoint_url == "http://localstack:4566"
    assert settings.redis_url is not None
    assert urlsplit(settings.redis_url).hostname in services


def test_the_doctor_finds_nothing_wrong_with_what_the_cache_evicts(
    services: dict[str, Service],
) -> None:
    _, *options = services["valkey"]["command"]
    given = dict(zip(options[::2], options[1::2], strict=True))
    policy = given["--maxmemory-policy"]
    assert judge_eviction({"maxmemory": 1, "maxmemory_policy": policy}).level is Level.OK


def test_whoever_starts_it_brings_the_key(services: dict[str, Service]) -> None:
    keys = services["asgilook"]["environment"]["ASGI_LOOK_API_KEYS"]
    assert re.fullmatch(r"\$\{ASGI_LOOK_API_KEYS:\?.*asgilook key new.*\}", keys)
    for path in (COMPOSE, DOCKERFILE, *(ROOT / "infra/localstack").iterdir()):
        assert not re.search(r"[0-9a-f]{32}|[0-9A-Za-z_-]{40}|AKIA", path.read_text()), path


def test_only_this_machine_reaches_the_ports(services: dict[str, Service]) -> None:
    published = [port for service in services.values() for port in service.get("ports", [])]
    assert sorted(published) == ["127.0.0.1:4566:4566", "127.0.0.1:8000:8000"]


def test_images_are_pinned_to_a_release(services: dict[str, Service]) -> None:
    images = {name: service["image"] for name, service in services.items()}
    assert images.pop("asgilook") == "asgilook:local"
    assert images["localstack"] == "localstack/localstack:4.14.0"
    assert all(re.search(r":\d+\.\d+\.\d+(-\w+)?$", image) for image in images.values())


@pytest.mark.parametrize("name", ["asgilook", "valkey"])
def test_a_service_has_no_privileges_and_a_root_that_it_cannot_change(
    services: dict[str, Service], name: str
) -> None:
    service = services[name]
    assert service["read_only"] is True
    assert service["cap_drop"] == ["ALL"]
    assert service["security_opt"] == ["no-new-privileges:true"]
    assert service["tmpfs"]


def test_asgilook_starts_when_those_it_needs_are_healthy(services: dict[str, Service]) -> None:
    needed = services["asgilook"]["depends_on"]
    assert needed.keys() == services.keys() - {"asgilook"}
    for name, how in needed.items():
        assert how == {"condition": "service_healthy"}
        assert services[name]["healthcheck"]["test"]


def test_localstack_can_run_the_script_that_makes_the_bucket(services: dict[str, Service]) -> None:
    (mount,) = services["localstack"]["volumes"]
    source, target, mode = mount.split(":")
    assert target.startswith("/etc/localstack/init/ready.d/")
    assert mode == "ro"
    assert os.access(ROOT / source, os.X_OK)
