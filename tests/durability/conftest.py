"""The tests here run whole services, as the end-to-end tests do."""

from tests.e2e.conftest import (  # noqa: F401 - fixtures
    folder_settings,
    redis_settings,
    s3_settings,
    start,
)
