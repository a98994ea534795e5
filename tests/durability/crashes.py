"""Servers that are killed in the middle of uploads and deletions, and what must be true after."""

import hashlib
import signal
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from random import Random
from typing import Any
from uuid import uuid4

import httpx

from asgilook.http import digests
from tests import pictures
from tests.durability import UNLIMITED
from tests.e2e.steps import Start
from tests.servers import Service

PICTURE = pictures.upload((320, 240))
CLIENTS = 6
MOST_ANSWERS = 30
PATIENCE_S = 60


@dataclass
class Ledger:
    """What clients were told so far, and what they wanted and got no answer to."""

    made: set[str] = field(default_factory=set)
    """The ids of the answers 201."""
    deleted: set[str] = field(default_factory=set)
    """The ids of the answers 204."""
    unsure: set[str] = field(default_factory=set)
    """The ids of images whose deletion got no answer."""
    unanswered: set[str] = field(default_factory=set)
    """The keys of uploads that got no answer."""
    answers: threading.Semaphore = field(default_factory=lambda: threading.Semaphore(0))
    """One for each answer, so that one can wait for some."""


def crash(service: Service, ledger: Ledger, chance: Random) -> None:
    """Let clients upload and delete until the server is killed, which is soon."""
    is_over, ledger.answers = threading.Event(), threading.Semaphore(0)
    with ThreadPoolExecutor(CLIENTS) as clients:
        working = [
            clients.submit(_work, service.url, ledger, Random(chance.random()), is_over)
            for _ in range(CLIENTS)
        ]
        for _ in range(chance.randint(1, MOST_ANSWERS)):
            ledger.answers.acquire()
        time.sleep(chance.uniform(0, 0.05))
        service.process.send_signal(signal.SIGKILL)
        service.process.wait()
        is_over.set()
    for each in working:
        each.result()


def _work(url: str, ledger: Ledger, chance: Random, is_over: threading.Event) -> None:
    with httpx.Client(base_url=url, timeout=PATIENCE_S) as client:
        while not is_over.is_set():
            image_id = _upload(
                client, ledger, str(uuid4()) if chance.choice((True, False)) else None
            )
            if image_id is None:
                return
            if chance.choice((True, False)) and not _delete(client, ledger, image_id):
                return


def _upload(client: httpx.Client, ledger: Ledger, key: str | None) -> str | None:
    fields = {"idempotency-key": key} if key else {}
    if key:
        ledger.unanswered.add(key)
    try:
        made = client.post(
            "/images", content=PICTURE, headers={"content-type": "image/jpeg", **fields}
        )
    except httpx.TransportError:
        return None
    assert made.status_code == 201, made.text
    image_id: str = made.json()["id"]
    ledger.unanswered.discard(key or "")
    ledger.made.add(image_id)
    ledger.answers.release()
    return image_id


def _delete(client: httpx.Client, ledger: Ledger, image_id: str) -> bool:
    ledger.unsure.add(image_id)
    try:
        gone = client.delete(f"/images/{image_id}")
    except httpx.TransportError:
        return False
    assert gone.status_code == 204, gone.text
    ledger.deleted.add(image_id)
    ledger.unsure.discard(image_id)
    ledger.answers.release()
    return True


def listing(client: httpx.Client) -> Iterator[dict[str, Any]]:
    """Give the JSON of every image that is listed."""
    path: str | None = "/images?limit=500"
    while path:
        page = client.get(path)
        yield from page.json()
        path = page.links.get("next", {}).get("url")


def verify(service: Service, ledger: Ledger) -> None:
    """See that nothing which was promised is lost, and that all that is listed is there."""
    with httpx.Client(base_url=service.url, timeout=PATIENCE_S) as client:
        listed = {view["id"]: view for view in listing(client)}
        assert not ledger.deleted & listed.keys()
        assert ledger.made - ledger.deleted - ledger.unsure <= listed.keys()
        for view in listed.values():
            _verify_whole(client, view)
        for image_id in ledger.deleted:
            assert client.get(f"/images/{image_id}.jpeg").status_code == 410
        _retry(client, ledger)


def _verify_whole(client: httpx.Client, view: dict[str, Any]) -> None:
    assert client.get(f"/images/{view['id']}").json() == view
    original = client.get(view["image"])
    assert original.status_code == 200
    assert len(original.content) == view["bytes"]
    digest = hashlib.sha256(original.content).digest()
    assert original.headers["repr-digest"] == digests.spelled(digest)
    assert list(pictures.decode(original.content).size) == view["size"]


def _retry(client: httpx.Client, ledger: Ledger) -> None:
    """Repeat what got no answer, twice: it is one image."""
    for key in list(ledger.unanswered):
        first, second = (_upload(client, ledger, key) for _ in range(2))
        assert first == second
        assert [view["id"] for view in listing(client)].count(str(first)) == 1


def crash_again_and_again(start: Start, settings: dict[str, str], rounds: int, seed: int) -> Ledger:
    """Crash a service on one store so many times; verify after each."""
    ledger, chance, settings = Ledger(), Random(seed), {**settings, **UNLIMITED}
    service = start(settings)
    for _ in range(rounds):
        crash(service, ledger, chance)
        service = start(settings)
        verify(service, ledger)
    return ledger
