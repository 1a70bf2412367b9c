"""The service's start and end, with its sockets and its data plane replaced."""

from __future__ import annotations

import json
import os
import signal
import socket
import sys
from typing import TYPE_CHECKING

import pytest
from zerotier_double import daemon, links
from zerotier_double.identity import new_identity
from zerotier_double.store import Home

if TYPE_CHECKING:
    import threading
    from pathlib import Path

    from zerotier_double.links import Link
    from zerotier_double.local_conf import LocalConf
    from zerotier_double.node import Node


class Silence:
    """An underlay without any other node."""

    def __init__(self, conf: LocalConf) -> None:
        """Take what the real one takes."""
        self.conf = conf

    def send(self, _message: object, _endpoint: object) -> None:
        """Send nothing."""

    def broadcast(self, _message: object) -> None:
        """Send nothing."""

    def local_addresses(self) -> list[str]:
        """Return no address."""
        return []

    def serve(self, _node: Node) -> None:
        """Hear nothing."""


class Service:
    """One run of main() in a home directory."""

    def __init__(self, home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        """Replace what reaches out of the process."""
        self.home, self._monkeypatch = home, monkeypatch
        self.applied: list[list[Link]] = []
        self.restarted: list[list[str]] = []
        self.ports: list[str] = []
        monkeypatch.setattr(daemon, "Underlay", Silence)
        monkeypatch.setattr(links, "apply", self.applied.append)
        monkeypatch.setattr(signal, "signal", lambda *_arguments: None)
        monkeypatch.setattr(os, "execv", lambda _path, words: self.restarted.append(words))
        monkeypatch.setattr(sys, "argv", ["zerotier-one", str(home)])

    def run(self, *messages: dict[str, object]) -> int:
        """Start, hand over these datagrams instead of running on, and end."""

        def run(node: Node, _stop: threading.Event) -> None:
            self.ports.append(Home(self.home).read("zerotier-one.port"))
            for message in messages:
                node.receive(message, ("10.0.0.9", 9994))

        self._monkeypatch.setattr(daemon, "_run", run)
        return daemon.main()


@pytest.fixture
def service(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Service:
    """Prepare a service on a free port."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    conf = {"settings": {"primaryPort": port}}
    (tmp_path / "local.conf").write_text(json.dumps(conf), "utf-8")
    return Service(tmp_path, monkeypatch)


def test_service_serves_on_its_primary_port_and_leaves_no_interface(service: Service) -> None:
    """The port of local.conf stands in zerotier-one.port; at the end no interface is left."""
    conf = json.loads((service.home / "local.conf").read_text("utf-8"))
    assert service.run() == 0
    assert service.ports == [str(conf["settings"]["primaryPort"])]
    assert service.applied == [[]]
    assert service.restarted == []


def test_collision_starts_again_with_a_new_identity(service: Service) -> None:
    """The old secret is put aside, the interfaces go, and the same command runs again."""
    card = {"identity": new_identity().public, "version": [1, 14, 1], "port": 9993}
    assert service.run(card | {"kind": "collision"}) == 0
    assert service.restarted == [[sys.executable, "zerotier-one", str(service.home)]]
    assert service.applied == [[]]
    names = {file.name for file in service.home.glob("identity.*")}
    assert names == {"identity.secret.saved_after_collision"}


def test_unreadable_local_conf_is_one_line(
    service: Service, capsys: pytest.CaptureFixture[str]
) -> None:
    """The service prints the real one's line and exits with 1."""
    (service.home / "local.conf").write_text("{", "utf-8")
    assert service.run() == 1
    line = "ERROR: unable to parse local.conf (invalid JSON)\n"
    assert capsys.readouterr().err == line


def test_unusable_identity_is_one_line(
    service: Service, capsys: pytest.CaptureFixture[str]
) -> None:
    """The service does not start with a secret that is none."""
    (service.home / "identity.secret").write_text("junk", "utf-8")
    assert service.run() == 1
    assert capsys.readouterr().err.startswith("zerotier-one: fatal error: invalid identity")


def test_taken_port_is_one_line(service: Service, capsys: pytest.CaptureFixture[str]) -> None:
    """The service names the port that another one holds."""
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        conf = {"settings": {"primaryPort": port}}
        (service.home / "local.conf").write_text(json.dumps(conf), "utf-8")
        assert service.run() == 1
    message = "zerotier-one: fatal error: cannot bind to local control interface port"
    assert capsys.readouterr().err == f"{message} {port}\n"
