"""The document itself: valid, whole, and about this very service."""

import json
import pkgutil
import re
import subprocess
import sys
from collections.abc import Iterator
from importlib import import_module
from pathlib import Path
from typing import Any
from zipfile import ZipFile

import falcon.inspect
import pytest
from openapi_schema_validator import OAS31Validator
from openapi_spec_validator import validate

import asgilook.http
from asgilook import __version__
from asgilook.app import create_app
from asgilook.config import Settings
from asgilook.http import problems
from tests.openapi.promises import DOCUMENT, Node, operations, problem_codes, resolve

ROOT = Path(__file__).parents[2]

OF_NO_OPERATION = {"method-not-allowed", "not-implemented"}
"""Codes of answers to methods that an operation does not have."""


def nodes(node: Any = DOCUMENT) -> Iterator[Node]:
    """Give every object of the document."""
    if isinstance(node, dict):
        yield node
    for part in node.values() if isinstance(node, dict) else node:
        if isinstance(part, (dict, list)):
            yield from nodes(part)


def references() -> set[str]:
    return {node["$ref"] for node in nodes() if "$ref" in node}


def problems_of_the_service() -> set[tuple[int, str]]:
    """Find every problem that a room of HTTP may answer with, wherever it is kept."""
    rooms = [
        import_module(f"asgilook.http.{room.name}")
        for room in pkgutil.iter_modules(asgilook.http.__path__)
    ]
    kept = [value for room in rooms for value in vars(room).values()]
    named = [value for value in kept if isinstance(value, problems.Problem)]
    return {(problem.status, problem.code) for problem in [*named, *problems.PROBLEMS.values()]}


def test_it_follows_openapi() -> None:
    validate(DOCUMENT)
    assert DOCUMENT["openapi"].startswith("3.1.")


def test_it_is_of_the_version_that_it_comes_with() -> None:
    assert DOCUMENT["info"]["version"] == __version__


def test_it_has_every_route_and_no_other() -> None:
    routes = {
        (method.method, re.sub(r"\{\w+(:\w+)?\}", "{}", route.path))
        for route in falcon.inspect.inspect_app(create_app(Settings())).routes
        for method in route.methods
        if method.method == "OPTIONS" or not method.internal
    }
    described = {
        (operation.method, re.sub(r"\{\w+\}", "{}", operation.path)) for operation in operations()
    }
    assert described == routes


def test_it_has_every_problem_code_and_no_other() -> None:
    listed = DOCUMENT["components"]["schemas"]["ProblemCode"]["enum"]
    told = {code for _, code in problems_of_the_service()}
    assert set(listed) == told | {"method-not-allowed"}
    assert len(set(listed)) == len(listed)


def test_every_problem_code_is_some_answers() -> None:
    listed = set(DOCUMENT["components"]["schemas"]["ProblemCode"]["enum"])
    used = set(problem_codes(DOCUMENT["components"]["responses"]))
    assert used == listed - OF_NO_OPERATION


def test_every_operation_says_what_it_is() -> None:
    tags = {tag["name"] for tag in DOCUMENT["tags"]}
    names = [node["operationId"] for node in operations().values()]
    assert len(set(names)) == len(names)
    for operation, node in operations().items():
        assert re.fullmatch(r"[a-z]+[A-Za-z]*", node["operationId"]), operation
        assert set(node["tags"]) <= tags, operation
        assert node["summary"], operation
        assert node["description"], operation


def test_a_head_takes_and_answers_what_its_get_does_but_for_parts() -> None:
    for path, item in DOCUMENT["paths"].items():
        if "get" not in item:
            continue
        taken = [resolve(parameter)["name"] for parameter in item["get"].get("parameters", ())]
        head = [resolve(parameter)["name"] for parameter in item["head"].get("parameters", ())]
        assert item["head"]["responses"] == {
            status: answer
            for status, answer in item["get"]["responses"].items()
            if status not in {"206", "416"}
        }, path
        assert head == [name for name in taken if name not in {"Range", "If-Range"}], path


def test_every_component_is_used() -> None:
    components = {
        f"#/components/{kind}/{name}"
        for kind, named in DOCUMENT["components"].items()
        for name in named
        if kind != "securitySchemes"
    }
    assert references() == components


def test_every_object_of_an_answer_is_closed() -> None:
    for name, schema in DOCUMENT["components"]["schemas"].items():
        for node in nodes(schema):
            if node.get("type") == "object":
                assert node["additionalProperties"] is False, name
                assert set(node["required"]) == set(node["properties"]), name


@pytest.mark.parametrize("kind", ["parameters", "headers"])
def test_every_field_says_what_it_is_and_what_it_looks_like(kind: str) -> None:
    for name, field in DOCUMENT["components"][kind].items():
        schema = resolve(field["schema"])
        assert field["description"].endswith("."), name
        assert "example" in field or not schema.keys().isdisjoint({"const", "enum"}), name


def test_every_example_is_true_to_its_schema() -> None:
    checked = 0
    for node in nodes():
        shown = [resolve(example)["value"] for example in node.get("examples", {}).values()]
        shown += [node["example"]] if "example" in node else []
        if "schema" in node:
            whole = {**node["schema"], "components": DOCUMENT["components"]}
            for example in shown:
                OAS31Validator(whole, format_checker=OAS31Validator.FORMAT_CHECKER).validate(
                    example
                )
                checked += 1
    assert checked > 50


def test_the_wheel_has_it(tmp_path: Path) -> None:
    build = [sys.executable, "-m", "hatchling", "build", "--target", "wheel", "-d", str(tmp_path)]
    subprocess.run(build, cwd=ROOT, check=True, capture_output=True)
    (wheel,) = tmp_path.glob("*.whl")
    with ZipFile(wheel) as packed:
        assert json.loads(packed.read("asgilook/http/openapi.json")) == DOCUMENT
