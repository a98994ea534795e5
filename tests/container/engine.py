"""Containers without daemon or registry: mmdebstrap makes a base, buildah builds, podman runs."""

import json
import os
import platform
import shutil
import subprocess
import tempfile
from collections.abc import Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parents[2]
TOOLS = ("mmdebstrap", "buildah", "podman", "conmon", "runc", "skopeo")
BASE, IMAGE = "localhost/base", "localhost/asgilook"
STOP_S = 40
"""What infra/README.md says that a container should be given for its end."""

_KEYRING = "/usr/share/keyrings/debian-archive-keyring.gpg"
_POLICY = {"default": [{"type": "insecureAcceptAnything"}]}  # what is made here has no signature
# Without systemd, and with limits that runc may set where it has no right to raise them.
_ENGINE = """
[containers]
default_ulimits = ["nofile=1024:4096", "nproc=1024:1024"]
[engine]
cgroup_manager = "cgroupfs"
events_logger = "file"
runtime = "runc"
tmp_dir = "{folder}/tmp"
volume_path = "{folder}/volumes"
"""
_STORAGE = """
[storage]
driver = "vfs"
graphroot = "{folder}/images"
runroot = "{folder}/run"
"""


class CannotRun(Exception):
    """This machine can run no containers; the text says why."""


@dataclass(frozen=True)
class Engine:
    """Images and containers in a folder of their own."""

    folder: Path

    def run(self, *command: str | Path) -> str:
        """Run a command to its end; give what it prints. Raises RuntimeError where it fails."""
        done = subprocess.run(
            command,
            cwd=self.folder,
            env=self._environment,
            capture_output=True,
            text=True,
            check=False,
        )
        if done.returncode:
            raise RuntimeError(f"{command[0]} ended with {done.returncode}: {done.stderr[-2000:]}")
        return done.stdout

    @contextmanager
    def running(
        self, name: str, *arguments: str, **settings: str
    ) -> "Iterator[subprocess.Popen[bytes]]":
        """Run the image's command, with what `infra/README.md` says; its log is `{name}.log`.

        The process ends when the container does, and as it does.
        """
        options = [option for each in settings.items() for option in ("--env", "=".join(each))]
        with (self.folder / f"{name}.log").open("wb") as log:
            process = subprocess.Popen(
                ["podman", "run", "--rm", "--name", name, *_CONFINED, *options, IMAGE, *arguments],
                env=self._environment,
                stdout=log,
                stderr=log,
            )
        try:
            yield process
        finally:
            self.run("podman", "rm", "--force", "--ignore", name)
            process.wait()

    def stopping(self, name: str) -> "subprocess.Popen[bytes]":
        """Begin to stop a container; after STOP_S it is killed."""
        command = ["podman", "stop", "--time", str(STOP_S), name]
        return subprocess.Popen(command, env=self._environment, stderr=subprocess.DEVNULL)

    def log(self, name: str) -> str:
        """Read what a container has logged so far."""
        return (self.folder / f"{name}.log").read_text()

    def configuration(self) -> dict[str, Any]:
        """Read what the image says of itself."""
        storage = f"[vfs@{self.folder}/images+{self.folder}/run]"
        found = self.run("skopeo", "inspect", "--config", f"containers-storage:{storage}{IMAGE}")
        configuration: dict[str, Any] = json.loads(found)["config"]
        return configuration

    def set_up(self) -> None:
        """Make the base; raise CannotRun where this machine cannot."""
        for name, text in {"engine": _ENGINE, "storage": _STORAGE}.items():
            (self.folder / f"{name}.conf").write_text(text.format(folder=self.folder))
        (self.folder / "policy.json").write_text(json.dumps(_POLICY))
        context = self.folder / "base"
        context.mkdir()
        (context / "Dockerfile").write_text("FROM scratch\nADD base.tar /\n")
        try:
            self.run("mmdebstrap", *_debian(context / "base.tar"))
            self._build("--tag", BASE, context)
            self.run("podman", "run", "--rm", "--network", "host", BASE, "true")
        except (RuntimeError, OSError) as error:
            raise CannotRun(str(error)) from error
        shutil.rmtree(context)

    def fetch_wheels(self) -> None:
        """Fetch what the image installs, however pip is set up on this machine.

        Debian's own Python asks, for it is the base's as well: the lock names other wheels for
        other Pythons.
        """
        self.run("/usr/bin/python3", "-m", "venv", "pip")
        options = ["--require-hashes", "--only-binary", ":all:", "--dest", "wheels"]
        self.run("pip/bin/pip", "download", *options, "-r", ROOT / "requirements.lock")
        (self.folder / "pip.conf").write_text("[global]\nno-index = true\nfind-links = /wheels\n")

    def build(self) -> None:
        """Build the image from the checkout, on the base and the wheels, without any network."""
        mounts = {"wheels": "/wheels", "pip.conf": "/etc/pip.conf"}
        volumes = [f"--volume={self.folder}/{source}:{to}:ro" for source, to in mounts.items()]
        options = ["--network", "none", "--format", "docker", "--build-arg", f"BASE={BASE}"]
        self._build(
            *options, *volumes, "-f", ROOT / "infra/docker/Dockerfile", "--tag", IMAGE, ROOT
        )

    def _build(self, *arguments: str | Path) -> None:
        policy = self.folder / "policy.json"
        isolation = ["--isolation", "oci", "--runtime", "runc"]
        self.run("buildah", "bud", *isolation, "--signature-policy", policy, *arguments)

    @property
    def _environment(self) -> Mapping[str, str]:
        return {
            **os.environ,
            "CONTAINERS_CONF": str(self.folder / "engine.conf"),
            "CONTAINERS_STORAGE_CONF": str(self.folder / "storage.conf"),
        }


@contextmanager
def engine() -> Iterator[Engine]:
    """Build the image for the length of a block; leave nothing behind. May raise CannotRun."""
    _check_machine()
    with tempfile.TemporaryDirectory(prefix="asgilook-containers-") as folder:
        one = Engine(Path(folder))
        with ThreadPoolExecutor() as pool:
            for done in [pool.submit(one.set_up), pool.submit(one.fetch_wheels)]:
                done.result()
        one.build()
        yield one


_CONFINED = ["--network", "host", "--read-only", "--read-only-tmpfs=false", "--cap-drop", "all"]
_CONFINED += ["--security-opt", "no-new-privileges", "--volume", "/data"]


def _check_machine() -> None:
    if os.geteuid() != 0:
        raise CannotRun("it takes root")
    if missing := [tool for tool in TOOLS if shutil.which(tool) is None]:
        raise CannotRun(f"Debian's packages {' '.join(missing)} are missing")
    if platform.freedesktop_os_release()["ID"] != "debian":
        raise CannotRun("this is no Debian, from which the base is made")


def _debian(target: Path) -> list[str]:
    """Tell mmdebstrap what to install, from where this machine's apt gets Debian."""
    release = platform.freedesktop_os_release()["VERSION_CODENAME"]
    wanted = {release, f"{release}-updates", f"{release}-security"}
    fields = "$(COMPONENT) $(RELEASE) $(REPO_URI)"
    command = ["apt-get", "indextargets", "--format", fields, "Created-By: Packages"]
    found = [line.split() for line in subprocess.check_output(command, text=True).splitlines()]
    mirrors = [
        f"deb {uri} {suite} main"
        for part, suite, uri in found
        if part == "main" and suite in wanted
    ]
    options = ["--mode=root", "--variant=minbase", f"--keyring={_KEYRING}", *_way_out()]
    return [*options, "--include=python3-venv,ca-certificates", release, str(target), *mirrors]


def _way_out() -> list[str]:
    """Give mmdebstrap what this machine's apt knows of proxies."""
    shown = ["apt-config", "dump", "--format", '%f "%v";%n', "Acquire::http", "Acquire::https"]
    return [f"--aptopt={line}" for line in subprocess.check_output(shown, text=True).splitlines()]
