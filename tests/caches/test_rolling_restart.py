"""Two replicas behind nginx, restarted one after the other while people use them."""

from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from threading import Event
from typing import Any

import httpx

from asgilook.http.access import hash_key
from tests import pictures, servers
from tests.caches import programs
from tests.caches.conftest import KEY
from tests.e2e.steps import eventually
from tests.servers import ServiceOptions

USERS = 6
VISITS_BETWEEN = 3 * USERS
"""How much is done before, between and after the restarts."""

PICTURE = pictures.upload((320, 240))
FIELDS = {"authorization": f"Bearer {KEY}", "content-type": "image/jpeg"}


@dataclass
class Crowd:
    """People who each upload a picture, look at it in every way, delete it, and begin again."""

    url: str
    visits: int = 0
    answers: Counter[str] = field(default_factory=Counter)
    failures: list[str] = field(default_factory=list)
    _may_leave: Event = field(default_factory=Event)

    def goes_on(self) -> bool:
        """Wait until some more visits were paid."""
        wanted = self.visits + VISITS_BETWEEN
        return eventually(lambda: self.visits >= wanted)

    @contextmanager
    def at_work(self) -> Iterator[None]:
        """Let them come, and wait until all have left."""
        with ThreadPoolExecutor(USERS) as pool:
            users = [pool.submit(self._visit_again_and_again) for _ in range(USERS)]
            try:
                yield
            finally:
                self._may_leave.set()
            for user in users:
                user.result()

    def _visit_again_and_again(self) -> None:
        with httpx.Client(base_url=self.url, timeout=60) as client:
            while not self._may_leave.is_set():
                self._visit(client)
                self.visits += 1

    def _visit(self, client: httpx.Client) -> None:
        made = self._ask(client, 201, "POST", "/images", content=PICTURE, headers=FIELDS)
        if made.status_code != 201:
            return
        view = made.json()
        small = view["thumbnails"][0]
        for path in (view["image"], small, small, small.replace("jpeg", "webp")):
            self._ask(client, 200, "GET", path)
        self._ask(client, 200, "GET", f"/images?cursor={view['id']}&limit=5")
        self._ask(client, 204, "DELETE", f"/images/{view['id']}", headers=FIELDS)

    def _ask(
        self, client: httpx.Client, expected: int, method: str, path: str, **options: Any
    ) -> httpx.Response:
        answer = client.request(method, path, **options)
        how = answer.headers.get("cache-status", "nginx").rpartition("; ")[2]
        self.answers[f"{method} {answer.status_code} {how}"] += 1
        if answer.status_code != expected:
            self.failures.append(f"{method} {path}: {answer.status_code} {answer.text}")
        return answer


def test_a_rolling_restart_loses_no_request(tmp_path: Path, redis_url: str) -> None:
    settings = {
        "STORAGE_PATH": str(tmp_path / "pictures"),
        "REDIS_URL": redis_url,
        "API_KEYS": hash_key(KEY).hex(),
        **dict.fromkeys(["RATE_LIMIT_UPLOADS", "RATE_LIMIT_RENDERING"], "none"),
    }
    replicas = [ServiceOptions(tmp_path, settings) for _ in range(2)]
    with ExitStack() as stack:
        running = [ExitStack() for _ in replicas]
        urls = []
        for replica, run in zip(replicas, running, strict=True):
            stack.push(run)
            urls.append(run.enter_context(servers.service(replica)).url)
        url, _ = stack.enter_context(programs.nginx(tmp_path, *urls))
        crowd = Crowd(url)
        with crowd.at_work():
            for replica, run in zip(replicas, running, strict=True):
                assert crowd.goes_on()
                run.close()
                assert crowd.goes_on()
                again = run.enter_context(servers.service(replica))
                assert again.url in urls
            assert crowd.goes_on()

    assert crowd.failures == []
    assert {"GET 200 hit", "GET 200 fwd=uri-miss", "POST 201 nginx"} <= crowd.answers.keys()
