"""The container image: built, run as `infra/README.md` says, and stopped (`make container`)."""

import socket
import subprocess
from collections.abc import Iterator

import httpx
import pytest

from asgilook.http.access import hash_key
from tests import pictures
from tests.container.engine import CannotRun, Engine, engine
from tests.e2e.steps import eventually
from tests.servers import answers, free_port, wait_until

KEY = "the key of the suite"
FIELDS = {"authorization": f"Bearer {KEY}", "content-type": "image/jpeg"}


@pytest.fixture(scope="session")
def containers() -> Iterator[Engine]:
    try:
        with engine() as one:
            yield one
    except CannotRun as reason:
        pytest.skip(f"NOTHING IS SHOWN ABOUT THE CONTAINER: {reason}")


@pytest.fixture
def name() -> str:
    return f"asgilook-{free_port()}"


@pytest.fixture
def process(containers: Engine, name: str, port: int) -> Iterator["subprocess.Popen[bytes]"]:
    arguments = ["serve", "--host", "127.0.0.1", "--port", str(port)]
    settings = {"ASGI_LOOK_API_KEYS": hash_key(KEY).hex()}
    with containers.running(name, *arguments, **settings) as one:
        wait_until(lambda: answers(f"http://127.0.0.1:{port}/healthz"), "the container", one)
        yield one


@pytest.fixture
def port() -> int:
    return free_port()


@pytest.fixture
def client(process: "subprocess.Popen[bytes]", port: int) -> Iterator[httpx.Client]:
    with httpx.Client(base_url=f"http://127.0.0.1:{port}", timeout=60) as one:
        yield one


def test_the_image_says_whom_it_runs_as_and_what(containers: Engine) -> None:
    said = containers.configuration()
    assert said["User"] == "65532:65532"
    assert said["Entrypoint"] == ["python", "-m", "asgilook"]
    assert said["StopSignal"] == "SIGTERM"
    assert said["Volumes"].keys() == {"/tmp"}


@pytest.mark.usefixtures("process")
def test_the_service_has_no_rights_and_a_root_that_it_cannot_change(
    containers: Engine, name: str
) -> None:
    inside = ["podman", "exec", name]
    status = dict(
        line.split(":\t", 1)
        for line in containers.run(*inside, "cat", "/proc/1/status").splitlines()
        if ":\t" in line
    )
    assert set(status["Uid"].split()) == {"65532"}
    assert {int(status[f"Cap{kind}"], 16) for kind in ("Eff", "Prm", "Bnd")} == {0}
    assert status["NoNewPrivs"] == "1"
    containers.run(*inside, "touch", "/tmp/upload", "/data/picture")
    with pytest.raises(RuntimeError, match="Read-only file system"):
        containers.run(*inside, "touch", "/opt/asgilook/lib/patch")


def test_the_readmes_walk_through_works(client: httpx.Client) -> None:
    picture = pictures.upload((1600, 1200))
    stranger = client.post("/images", content=picture, headers={"content-type": "image/jpeg"})
    assert stranger.status_code == 401

    view = client.post("/images", content=picture, headers=FIELDS).json()
    original = client.get(view["image"])
    assert list(pictures.decode(original.content).size) == view["size"] == [1600, 1200]
    for extension in ("jpeg", "webp", "avif"):
        thumbnail = client.get(view["thumbnails"][1].replace("jpeg", extension))
        assert thumbnail.headers["content-type"] == f"image/{extension}"
        assert pictures.decode(thumbnail.content).size == (400, 300)
    assert client.get("/images").json() == [view]
    assert client.delete(f"/images/{view['id']}", headers=FIELDS).status_code == 204
    assert client.get(view["image"]).status_code == 410


def test_an_upload_under_way_is_finished_before_the_end(
    containers: Engine, process: "subprocess.Popen[bytes]", name: str, port: int
) -> None:
    picture = pictures.upload((1600, 1200))
    fields = {**FIELDS, "host": "localhost", "content-length": str(len(picture))}
    head = "".join(f"{name}: {value}\r\n" for name, value in fields.items())
    with socket.create_connection(("127.0.0.1", port)) as connection:
        connection.sendall(f"POST /images HTTP/1.1\r\n{head}\r\n".encode() + picture[:1000])
        with containers.stopping(name):
            assert eventually(lambda: "Shutting down" in containers.log(name))
            connection.sendall(picture[1000:])
            answer = connection.makefile("rb").read()

    assert answer.startswith(b"HTTP/1.1 201 ")
    assert process.wait() == 0
