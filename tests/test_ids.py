"""Image ids: UUIDs of version 7 (RFC 9562, section 5.7) in one spelling each."""

import time
from datetime import UTC, datetime
from uuid import RFC_4122, UUID, uuid4

import pytest
from hypothesis import given
from hypothesis import strategies as st

from asgilook.ids import MAX_MS, created_at, milliseconds, parse_id, uuid7

EXAMPLE = "017f22e2-79b0-7cc3-98c4-dc0c0c07398f"
"""The RFC's own example (appendix A.6), made at the time below."""
EXAMPLE_TIME = datetime(2022, 2, 22, 19, 22, 22, tzinfo=UTC)

MISSPELLED = [
    "",
    EXAMPLE.upper(),
    EXAMPLE.replace("-", ""),
    f"{{{EXAMPLE}}}",
    f"urn:uuid:{EXAMPLE}",
    f" {EXAMPLE}",
    f"{EXAMPLE}\n",
    f"{EXAMPLE}0",
    EXAMPLE[:-1],
    EXAMPLE.replace("0", "\u0660"),
    EXAMPLE.replace("-7cc3", "-4cc3"),
    EXAMPLE.replace("-98c4", "-18c4"),
    EXAMPLE.replace("-98c4", "-c8c4"),
    "00000000-0000-0000-0000-000000000000",
]


def test_a_new_id_has_version_7_and_the_time() -> None:
    before = time.time_ns() // 1_000_000
    image_id = uuid7()
    assert before <= milliseconds(image_id) <= time.time_ns() // 1_000_000
    assert (image_id.version, image_id.variant) == (7, RFC_4122)


def test_ids_of_one_moment_differ_in_all_their_random_bits(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(time, "time_ns", lambda: 1_000_000)
    numbers = [uuid7().int for _ in range(200)]
    random_bits = (1 << 80) - 1 & ~(0xF << 76) & ~(0x3 << 62)
    ever_set, always_set = 0, random_bits
    for number in numbers:
        ever_set |= number
        always_set &= number
    assert ever_set & random_bits == random_bits
    assert always_set == 0
    assert random_bits.bit_count() == 74


def test_ids_sort_by_their_time(monkeypatch: pytest.MonkeyPatch) -> None:
    made = []
    for ms in (0, 1, 1_700_000_000_000, 1_700_000_000_001, MAX_MS):
        monkeypatch.setattr(time, "time_ns", lambda ms=ms: ms * 1_000_000)
        made.append(uuid7())
    assert made == sorted(made, key=str)
    assert [milliseconds(image_id) for image_id in made][-1] == MAX_MS


def test_every_id_made_is_read_back() -> None:
    for _ in range(100):
        image_id = uuid7()
        assert parse_id(str(image_id)) == image_id


@pytest.mark.parametrize("text", MISSPELLED)
def test_any_other_spelling_is_no_id(text: str) -> None:
    assert parse_id(text) is None


@given(st.uuids())
def test_what_is_read_is_spelled_like_that(some: UUID) -> None:
    assert parse_id(str(some)) == (some if some.version == 7 else None)


def test_ids_of_other_versions_are_none_of_ours() -> None:
    assert parse_id(str(uuid4())) is None


def test_the_rfcs_example_was_made_when_the_rfc_says() -> None:
    image_id = parse_id(EXAMPLE)
    assert image_id
    assert created_at(image_id) == EXAMPLE_TIME


@given(st.datetimes(datetime(1970, 1, 1), datetime(9999, 12, 31)))  # noqa: DTZ001 - made UTC below
def test_the_time_of_an_id_is_exact_to_the_millisecond(moment: datetime) -> None:
    moment = moment.replace(microsecond=moment.microsecond // 1000 * 1000, tzinfo=UTC)
    ms = round(moment.timestamp() * 1000)
    assert created_at(UUID(int=ms << 80)) == moment
