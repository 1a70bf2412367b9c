"""The double's HTTP API and command line, through a real socket on loopback."""

from __future__ import annotations

import http.client
import json

import pytest
from zerotier_double import cli

from tests.support.zerotier_lab import NAMES, NETWORK, Cluster, Served


def request(
    served: Served, method: str, path: str, body: str = "", token: str | None = None
) -> tuple[int, str]:
    """Return status and text of an answer."""
    connection = http.client.HTTPConnection("127.0.0.1", served.port, timeout=5)
    headers = {"X-ZT1-Auth": served.token if token is None else token}
    connection.request(method, path, body or None, headers)
    response = connection.getresponse()
    answer = response.status, response.read().decode()
    connection.close()
    return answer


def run(served: Served, *arguments: str) -> int:
    """Run zerotier-cli against the served home directory."""
    return cli.main([f"-D{served.home}", *arguments])


@pytest.mark.parametrize("token", ["", "wrong", "ä"])
def test_wrong_token_is_refused(served: Served, token: str) -> None:
    """Without the right token every path answers 401 and nothing else."""
    encoded = token.encode().decode("latin-1")
    assert request(served, "GET", "/status", token=encoded) == (401, "{}")


@pytest.mark.parametrize(
    "path",
    [
        "/nothing",
        f"/network/{NETWORK}",
        f"/controller/network/{NETWORK}",
        f"/controller/network/{NETWORK}/member",
        f"/controller/network/{NETWORK}/member/a87adac07d",
        f"/unstable/controller/network/{NETWORK}/member",
    ],
)
def test_unknown_things_are_missing(served: Served, path: str) -> None:
    """What is not there answers 404 without a body."""
    assert request(served, "GET", path) == (404, "")


def test_member_of_no_network_cannot_be_made(served: Served) -> None:
    """A member needs its network first."""
    path = f"/controller/network/{NETWORK}/member/a87adac07d"
    assert request(served, "POST", path, "{}") == (404, "")


def test_network_is_created_with_a_random_id(served: Served) -> None:
    """The blank id is filled below the controller's own address, and only there."""
    status, text = request(served, "POST", f"/controller/network/{NAMES['A']}______", "{}")
    made = json.loads(text)["id"]
    assert (status, made[:10], len(made)) == (200, NAMES["A"], 16)
    assert request(served, "GET", "/controller/network") == (200, f'["{made}"]')
    assert request(served, "POST", "/controller/network/aaaaaaaaaa______", "{}")[0] == 400


@pytest.mark.parametrize("body", ["no json", "[]", ""])
def test_unreadable_body_counts_as_empty(served: Served, body: str) -> None:
    """Like the real service, the double answers 200 and takes the defaults."""
    status, text = request(served, "PUT", f"/controller/network/{NETWORK}", body)
    assert (status, json.loads(text)["name"]) == (200, "")


def test_member_is_made_changed_and_removed(served: Served) -> None:
    """The record follows each request; the second removal finds nothing."""
    request(served, "POST", f"/controller/network/{NETWORK}", "{}")
    path = f"/controller/network/{NETWORK}/member/{NAMES['B'].upper()}"
    made = json.loads(request(served, "POST", path, '{"authorized": true}')[1])
    assert (made["id"], made["authorized"], made["revision"]) == (NAMES["B"], True, 1)
    listed = request(served, "GET", f"/controller/network/{NETWORK}/member")
    assert listed == (200, f'{{"{NAMES["B"]}":1}}')
    assert request(served, "DELETE", path)[0] == 200
    assert request(served, "DELETE", path)[0] == 404


@pytest.mark.usefixtures("cluster")
def test_info_prints_state_and_version(
    served: Served, cluster: Cluster, capsys: pytest.CaptureFixture[str]
) -> None:
    """The text says OFFLINE for a lonely node and ONLINE once another was heard."""
    assert run(served, "info") == 0
    cluster.wire.pass_time()
    assert run(served, "status") == 0
    texts = capsys.readouterr().out.splitlines()
    assert texts == [
        f"200 info {NAMES['A']} 1.14.1 OFFLINE",
        f"200 info {NAMES['A']} 1.14.1 ONLINE",
    ]


def test_join_list_and_leave_print_their_texts(
    served: Served, cluster: Cluster, capsys: pytest.CaptureFixture[str]
) -> None:
    """Each command prints the real one's lines."""
    cluster.network()
    cluster.authorize("A", "172.29.0.1")
    assert run(served, "join", NETWORK) == 0
    cluster.wire.pass_time(2)
    assert run(served, "listnetworks") == 0
    assert run(served, "leave", NETWORK) == 0
    assert run(served, "listmoons") == 0
    line = "probe 56:66:8b:b4:00:b4 OK PRIVATE zte6l2qqib 172.29.0.1/24"
    assert capsys.readouterr().out.splitlines() == [
        "200 join OK",
        "200 listnetworks <nwid> <name> <mac> <status> <type> <dev> <ZT assigned ips>",
        f"200 listnetworks {NETWORK} {line}",
        "200 leave OK",
        "[]",
    ]


def test_json_output_is_indented_by_one(served: Served, capsys: pytest.CaptureFixture[str]) -> None:
    """With -j a list prints indented, and a join prints the answer as it came."""
    assert run(served, "-j", "join", NETWORK) == 0
    joined = capsys.readouterr().out
    assert run(served, "-j", "listnetworks") == 0
    listed = capsys.readouterr().out
    assert listed == json.dumps([json.loads(joined)], indent=1, sort_keys=True) + "\n"
    assert "\n" not in joined


def test_peers_print_paths(
    served: Served, cluster: Cluster, capsys: pytest.CaptureFixture[str]
) -> None:
    """Living nodes show a direct path, unreachable roots a relay."""
    cluster.wire.pass_time()
    assert run(served, "peers") == 0
    pretty = capsys.readouterr().out.splitlines()
    assert run(served, "listpeers") == 0
    plain = capsys.readouterr().out.splitlines()
    assert pretty[2].startswith(f"{NAMES['C']} 1.14.1 LEAF   ")
    assert "DIRECT" in pretty[2]
    assert pretty[3] == "62f865ae71 -      PLANET    -1 RELAY"
    assert plain[1].startswith(f"200 listpeers {NAMES['C']} 10.213.0.3/9993;")
    assert plain[2] == "200 listpeers 62f865ae71 - -1 - PLANET"


def test_wrong_network_id_is_a_usage_error(
    served: Served, capsys: pytest.CaptureFixture[str]
) -> None:
    """An id of another length is refused before anything is sent."""
    assert run(served, "join", "abc") == 2
    assert capsys.readouterr().out == "invalid network id\n"


@pytest.mark.parametrize("arguments", [["bogus"], ["-x"], []])
def test_unknown_command_is_a_usage_error(
    served: Served, capsys: pytest.CaptureFixture[str], arguments: list[str]
) -> None:
    """What the double lacks is told with the usage, on stderr."""
    assert run(served, *arguments) == 2
    assert "Usage: zerotier-cli" in capsys.readouterr().err


def test_refused_token_is_told(served: Served, capsys: pytest.CaptureFixture[str]) -> None:
    """A wrong token gives the API's status and exit status 1."""
    assert run(served, "-Twrong", "info") == 1
    assert capsys.readouterr().out == "401 info {}\n"


def test_stopped_service_is_told(served: Served, capsys: pytest.CaptureFixture[str]) -> None:
    """Without a service each command says so in its own way, and exits with 1."""
    served.close()
    assert run(served, "info") == 1
    assert "Error connecting to the ZeroTier service: connection failed" in capsys.readouterr().out
    assert run(served, "join", NETWORK) == 1
    assert capsys.readouterr().out == "0 join connection failed\n"


def test_leaving_an_unknown_network_is_no_error(
    served: Served, capsys: pytest.CaptureFixture[str]
) -> None:
    """The real one says OK, and {} with -j."""
    assert run(served, "leave", NETWORK) == 0
    assert run(served, "-j", "leave", NETWORK) == 0
    assert capsys.readouterr().out == "200 leave OK\n{}"


def test_port_and_token_need_no_home(served: Served, capsys: pytest.CaptureFixture[str]) -> None:
    """-p and -T stand for the two files of the home directory."""
    arguments = ["-D/nowhere", f"-p{served.port}", f"-T{served.token}", "info"]
    assert cli.main(arguments) == 0
    assert NAMES["A"] in capsys.readouterr().out
    assert cli.main([*arguments[:1], "-p0", *arguments[2:]]) == 2


def test_missing_home_is_told(served: Served, capsys: pytest.CaptureFixture[str]) -> None:
    """A home directory without a port file is a usage error."""
    (served.home / "zerotier-one.port").unlink()
    assert run(served, "info") == 2
    message = f"missing port and zerotier-one.port not found in {served.home}"
    assert capsys.readouterr().err == f"zerotier-cli: {message}\n"


def test_version_needs_no_service(capsys: pytest.CaptureFixture[str]) -> None:
    """The version is the real one's."""
    assert cli.main(["-v"]) == 0
    assert capsys.readouterr().out == "1.14.1\n"
