"""Whose request it is: what proxies say is believed of those alone that the settings name."""

from collections.abc import Sequence

import pytest
from falcon.asgi import App, Request, Response
from falcon.testing import TestClient

from asgilook.http.client_address import ClientAddresses

PROXY, FARTHER, CLIENT, OTHER = "192.0.2.1", "192.0.2.77", "203.0.113.9", "203.0.113.10"
V6_PROXY = "2001:db8:ffff::1"
PROXIES = (PROXY, "192.0.2.64/26", "2001:db8:ffff::/48", "unix")


class Mirror:
    """Answers with the client's address."""

    def __init__(self, addresses: ClientAddresses) -> None:
        self._addresses = addresses

    async def on_get(self, req: Request, resp: Response) -> None:
        resp.text = str(self._addresses.of(req))


def seen(peer: str | None, proxies: Sequence[str] | None = PROXIES, **fields: str) -> str:
    """Ask from `peer`, with these fields, and read who that was taken to be."""
    app: App[Request, Response] = App()
    app.add_route("/", Mirror(ClientAddresses(proxies)))
    headers = {name.replace("_", "-"): value for name, value in fields.items()}
    return TestClient(app).simulate_get("/", remote_addr=peer, headers=headers).text


@pytest.mark.parametrize(
    ("peer", "address"),
    [
        (CLIENT, CLIENT),
        (f"::ffff:{CLIENT}", CLIENT),
        ("2001:db8:1:2:3:4:5:6", "2001:db8:1:2::/64"),
        ("2001:db8:1:2::9", "2001:db8:1:2::/64"),
        ("fe80::1%eth0", "fe80::/64"),
        (None, "unix"),
    ],
)
def test_who_comes_directly_has_the_address_of_the_connection(
    peer: str | None, address: str
) -> None:
    assert seen(peer, ()) == address


@pytest.mark.parametrize("proxies", [(), PROXIES], ids=["none", "others"])
@pytest.mark.parametrize("field", ["forwarded", "x_forwarded_for"])
def test_what_a_stranger_says_is_not_believed(proxies: Sequence[str], field: str) -> None:
    value = f"for={OTHER}" if field == "forwarded" else OTHER
    assert seen(CLIENT, proxies, **{field: value}) == CLIENT


def test_while_nobody_knows_what_stands_in_front_nobody_has_an_address() -> None:
    assert seen(CLIENT, None) == seen(CLIENT, None, x_forwarded_for=OTHER) == "None"


@pytest.mark.parametrize(
    ("listed", "address"),
    [
        (CLIENT, CLIENT),
        (f"{OTHER}, {CLIENT}", CLIENT),
        (f"{OTHER},{CLIENT},{FARTHER}", CLIENT),
        (f"{CLIENT}, {FARTHER}, {FARTHER}", CLIENT),
        (f"\t{CLIENT} ", CLIENT),
        (f"{CLIENT}:4711", CLIENT),
        (f"::ffff:{CLIENT}", CLIENT),
        ("2001:db8:1:2::9", "2001:db8:1:2::/64"),
        ("[2001:db8:1:2::9]", "2001:db8:1:2::/64"),
        ("[2001:db8:1:2::9]:4711", "2001:db8:1:2::/64"),
        ("fe80::9%eth0", "fe80::/64"),
        # All of them are proxies: the farthest one asks for itself.
        (f"{FARTHER}, 192.0.2.78", FARTHER),
        # Nobody knows who asks this proxy, so it is its own client.
        ("", PROXY),
        ("unknown", PROXY),
        ("_hidden", PROXY),
        (f"{CLIENT},", PROXY),
        (f"{CLIENT}, unknown", PROXY),
        (f"{CLIENT}, unknown, {FARTHER}", FARTHER),
        (f"{CLIENT}, 1.2.3", PROXY),
        (f"{CLIENT}, 1.2.3.4.5", PROXY),
        (f"{CLIENT}, 1.2.3.004", PROXY),
        (f"{CLIENT}, 1.2.3.4:port", PROXY),
        (f"{CLIENT}, 1.2.3.4:123456", PROXY),
        (f"{CLIENT}, [1.2.3.4]x", PROXY),
        (f"{CLIENT}, example.test", PROXY),
    ],
)
def test_x_forwarded_for_is_read_from_the_right_up_to_the_first_stranger(
    listed: str, address: str
) -> None:
    assert seen(PROXY, x_forwarded_for=listed) == address


@pytest.mark.parametrize(
    ("field", "address"),
    [
        (f"for={CLIENT}", CLIENT),
        (f"For={CLIENT};proto=https;by={PROXY}", CLIENT),
        (f"proto=https; for={CLIENT}", CLIENT),
        (f";;for={CLIENT};", CLIENT),
        (f'for="{CLIENT}:4711"', CLIENT),
        (f'for="{CLIENT}:_port"', CLIENT),
        ('for="[2001:db8:1:2::9]:4711"', "2001:db8:1:2::/64"),
        ('for="[2001:db8:1:2::9]"', "2001:db8:1:2::/64"),
        (f'for="\\{CLIENT}"', CLIENT),
        (f"for={OTHER}, for={CLIENT}", CLIENT),
        (f"for={OTHER},, ,for={CLIENT}", CLIENT),
        (f"for={OTHER};host=a,for={CLIENT},for={FARTHER}", CLIENT),
        # What is quoted may look like anything.
        (f'for={CLIENT};host=", for={OTHER}"', CLIENT),
        (f'host="; for={OTHER}; ";for={CLIENT}', CLIENT),
        (f'host="\\", for={OTHER}";for={CLIENT}', CLIENT),
        (f"for={FARTHER}", FARTHER),
        ("for=unknown", PROXY),
        ("for=_hidden", PROXY),
        (f"for={CLIENT}, for=unknown", PROXY),
        (f"for={CLIENT}, proto=https", PROXY),
        (f"for={CLIENT};for={OTHER}", PROXY),
        ("", PROXY),
        (CLIENT, PROXY),
        ("for=2001:db8:1:2::9", PROXY),
        (f"for={OTHER}, for=2001:db8:1:2::9", PROXY),
        (f"for = {CLIENT}", PROXY),
        (f'for="{CLIENT}', PROXY),
        (f'for="{OTHER}, for={CLIENT}', PROXY),
        (f"for={CLIENT} for={OTHER}", PROXY),
    ],
)
def test_forwarded_is_read_as_its_grammar_says_or_not_at_all(field: str, address: str) -> None:
    assert seen(PROXY, forwarded=field) == address


@pytest.mark.parametrize("peer", [PROXY, FARTHER, V6_PROXY, f"::ffff:{PROXY}", None])
def test_every_proxy_that_is_named_is_believed(peer: str | None) -> None:
    assert seen(peer, x_forwarded_for=CLIENT) == seen(peer, forwarded=f"for={CLIENT}") == CLIENT


def test_a_client_cannot_write_the_field_that_its_proxy_passes_on_unread() -> None:
    same = seen(PROXY, x_forwarded_for=CLIENT, forwarded=f"for={CLIENT}")
    contradiction = seen(PROXY, x_forwarded_for=CLIENT, forwarded=f"for={OTHER}")
    assert (same, contradiction) == (CLIENT, PROXY)


@pytest.mark.parametrize(
    "field", ["for=" + " " * 30_000 + "x", 'for="' + "\\" * 30_000, ";," * 15_000, "a=b;" * 7_500]
)
def test_no_field_takes_long_to_be_turned_down(field: str) -> None:
    assert seen(PROXY, forwarded=field) == PROXY
