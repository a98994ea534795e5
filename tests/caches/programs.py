"""The caches themselves, run with the files in `infra/`, on free ports and in their own folders."""

import grp
import os
import pwd
import subprocess
from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path
from string import Template
from urllib.parse import urlsplit

from tests.caches.clock import Clock
from tests.programs import missing, program
from tests.servers import answers, free_port, stop, wait_until

Run = Callable[[Path, str], AbstractContextManager[tuple[str, Clock]]]
"""Runs a cache, with a folder, in front of an origin; gives its address and its clock."""

INFRA = Path(__file__).parents[2] / "infra"

_LIBRARIES = [Path("/usr/lib"), Path("/lib"), Path("/usr/local/lib")]

# What stands around a site in a distribution's own main file, and what libfaketime needs: nginx
# starts its workers without any variable that is not named.
_NGINX_MAIN = """
user $user $group;
daemon off;
pid nginx.pid;
error_log stderr;
env LD_PRELOAD; env FAKETIME_TIMESTAMP_FILE;
env FAKETIME_NO_CACHE; env FAKETIME_DONT_FAKE_MONOTONIC;
events { worker_connections 256; }
http {
    access_log off;
    client_body_temp_path body; proxy_temp_path proxy; fastcgi_temp_path fastcgi;
    scgi_temp_path scgi; uwsgi_temp_path uwsgi;
    include site.conf;
}
"""


@contextmanager
def nginx(folder: Path, *origin_urls: str) -> Iterator[tuple[str, Clock]]:
    """Run nginx in front of one origin or several; give its address and its clock."""
    binary = program("nginx", "nginx-light")
    clock = Clock(folder, _library("faketime/libfaketimeMT.so.1", "faketime"))
    port = free_port()
    site = {
        "CACHE_LISTEN": f"127.0.0.1:{port}",
        "CACHE_FOLDER": str(folder / "copies"),
        "ORIGINS": " ".join(f"server {urlsplit(url).netloc} max_fails=0;" for url in origin_urls),
    }
    template = Template((INFRA / "nginx" / "asgilook.conf.template").read_text())
    (folder / "site.conf").write_text(template.safe_substitute(site))
    (folder / "nginx.conf").write_text(Template(_NGINX_MAIN).substitute(_me()))
    command = [binary, "-p", str(folder), "-c", str(folder / "nginx.conf"), "-e", "stderr"]
    with _running(command, folder, clock.environment, port) as url:
        yield url, clock


@contextmanager
def varnish(folder: Path, origin_url: str, port: int | None = None) -> Iterator[tuple[str, Clock]]:
    """Run Varnish in front of the origin; give its address and its clock."""
    binary = program("varnishd", "varnish")
    _library("varnish/vmods/libvmod_xkey.so", "varnish-modules")
    # Varnish's own malloc asks for the time before libfaketime can tell it; glibc's does not.
    malloc = _library("libc_malloc_debug.so.0", "libc6")
    clock = Clock(folder, malloc, _library("faketime/libfaketimeMT.so.1", "faketime"))
    port = port or free_port()
    site = (INFRA / "varnish" / "site.vcl").read_text()
    (folder / "site.vcl").write_text(site.replace("8000", str(urlsplit(origin_url).port)))
    options = ["-a", f"127.0.0.1:{port}", "-n", str(folder / "work"), "-s", "malloc,64m"]
    options += ["-f", str(INFRA / "varnish" / "default.vcl"), "-p", f"vcl_path={folder}"]
    command = [binary, "-F", "-j", "none", *options]
    with _running(command, folder, clock.environment, port) as url:
        yield url, clock


@contextmanager
def _running(
    command: list[str], folder: Path, environment: Mapping[str, str], port: int
) -> Iterator[str]:
    url = f"http://127.0.0.1:{port}"
    process = _start(command, folder, environment, url)
    try:
        yield url
    finally:
        stop(process)


def _start(
    command: list[str], folder: Path, environment: Mapping[str, str], url: str, tries: int = 3
) -> "subprocess.Popen[bytes]":
    with (folder / "log").open("ab") as log:
        process = subprocess.Popen(
            command, stdout=log, stderr=log, cwd=folder, env={**os.environ, **environment}
        )
    try:
        wait_until(lambda: answers(url), command[0], process)
    except RuntimeError:
        # libfaketime keeps the clock in a semaphore by the number of a process, and once in a few
        # hundred starts does not find it in the shell by which Varnish clears its folder.
        if tries == 1:
            raise
        return _start(command, folder, environment, url, tries - 1)
    except BaseException:
        stop(process)
        raise
    return process


def _me() -> Mapping[str, str]:
    return {"user": pwd.getpwuid(os.getuid()).pw_name, "group": grp.getgrgid(os.getgid()).gr_name}


def _library(name: str, package: str) -> Path:
    found = (path for folder in _LIBRARIES for path in folder.glob(f"*/{name}"))
    return next(found, None) or missing(name, package)
