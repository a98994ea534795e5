"""A decoder that a picture took over tells its parent whatever it likes, and gets nothing by it."""

import json
import os
import pickle
import sys
from collections.abc import AsyncIterator, Callable
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from asgilook import reports
from asgilook.codec import HeaderLimits, IngestOptions, ingest, inspect, render, render_variant
from asgilook.errors import BrokenPicture, PictureTooLarge, StoreUnavailable
from asgilook.image import Format, Size
from asgilook.variant import Fit, Variant
from asgilook.workers import Workers
from tests import pictures
from tests.rooms import done, opened

LIMITS = HeaderLimits(1_000_000, 1 << 28)
OPTIONS = IngestOptions(LIMITS, 64, 90, 80, (255, 255, 255))
INGEST = partial(ingest, Path("upload"), OPTIONS)
INSPECT = partial(inspect, Path("upload"), LIMITS)
VARIANT = Variant(Size(80, 60), Format.WEBP, Fit.CONTAIN, None)
RUNG = [[32, 24]]
SOUND = {"made": [[64, 48], "image/png", RUNG], "spent": {"decode": 0.1}}
PARTS = [b"jpeg", bytes(32), b"hash", b"thumbnail"]

LIES: dict[str, dict[str, Any]] = {
    "another kind": {"made": ["image/png", [64, 48], 1]},
    "nothing": {"made": None},
    "a string for a size": {"made": ["64x48", "image/png", RUNG]},
    "a size without end": {"made": [[10**18, 48], "image/png", RUNG]},
    "a size of nothing": {"made": [[0, 48], "image/png", RUNG]},
    "a size of truth": {"made": [[True, 48], "image/png", RUNG]},
    "a type with a field of its own": {"made": [[64, 48], "image/png\r\nx: y", RUNG]},
    "rungs without pictures": {"made": [[64, 48], "image/png", RUNG * 3]},
    "a name with a field of its own": {"spent": {"decode\r\nx: y": 0.1}},
    "a time that is none": {"spent": {"decode": float("nan")}},
    "a time that is text": {"spent": {"decode": "1"}},
    "a time without end": {"spent": {"decode": 1e300}},
    "a time before the beginning": {"spent": {"decode": -1.0}},
    "an error of another room": {"error": "StoreUnavailable", "text": ""},
    "an error that is none": {"error": "SystemExit", "text": ""},
    "a text that is none": {"error": "BrokenPicture", "text": 7},
    "a text in long pieces": {"error": "BrokenPicture", "text": ["x" * 20_000] * 2},
}


@pytest.fixture
async def workers() -> AsyncIterator[Workers]:
    async with opened(Workers(1, 1 << 28, 60)) as made:
        yield made


def saying(head: bytes, *parts: bytes) -> Callable[[], None]:
    """Take a decoder over: whatever it is asked from now on, it says this."""
    code = f"from asgilook import reports\nreports.write = lambda answer: {[head, *parts]!r}"
    return partial(exec, code)


def writing(data: bytes, then: str = "os._exit(0)") -> Callable[[], None]:
    """Have a decoder write this where its report begins, and end."""
    code = f"import os\nos.write(0, {data!r})\n{then}"
    return partial(exec, code)


class Trap:
    """Touches a file where it is unpickled."""

    def __init__(self, path: Path) -> None:
        self._path = path

    def __reduce__(self) -> tuple[Any, ...]:
        return Path.touch, (self._path,)


async def assert_it_costs_its_own_job_alone(workers: Workers, job: Callable[[], Any]) -> None:
    before = await done(workers.decoding, os.getpid, 1)
    with pytest.raises(BrokenPicture):
        await done(workers.decoding, job, 1)
    assert await done(workers.decoding, os.getpid, 1) not in {before, os.getpid()}


async def test_nothing_that_a_decoder_sends_is_unpickled(workers: Workers, tmp_path: Path) -> None:
    trap = tmp_path / "sprung"
    pickled = pickle.dumps(Trap(trap))
    await assert_it_costs_its_own_job_alone(workers, saying(pickled))
    await assert_it_costs_its_own_job_alone(workers, writing(pickled))
    await assert_it_costs_its_own_job_alone(workers, writing(len(pickled).to_bytes(4) + pickled))
    assert not trap.exists()


@pytest.mark.parametrize(
    "report",
    [
        b"",
        b"\x00\x00",
        b"\xff\xff\xff\xff",
        (2**16 + 1).to_bytes(4) + b"{}",
        b"\x00\x00\x00\x04null",
        b"\x00\x00\x00\x02{}",
        b"\x00\x00\x00\x02{" + bytes(1),
        b"\x00\x00\x80\x00" + b"[" * 2**15,
        (60_000).to_bytes(4) + b"9" * 60_000,
    ],
    ids=[
        "nothing",
        "half a length",
        "a length without end",
        "a length too long",
        "no object",
        "an empty object",
        "no JSON",
        "a nest",
        "a number without end",
    ],
)
async def test_a_report_that_is_none_costs_its_own_job_alone(
    workers: Workers, report: bytes
) -> None:
    await assert_it_costs_its_own_job_alone(workers, writing(report))


@pytest.mark.parametrize("lengths", [[2**40], [2**26] * 20, [-1], [1.5], ["1"], [[]], None, 7])
async def test_no_memory_is_given_for_what_a_decoder_only_announces(
    workers: Workers, lengths: object
) -> None:
    head = json.dumps({**SOUND, "parts": lengths}).encode()
    await assert_it_costs_its_own_job_alone(workers, saying(head))


async def test_a_report_that_does_not_end_is_not_waited_for() -> None:
    # So many bytes, one by one, take far more of the processor than the job may.
    drip = "while os.write(0, b'0'): pass"
    head = json.dumps({**SOUND, "parts": [2**26]}).encode()
    async with opened(Workers(1, 1 << 28, 0.05)) as workers:
        await assert_it_costs_its_own_job_alone(
            workers, writing(len(head).to_bytes(4) + head, then=drip)
        )


async def test_a_decoder_that_is_somebody_elses_is_replaced(
    workers: Workers, tmp_path: Path
) -> None:
    upload = tmp_path / "upload"
    upload.write_bytes(pictures.upload((64, 48)))
    before = await done(workers.decoding, os.getpid, 1)
    lie = json.dumps({"made": 7, "spent": {}, "parts": []}).encode()
    await done(workers.decoding, saying(lie), 1)
    with pytest.raises(BrokenPicture):
        await done(workers.decoding, partial(ingest, upload, OPTIONS), 1)
    assert (await done(workers.decoding, partial(ingest, upload, OPTIONS), 1)).size == (64, 48)
    assert await done(workers.decoding, os.getpid, 1) != before


def test_a_sound_report_is_read_as_it_was_written(tmp_path: Path) -> None:
    upload = tmp_path / "upload"
    jpeg = pictures.upload((200, 160))
    upload.write_bytes(jpeg)
    for job in (
        partial(ingest, upload, OPTIONS),
        partial(inspect, upload, LIMITS),
        partial(render, jpeg, [Size(100, 80), Size(50, 40)], Format.JPEG, 80),
        partial(render_variant, jpeg, variant=VARIANT, quality=80),
    ):
        answer = job(), {"decode": 0.25}
        text, *parts = reports.write(answer)
        head = reports.read_head(text, 1 << 20)
        assert list(head.lengths) == [len(part) for part in parts]
        assert reports.read(head, parts, job) == answer


@pytest.mark.parametrize("lie", LIES.values(), ids=LIES.keys())
def test_a_report_is_read_as_what_the_job_gives_and_as_nothing_else(lie: dict[str, Any]) -> None:
    told = {**SOUND, "parts": [len(part) for part in PARTS]}
    sound = reports.read_head(json.dumps(told).encode(), 1000)
    assert not isinstance(reports.read(sound, PARTS, INGEST), Exception)
    false = reports.read_head(json.dumps({**told, **lie}).encode(), 1000)
    with pytest.raises((ValueError, TypeError, KeyError)):
        reports.read(false, PARTS, INGEST)


@pytest.mark.parametrize("made", [[], ["image/png", [1, 1], -1], ["text/html", [1, 1], 1], 7])
def test_a_header_is_read_as_a_header(made: object) -> None:
    head = reports.read_head(json.dumps({"made": made, "spent": {}, "parts": []}).encode(), 0)
    with pytest.raises((ValueError, TypeError)):
        reports.read(head, [], INSPECT)


async def test_an_original_that_does_not_decode_is_not_taken_for_an_upload(
    workers: Workers,
) -> None:
    with pytest.raises(StoreUnavailable):
        await done(workers.rendering, partial(render_variant, b"", variant=VARIANT, quality=80), 1)
    with pytest.raises(ValueError, match="StoreUnavailable"):
        _error_of(INGEST, StoreUnavailable(""))


def test_a_mistake_of_our_own_is_told_as_one() -> None:
    rendering = partial(render_variant, b"", variant=VARIANT, quality=80)
    error = _error_of(rendering, KeyError("AVIF"))
    assert isinstance(error, RuntimeError)
    assert str(error) == "KeyError: 'AVIF'"


def _error_of(job: Callable[[], Any], error: Exception) -> object:
    text, *_ = reports.write(error)
    return reports.read(reports.read_head(text, 0), [], job)


def test_what_an_error_says_keeps_to_its_line() -> None:
    text, *_ = reports.write(PictureTooLarge("one\nline\x1b[31m" + "x" * 1000))
    error = reports.read(reports.read_head(text, 0), [], INSPECT)
    assert isinstance(error, PictureTooLarge)
    assert str(error).startswith("one?line?[31mx")
    assert len(str(error)) == reports.MAX_TEXT


@pytest.mark.skipif(sys.platform != "linux", reason="reads /proc")
async def test_a_decoder_knows_no_secret_and_may_start_nothing(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    secrets = {
        "AWS_SECRET_ACCESS_KEY": "a secret",
        "ASGI_LOOK_REDIS_URL": "redis://:a secret@127.0.0.1",
        "ASGI_LOOK_API_KEYS": "a secret",
        "SOMEBODY_ELSES_TOKEN": "a secret",
    }
    for name, value in secrets.items():
        monkeypatch.setenv(name, value)
    async with opened(Workers(1, 1 << 28, 60)) as workers:
        number = await done(workers.decoding, os.getpid, 1)
        process = Path(f"/proc/{number}")
        known = (process / "environ").read_bytes()
        assert b"secret" not in known
        assert not any(name.encode() in known for name in secrets)
        assert "NoNewPrivs:\t1" in (process / "status").read_text()
        limits = (process / "limits").read_text()
        for name, most in (("processes", "0"), ("open files", "64"), ("core file size", "0")):
            row = next(row for row in limits.splitlines() if row.startswith(f"Max {name}"))
            assert row.removeprefix(f"Max {name}").split()[:2] == [most, most]
        ours = (process / "fd").iterdir()
        assert sorted(int(path.name) for path in ours)[:3] == [0, 1, 2]
        assert len(list((process / "fd").iterdir())) <= 4
