"""What the manifests promise, read from the manifests themselves."""

from pathlib import Path
from typing import Any

import pytest
import yaml

from asgilook import config

K8S = Path(__file__).parents[2] / "infra/k8s"
NAME = {"app.kubernetes.io/name": "asgilook"}


def manifest(name: str) -> dict[str, Any]:
    found: dict[str, Any] = yaml.safe_load((K8S / f"{name}.yaml").read_text())
    return found


def pod() -> dict[str, Any]:
    found: dict[str, Any] = manifest("base/deployment")["spec"]["template"]["spec"]
    return found


def container() -> dict[str, Any]:
    (only,) = pod()["containers"]
    found: dict[str, Any] = only
    return found


def configured() -> dict[str, str]:
    (generator,) = manifest("overlays/production/kustomization")["configMapGenerator"]
    return dict(line.split("=", 1) for line in generator["literals"])


def test_every_manifest_of_the_base_is_used() -> None:
    resources = manifest("base/kustomization")["resources"]
    files = {path.name for path in (K8S / "base").iterdir()}
    assert files == {*resources, "kustomization.yaml"}


def test_a_replica_serves_only_when_it_has_once_reached_all_that_it_needs() -> None:
    assert container()["startupProbe"]["httpGet"]["path"] == "/readyz"


@pytest.mark.parametrize("probe", ["readinessProbe", "livenessProbe"])
def test_trouble_that_all_replicas_share_takes_none_of_them_away(probe: str) -> None:
    assert container()[probe]["httpGet"]["path"] == "/healthz"


def test_a_rolling_update_starts_the_new_before_it_ends_the_old() -> None:
    rolling = manifest("base/deployment")["spec"]["strategy"]["rollingUpdate"]
    assert (rolling["maxSurge"], rolling["maxUnavailable"]) == (1, 0)


def test_a_replica_that_ends_has_time_to_be_forgotten_and_to_finish() -> None:
    pause_s = container()["lifecycle"]["preStop"]["sleep"]["seconds"]
    finishing_s = int(configured()["ASGI_LOOK_SHUTDOWN_TIMEOUT"])
    assert pod()["terminationGracePeriodSeconds"] > pause_s + finishing_s


def test_the_autoscaler_alone_decides_how_many_there_are() -> None:
    assert "replicas" not in manifest("base/deployment")["spec"]
    for name in ("base/scaling", "overlays/production/scaling"):
        assert manifest(name)["spec"]["minReplicas"] >= 2


def test_a_replica_runs_as_nobody_and_may_do_nothing() -> None:
    assert pod()["securityContext"]["runAsNonRoot"]
    assert pod()["securityContext"]["seccompProfile"] == {"type": "RuntimeDefault"}
    assert container()["securityContext"] == {
        "allowPrivilegeEscalation": False,
        "readOnlyRootFilesystem": True,
        "capabilities": {"drop": ["ALL"]},
    }
    assert not pod()["automountServiceAccountToken"]


def test_uploads_lie_on_the_disk_and_not_in_memory() -> None:
    (mount,) = container()["volumeMounts"]
    (volume,) = pod()["volumes"]
    assert (mount["mountPath"], mount["name"]) == ("/tmp", volume["name"])
    assert "medium" not in volume["emptyDir"]


def environment() -> dict[str, Any]:
    return {each["name"]: each.get("value", each.get("valueFrom")) for each in container()["env"]}


def test_the_processors_are_those_of_the_replica_not_of_the_node() -> None:
    slots = environment()[config.variable("render_slots")]
    assert slots == {"resourceFieldRef": {"resource": "limits.cpu"}}


def test_metrics_have_a_port_of_their_own_for_those_who_may_read_them() -> None:
    ports = {each["name"]: each["containerPort"] for each in container()["ports"]}
    assert environment()[config.variable("admin_port")] == str(ports["metrics"])
    entrances = manifest("base/network")["spec"]["ingress"]
    labels = {
        rule["ports"][0]["port"]: rule["from"][0]["namespaceSelector"]["matchLabels"]
        for rule in entrances
    }
    assert labels == {
        "http": {"asgilook/entrance": "true"},
        "metrics": {"asgilook/monitoring": "true"},
    }


def test_what_is_configured_are_settings_and_no_secrets() -> None:
    known = {config.variable(field) for field in config.Settings.model_fields}
    given = {name for name in [*configured(), *environment()] if name.startswith(config.PREFIX)}
    secrets = {config.variable(name) for name in ("api_keys", "signing_keys", "redis_url")}
    assert given <= known - secrets


@pytest.mark.parametrize("name", ["disruption", "network"])
def test_a_policy_is_for_the_service_and_for_nobody_else(name: str) -> None:
    spec = manifest(f"base/{name}")["spec"]
    assert (spec.get("selector") or spec["podSelector"])["matchLabels"] == NAME
