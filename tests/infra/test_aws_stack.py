"""The template's stack, created and deleted on an emulator, as far as that knows AWS."""

import json
from collections.abc import Iterator
from contextlib import closing
from typing import Any

import botocore.session
import pytest

from tests import servers
from tests.infra import cloudformation

# moto 5.2 answers any reference to one of these with an error of its own.
UNSUPPORTED = {
    "AWS::ApplicationAutoScaling::ScalableTarget",
    "AWS::ApplicationAutoScaling::ScalingPolicy",
    "AWS::CertificateManager::Certificate",
    "AWS::CloudFront::CachePolicy",
    "AWS::CloudFront::Distribution",
    "AWS::CloudFront::OriginRequestPolicy",
    "AWS::CloudFront::ResponseHeadersPolicy",
    "AWS::CloudWatch::Alarm",
    "AWS::ElastiCache::ParameterGroup",
    "AWS::ElastiCache::ReplicationGroup",
    "AWS::ElastiCache::SubnetGroup",
    "AWS::S3::BucketPolicy",
    "AWS::SecretsManager::Secret",
}
PARAMETERS = {
    "ImageUri": "123456789012.dkr.ecr.us-east-1.amazonaws.com/asgilook@sha256:" + "0" * 64,
    "ApiKeyHashes": "0123456789abcdef" * 4,
    "DomainName": "pictures.example.com",
    "OriginDomainName": "origin.pictures.example.com",
    "ViewerCertificateArn": "arn:aws:acm:us-east-1:123456789012:certificate/example",
    "CloudFrontPrefixListId": "pl-3b927c52",
    "OriginShieldRegion": "us-east-1",
    "AlarmEmail": "somebody@example.com",
}


class Aws:
    """The services of an emulated AWS."""

    def __init__(self, endpoint_url: str) -> None:
        self._session = botocore.session.Session()
        self._session.set_credentials(servers.ACCESS_KEY, servers.SECRET_KEY)
        self._endpoint_url = endpoint_url

    def call(self, service: str, method: str, **arguments: Any) -> dict[str, Any]:
        client = self._session.create_client(
            service, region_name="us-east-1", endpoint_url=self._endpoint_url
        )
        with closing(client):
            answer: dict[str, Any] = getattr(client, method)(**arguments)
        return answer


@pytest.fixture(scope="module")
def aws(moto_url: str) -> Aws:
    return Aws(moto_url)


@pytest.fixture(scope="module")
def stack(aws: Aws) -> Iterator[dict[str, str]]:
    """Create the stack; give the physical name of each resource. Delete it afterwards."""
    zone = aws.call("route53", "create_hosted_zone", Name="example.com", CallerReference="suite")[
        "HostedZone"
    ]["Id"]
    parameters = PARAMETERS | {"HostedZoneId": zone.removeprefix("/hostedzone/")}
    given = [{"ParameterKey": k, "ParameterValue": v} for k, v in parameters.items()]
    certificate = aws.call("acm", "request_certificate", DomainName=parameters["OriginDomainName"])[
        "CertificateArn"
    ]
    body = json.dumps(cloudformation.pruned(UNSUPPORTED, {"OriginCertificate": certificate}))
    aws.call(
        "cloudformation",
        "create_stack",
        StackName="suite",
        TemplateBody=body,
        Parameters=given,
        Capabilities=["CAPABILITY_IAM"],
    )
    assert _status(aws) == "CREATE_COMPLETE"
    found = aws.call("cloudformation", "describe_stack_resources", StackName="suite")
    names = {
        each["LogicalResourceId"]: each["PhysicalResourceId"] for each in found["StackResources"]
    }
    yield names
    _delete_route_tables(aws, names)
    aws.call("cloudformation", "delete_stack", StackName="suite")
    stacks = aws.call("cloudformation", "list_stacks")["StackSummaries"]
    assert [each["StackStatus"] for each in stacks] == ["DELETE_COMPLETE"]


def _delete_route_tables(aws: Aws, names: dict[str, str]) -> None:
    """Delete what the emulator keeps, and then keeps the network for."""
    for name in ("PublicRoutes", "PrivateRoutes"):
        found = aws.call("ec2", "describe_route_tables", RouteTableIds=[names[name]])
        for each in found["RouteTables"][0]["Associations"]:
            association = each["RouteTableAssociationId"]
            aws.call("ec2", "disassociate_route_table", AssociationId=association)
        aws.call("ec2", "delete_route_table", RouteTableId=names[name])


def _status(aws: Aws) -> str:
    found = aws.call("cloudformation", "describe_stacks", StackName="suite")
    status: str = found["Stacks"][0]["StackStatus"]
    return status


def test_all_that_the_emulator_knows_is_created(stack: dict[str, str]) -> None:
    resources = cloudformation.read()["Resources"].items()
    assert stack.keys() == {name for name, each in resources if each["Type"] not in UNSUPPORTED}


def test_the_task_is_told_of_the_bucket_that_was_made(aws: Aws, stack: dict[str, str]) -> None:
    task = aws.call("ecs", "describe_task_definition", taskDefinition=stack["Task"])
    (container,) = task["taskDefinition"]["containerDefinitions"]
    told = {each["name"]: each["value"] for each in container["environment"]}
    assert told["ASGI_LOOK_S3_BUCKET"] == stack["Bucket"]
    # The emulator leaves a hole where CloudFormation leaves nothing.
    secrets = [each["name"] for each in container["secrets"] if each]
    assert secrets == ["ASGI_LOOK_REDIS_URL"]


def test_the_service_may_touch_its_own_bucket_only(aws: Aws, stack: dict[str, str]) -> None:
    found = aws.call("iam", "get_role_policy", RoleName=stack["TaskRole"], PolicyName="serve")
    statements = {each["Sid"]: each for each in found["PolicyDocument"]["Statement"]}
    assert statements["Pictures"]["Resource"] == f"arn:aws:s3:::{stack['Bucket']}/*"
    assert statements["Listing"]["Resource"] == f"arn:aws:s3:::{stack['Bucket']}"


def test_who_comes_past_cloudfront_is_turned_away(aws: Aws, stack: dict[str, str]) -> None:
    listeners = aws.call("elbv2", "describe_listeners", LoadBalancerArn=stack["Balancer"])
    (action,) = listeners["Listeners"][0]["DefaultActions"]
    assert action["FixedResponseConfig"]["StatusCode"] == "403"
