"""A deletion is final, whatever goes on at the same moment in whichever process."""

from tests.durability.races import fleet, race, verify
from tests.e2e.steps import Start

RACES = 30


async def test_what_is_deleted_stays_gone_in_every_process(
    start: Start, s3_settings: dict[str, str], redis_settings: dict[str, str]
) -> None:
    bucket, s3_url = s3_settings["S3_BUCKET"], s3_settings["S3_ENDPOINT_URL"]
    async with fleet(start, s3_url, bucket, redis_settings["REDIS_URL"]) as processes:
        outcome = await race(processes, RACES, seed=20261125)
        await verify(processes, outcome)
    assert outcome.overtaken > RACES
    assert outcome.statuses["upload"].keys() == {201, 410}
    assert outcome.statuses["read"].keys() <= {200, 302, 410, 503}
    assert outcome.statuses["delete"].keys() <= {204, 410}
