"""Who may do what in a bucket: a store that is not let in says so, and is let in again."""

import json
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from asgilook.errors import StoreRefused
from asgilook.store.s3 import Bucket, S3Store
from tests import servers
from tests.contracts.scripted import error, scripted
from tests.contracts.steps import BODY, INFO, KEY, PATIENCE_S, outcomes, put, read, s3_store
from tests.rooms import opened


async def test_a_missing_bucket_is_trouble_and_not_a_missing_key(
    moto_url: str, seaweedfs_url: str
) -> None:
    for url in (moto_url, seaweedfs_url):
        async with opened(S3Store(Bucket("never-made", "", url), PATIENCE_S)) as store:
            assert await outcomes(store) == {StoreRefused}


async def test_a_wrong_secret_is_trouble(
    monkeypatch: pytest.MonkeyPatch, seaweedfs_bucket: Bucket
) -> None:
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "not it")
    async with opened(S3Store(seaweedfs_bucket, PATIENCE_S)) as store:
        assert await outcomes(store) == {StoreRefused}


@pytest.mark.parametrize("missing", ["AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"])
async def test_missing_credentials_are_trouble_until_they_are_there(
    monkeypatch: pytest.MonkeyPatch, seaweedfs_bucket: Bucket, missing: str
) -> None:
    monkeypatch.delenv(missing)
    async with opened(S3Store(seaweedfs_bucket, PATIENCE_S)) as store:
        assert await outcomes(store) == {StoreRefused}
        monkeypatch.setenv(missing, servers.AWS_ENVIRONMENT[missing])
        await put(store)
        assert (await read(store), await store.stat(KEY)) == (BODY, INFO)


async def test_credentials_are_fetched_anew_before_they_expire(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, seaweedfs_bucket: Bucket
) -> None:
    handed_out = tmp_path / "credentials.json"
    config = tmp_path / "config"
    config.write_text(f"[default]\ncredential_process = /bin/cat {handed_out}\n")
    monkeypatch.delenv("AWS_ACCESS_KEY_ID")
    monkeypatch.setenv("AWS_CONFIG_FILE", str(config))

    def hand_out(secret: str) -> None:
        soon = datetime.now(UTC) + timedelta(minutes=5)
        keys = {"AccessKeyId": servers.ACCESS_KEY, "SecretAccessKey": secret}
        handed_out.write_text(json.dumps({"Version": 1, "Expiration": soon.isoformat(), **keys}))

    handed_out.write_text("not ready yet")
    async with opened(S3Store(seaweedfs_bucket, PATIENCE_S)) as store:
        assert await outcomes(store) == {StoreRefused}
        hand_out("expired meanwhile")
        assert await outcomes(store) == {StoreRefused}
        handed_out.write_text("out of order")
        assert await outcomes(store) == {StoreRefused}
        hand_out(servers.SECRET_KEY)
        await put(store)
        assert (await read(store), await store.stat(KEY)) == (BODY, INFO)


async def test_who_may_not_list_is_told_what_that_leads_to() -> None:
    denied = error("403 Forbidden", "AccessDenied")
    async with scripted(denied, denied) as server, opened(s3_store(server.url)) as store:
        with pytest.raises(StoreRefused, match="without the right to list"):
            await store.open(KEY)
