"""The alerts, the dashboard and the runbook, held against each other and against a live service."""

import json
import re
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any, cast

import promql_parser
import pytest
import yaml

from asgilook.metrics.catalogue import METRICS
from tests import servers
from tests.programs import program
from tests.scrape import Admin
from tests.servers import ServiceOptions

INFRA = Path(__file__).parents[2] / "infra"
RULES = INFRA / "prometheus" / "rules.yaml"
RULES_TEST = INFRA / "prometheus" / "rules_test.yaml"
DASHBOARD = json.loads((INFRA / "grafana" / "asgilook.json").read_text())

_NAME = re.compile(r"\basgilook[a-z0-9_:]+")
_PARTS = ("_bucket", "_sum", "_count")


def rules() -> list[dict[str, Any]]:
    groups = yaml.safe_load(RULES.read_text())["groups"]
    return [rule for group in groups for rule in group["rules"]]


ALERTS = {rule["alert"]: rule for rule in rules() if "alert" in rule}
RECORDED = {rule["record"] for rule in rules() if "record" in rule}


def expressions() -> list[str]:
    """Give all that the rules and the panels ask for, as Prometheus gets it."""
    targets = [target for panel in DASHBOARD["panels"] for target in panel.get("targets", ())]
    shown = [target["expr"].replace("$__rate_interval", "5m") for target in targets]
    return [*shown, *(rule["expr"] for rule in rules())]


@pytest.fixture(scope="module")
def metrics(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """Give what a live service tells."""
    admin = Admin(servers.free_port())
    options = ServiceOptions(tmp_path_factory.mktemp("metrics"), admin.settings)
    with servers.service(options):
        yield admin.text()


def promtool(*arguments: str, given: str = "") -> "subprocess.CompletedProcess[str]":
    command = [program("promtool", "prometheus"), *arguments]
    return subprocess.run(command, input=given, capture_output=True, text=True, check=False)


def test_prometheus_finds_nothing_wrong_with_the_metrics(metrics: str) -> None:
    judged = promtool("check", "metrics", given=metrics)
    assert (judged.returncode, judged.stdout + judged.stderr) == (0, "")


def test_the_service_exposes_every_metric_of_the_catalogue_and_its_version(metrics: str) -> None:
    exposed = set(re.findall(r"(?m)^# TYPE (\S+)", metrics))
    assert exposed == {*METRICS, "asgilook_build_info"}


@pytest.mark.parametrize("expression", expressions())
def test_an_expression_can_be_read_and_asks_for_what_there_is(
    expression: str, metrics: str
) -> None:
    promql_parser.parse(expression)
    names = set(_NAME.findall(expression))
    assert names
    for name in names - RECORDED:
        family = next((name.removesuffix(part) for part in _PARTS if name.endswith(part)), name)
        assert f"# TYPE {family} " in metrics


def test_no_two_panels_have_the_same_id_or_place() -> None:
    panels = DASHBOARD["panels"]
    assert len({panel["id"] for panel in panels}) == len(panels)
    assert len({(panel["gridPos"]["x"], panel["gridPos"]["y"]) for panel in panels}) == len(panels)


def test_every_metric_of_the_catalogue_is_shown_or_watched() -> None:
    asked = " ".join(expressions())
    assert [name for name in METRICS if name not in asked] == []


def test_the_rules_are_well_formed() -> None:
    judged = promtool("check", "rules", str(RULES))
    assert judged.returncode == 0, judged.stdout + judged.stderr


def test_the_alerts_fire_when_they_should_and_only_then() -> None:
    judged = promtool("test", "rules", str(RULES_TEST))
    assert judged.returncode == 0, judged.stdout + judged.stderr


def test_each_alert_is_seen_to_fire_and_to_be_silent() -> None:
    tests = yaml.safe_load(RULES_TEST.read_text())["tests"]
    seen = [(case["alertname"], "exp_alerts" in case) for test in tests for case in cases(test)]
    assert set(seen) == {(name, fires) for name in ALERTS for fires in (True, False)}


def cases(test: dict[str, Any]) -> list[dict[str, Any]]:
    return cast("list[dict[str, Any]]", test.get("alert_rule_test", []))


def test_each_alert_has_its_paragraph_in_the_runbook_and_no_other_has() -> None:
    headings = re.findall(r"(?m)^### (.+)$", (INFRA / "RUNBOOK.md").read_text())
    assert headings == list(ALERTS)
    for name, rule in ALERTS.items():
        url = f"infra/RUNBOOK.md#{name.lower()}"
        assert rule["annotations"]["runbook_url"] == url
        assert rule["labels"]["severity"] in {"page", "ticket"}
