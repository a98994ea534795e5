"""Reads the CloudFormation template, and makes of it what an emulator can create."""

import re
from collections.abc import Iterator, Mapping
from functools import cache
from pathlib import Path
from typing import Any

import yaml

TEMPLATE = Path(__file__).parents[2] / "infra/aws/template.yaml"

Node = Any
"""A piece of the template: mappings, lists, texts and numbers."""


class _Loader(yaml.SafeLoader):
    """Reads the short forms of CloudFormation's functions as its long ones."""


def _function(loader: _Loader, suffix: str, node: yaml.Node) -> Node:
    if isinstance(node, yaml.ScalarNode):
        value: Node = loader.construct_scalar(node)
    elif isinstance(node, yaml.SequenceNode):
        value = loader.construct_sequence(node, deep=True)
    else:
        assert isinstance(node, yaml.MappingNode)
        value = loader.construct_mapping(node, deep=True)
    if suffix == "GetAtt":
        value = value.split(".", 1)
    return {suffix if suffix in {"Ref", "Condition"} else f"Fn::{suffix}": value}


_Loader.add_multi_constructor("!", _function)


@cache
def _text() -> str:
    return TEMPLATE.read_text()


def read() -> dict[str, Node]:
    """Read the template, anew each time."""
    template: dict[str, Node] = yaml.load(_text(), _Loader)
    return template


def properties(name: str) -> dict[str, Node]:
    """Give what a resource is made with."""
    made: dict[str, Node] = read()["Resources"][name]["Properties"]
    return made


def of_type(kind: str) -> dict[str, dict[str, Node]]:
    """Give the resources of a type, and what each is made with."""
    resources = read()["Resources"].items()
    return {name: each["Properties"] for name, each in resources if each["Type"] == kind}


def walk(node: Node) -> Iterator[Node]:
    """Give a piece and all that is in it."""
    yield node
    inside = node.values() if isinstance(node, dict) else node if isinstance(node, list) else ()
    for each in inside:
        yield from walk(each)


def pruned(unsupported: set[str], stand_ins: Mapping[str, str]) -> dict[str, Node]:
    """Leave out the types that the emulator does not know.

    Where the rest names such a resource, its stand-in is put, or an ARN of nothing.
    """
    template = read()
    resources = template["Resources"]
    words = {
        name: stand_ins.get(name, f"arn:aws:none:::{name.lower()}")
        for name, each in resources.items()
        if each["Type"] in unsupported
    }
    for each in resources.values():
        waits = each.pop("DependsOn", [])
        waits = [waits] if isinstance(waits, str) else waits
        each["DependsOn"] = [name for name in waits if name not in words]
    kept = {name: each for name, each in resources.items() if name not in words}
    # The emulator knows no rules either.
    template = {key: template[key] for key in ("Parameters", "Conditions", "Mappings")}
    return template | {"Resources": _replaced(kept, words)}


def _replaced(node: Node, words: Mapping[str, str]) -> Node:
    match node:
        case {"Ref": str(name)} | {"Fn::GetAtt": [name, *_]} if name in words:
            return words[name]
        case {"Fn::Sub": str(text)}:
            return {"Fn::Sub": _replaced_in_text(text, words)}
        case {"Fn::Sub": [str(text), variables]}:
            return {"Fn::Sub": [_replaced_in_text(text, words), _replaced(variables, words)]}
        case dict():
            return {key: _replaced(value, words) for key, value in node.items()}
        case list():
            return [_replaced(each, words) for each in node]
    return node


def _replaced_in_text(text: str, words: Mapping[str, str]) -> str:
    return re.sub(r"\$\{(\w+)[^}]*\}", lambda match: words.get(match[1], match[0]), text)
