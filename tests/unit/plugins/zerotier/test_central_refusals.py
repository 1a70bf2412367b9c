"""The client of ZeroTier Central: the line that each failure ends with."""

from __future__ import annotations

import json
import socket
from typing import TYPE_CHECKING

import pytest
from ansible_collections.server_monitoring.cluster.plugins.module_utils.zerotier.central import (
    Central,
)

from tests.support.central_client import JOINED, MEMBER, TOKEN, UNKNOWN, WANTED, client, refusal

if TYPE_CHECKING:
    from central_server import FakeCentral

    from tests.support.central_client import Clock


def said(message: str) -> str:
    """Return an error's body as Central writes it."""
    return json.dumps({"type": "internal", "message": message})


def test_wrong_token_says_where_to_get_one(fake: FakeCentral) -> None:
    """401: where tokens are made, and by which variable they are given."""
    line = refusal(lambda: Central("another", fake.url, 5).networks())
    assert line == (
        f"ZeroTier Central ({fake.url.split('/')[2]}) refused the token (401): wrong or withdrawn; "
        "make one at my.zerotier.com (Account, API Access Tokens; in New Central: Organization, "
        "Service Accounts) and give it as zerotier_central_token or in the environment variable "
        "ZEROTIER_CENTRAL_TOKEN"
    )
    assert len(fake.requests) == 1


def test_403_for_the_list_is_about_the_token(fake: FakeCentral) -> None:
    """The specification lets /network answer 403 where the authorization is missing."""
    fake.fail("GET /network", status=403)
    assert "refused the token (403): wrong or withdrawn" in refusal(client(fake).networks)


@pytest.mark.parametrize("status", [401, 403])
def test_refused_change_names_the_right_that_is_missing(fake: FakeCentral, status: int) -> None:
    """403 is about a right on this network, never about the token; 401 is about the token."""
    fake.fail("POST .*", status=status)
    line = refusal(lambda: client(fake).save_member(UNKNOWN, MEMBER, JOINED))
    assert ("refused the token (401)" in line) == (status == 401)
    request = f"POST /network/{UNKNOWN}/member/{MEMBER} (403, 'Unauthorized')"
    expected = f"knows the token, but it may not change this: {request}; the network's owner gives"
    assert (expected in line) == (status == 403)


def test_refused_reading_says_so(fake: FakeCentral) -> None:
    """403 for a GET is a network that the token may not read."""
    fake.fail("GET .*", status=403)
    assert "may not read this: GET /network/" in refusal(lambda: client(fake).network(UNKNOWN))


@pytest.mark.parametrize(
    ("status", "message"),
    [
        (402, "Payment required"),
        (402, "no more of these"),
        (403, "You have reached your plan's limit of 10 devices"),
        (400, "Maximum number of networks exceeded"),
        (422, "upgrade to add members"),
    ],
)
def test_plan_refusals_are_in_centrals_words(fake: FakeCentral, status: int, message: str) -> None:
    """What a plan does not allow is told in Central's words, whatever the status."""
    fake.fail("POST .*", status=status, text=said(message))
    line = refusal(lambda: client(fake).create_network(WANTED))
    assert f"refused POST /network ({status}) in these words: {message!r}; remove" in line
    assert line.endswith("or change the plan at https://my.zerotier.com")
    assert len(fake.requests) == 1


def test_words_are_one_short_line(fake: FakeCentral) -> None:
    """Line breaks, escapes and the rest beyond 200 characters of an answer do not get through."""
    fake.fail("POST .*", status=400, text=said("first\nsecond\x1b[31m\t" + "x" * 300))
    line = refusal(lambda: client(fake).save_network(UNKNOWN, {"mtu": 1400}))
    shown = line.partition("(400): ")[2]
    assert shown.startswith("'first second [31m xxx")
    assert len(shown) == 202


def test_token_in_an_answer_is_hidden(fake: FakeCentral) -> None:
    """Words that repeat the token come without it, also in the middle of text that is cut."""
    fake.fail("POST .*", status=400, text=said("x" * 170 + f" bad header: token {TOKEN}"))
    line = refusal(lambda: client(fake).save_network(UNKNOWN, {}))
    assert TOKEN[:5] not in line
    assert line.endswith("x bad header: token ***'")
    fake.fail("GET .*", status=200, text=f"<html>{TOKEN}</html>")
    assert "***" in refusal(client(fake).networks)


def test_unknown_network_is_named(fake: FakeCentral) -> None:
    """404 for a change or a list of members names the network and what to compare."""
    central = client(fake)
    for call, path in (
        (lambda: central.save_network(UNKNOWN, {}), f"network/{UNKNOWN}"),
        (lambda: central.members(UNKNOWN), f"network/{UNKNOWN}/member"),
        (lambda: central.save_member(UNKNOWN, MEMBER, {}), f"network/{UNKNOWN}/member/{MEMBER}"),
    ):
        line = refusal(call)
        assert f"knows no {path} (404); compare the network's id" in line
    fake.fail(".* /network", status=404)
    assert "knows no network (404)" in refusal(central.networks)
    assert "knows no network (404)" in refusal(lambda: central.create_network(WANTED))


def test_other_refusals_show_status_and_words(fake: FakeCentral) -> None:
    """A request that Central does not like is named with its status and words, once."""
    line = refusal(lambda: client(fake).create_network({"mtu": "1400"}))
    assert line.endswith(
        "refused POST /network (400): \"JSON error: config.mtu: '1400' is no integer\""
    )
    assert len(fake.requests) == 1


@pytest.mark.parametrize("text", ["<html>Please log in</html>", "", '{"id": '])
def test_answers_that_are_no_json(fake: FakeCentral, text: str) -> None:
    """A login page, nothing or half an answer with status 200 is no record."""
    fake.fail("GET .*", status=200, text=text or " ")
    line = refusal(lambda: client(fake).network(UNKNOWN))
    assert f"answered no JSON to GET /network/{UNKNOWN}: {text.strip()!r}; a proxy or" in line
    assert line.endswith("check zerotier_central_url")


@pytest.mark.parametrize("text", ["[]", "{}", '"text"', "7", '{"id": 1, "config": [1]}', "null"])
def test_records_of_another_shape(fake: FakeCentral, text: str) -> None:
    """JSON that is not of this API is refused in one line, for a record and for a list."""
    fake.fail("GET .*", status=200, text=text)
    assert "records of another shape" in refusal(lambda: client(fake).network(UNKNOWN))
    if text != "[]":
        assert "records of another shape" in refusal(client(fake).networks)


@pytest.mark.usefixtures("clock")
def test_server_errors_end_with_the_status_page(fake: FakeCentral) -> None:
    """5xx: status, how long and how often it was tried, the words, and where to look."""
    fake.fail("GET .*", status=502, text="<h1>Bad Gateway</h1>")
    line = refusal(client(fake, timeout=4).networks)
    assert "answered 502 to GET /network (3.5 s, tries: 4): '<h1>Bad Gateway</h1>'" in line
    assert line.endswith("see https://status.zerotier.com, then run again")


@pytest.mark.usefixtures("clock")
def test_no_answer_at_all(fake: FakeCentral) -> None:
    """A port that nobody serves: the reason of the system, and what lies between."""
    fake.close()
    line = refusal(client(fake, timeout=4).networks)
    assert "does not answer GET /network (3.5 s, tries: 4): Connection refused; check" in line
    assert "https_proxy, DNS, firewall" in line


@pytest.mark.usefixtures("_no_proxies")
def test_unknown_host(clock: Clock, monkeypatch: pytest.MonkeyPatch) -> None:
    """A name that nobody resolves hides no new network, and is told like a host that is away."""

    def resolve(*_arguments: object) -> None:
        raise socket.gaierror(socket.EAI_NONAME, "Name or service not known")

    monkeypatch.setattr(socket, "getaddrinfo", resolve)
    central = Central(TOKEN, "https://central.invalid/api/v1", 4)
    line = refusal(lambda: central.create_network(WANTED))
    assert line.startswith("ZeroTier Central (central.invalid) does not answer POST /network (3.5")
    assert "Name or service not known" in line
    assert "may have been made" not in line
    assert clock.slept == [0.5, 1, 2]


def test_requests_go_below_the_given_path(fake: FakeCentral) -> None:
    """The address may end with a slash, and its path is kept."""
    Central(TOKEN, fake.url + "/", 5).networks()
    assert fake.sent() == ["GET /network"]
