"""The document, read as promises: what each operation may answer."""

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from importlib import resources
from typing import Any

METHODS = ("get", "head", "post", "delete", "options")

Node = dict[str, Any]
"""A part of the document."""

DOCUMENT: Node = json.loads(
    resources.files("asgilook.http").joinpath("openapi.json").read_text("utf-8")
)


@dataclass(frozen=True)
class Operation:
    """A method on a path, spelled as the document spells it."""

    method: str
    path: str

    def __str__(self) -> str:
        """Spell it as people do."""
        return f"{self.method} {self.path}"


@dataclass(frozen=True)
class Promise:
    """What one status of one operation looks like."""

    name: str
    """The one that the answer has among the components."""
    fields: dict[str, bool]
    """The fields, in lower case, and whether each is always there."""
    media_types: frozenset[str]
    codes: frozenset[str]
    """What a problem document may say."""


def resolve(node: Node) -> Node:
    """Follow a reference, if it is one."""
    while "$ref" in node:
        found: Any = DOCUMENT
        for key in node["$ref"].removeprefix("#/").split("/"):
            found = found[key]
        node = found
    return node


def operations() -> dict[Operation, Node]:
    """Give every operation."""
    return {
        Operation(method.upper(), path): item[method]
        for path, item in DOCUMENT["paths"].items()
        for method in METHODS
        if method in item
    }


def promises() -> dict[tuple[Operation, int], Promise]:
    """Give every status of every operation."""
    return {
        (operation, int(status)): _promise(reference)
        for operation, node in operations().items()
        for status, reference in node["responses"].items()
    }


def operation_of(method: str, path: str) -> Operation:
    """Find the operation that a request is for, be its parts well spelled or not."""
    for template in sorted(DOCUMENT["paths"], key=len, reverse=True):
        loosely = re.sub(r"\\\{.*?\\\}", "[^/]+", re.escape(template))
        if re.fullmatch(loosely, path.partition("?")[0]):
            return Operation(method, template)
    raise LookupError(path)


def problem_codes(node: Any) -> Iterator[str]:
    """Give the codes that a schema allows."""
    if isinstance(node, dict):
        yield from node.get("properties", {}).get("code", {}).get("enum", ())
        for part in node.values():
            yield from problem_codes(part)
    elif isinstance(node, list):
        for part in node:
            yield from problem_codes(part)


def _promise(reference: Node) -> Promise:
    answer = resolve(reference)
    return Promise(
        reference["$ref"].rpartition("/")[2],
        {
            name.lower(): resolve(field).get("required", False)
            for name, field in answer.get("headers", {}).items()
        },
        frozenset(answer.get("content", ())),
        frozenset(problem_codes(answer.get("content", {}))),
    )
