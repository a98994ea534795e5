"""`Content-Digest` and `Repr-Digest` (RFC 9530)."""

import hashlib
from base64 import b64encode
from contextlib import suppress

import pytest
from falcon.testing import Result
from hypothesis import given
from hypothesis import strategies as st

from asgilook.errors import DigestMalformed, DigestMismatch
from asgilook.http.digests import Digests, spelled
from tests import pictures
from tests.fakes import MemoryStore
from tests.http.client import Client
from tests.http.test_forms import TYPE, File, form

BODY = pictures.upload((80, 64))
FORM = form([File(BODY), File(BODY)])


def digest(algorithm: str, body: bytes = BODY) -> str:
    """Spell a member of a digest field."""
    value = hashlib.new(algorithm.replace("-", ""), body).digest()
    return f"{algorithm}=:{b64encode(value).decode()}:"


SHA256, SHA512 = digest("sha-256"), digest("sha-512")
WRONG256, WRONG512 = (digest(name, b"another body") for name in ("sha-256", "sha-512"))
UNKNOWN = f"md5=:{b64encode(bytes(16)).decode()}:"

RIGHT = (
    {"content_digest": SHA256},
    {"content_digest": SHA512},
    {"content_digest": f"{SHA256}, {SHA512}"},
    {"repr_digest": SHA256},
    {"repr_digest": SHA512},
    {"content_digest": SHA256, "repr_digest": SHA256},
    # What is not known here is passed over.
    {"content_digest": UNKNOWN},
    {"content_digest": f"{UNKNOWN};sha-256"},
    {"content_digest": "md5=1, sha-257=(a b);c=d"},
    {"content_digest": f"{UNKNOWN}, {SHA256};p"},
    {"content_digest": ""},
)
WRONG = (
    {"content_digest": WRONG256},
    {"content_digest": WRONG512},
    {"repr_digest": WRONG256},
    {"repr_digest": WRONG512},
    {"content_digest": f"{SHA256}, {WRONG512}"},
    {"content_digest": f"{WRONG256}, {SHA512}"},
    {"content_digest": SHA256, "repr_digest": WRONG256},
    {"content_digest": WRONG256, "repr_digest": SHA256},
    {"content_digest": f"{UNKNOWN}, {WRONG256}"},
    # Of no or another length.
    {"content_digest": "sha-256=::"},
    {"content_digest": "sha-256=:YWJj:"},
)
MALFORMED = (
    "sha-256",
    "sha-256=",
    "sha-256=abc",
    "sha-256=1",
    'sha-256=":YWJj:"',
    "sha-256=:not base64!:",
    "sha-256=(:YWJj:)",
    "sha-256:YWJj",
    "sha-256=:YWJj",
    "=:YWJj:",
    f"{SHA256},",
    "ünknown=:YWJj:",
)


async def send(client: Client, headers: dict[str, str]) -> Result:
    return await client.post(BODY, "image/jpeg", **headers)


def code(result: Result) -> tuple[int, str]:
    return result.status_code, result.json["code"]


async def test_an_upload_that_is_what_it_says_is_taken(client: Client) -> None:
    for headers in RIGHT:
        assert (await send(client, headers)).status_code == 201, headers


async def test_an_upload_that_is_not_what_it_says_is_refused_and_nothing_stored(
    client: Client, store: MemoryStore
) -> None:
    for headers in WRONG:
        assert code(await send(client, headers)) == (400, "digest-mismatch"), headers
    assert store.objects == {}


async def test_a_field_that_does_not_follow_the_rules_is_refused_and_nothing_stored(
    client: Client, store: MemoryStore
) -> None:
    for field in MALFORMED:
        answer = await send(client, {"content_digest": field})
        assert code(answer) == (400, "digest-malformed"), field
    assert store.objects == {}


async def test_a_form_is_held_against_its_digest_as_a_whole(
    client: Client, store: MemoryStore
) -> None:
    wrong = await client.post(FORM, TYPE, content_digest=SHA256)
    assert code(wrong) == (400, "digest-mismatch")
    assert store.objects == {}
    right = await client.post(FORM, TYPE, content_digest=digest("sha-256", FORM))
    assert right.status_code == 201


async def test_what_stands_behind_a_form_belongs_to_its_digest(client: Client) -> None:
    longer = FORM + b"\r\nan epilogue"
    wrong = await client.post(longer, TYPE, content_digest=digest("sha-256", FORM))
    assert code(wrong) == (400, "digest-mismatch")
    right = await client.post(longer, TYPE, content_digest=digest("sha-256", longer))
    assert right.status_code == 201


@given(st.lists(st.binary()))
def test_a_digest_counts_all_pieces_in_their_order(pieces: list[bytes]) -> None:
    body = b"".join(pieces)
    digests = Digests.announced({"content-digest": digest("sha-512", body)}.get)
    for piece in pieces:
        digests.update(piece)
    digests.verify()
    digests.update(b"more")
    with pytest.raises(DigestMismatch):
        digests.verify()


@given(st.text(st.characters(max_codepoint=0xFF)))
def test_nothing_that_a_digest_field_says_is_worse_than_malformed(text: str) -> None:
    for field in (text, f"sha-256={text}"):
        with suppress(DigestMalformed):
            Digests.announced({"content-digest": field}.get)


@given(st.binary(min_size=32, max_size=32))
def test_a_digest_is_spelled_so_that_it_can_be_read(sha256: bytes) -> None:
    assert spelled(sha256) == f"sha-256=:{b64encode(sha256).decode()}:"
    Digests.announced({"repr-digest": spelled(sha256)}.get)


async def test_an_original_carries_the_digest_of_its_bytes(client: Client) -> None:
    path = (await client.add(BODY))["image"]
    whole = await client.get(path)
    part, head = await client.get(path, range="bytes=3-9"), await client.head(path)
    assert (whole.status_code, part.status_code, head.status_code) == (200, 206, 200)
    for answer in (whole, part, head):
        assert answer.headers["repr-digest"] == digest("sha-256", whole.content)
