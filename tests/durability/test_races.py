"""A deletion is final, whatever goes on at the same moment in whichever process."""

from asgilook.store.s3 import Bucket, S3Store
from tests.durability import UNLIMITED
from tests.durability.races import Fleet, race, verify
from tests.e2e.steps import Start
from tests.rooms import opened

RACES = 30


async def test_what_is_deleted_stays_gone_in_every_process(
    start: Start, s3_settings: dict[str, str], redis_settings: dict[str, str]
) -> None:
    settings = {**s3_settings, **redis_settings, **UNLIMITED}
    urls = [start(settings).url for _ in range(2)]
    bucket = Bucket(s3_settings["S3_BUCKET"], endpoint_url=s3_settings["S3_ENDPOINT_URL"])
    async with opened(S3Store(bucket)) as store:
        fleet = Fleet(urls, redis_settings["REDIS_URL"], store)
        outcome = await race(fleet, RACES, seed=20261125)
        await verify(fleet, outcome)
    assert outcome.overtaken > RACES
    assert outcome.statuses["upload"].keys() == {201, 410}
    assert outcome.statuses["read"].keys() <= {200, 302, 410, 503}
    assert outcome.statuses["delete"].keys() <= {204, 410}
