"""Where the document says that answers lead."""

import re
from typing import Any

import pytest
from falcon.testing import Result

from tests import pictures
from tests.http.client import Client, serving
from tests.openapi.promises import DOCUMENT, Node, operations, resolve

EXPRESSION = re.compile(r"\$response\.(?:body#/(.*?)|header\.(.*?))(?:#regex:(.*))?")


def links(operation_id: str, status: str) -> dict[str, Node]:
    (node,) = [node for node in operations().values() if node["operationId"] == operation_id]
    found: dict[str, Node] = resolve(node["responses"][status])["links"]
    return found


def value(expression: str, answer: Result) -> str:
    """Work a run-time expression out (OpenAPI 3.1, section 4.8.20.3)."""
    match = EXPRESSION.fullmatch(expression)
    if match is None:
        return expression
    found: Any = answer.json if match[1] else answer.headers[match[2].lower()]
    for key in match[1].split("/") if match[1] else ():
        found = found[int(key) if isinstance(found, list) else key]
    if match[3]:
        part = re.search(match[3], found)
        assert part
        return part[1]
    return str(found)


async def follow(client: Client, link: Node, answer: Result) -> Result:
    parameters = {name: value(text, answer) for name, text in link["parameters"].items()}
    ((operation, _),) = [
        found for found in operations().items() if found[1]["operationId"] == link["operationId"]
    ]
    path = operation.path.format_map(parameters)
    query = {name: text for name, text in parameters.items() if f"{{{name}}}" not in operation.path}
    return await client.request(operation.method, path, params=query)


@pytest.mark.parametrize(
    ("name", "status"), [("image", 200), ("original", 200), ("thumbnail", 200), ("deletion", 204)]
)
async def test_an_upload_leads_to_all_that_there_is_of_the_image(name: str, status: int) -> None:
    async with serving() as client:
        made = await client.post(pictures.upload((462, 462)), "image/jpeg")
        followed = await follow(client, links("uploadImages", "201")[name], made)
    assert followed.status_code == status


async def test_the_thumbnail_that_an_upload_leads_to_is_the_largest() -> None:
    async with serving() as client:
        made = await client.post(pictures.upload((462, 460)), "image/jpeg")
        followed = await follow(client, links("uploadImages", "201")["thumbnail"], made)
    assert pictures.decode(followed.content).size == (231, 230)


async def test_a_page_leads_to_its_newest_image_and_to_the_next_page() -> None:
    async with serving() as client:
        older, newer = await client.add(), await client.add()
        page = await client.request("GET", "/images", params={"limit": "1"})
        newest = await follow(client, links("listImages", "200")["newest"], page)
        following = await follow(client, links("listImages", "200")["next"], page)
    assert newest.json == newer
    assert following.json == [older]


def test_every_link_names_an_operation_and_its_parameters() -> None:
    described = {node["operationId"]: operation for operation, node in operations().items()}
    for answer in DOCUMENT["components"]["responses"].values():
        for link in answer.get("links", {}).values():
            path = described[link["operationId"]].path
            assert set(re.findall(r"\{(\w+)\}", path)) <= link["parameters"].keys()
