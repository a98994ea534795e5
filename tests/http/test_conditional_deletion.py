"""`DELETE /images/{id}` under a condition (RFC 9110, section 13)."""

import pytest

from tests.http.client import Client


async def test_an_image_is_deleted_if_it_is_the_one_that_the_condition_names(
    client: Client,
) -> None:
    path = f"/images/{(await client.add())['id']}"
    etag = (await client.get(path)).headers["etag"]
    assert (await client.delete(path, if_match=f'"x", {etag}')).status_code == 204
    assert await client.listed() == []


async def test_an_image_is_deleted_if_there_is_one(client: Client) -> None:
    path = f"/images/{(await client.add())['id']}"
    assert (await client.delete(path, if_match="*")).status_code == 204
    assert (await client.delete(path, if_match="*")).status_code == 410


@pytest.mark.parametrize("condition", ["if_match", "if_none_match"])
async def test_an_image_stays_if_the_condition_fails(client: Client, condition: str) -> None:
    image_id = (await client.add())["id"]
    value = '"x"' if condition == "if_match" else "*"
    answer = await client.delete(f"/images/{image_id}", **{condition: value})
    assert answer.status_code == 412
    assert answer.json["code"] == "precondition-failed"
    assert await client.listed() == [image_id]
