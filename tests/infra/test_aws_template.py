"""What the CloudFormation template promises, read from the template itself."""

import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from asgilook import config
from asgilook.cli import main
from tests.infra import cloudformation
from tests.infra.cloudformation import of_type, properties, walk

STATEMENTS = [
    statement
    for policy in of_type("AWS::IAM::Policy").values()
    for statement in policy["PolicyDocument"]["Statement"]
]


def listed(value: Any) -> list[Any]:
    return value if isinstance(value, list) else [value]


def container() -> dict[str, Any]:
    (only,) = properties("Task")["ContainerDefinitions"]
    found: dict[str, Any] = only
    return found


def environment() -> dict[str, Any]:
    return {each["Name"]: each["Value"] for each in container()["Environment"]}


def distribution() -> dict[str, Any]:
    found: dict[str, Any] = properties("Distribution")["DistributionConfig"]
    return found


def test_cfn_lint_finds_nothing() -> None:
    linter = str(Path(sys.executable).parent / "cfn-lint")
    command = [linter, "-i", "I", "--", str(cloudformation.TEMPLATE)]
    verdict = subprocess.run(command, capture_output=True, text=True, check=False)
    assert (verdict.returncode, verdict.stdout) == (0, "")


def test_the_bucket_is_closed_to_the_public_in_every_way() -> None:
    assert set(properties("Bucket")["PublicAccessBlockConfiguration"].values()) == {True}
    assert properties("Bucket")["OwnershipControls"]["Rules"] == [
        {"ObjectOwnership": "BucketOwnerEnforced"}
    ]


def test_the_bucket_is_encrypted_and_asked_over_tls_only() -> None:
    assert properties("Bucket")["BucketEncryption"]
    (statement,) = properties("BucketPolicy")["PolicyDocument"]["Statement"]
    assert statement["Effect"] == "Deny"
    assert statement["Condition"] == {"Bool": {"aws:SecureTransport": "false"}}


def test_the_bucket_outlives_the_stack() -> None:
    bucket = cloudformation.read()["Resources"]["Bucket"]
    assert (bucket["DeletionPolicy"], bucket["UpdateReplacePolicy"]) == ("Retain", "Retain")


def test_what_is_deleted_leaves_the_bucket_in_the_end() -> None:
    rules = {each["Id"]: each for each in properties("Bucket")["LifecycleConfiguration"]["Rules"]}
    assert rules["deleted-pictures"]["NoncurrentVersionExpiration"]
    assert rules["marks-of-deletion"]["ExpiredObjectDeleteMarker"]
    assert {each["Status"] for each in rules.values()} == {"Enabled"}


def test_a_deleted_image_is_told_to_be_gone_for_as_long_as_the_service_means_it() -> None:
    rules = properties("Bucket")["LifecycleConfiguration"]["Rules"]
    days = {each["Prefix"]: each["ExpirationInDays"] for each in rules if "Prefix" in each}
    default_s = config.Settings.model_fields["deleted_ttl"].default
    assert days == dict.fromkeys(["tombstones/", "claims/"], default_s // (24 * 3600))


def test_no_lifecycle_touches_a_picture_or_its_record() -> None:
    rules = properties("Bucket")["LifecycleConfiguration"]["Rules"]
    expiring = [each["Prefix"] for each in rules if "ExpirationInDays" in each]
    assert not [prefix for prefix in expiring if prefix.startswith(("images", "index"))]


@pytest.mark.parametrize("statement", STATEMENTS, ids=lambda statement: statement["Sid"])
def test_a_permission_names_what_may_be_done(statement: dict[str, Any]) -> None:
    assert not [action for action in listed(statement["Action"]) if "*" in action]


def test_a_permission_names_what_it_is_for_but_where_aws_knows_no_name() -> None:
    everywhere = [each["Sid"] for each in STATEMENTS if "*" in listed(each["Resource"])]
    assert everywhere == ["Registry"]


def test_roles_are_for_tasks_of_this_account_only() -> None:
    for role in of_type("AWS::IAM::Role").values():
        (statement,) = role["AssumeRolePolicyDocument"]["Statement"]
        assert statement["Principal"] == {"Service": "ecs-tasks.amazonaws.com"}
        assert "aws:SourceAccount" in statement["Condition"]["StringEquals"]


def test_nothing_secret_stands_in_the_template() -> None:
    for secret in of_type("AWS::SecretsManager::Secret").values():
        text = str(secret.get("SecretString", ""))
        assert "GenerateSecretString" in secret or "{{resolve:secretsmanager:" in text
    parameters = cloudformation.read()["Parameters"]
    assert "Default" not in parameters["ApiKeyHashes"]
    assert parameters["SigningKeysSecretArn"]["Default"] == ""


def test_the_task_runs_as_nobody_on_a_read_only_root_without_capabilities() -> None:
    assert container()["User"] == "65532:65532"
    assert container()["ReadonlyRootFilesystem"]
    assert container()["LinuxParameters"]["Capabilities"] == {"Drop": ["ALL"]}
    assert [each["ContainerPath"] for each in container()["MountPoints"]] == ["/tmp"]


def test_the_tasks_settings_are_settings() -> None:
    given = [
        *environment(),
        *(each["Name"] for each in walk(container()["Secrets"]) if named(each)),
    ]
    known = {config.variable(field) for field in config.Settings.model_fields}
    assert {name for name in given if name.startswith(config.PREFIX)} <= known


def named(node: Any) -> bool:
    return isinstance(node, dict) and "Name" in node


@pytest.mark.parametrize("arguments", [[], ["--name", "ci.nightly"]])
def test_every_key_that_can_be_made_can_be_given(arguments: list[str]) -> None:
    made = CliRunner().invoke(main, ["key", "new", *arguments]).output
    (entry,) = re.findall(r"(?m)^hash +(.+)$", made)
    pattern = cloudformation.read()["Parameters"]["ApiKeyHashes"]["AllowedPattern"]
    assert re.fullmatch(pattern, f"{entry},{entry}")
    assert not re.fullmatch(pattern, f"{entry},")


def test_a_task_has_time_to_finish_what_is_under_way() -> None:
    finishing_s = int(environment()["ASGI_LOOK_SHUTDOWN_TIMEOUT"])
    attributes = properties("Tasks")["TargetGroupAttributes"]
    leaving_s = {each["Key"]: each["Value"] for each in attributes}
    assert int(leaving_s["deregistration_delay.timeout_seconds"]) <= finishing_s
    assert finishing_s < container()["StopTimeout"]


def test_each_connection_is_ended_by_the_side_that_asks() -> None:
    origin = distribution()["Origins"][0]["CustomOriginConfig"]
    attributes = properties("Balancer")["LoadBalancerAttributes"]
    balancer = {each["Key"]: each["Value"] for each in attributes}
    balancer_s = int(balancer["idle_timeout.timeout_seconds"])
    assert origin["OriginKeepaliveTimeout"] < balancer_s
    assert balancer_s < int(environment()["ASGI_LOOK_IDLE_TIMEOUT"])


def test_valkey_is_encrypted_has_a_token_and_a_second_node_elsewhere() -> None:
    cache = properties("Cache")
    assert cache["TransitEncryptionMode"] == "required"
    assert "CacheToken" in str(cache["AuthToken"])
    assert cache["MultiAZEnabled"]
    assert properties("CacheUrl")["SecretString"]["Fn::Sub"][0].startswith("rediss://")


def test_every_alarm_tells_somebody_and_says_when_it_is_over() -> None:
    alarms = of_type("AWS::CloudWatch::Alarm")
    assert len(alarms) >= 5
    for alarm in alarms.values():
        assert alarm["AlarmActions"] == alarm["OKActions"] == [{"Ref": "Alarms"}]
        assert alarm["AlarmDescription"]


def test_the_readme_names_every_parameter_that_has_to_be_given() -> None:
    readme = (cloudformation.TEMPLATE.parents[1] / "README.md").read_text()
    parameters = cloudformation.read()["Parameters"]
    needed = {name for name, each in parameters.items() if "Default" not in each}
    assert needed == set(re.findall(r"(?m)^ +(\w+)=", readme)) & parameters.keys()
