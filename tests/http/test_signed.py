"""`/signed/...`: thumbnails off the ladder, for whoever has a signature."""

import logging
from collections.abc import AsyncIterator
from uuid import UUID

import pytest
from click.testing import CliRunner

from asgilook.cli import main
from asgilook.http.urls import signed_text
from asgilook.ids import uuid7
from asgilook.image import Format, Size
from asgilook.signing import Signer
from asgilook.variant import Options
from tests import pictures
from tests.fakes import MemoryStore
from tests.http.client import serving
from tests.http.signed_site import BOX, FIRST, FOREIGN, SECOND, Site, code, signed_site

SIZES = {
    # A picture of 640x480 in its box.
    ("contain", Size(300, 200)): (267, 200),
    ("contain", Size(320, 480)): (320, 240),
    ("contain", Size(1, 1)): (1, 1),
    ("contain,x2", Size(150, 100)): (267, 200),
    ("cover", Size(300, 200)): (300, 200),
    ("cover,x3", Size(50, 70)): (150, 210),
    ("cover", Size(640, 1)): (640, 1),
    # A box that is larger than the picture.
    ("contain", Size(1000, 1000)): (640, 480),
    ("contain,x3", Size(1365, 1)): (4, 3),
    ("cover", Size(4096, 4096)): (480, 480),
    ("cover", Size(1000, 500)): (640, 320),
    ("cover,x2", Size(500, 1000)): (240, 480),
}
FORGERIES = (
    ("/signed/", "/signed/A"),
    (".jpeg", ".webp"),
    ("300x200", "300x201"),
    ("300x200", "3000x200"),
    ("contain", "cover"),
    ("contain", "contain,q80"),
    ("contain", "contain,x2"),
    ("contain", "contain,e9999999999"),
)
MISSPELLED = (
    ("Contain", "300x200", "jpeg"),
    ("contain,q080", "300x200", "jpeg"),
    ("contain,x1", "300x200", "jpeg"),
    ("contain,x2,q80", "300x200", "jpeg"),
    ("", "300x200", "jpeg"),
    ("contain", "0300x200", "jpeg"),
    ("contain", "300X200", "jpeg"),
    ("contain", "+300x200", "jpeg"),
    ("contain", "300x0", "jpeg"),
    ("contain", "300x200", "jpg"),
    ("contain", "300x200", "JPEG"),
    ("contain", "300x200", "jpeg/"),
)


@pytest.fixture
async def site() -> AsyncIterator[Site]:
    async with signed_site() as one:
        yield one


async def test_a_signed_thumbnail_fits_its_box_and_is_never_enlarged(site: Site) -> None:
    made = {
        (options, box): await site.client.get(site.path(options, box)) for options, box in SIZES
    }
    assert {key: pictures.decode(answer.content).size for key, answer in made.items()} == SIZES


async def test_it_comes_in_every_format(site: Site) -> None:
    for kind in Format:
        made = await site.client.get(site.path(kind=kind))
        assert made.headers["content-type"] == kind.media_type
        assert pictures.decode(made.content).format == kind.upper()


async def test_its_quality_is_the_one_asked_for_or_that_of_all_thumbnails(site: Site) -> None:
    plain, q80, q10 = [
        (await site.client.get(site.path(options))).content
        for options in ("cover", "cover,q80", "cover,q10")
    ]
    assert len(q10) < len(q80) / 2
    assert plain == q80


async def test_it_carries_what_every_thumbnail_carries(site: Site) -> None:
    made = await site.client.get(site.path())
    usual = await site.client.get(f"/thumbnails/{site.image_id}/320x240.jpeg")
    own = {"etag", "content-length", "x-request-id", "server-timing"}
    own |= {"x-asgilook-cache", "cache-status"}
    assert {name: text for name, text in made.headers.items() if name not in own} == {
        name: text for name, text in usual.headers.items() if name not in own
    }
    assert made.headers["cache-control"] == "max-age=31536000, immutable"


async def test_head_gives_the_same_fields(site: Site) -> None:
    await site.client.get(site.path())
    made, head = await site.client.get(site.path()), await site.client.head(site.path())
    own = {"x-request-id", "server-timing"}
    assert {name: text for name, text in head.headers.items() if name not in own} == {
        name: text for name, text in made.headers.items() if name not in own
    }
    assert head.content == b""


async def test_it_takes_conditions_and_ranges(site: Site) -> None:
    made = await site.client.get(site.path())
    unchanged = await site.client.get(site.path(), if_none_match=made.headers["etag"])
    part = await site.client.get(site.path(), range="bytes=2-9")
    assert unchanged.status_code == 304
    assert (part.status_code, part.content) == (206, made.content[2:10])


async def test_the_signature_of_every_key_is_right(site: Site) -> None:
    for key in (FIRST, SECOND):
        assert (await site.client.get(site.path(key=key))).status_code == 200


async def test_keys_rotate_by_restarts() -> None:
    store = MemoryStore()
    async with serving(store, signing_keys=(FIRST,)) as client:
        image_id = UUID((await client.add())["id"])
    text = signed_text(Options(), image_id, BOX, Format.JPEG)
    by_first, by_second = (f"/signed/{Signer([key]).sign(text)}/{text}" for key in (FIRST, SECOND))
    seen = []
    for keys in ((FIRST,), (SECOND, FIRST), (SECOND,)):
        async with serving(store, signing_keys=keys) as client:
            seen += [(await client.get(path)).status_code for path in (by_first, by_second)]
    assert seen == [200, 403, 200, 200, 403, 200]


async def test_without_keys_no_path_is_signed() -> None:
    async with serving() as client:
        image_id = (await client.add())["id"]
        text = f"contain/{image_id}/300x200.jpeg"
        for signature in (Signer([FIRST]).sign(text), "x"):
            assert (await client.get(f"/signed/{signature}/{text}")).status_code == 403


async def test_a_path_that_is_changed_after_signing_is_refused_without_any_work(
    site: Site,
) -> None:
    before = site.work
    for part, other in FORGERIES:
        forged = site.path().replace(part, other)
        assert code(await site.client.get(forged)) == (403, "signature-invalid")
    assert site.work == before


async def test_a_foreign_or_borrowed_signature_is_refused_without_any_work(site: Site) -> None:
    before = site.work
    foreign = await site.client.get(site.path(key=FOREIGN))
    signature = site.path().split("/")[2]
    borrowed = await site.client.get(f"/signed/{signature}/contain/{uuid7()}/300x200.jpeg")
    assert code(foreign) == code(borrowed) == (403, "signature-invalid")
    assert site.work == before


async def test_a_signature_has_one_spelling(site: Site) -> None:
    path = site.path()
    signature = path.split("/")[2]
    # The last of 43 characters holds two bits that mean nothing.
    for last in "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_":
        spelled = signature[:-1] + last
        answer = await site.client.get(path.replace(signature, spelled))
        assert answer.status_code == (200 if spelled == signature else 403)


async def test_a_refusal_is_kept_by_no_cache(site: Site) -> None:
    refused = await site.client.get(site.path(key=FOREIGN))
    assert refused.headers["cache-control"] == "no-store"


async def test_another_spelling_is_no_path_even_if_it_is_signed(site: Site) -> None:
    before = site.work
    for options, box, kind in MISSPELLED:
        answer = await site.client.get(site.path(options, box, kind))
        assert code(answer) == (404, "not-found")
    assert site.work == before


async def test_a_box_above_4096_pixels_does_not_exist(site: Site) -> None:
    before = site.work
    for options, box in (("contain", "4097x1"), ("cover", "1x4097"), ("cover,x2", "2049x1")):
        assert code(await site.client.get(site.path(options, box))) == (404, "size-not-found")
    assert site.work == before


async def test_a_signed_path_to_no_image_is_not_found(site: Site) -> None:
    text = f"contain/{uuid7()}/300x200.jpeg"
    missing = await site.client.get(f"/signed/{Signer([FIRST]).sign(text)}/{text}")
    assert code(missing) == (404, "image-not-found")


async def test_paths_to_the_same_thumbnail_share_one_entry_in_the_cache(site: Site) -> None:
    first = await site.client.get(site.path("contain,x2", Size(150, 100)))
    assert first.headers["x-asgilook-cache"] == "Miss"
    for path in (
        site.path("contain,x2", Size(150, 100)),
        site.path("contain,x2", Size(150, 100), key=SECOND),
        site.path("contain,x2,e9999999999", Size(150, 100)),
        site.path("contain", Size(300, 200)),
    ):
        again = await site.client.get(path)
        assert again.headers["x-asgilook-cache"] == "Hit"
        assert again.headers["etag"] == first.headers["etag"]


async def test_a_query_string_changes_nothing(site: Site) -> None:
    plain = await site.client.get(site.path())
    busted = await site.client.request("GET", site.path(), query_string="cb=1&signature=x")
    assert busted.status_code == 200
    assert busted.content == plain.content


async def test_a_deleted_image_is_gone_in_every_size(site: Site) -> None:
    await site.client.get(site.path())
    await site.client.delete(f"/images/{site.image_id}")
    assert code(await site.client.get(site.path())) == (410, "image-deleted")


async def test_what_the_command_line_signs_is_served(site: Site) -> None:
    arguments = ["sign", str(site.image_id), "100x100", "--fit", "cover", "--format", "webp"]
    signed = CliRunner().invoke(main, arguments, env={"ASGI_LOOK_SIGNING_KEYS": FIRST})
    made = await site.client.get(signed.output.strip())
    assert pictures.decode(made.content).size == (100, 100)


async def test_the_log_does_not_tell_signatures(
    site: Site, caplog: pytest.LogCaptureFixture
) -> None:
    path = site.path()
    with caplog.at_level(logging.INFO, "asgilook"):
        await site.client.get(path)
    assert path.split("/")[2] not in caplog.text
    assert f"/signed/***/contain/{site.image_id}/300x200.jpeg" in caplog.text
