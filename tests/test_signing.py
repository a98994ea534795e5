"""Signatures, and the command that makes them."""

import re
import time
from base64 import urlsafe_b64encode
from hmac import digest

import pytest
from click.testing import CliRunner, Result
from hypothesis import given
from hypothesis import strategies as st

from asgilook.cli import main
from asgilook.signing import Signer, new_key
from asgilook.variant import Options

ID = "01a206b4-c33c-7049-82b2-d9fa053e28e4"
ONE, OTHER, THIRD = ("11" * 32, "22" * 32, "33" * 32)

keys = st.binary(min_size=16, max_size=64).map(bytes.hex)


def sign(*arguments: str, signing_keys: str = ONE) -> Result:
    return CliRunner().invoke(
        main, ["sign", *arguments], env={"ASGI_LOOK_SIGNING_KEYS": signing_keys}
    )


def options_of(path: str) -> Options:
    options = Options.parse(path.split("/")[3])
    assert options is not None
    return options


@given(keys, st.text())
def test_a_signature_is_43_characters_that_paths_may_hold(key: str, text: str) -> None:
    assert re.fullmatch(r"[A-Za-z0-9_-]{43}", Signer([key]).sign(text))


def test_a_signature_is_the_hmac_that_anyone_else_computes() -> None:
    expected = urlsafe_b64encode(digest(bytes.fromhex(ONE), b"text", "sha256")).rstrip(b"=")
    assert Signer([ONE]).sign("text") == expected.decode()


@given(keys, st.text(), st.text())
def test_a_signature_is_right_for_its_own_text_only(key: str, text: str, other: str) -> None:
    signer = Signer([key])
    assert signer.verify(signer.sign(text), other) == (text == other)


@given(keys, st.text())
def test_nothing_but_the_signature_is_right(key: str, shown: str) -> None:
    signer = Signer([key])
    right = signer.sign("text")
    for wrong in (shown, "", right[:-1], right + "=", right.swapcase(), f" {right}"):
        assert not signer.verify(wrong, "text")


def test_the_first_key_signs_and_every_key_verifies() -> None:
    signer = Signer([ONE, OTHER])
    assert signer.sign("text") == Signer([ONE]).sign("text")
    assert signer.verify(Signer([OTHER]).sign("text"), "text")
    assert not signer.verify(Signer([THIRD]).sign("text"), "text")


def test_keys_rotate_without_a_moment_in_which_a_path_fails() -> None:
    signed_before = Signer([ONE]).sign("text")
    during = Signer([OTHER, ONE])
    assert during.verify(signed_before, "text")
    assert during.verify(during.sign("text"), "text")
    after = Signer([OTHER])
    assert after.verify(during.sign("text"), "text")
    assert not after.verify(signed_before, "text")


def test_without_keys_no_signature_is_right() -> None:
    assert not Signer([]).verify("", "text")
    assert not Signer([]).verify(Signer([ONE]).sign("text"), "text")


def test_new_keys_are_long_and_all_different() -> None:
    made = {new_key() for _ in range(100)}
    assert len(made) == 100
    assert all(re.fullmatch(r"[0-9a-f]{64}", key) for key in made)


def test_the_command_signs_a_box() -> None:
    text = f"contain/{ID}/300x200.jpeg"
    assert sign(ID, "300x200").output == f"/signed/{Signer([ONE]).sign(text)}/{text}\n"


def test_the_command_signs_every_option() -> None:
    given_options = ["--format", "avif", "--fit", "cover", "--quality", "55", "--dpr", "2"]
    result = sign(ID, "300x200", *given_options, signing_keys=f"{OTHER},{ONE}")
    text = f"cover,q55,x2/{ID}/300x200.avif"
    assert result.output == f"/signed/{Signer([OTHER]).sign(text)}/{text}\n"


def test_the_command_makes_a_path_expire_after_some_seconds() -> None:
    before = int(time.time())
    result = sign(ID, "300x200", "--expires-in", "3600")
    expires_s = options_of(result.output).expires_s
    assert expires_s is not None
    assert before + 3600 <= expires_s <= int(time.time()) + 3600


@pytest.mark.parametrize("seconds", ["0", "-1", "9999999999"])
def test_the_command_signs_no_path_that_could_not_be_served(seconds: str) -> None:
    result = sign(ID, "300x200", "--expires-in", seconds)
    assert result.exit_code == 2
    assert "--expires-in" in result.output


@pytest.mark.parametrize(
    "box", ["300", "300x", "x200", "0x0", "300X200", "+300x200", "0300x200", "4097x1", "1x4097"]
)
def test_the_command_refuses_what_is_no_box(box: str) -> None:
    result = sign(ID, box)
    assert result.exit_code == 2
    assert "up to 4096 pixels" in result.output


def test_the_command_counts_the_pixels_of_a_dense_display() -> None:
    assert sign(ID, "1365x1365", "--dpr", "3").exit_code == 0
    assert sign(ID, "1366x1365", "--dpr", "3").exit_code == 2


def test_the_command_refuses_an_id_that_is_none() -> None:
    assert sign("nobody", "300x200").exit_code == 2


def test_the_command_needs_a_key() -> None:
    result = sign(ID, "300x200", signing_keys="")
    assert result.exit_code == 1
    assert "ASGI_LOOK_SIGNING_KEYS is not set" in result.output
