"""The fake Central, held against the specification's facts; its state, its faults, its command."""

from __future__ import annotations

import http.client
import json
import re
import signal
import subprocess
import sys
from typing import TYPE_CHECKING, Any

import pytest
from ansible_collections.server_monitoring.cluster.plugins.module_utils.zerotier.central import (
    member_body,
    network_body,
)
from central_faults import FaultError, parse
from central_server import FakeCentral
from central_spec import SCHEMAS, SPEC, merged, problems, taken_over

from tests.support.central_client import JOINED, MEMBER, TOKEN, UNKNOWN, WANTED, client
from tests.support.project import PROJECT

if TYPE_CHECKING:
    from pathlib import Path

    from tests.support.zerotier_lab import Json

SCRIPT = PROJECT / "tests/doubles/central/fake_central.py"


def ask(
    fake: FakeCentral,
    method: str,
    path: str,
    body: Any = None,
    given: str = f"token {TOKEN}",
) -> tuple[int, Any]:
    """Return status and answer of a request, JSON where there is some."""
    where = fake.url.split("/")[2]
    connection = http.client.HTTPConnection(where, timeout=5)
    headers = {"Authorization": given} if given else {}
    text = body if isinstance(body, str) else json.dumps(body)
    connection.request(method, f"/api/v1{path}", text if body is not None else None, headers)
    response = connection.getresponse()
    answer = response.read().decode()
    connection.close()
    return response.status, json.loads(answer) if answer else None


def test_every_answer_fits_the_specification(fake: FakeCentral) -> None:
    """Each path and method of the facts answers 200 with its schema, all keys there."""
    network = ask(fake, "POST", "/network", {})[1]["id"]
    ask(fake, "POST", f"/network/{network}/member/{MEMBER}", {})
    asked = 0
    for template, methods in SPEC["paths"].items():
        path = template.replace("{networkID}", network).replace("{memberID}", MEMBER)
        # Deleting comes last: a network that is gone has no members to ask for.
        for method in sorted(set(methods) - {"DELETE"}):
            status, answer = ask(fake, method, path, {} if method == "POST" else None)
            assert (path, status, problems(methods[method], answer)) == (path, 200, [])
            for record in answer if isinstance(answer, list) else [answer]:
                schema = methods[method].strip("[]")
                assert record.keys() == SCHEMAS[schema].keys()
                if "config" in record:
                    assert record["config"].keys() == SCHEMAS[f"{schema}Config"].keys()
            asked += 1
    assert ask(fake, "DELETE", f"/network/{network}/member/{MEMBER}") == (200, None)
    assert ask(fake, "DELETE", f"/network/{network}") == (200, None)
    assert ask(fake, "GET", f"/network/{network}")[0] == 404
    assert asked == 8


def test_requests_of_the_client_fit_the_specification() -> None:
    """What the client sends has the specification's keys and types, none of them read-only."""
    for schema, body in (("Network", network_body(WANTED)), ("Member", member_body(JOINED))):
        assert problems(schema, body) == []
        assert taken_over(schema, {}, body) == body


@pytest.mark.parametrize(
    ("kind", "value", "line"),
    [
        ("Network", {"nwid": "x"}, "nwid: not in Network"),
        ("Network", {"config": {"mtu": True}}, "config.mtu: True is no integer"),
        ("Network", {"config": {"mtu": "1400"}}, "config.mtu: '1400' is no integer"),
        ("Network", {"config": []}, "config: [] is no NetworkConfig"),
        ("Network", {"config": {"routes": [{"target": None}]}}, "config.routes[].target: null"),
        ("[Member]", {}, "[Member]: {} is no list"),
        ("Member", {"config": {"authorized": 1}}, "config.authorized: 1 is no boolean"),
    ],
)
def test_facts_notice_what_does_not_fit(kind: str, value: Any, line: str) -> None:
    """The measure is not blind: strange keys, wrong types and nulls are found."""
    assert problems(kind, value) == [line]


def test_changes_take_over_what_may_be_changed() -> None:
    """Null and read-only keys are passed over, inner objects merge, lists are replaced."""
    old: Json = {
        "config": {"id": "a", "mtu": 2800, "routes": [1, 2], "v6AssignMode": {"zt": False}}
    }
    asked: Json = {"id": "b", "config": {"id": "b", "mtu": None, "routes": [3]}}
    asked["config"]["v6AssignMode"] = {"6plane": True}
    changes = taken_over("Network", old, asked)
    assert changes == {"config": {"routes": [3], "v6AssignMode": {"6plane": True}}}
    assert merged(old, changes)["config"] == {
        "id": "a",
        "mtu": 2800,
        "routes": [3],
        "v6AssignMode": {"zt": False, "6plane": True},
    }


def test_routes_always_have_a_gateway_or_null(fake: FakeCentral) -> None:
    """A route that was sent without `via` is answered with null, as the specification shows it."""
    sent = {"config": {"routes": [{"target": "10.0.0.0/8"}]}}
    answer = ask(fake, "POST", "/network", sent)[1]
    assert answer["config"]["routes"] == [{"target": "10.0.0.0/8", "via": None}]


@pytest.mark.parametrize("given", ["", "token wrong", TOKEN, f"basic {TOKEN}", "token "])
def test_other_tokens_are_refused(fake: FakeCentral, given: str) -> None:
    """Only the token, called token or bearer, opens anything."""
    status, answer = ask(fake, "GET", "/network", given=given)
    assert (status, answer) == (401, {"type": "internal", "message": "Unauthorized"})
    assert ask(fake, "GET", "/network", given=f"Bearer {TOKEN}") == (200, [])


@pytest.mark.parametrize(
    ("path", "body", "status"),
    [
        ("/network", "{", 400),
        ("/network", [], 400),
        ("/network", {"config": {"private": "yes"}}, 400),
        (f"/network/{UNKNOWN}", {}, 404),
        (f"/network/{UNKNOWN}/member/{MEMBER}", {}, 404),
        ("/user", {}, 404),
    ],
)
def test_bad_requests_are_refused(fake: FakeCentral, path: str, body: Any, status: int) -> None:
    """No JSON, a wrong type and an unknown path are answered like Central answers errors."""
    found, answer = ask(fake, "POST", path, body)
    assert (found, answer["type"]) == (status, "internal")
    assert fake.store.networks() == []


def test_counts_and_times_follow_the_members(fake: FakeCentral) -> None:
    """A network counts its members, and a member notes when it was let in and shut out."""
    network = ask(fake, "POST", "/network", {})[1]["id"]
    path = f"/network/{network}/member/{MEMBER}"
    for authorized, key in ((True, "lastAuthorizedTime"), (False, "lastDeauthorizedTime")):
        member = ask(fake, "POST", path, {"config": {"authorized": authorized}})[1]
        assert member["config"][key] > 1_600_000_000_000
        counts = ask(fake, "GET", f"/network/{network}")[1]
        assert (counts["totalMemberCount"], counts["authorizedMemberCount"]) == (1, authorized)
    assert member["config"]["revision"] == 2


def test_state_outlives_the_fake(tmp_path: Path) -> None:
    """What was answered stands in the file, and a fake that starts with it goes on."""
    state = tmp_path / "state.json"
    first = FakeCentral(TOKEN, state=state)
    network = client(first).create_network(WANTED)
    client(first).save_member(network["id"], MEMBER, JOINED)
    first.close()
    second = FakeCentral(TOKEN, state=state)
    assert client(second).networks() == [network]
    assert client(second).members(network["id"]) == [JOINED | {"id": MEMBER}]
    client(second).delete_member(network["id"], MEMBER)
    assert ask(second, "DELETE", f"/network/{network['id']}")[0] == 200
    second.close()
    assert json.loads(state.read_text("utf-8")) == {"networks": {}, "members": {}}
    assert TOKEN not in state.read_text("utf-8")


def test_faults_fit_whole_requests_and_are_counted(fake: FakeCentral) -> None:
    """A fault holds for its pattern and times only; the next one that fits comes after it."""
    fake.fail("GET /network", status=503, times=1)
    fake.fail("GET /netw.*", status=429, headers={"Retry-After": "3"}, times=1)
    asked = [ask(fake, "GET", path)[0] for path in ("/status", "/network", "/network", "/network")]
    assert asked == [200, 503, 429, 200]


def test_fault_can_lose_the_answer_of_what_it_did(fake: FakeCentral) -> None:
    """`lose` changes and says nothing, `close` does nothing at all."""
    for connection, kept in (("close", 0), ("lose", 1)):
        fake.fail("POST /network", connection=connection, times=1)
        with pytest.raises(http.client.RemoteDisconnected):
            ask(fake, "POST", "/network", {})
        assert len(fake.store.networks()) == kept


@pytest.mark.parametrize(
    "text", ["{", "[]", "{}", '{"request": "x", "code": 3}', '{"request": "x", "connection": "no"}']
)
def test_faults_that_are_none_are_refused(text: str) -> None:
    """A fault without a request, or with keys that mean nothing, is named."""
    with pytest.raises(FaultError, match=re.escape(f"fault {text!r}")):
        parse(text)


def test_command_serves_until_it_is_told_to_stop(tmp_path: Path) -> None:
    """The command prints its address first, does the faults, keeps the state, and ends with 0."""
    state = tmp_path / "state"
    fault = json.dumps({"request": "POST /network", "status": 403, "text": "no", "times": 1})
    command = [sys.executable, str(SCRIPT), "--token", TOKEN, "--state", str(state)]
    with subprocess.Popen(
        [*command, "--fault", fault], stdout=subprocess.PIPE, text=True
    ) as process:
        assert process.stdout
        where = process.stdout.readline().strip().removeprefix("http://").removesuffix("/api/v1")
        headers, statuses = {"Authorization": f"token {TOKEN}"}, []
        for _ in range(2):
            connection = http.client.HTTPConnection(where, timeout=5)
            connection.request("POST", "/api/v1/network", "{}", headers)
            statuses.append(connection.getresponse().status)
            connection.close()
        process.send_signal(signal.SIGTERM)
        assert process.wait(timeout=5) == 0
    assert statuses == [403, 200]
    assert len(json.loads(state.read_text("utf-8"))["networks"]) == 1


@pytest.mark.parametrize(
    ("options", "line"),
    [
        (["--fault", "{"], "fake_central.py: fault '{' is no JSON"),
        (["--mirror", "http://127.0.0.1:1"], "--mirror and --mirror-token belong together"),
        (["--port", "x"], "invalid int value: 'x'"),
    ],
)
def test_command_refuses_bad_options(options: list[str], line: str) -> None:
    """A bad option is told without a traceback, with exit status 2."""
    command = [sys.executable, str(SCRIPT), "--token", TOKEN, *options]
    done = subprocess.run(command, capture_output=True, text=True, timeout=10, check=False)
    assert done.returncode == 2
    assert line in done.stderr
    assert "Traceback" not in done.stderr
