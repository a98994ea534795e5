"""The doctor at a bucket and at a folder: what is wrong is named, and nothing is left behind."""

import asyncio
import contextlib
import json
import os
from collections.abc import Iterator
from pathlib import Path

import botocore.session
import pytest

from asgilook.byte_range import ByteRange
from asgilook.doctor.store import bucket as in_bucket
from asgilook.doctor.store import examine_store
from asgilook.store import ObjectInfo, ObjectStream, Store
from asgilook.store.s3 import Bucket, S3Store
from tests import servers
from tests.contracts.scripted import Answer, error, scripted
from tests.contracts.steps import PATIENCE_S, s3_store
from tests.doctor.reports import report, wrong
from tests.fakes import Broken, MemoryStore
from tests.rooms import opened

NAME = "surgery"


@pytest.fixture(scope="module")
def surgery(seaweedfs_url: str) -> str:
    servers.make_bucket(seaweedfs_url, NAME)
    return seaweedfs_url


@contextlib.contextmanager
def denied(url: str, action: str) -> Iterator[None]:
    """Take a right away from everybody, for a block."""
    resources = [f"arn:aws:s3:::{NAME}", f"arn:aws:s3:::{NAME}/*"]
    deny = {"Effect": "Deny", "Principal": "*", "Action": f"s3:{action}", "Resource": resources}
    policy = json.dumps({"Version": "2012-10-17", "Statement": [deny]})
    session = botocore.session.Session()
    session.set_credentials(servers.ACCESS_KEY, servers.SECRET_KEY)
    client = session.create_client("s3", region_name="us-east-1", endpoint_url=url)
    with contextlib.closing(client):
        client.put_bucket_policy(Bucket=NAME, Policy=policy)
        try:
            yield
        finally:
            client.delete_bucket_policy(Bucket=NAME)


async def keys(url: str, prefix: str) -> list[str]:
    async with opened(S3Store(Bucket(NAME, prefix, url), PATIENCE_S)) as store:
        return await store.scan("doctor/", limit=10)


@contextlib.contextmanager
def as_nobody() -> Iterator[None]:
    """Be a user without rights, if this is the one that has all."""
    if os.geteuid() != 0:
        yield
        return
    os.seteuid(65534)
    try:
        yield
    finally:
        os.seteuid(0)


def test_a_bucket_that_works_is_well_and_left_as_it_was(surgery: str) -> None:
    settings = {"S3_BUCKET": NAME, "S3_ENDPOINT_URL": surgery, "S3_PREFIX": "well/"}
    code, found = report(**settings)
    assert (code, wrong(found, "bucket")) == (0, set())
    assert {"bucket clock", "bucket conditional writes", "bucket missing key"} < found.keys()
    assert asyncio.run(keys(surgery, "well/")) == []


def test_moto_is_well(moto_url: str, bucket: str) -> None:
    servers.make_bucket(moto_url, bucket)
    code, found = report(S3_BUCKET=bucket, S3_ENDPOINT_URL=moto_url)
    assert (code, wrong(found, "bucket")) == (0, set())


@pytest.mark.parametrize(
    ("right", "resource"),
    [
        ("PutObject", "surgery/ill/*"),
        ("GetObject", "surgery/ill/*"),
        ("ListBucket", "surgery: "),
        ("DeleteObject", "surgery/ill/*"),
    ],
)
def test_a_missing_right_is_named(surgery: str, right: str, resource: str) -> None:
    with denied(surgery, right):
        code, found = report(S3_BUCKET=NAME, S3_ENDPOINT_URL=surgery, S3_PREFIX="ill/")
    assert code == 1
    assert wrong(found, "bucket") - {"bucket clean-up"} == {f"bucket {right}"}
    level, words = found[f"bucket {right}"]
    assert level == "FAIL"
    assert f"allow s3:{right} on arn:aws:s3:::{resource}" in f"{words}: "


def test_what_could_not_be_removed_is_named(surgery: str) -> None:
    with denied(surgery, "DeleteObject"):
        _, found = report(S3_BUCKET=NAME, S3_ENDPOINT_URL=surgery, S3_PREFIX="left/")
    [left] = asyncio.run(keys(surgery, "left/"))
    assert left in found["bucket clean-up"][1]


def test_a_bucket_that_is_not_there_is_one_failure(surgery: str) -> None:
    code, found = report(S3_BUCKET="never-made", S3_ENDPOINT_URL=surgery)
    assert (code, wrong(found, "bucket")) == (1, {"bucket reachable"})
    assert "NoSuchBucket" in found["bucket reachable"][1]


def test_a_wrong_secret_is_one_failure(surgery: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "canary-of-the-secret")
    code, found = report(S3_BUCKET=NAME, S3_ENDPOINT_URL=surgery)
    assert (code, wrong(found, "bucket")) == (1, {"bucket reachable"})
    assert "canary" not in str(found)


def test_a_store_that_nobody_answers_at_is_one_failure() -> None:
    url = f"http://127.0.0.1:{servers.free_port()}"
    code, found = report(S3_BUCKET=NAME, S3_ENDPOINT_URL=url)
    assert (code, wrong(found, "bucket")) == (1, {"bucket reachable"})


@pytest.mark.parametrize("name", ["AWS_PROFILE", "AWS_DEFAULT_REGION"])
def test_a_setting_of_aws_that_cannot_be_is_one_failure(
    name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(name, "no/where")
    url = f"http://127.0.0.1:{servers.free_port()}"
    code, found = report(S3_BUCKET=NAME, S3_ENDPOINT_URL=url)
    assert (code, wrong(found, "bucket r")) == (1, {"bucket reachable"})
    assert "no/where" in found["bucket reachable"][1]


class Overwriting(MemoryStore):
    """Knows no conditions, as some S3 engines do not."""

    async def put(self, key: str, body: bytes, **described: object) -> ObjectInfo:
        self.objects.pop(key, None)
        return await super().put(key, body, **described)  # type: ignore[arg-type]


class Mangling(MemoryStore):
    """Gives the whole where a part is asked for."""

    async def open(self, key: str, byte_range: ByteRange | None = None) -> ObjectStream:
        return await super().open(key)


@pytest.mark.parametrize(
    ("store", "failed"),
    [
        (MemoryStore(), set()),
        (Overwriting(), {"bucket conditional writes"}),
        (Mangling(), {"bucket GetObject"}),
        (Broken(MemoryStore(), on="stat"), {"bucket missing key"}),
    ],
    ids=lambda value: type(value).__name__,
)
async def test_an_engine_that_is_not_quite_s3_is_told(store: Store, failed: set[str]) -> None:
    found = await examine_store(store, in_bucket(NAME, ""))
    assert {each.what for each in found if each.level == "FAIL"} == failed
    assert all(each.mend for each in found if each.level == "FAIL")


def test_a_folder_is_well_and_left_empty(folder: Path) -> None:
    code, found = report(STORAGE_PATH=str(folder / "pictures"))
    assert (code, wrong(found, "folder")) == (0, set())
    assert [path for path in folder.rglob("*") if path.is_file()] == []


def test_a_folder_that_may_only_be_read_is_told(folder: Path) -> None:
    (folder / "pictures").mkdir(mode=0o555)
    with as_nobody():
        code, found = report(STORAGE_PATH=str(folder / "pictures"))
    assert (code, "folder create" in wrong(found, "folder")) == (1, True)
    assert f"let this user create files in {folder}/pictures" in found["folder create"][1]


def test_a_file_in_the_folders_place_is_told(folder: Path) -> None:
    (folder / "pictures").touch()
    code, found = report(STORAGE_PATH=str(folder / "pictures"))
    assert (code, "folder create" in wrong(found, "folder")) == (1, True)


async def test_an_engine_that_refuses_conditional_writes_is_told_for_that() -> None:
    refusal = error("501 Not Implemented", "NotImplemented")
    empty = Answer(body=b"<ListBucketResult><IsTruncated>false</IsTruncated></ListBucketResult>")
    async with scripted(refusal, empty, Answer("204 No Content")) as server:
        found = await examine_store(s3_store(server.url), in_bucket(NAME, ""))
    assert [each.what for each in found if each.level == "FAIL"] == ["bucket conditional writes"]
