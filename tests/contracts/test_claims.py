"""The promises of `asgilook/claims.py`, on every store that there is."""

import asyncio
import re
from hashlib import sha256
from pathlib import Path
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from asgilook.claims import Claim, Claims
from asgilook.errors import ClaimMismatch, StoreBroken
from asgilook.ids import uuid7
from asgilook.store import ObjectInfo, Store
from asgilook.store.files import FileStore
from asgilook.store.tree import Tree
from tests.fakes import MemoryStore

ONE, OTHER = sha256(b"one").digest(), sha256(b"other").digest()
CLAIM = Claim("key", ONE)


@pytest.fixture
def claims(store: Store) -> Claims:
    return Claims(store)


async def test_a_claim_stands_for_the_image_that_it_was_first_made_for(claims: Claims) -> None:
    first = uuid7()
    assert await claims.settle(CLAIM, first) == first
    assert await claims.settle(CLAIM, uuid7()) == first
    assert await claims.settle(CLAIM, uuid7()) == first


async def test_the_same_key_with_another_upload_is_refused(claims: Claims) -> None:
    first = uuid7()
    await claims.settle(CLAIM, first)
    with pytest.raises(ClaimMismatch):
        await claims.settle(Claim("key", OTHER), uuid7())
    assert await claims.settle(CLAIM, uuid7()) == first


async def test_another_key_is_another_claim(claims: Claims) -> None:
    first, second = uuid7(), uuid7()
    assert await claims.settle(CLAIM, first) == first
    assert await claims.settle(Claim("other key", ONE), second) == second


async def test_all_who_claim_at_once_get_the_same_image(claims: Claims) -> None:
    wanted = [uuid7() for _ in range(8)]
    settled = await asyncio.gather(*(claims.settle(CLAIM, image_id) for image_id in wanted))
    assert len(set(settled)) == 1
    assert settled[0] in wanted


async def test_of_different_uploads_at_once_one_gets_the_key(claims: Claims) -> None:
    settling = (claims.settle(Claim("key", sha256), uuid7()) for sha256 in (ONE, OTHER))
    results = await asyncio.gather(*settling, return_exceptions=True)
    assert {type(result) for result in results} == {UUID, ClaimMismatch}


async def test_a_released_claim_may_be_made_again_with_another_upload(claims: Claims) -> None:
    first, second = uuid7(), uuid7()
    await claims.settle(CLAIM, first)
    await claims.release(CLAIM, first)
    await claims.release(CLAIM, first)
    assert await claims.settle(Claim("key", OTHER), second) == second


@pytest.mark.parametrize("upload", [ONE, OTHER], ids=["the same upload", "another upload"])
async def test_a_claim_that_was_made_anew_is_not_released_by_who_shared_the_former(
    claims: Claims, upload: bytes
) -> None:
    first, second = uuid7(), uuid7()
    await claims.settle(CLAIM, first)
    await claims.release(CLAIM, first)
    await claims.settle(Claim("key", upload), second)
    await claims.release(CLAIM, first)
    assert await claims.settle(Claim("key", upload), uuid7()) == second


class _Emptied(MemoryStore):
    """A store from which somebody deletes what is about to be looked up."""

    async def stat(self, key: str) -> ObjectInfo:
        await self.delete(key)
        return await super().stat(key)


async def test_a_claim_that_goes_while_it_is_looked_up_is_made_again() -> None:
    claims = Claims(_Emptied())
    await claims.settle(CLAIM, uuid7())
    second = uuid7()
    assert await claims.settle(CLAIM, second) == second


async def test_a_claim_whose_file_lost_its_content_is_a_broken_object(tmp_path: Path) -> None:
    claims = Claims(FileStore(tmp_path))
    await claims.settle(CLAIM, uuid7())
    Tree(tmp_path).path(CLAIM.object_key).write_bytes(b"")
    with pytest.raises(StoreBroken):
        await claims.settle(CLAIM, uuid7())


@pytest.mark.parametrize("told", [{}, {"image": "cat", "sha256": ONE.hex()}], ids=["empty", "odd"])
async def test_a_claim_that_lost_its_metadata_is_a_broken_object(
    store: Store, told: dict[str, str]
) -> None:
    await store.put(CLAIM.object_key, b"", content_type="text/plain", metadata=told)
    with pytest.raises(StoreBroken):
        await Claims(store).settle(CLAIM, uuid7())


@given(st.text(), st.text())
def test_what_is_kept_of_a_key_tells_nothing_of_it_and_is_safe_in_any_store(
    key: str, other: str
) -> None:
    kept = Claim(key, ONE).object_key
    assert re.fullmatch(r"claims/[0-9a-f]{64}", kept)
    assert (kept == Claim(other, OTHER).object_key) == (key == other)
