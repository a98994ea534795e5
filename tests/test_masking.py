"""What is shown of a URL that has a password in it."""

import pytest

from asgilook.config_command import masked


@pytest.mark.parametrize(
    ("url", "shown"),
    [
        ("redis://cache.test:6379/0", "redis://cache.test:6379/0"),
        ("redis://user@cache.test/0", "redis://user@cache.test/0"),
        ("unix:///run/redis.sock?db=1", "unix:///run/redis.sock?db=1"),
        ("redis://:hunter2@cache.test/0", "redis://:***@cache.test/0"),
        ("redis://user:hunter2@cache.test/0", "redis://user:***@cache.test/0"),
        ("redis://user:h@u:n/ter2@cache.test/0", "redis://user:***@cache.test/0"),
        (
            "redis://cache.test?db=1&password=hunter2&x=1",
            "redis://cache.test?db=1&password=***&x=1",
        ),
        ("unix://:hunter2@/run/redis.sock", "unix://:***@/run/redis.sock"),
    ],
)
def test_a_url_is_shown_without_its_password(url: str, shown: str) -> None:
    assert masked(url) == shown
