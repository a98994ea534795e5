"""What the template promises of CloudFront and of the way behind it."""

from typing import Any

import pytest

from asgilook import tags
from tests.infra.cloudformation import of_type, properties
from tests.infra.test_aws_template import STATEMENTS, distribution, environment

BEHAVIOURS: dict[str, Any] = {
    each.get("PathPattern", "*"): each
    for distribution in of_type("AWS::CloudFront::Distribution").values()
    for each in [
        *distribution["DistributionConfig"]["CacheBehaviors"],
        distribution["DistributionConfig"]["DefaultCacheBehavior"],
    ]
}


def test_only_cloudfront_reaches_the_load_balancer() -> None:
    (rule,) = properties("BalancerGroup")["SecurityGroupIngress"]
    assert rule["SourcePrefixListId"] == {"Ref": "CloudFrontPrefixListId"}
    (action,) = properties("Listener")["DefaultActions"]
    assert action["Type"] == "fixed-response"
    (condition,) = properties("OpenPaths")["Conditions"]
    field = condition["HttpHeaderConfig"]["HttpHeaderName"]
    (shown,) = distribution()["Origins"][0]["OriginCustomHeaders"]
    assert shown["HeaderName"] == field


def test_paths_for_operators_are_closed_before_the_others_are_opened() -> None:
    closed, opened = properties("ClosedPaths"), properties("OpenPaths")
    assert closed["Priority"] < opened["Priority"]
    assert closed["Actions"][0]["Type"] == "fixed-response"
    (condition,) = closed["Conditions"]
    paths = condition["PathPatternConfig"]["Values"]
    assert {"/healthz", "/readyz", "/metrics"} <= set(paths)


def test_the_tags_are_read_from_a_field_that_the_service_sends() -> None:
    assert distribution()["CacheTagConfig"]["HeaderName"].lower() in tags.fields("any")


def test_deletions_are_told_to_this_distribution() -> None:
    assert environment()["ASGI_LOOK_CDN"] == "cloudfront"
    assert environment()["ASGI_LOOK_CDN_ID"] == {"Ref": "Distribution"}
    purge = next(each for each in STATEMENTS if each["Sid"] == "Purge")
    assert "cloudfront:CreateInvalidation" in purge["Action"]
    assert "${Distribution}" in purge["Resource"]["Fn::Sub"]


def test_what_never_changes_is_kept_by_its_path_alone() -> None:
    key = properties("ForEver")["CachePolicyConfig"]["ParametersInCacheKeyAndForwardedToOrigin"]
    assert key["QueryStringsConfig"] == {"QueryStringBehavior": "none"}
    assert key["HeadersConfig"] == {"HeaderBehavior": "none"}
    assert not key["EnableAcceptEncodingGzip"]


@pytest.mark.parametrize("path", ["/images/*.jpeg", "/thumbnails/*", "/signed/*"])
def test_images_are_kept_for_as_long_as_they_say(path: str) -> None:
    assert BEHAVIOURS[path]["CachePolicyId"] == {"Ref": "ForEver"}
    assert not BEHAVIOURS[path]["Compress"]


@pytest.mark.parametrize("kind", ["CachePolicy", "OriginRequestPolicy", "ResponseHeadersPolicy"])
def test_every_policy_is_one_that_is_followed(kind: str) -> None:
    followed = {each[f"{kind}Id"]["Ref"] for each in BEHAVIOURS.values()}
    assert followed == of_type(f"AWS::CloudFront::{kind}").keys()


def test_originals_are_not_taken_for_the_listing() -> None:
    paths = list(BEHAVIOURS)
    assert paths.index("/images/*.jpeg") < paths.index("/images*")


def test_uploads_and_deletions_pass_encrypted() -> None:
    writing = [path for path, each in BEHAVIOURS.items() if "POST" in each["AllowedMethods"]]
    assert writing == ["/images*"]
    assert BEHAVIOURS["/images*"]["ViewerProtocolPolicy"] == "https-only"


def test_pages_of_the_listing_are_told_apart() -> None:
    key = properties("Briefly")["CachePolicyConfig"]["ParametersInCacheKeyAndForwardedToOrigin"]
    assert key["QueryStringsConfig"]["QueryStrings"] == ["limit", "cursor"]


def test_no_error_is_kept_for_long() -> None:
    kept_s = {
        each["ErrorCode"]: each["ErrorCachingMinTTL"]
        for each in distribution()["CustomErrorResponses"]
    }
    assert kept_s[404] == 5
    assert max(seconds for code, seconds in kept_s.items() if code != 404) <= 1
    assert {500, 502, 503, 504} <= kept_s.keys()


def test_misses_of_all_regions_meet_in_one_shield() -> None:
    assert distribution()["Origins"][0]["OriginShield"]["Enabled"]
