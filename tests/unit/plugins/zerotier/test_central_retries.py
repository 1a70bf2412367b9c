"""The client of ZeroTier Central: what is tried again, for how long, and what is not."""

from __future__ import annotations

import re
import time
from typing import TYPE_CHECKING

import pytest

from tests.support.central_client import JOINED, MEMBER, UNKNOWN, WANTED, client, refusal

if TYPE_CHECKING:
    from central_server import FakeCentral

    from tests.support.central_client import Clock


def test_rate_limit_is_waited_out(fake: FakeCentral, clock: Clock) -> None:
    """Three answers 429 delay a request by pauses that double."""
    fake.fail("GET /network", status=429, times=3)
    assert client(fake, timeout=60).networks() == []
    assert clock.slept == [0.5, 1, 2]


def test_pauses_grow_no_longer_than_eight_seconds(fake: FakeCentral, clock: Clock) -> None:
    """A limit that lasts ends the tries before the timeout, and the line says how long."""
    fake.fail("GET /network", status=429)
    line = refusal(client(fake, timeout=60).networks)
    assert clock.slept == [0.5, 1, 2, 4, 8, 8, 8, 8, 8, 8]
    assert "held its rate limit against GET /network (429; 55.5 s, tries: 11); see what" in line


def test_retry_after_is_honoured(fake: FakeCentral, clock: Clock) -> None:
    """Seconds that the answer names replace the pause."""
    fake.fail("GET /network", status=429, headers={"Retry-After": "7"}, times=2)
    client(fake, timeout=60).networks()
    assert clock.slept == [7, 7]


def test_pause_of_nothing_is_still_a_pause(fake: FakeCentral, clock: Clock) -> None:
    """An answer that asks to come back at once does not make the client hammer."""
    fake.fail("GET /network", status=429, headers={"Retry-After": "0"}, times=3)
    client(fake, timeout=60).networks()
    assert clock.slept == [0.5] * 3


@pytest.mark.parametrize("header", ["Retry-After", "X-Ratelimit-Reset"])
def test_dates_are_by_the_servers_clock(fake: FakeCentral, clock: Clock, header: str) -> None:
    """A date, in Central's own header as well, counts from the answer's Date, not from ours."""
    headers = {"Date": "Tue, 06 Aug 2024 20:53:45 GMT", header: "Tue, 06 Aug 2024 20:53:48 UTC"}
    fake.fail("GET /network", status=429, headers=headers, times=1)
    client(fake, timeout=60).networks()
    assert clock.slept == [3]


@pytest.mark.parametrize("text", ["soon", "-5", "Tue, 06 Aug 2024 20:53:48 GMT", ""])
def test_pauses_that_make_no_sense_are_replaced(fake: FakeCentral, clock: Clock, text: str) -> None:
    """No number, a negative one or a date of the past leave the pause as it was."""
    fake.fail("GET /network", status=429, headers={"Retry-After": text}, times=2)
    client(fake, timeout=60).networks()
    assert clock.slept == [0.5, 1]


def test_longer_pause_than_there_is_time_ends_at_once(fake: FakeCentral, clock: Clock) -> None:
    """Nobody waits for an hour, nor for a minute that helps nothing."""
    fake.fail("GET /network", status=429, headers={"Retry-After": "3600"})
    line = refusal(client(fake, timeout=60).networks)
    assert clock.slept == []
    assert "tries: 1, asks to wait 3.6e+03 s" in line


@pytest.mark.parametrize("status", [500, 502, 503, 504])
def test_server_errors_pass(fake: FakeCentral, clock: Clock, status: int) -> None:
    """Each kind of 5xx is tried again, for reading, changing and deleting."""
    network = fake.store.create_network({})["id"]
    central = client(fake, timeout=60)
    for method in ("GET", "POST", "DELETE"):
        fake.fail(f"{method} .*", status=status, times=1)
    assert central.save_member(network, MEMBER, JOINED)["authorized"]
    assert len(central.members(network)) == 1
    central.delete_member(network, MEMBER)
    assert clock.slept == [0.5] * 3


def test_lost_connections_pass(fake: FakeCentral, clock: Clock) -> None:
    """A connection that closes without an answer is tried again; the change arrives once more."""
    network = fake.store.create_network({})["id"]
    fake.fail("POST .*", connection="close", times=1)
    fake.fail("POST .*", connection="lose", times=1)
    client(fake, timeout=60).save_member(network, MEMBER, JOINED)
    assert clock.slept == [0.5, 1]
    assert fake.sent() == [f"POST /network/{network}/member/{MEMBER}"] * 3


@pytest.mark.parametrize("status", [400, 401, 402, 403, 404, 409])
def test_refusals_are_final(fake: FakeCentral, clock: Clock, status: int) -> None:
    """What Central refuses is asked once."""
    fake.fail("POST .*", status=status)
    refusal(lambda: client(fake).save_network(UNKNOWN, {}))
    assert len(fake.requests) == 1
    assert clock.slept == []


@pytest.mark.parametrize("how", [{"status": 429}, {"status": 503}])
def test_making_a_network_is_repeated_where_it_was_not_done(
    fake: FakeCentral, clock: Clock, how: dict[str, int]
) -> None:
    """429 and 503 are answers of a Central that made nothing."""
    fake.fail("POST /network", times=2, **how)
    made = client(fake, timeout=60).create_network(WANTED)
    assert [network["id"] for network in fake.store.networks()] == [made["id"]]
    assert clock.slept == [0.5, 1]


@pytest.mark.parametrize(
    ("how", "made"),
    [({"connection": "lose"}, 1), ({"connection": "close"}, 0), ({"status": 502}, 0)],
)
def test_making_a_network_is_not_repeated_where_it_may_be_done(
    fake: FakeCentral, clock: Clock, how: dict[str, object], made: int
) -> None:
    """A lost answer or a 5xx may hide a new network: one request, and the line says what to do."""
    fake.fail("POST /network", **how)
    line = refusal(lambda: client(fake, timeout=60).create_network(WANTED))
    assert line.endswith("may have been made all the same: it is then found by its name")
    assert len(fake.requests) == 1
    assert clock.slept == []
    assert len(fake.store.networks()) == made


@pytest.mark.parametrize("status", [429, 503])
def test_central_that_stays_busy_made_nothing(fake: FakeCentral, clock: Clock, status: int) -> None:
    """Answers that deny the request to the end leave no doubt about a new network."""
    fake.fail("POST /network", status=status)
    line = refusal(lambda: client(fake, timeout=4).create_network(WANTED))
    assert clock.slept == [0.5, 1, 2]
    assert "may have been made" not in line


def test_making_a_network_waits_for_a_host_that_is_not_up(fake: FakeCentral, clock: Clock) -> None:
    """A refused connection carried no request: it is tried again and hides nothing."""
    fake.close()
    line = refusal(lambda: client(fake, timeout=4).create_network(WANTED))
    assert clock.slept == [0.5, 1, 2]
    assert "Connection refused" in line
    assert "may have been made" not in line


def test_slow_answers_end_with_the_timeout(fake: FakeCentral) -> None:
    """An answer that does not come is given up in time, and the line says so."""
    fake.fail("GET /network", seconds=30)
    started = time.monotonic()
    line = refusal(client(fake, timeout=0.3).networks)
    assert 0.25 < time.monotonic() - started < 20
    assert re.search(r"does not answer GET /network \(0.3\d* s, tries: 1\): timed out; check", line)


def test_slow_answer_in_time_is_good(fake: FakeCentral) -> None:
    """Waiting alone is no failure."""
    fake.fail("GET /network", seconds=0.1)
    assert client(fake, timeout=5).networks() == []
    assert len(fake.requests) == 1
