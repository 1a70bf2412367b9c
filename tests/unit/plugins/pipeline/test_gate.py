"""The gate's module on this machine, with programs that say what they are told."""

import json
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from ansible.module_utils.testing import patch_module_args
from ansible_collections.server_monitoring.cluster.plugins.modules import pipeline_gate

from tests.support.project import PROJECT

Json = dict[str, Any]
NETWORK = {"status": "OK", "assignedAddresses": ["fd00::1/88", "172.29.0.4/24"]}
UNIT = "server-monitoring-consume-cpu_mem@r0.service"
PACKAGE = "1.14.2-double"
FILES = {"config.yml": "kafka_client: kafka-python\n"}
OPTIONS = {"analyze.env": "WAIT=9\n"}


class Host:
    """A host that is this machine, with programs of its own first in PATH."""

    def __init__(self, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        """Make a host that is fit."""
        self.data = folder / "data"
        (self.data / "runs").mkdir(parents=True)
        (self.data / "units").mkdir()
        self._tools = folder / "bin"
        self._tools.mkdir()
        monkeypatch.setenv("PATH", f"{self._tools}:{os.environ['PATH']}")
        monkeypatch.setattr(pipeline_gate, "KAFKA", folder / "kafka")
        monkeypatch.setattr(pipeline_gate, "WANTS", folder / "wants")
        # Who owns what is seen on the lab (tests/infra): this machine has no such user.
        monkeypatch.setattr(pipeline_gate.Gate, "_give", lambda *_: None)
        (folder / "kafka").symlink_to("/opt/kafka-4.3.1")
        self.networks([NETWORK])
        self.program("systemctl", f'echo "$@" >> {self._tools}/systemctl.calls')
        self.program("dpkg-query", f"printf {PACKAGE}")
        self.program("probe", f'echo "$@" > {self._tools}/probe.calls')

    def program(self, name: str, script: str) -> None:
        """Put a shell script in a program's place."""
        (self._tools / name).write_text(f"#!/bin/sh\n{script}\n", encoding="utf-8")
        (self._tools / name).chmod(0o755)

    def networks(self, networks: list[Json]) -> None:
        """Let ZeroTier have these networks."""
        info, listed = json.dumps({"version": "1.14.2"}), json.dumps(networks)
        self.program("zerotier-cli", f"[ $2 = info ] && echo '{info}' || echo '{listed}'")

    def calls(self, program: str) -> list[str]:
        """Return the arguments of each call of a program."""
        return (self._tools / f"{program}.calls").read_text(encoding="utf-8").splitlines()

    def part(self) -> Json:
        """Return a part in a run."""
        probe = [str(self._tools / "probe"), "probe"]
        rest = {"files": FILES, "options": OPTIONS, "probe": probe}
        return {"id": "r1", "data_dir": str(self.data), **rest}


@pytest.fixture
def host(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Host:
    """Return a host that is fit."""
    return Host(tmp_path, monkeypatch)


@pytest.fixture
def gate(capsys: pytest.CaptureFixture[str]) -> Callable[..., Json]:
    """Return a function that runs the module and returns its result."""

    def run(part: Json | None, **changed: Any) -> Json:
        pattern = {"units": "server-monitoring-*@*.service"}
        given = {"host": "c1", "address": "172.29.0.4", **pattern, "run": part, **changed}
        with patch_module_args(given), pytest.raises(SystemExit):
            pipeline_gate.main()
        result: Json = json.loads(capsys.readouterr().out)
        return result

    return run


def test_a_fit_host_gets_its_folder_and_tells_its_versions(
    host: Host, gate: Callable[..., Json]
) -> None:
    """The brokers are asked with the run's own settings; the other files stand beside them."""
    result = gate(host.part())
    assert result["changed"]
    assert result["versions"] == {
        "kafka": "4.3.1",
        "zerotier": "1.14.2",
        "zerotier_package": PACKAGE,
    }
    folder = host.data / "runs" / "r1"
    assert (folder / "raw").is_dir()
    (folder / "raw").rmdir()
    for place, expected in ((folder, FILES), (host.data / "units" / "r1", OPTIONS)):
        found = {file.name: file.read_text(encoding="utf-8") for file in place.iterdir()}
        assert found == expected
    assert host.calls("probe") == [f"probe --config={folder}/config.yml"]


def test_a_run_whose_settings_are_not_those_of_the_units_is_refused(
    host: Host, gate: Callable[..., Json], tmp_path: Path
) -> None:
    """A heap given to one run would not reach the job: that is told, and nothing is made."""
    unit = tmp_path / "server-monitoring-analyze-cpu_mem@.service"
    unit.write_text("ExecStart=/usr/bin/java -Xmx1g\n", encoding="utf-8")
    same = {str(unit): "ExecStart=/usr/bin/java -Xmx1g\n"}
    for wanted in ({str(unit): "ExecStart=/usr/bin/java -Xmx2g\n"}, {f"{unit}.not": "x"}):
        message = gate(host.part() | {"unit_files": wanted})["msg"]
        assert message.startswith(f"c1: {next(iter(wanted))} is not what this run's settings make")
        assert "run it with the same settings" in message
        assert list((host.data / "runs").iterdir()) == []
    assert gate(host.part() | {"unit_files": same})["changed"]


def test_a_host_without_a_part_is_left_as_it_is(host: Host, gate: Callable[..., Json]) -> None:
    """The broker's host is asked for its overlay and its units alone."""
    assert not gate(None)["changed"]
    assert list((host.data / "runs").iterdir()) == []


@pytest.mark.parametrize(
    ("networks", "told"),
    [
        ([], "no network joined"),
        ([{**NETWORK, "status": "ACCESS_DENIED"}], "ACCESS_DENIED"),
        ([{**NETWORK, "assignedAddresses": ["172.29.0.44/24"]}], "OK"),
    ],
)
def test_an_overlay_that_is_not_up_is_told(
    host: Host, gate: Callable[..., Json], networks: list[Json], told: str
) -> None:
    """No network, one that lets nobody in, or one with another address."""
    host.networks(networks)
    assert gate(host.part())["msg"] == (
        "c1: no ZeroTier network with status OK and the address 172.29.0.4 found "
        f"({told}); run provision.yml --tags zerotier"
    )


def test_a_service_that_does_not_answer_is_told_in_its_own_words(
    host: Host, gate: Callable[..., Json]
) -> None:
    """What zerotier-cli complains of stands in the line."""
    host.program("zerotier-cli", "echo 'missing port and zerotier-one.port not found' >&2; exit 2")
    assert "(missing port and zerotier-one.port not found)" in gate(host.part())["msg"]


def test_a_run_that_goes_on_is_left_alone_or_stopped(
    host: Host, gate: Callable[..., Json], tmp_path: Path
) -> None:
    """Stopped only for who says so."""
    calls = tmp_path / "bin" / "systemctl.calls"
    host.program(
        "systemctl",
        f'[ $1 = stop ] && echo "$@" >> {calls} || echo "{UNIT} loaded active running Consumer"',
    )
    assert gate(host.part())["msg"] == (
        f"c1: {UNIT} still runs; wait for that run's end, or stop it with "
        "-e pipeline_stop_running=true"
    )
    assert not calls.exists()
    assert "msg" not in gate(host.part(), stop_running=True)
    assert f"stop {UNIT}" in host.calls("systemctl")


def test_the_gate_tells_since_when_another_run_is_silent(
    host: Host, gate: Callable[..., Json]
) -> None:
    """By what was written last in its folder, whatever is linked there."""
    host.program("systemctl", f'echo "{UNIT} loaded active running Consumer"')
    segment = host.data / "runs" / "r0" / "raw" / "topic-cpu" / "0.csv"
    segment.parent.mkdir(parents=True)
    segment.write_text("", encoding="utf-8")
    (segment.parent / "1.csv").symlink_to("/dev/zero")
    for path in (segment, segment.parent / "1.csv", *list(segment.parents)[:3]):
        os.utime(path, (1.7e9, 1.7e9), follow_symlinks=False)
    message = gate(host.part())["msg"]
    assert message.startswith(f"c1: {UNIT} still runs (run r0: silent for ")
    assert " s, since 2023-11-14T22:13:20Z); wait for that run's end" in message


def test_a_run_that_was_given_up_while_this_host_was_away_is_stopped(
    host: Host, gate: Callable[..., Json], tmp_path: Path
) -> None:
    """And nothing of it is started with the host any more, or counts as failed."""
    calls = tmp_path / "bin" / "systemctl.calls"
    listed = f'[ $1 = list-units ] && echo "{UNIT} loaded active running Consumer" || true'
    host.program("systemctl", f'echo "$@" >> {calls}; {listed}')
    (tmp_path / "wants").mkdir()
    (tmp_path / "wants" / UNIT).symlink_to("../server-monitoring-consume-cpu_mem@.service")
    (tmp_path / "wants" / "ssh.service").symlink_to("../ssh.service")
    assert "msg" not in gate(host.part(), over=["r0", "other"])
    said = host.calls("systemctl")
    assert f"stop {UNIT}" in said
    assert "reset-failed server-monitoring-*@*.service" in said
    assert [path.name for path in (tmp_path / "wants").iterdir()] == ["ssh.service"]


def test_a_host_that_was_not_provisioned_is_told(host: Host, gate: Callable[..., Json]) -> None:
    """No folder at all, or none for runs."""
    missing = {**host.part(), "data_dir": str(host.data / "not")}
    assert gate(missing)["msg"] == (
        f"c1: {host.data}/not/runs/r1: No such file or directory; run provision.yml"
    )
    (host.data / "runs").rmdir()
    assert gate(host.part())["msg"] == (
        f"c1: {host.data}/runs/r1: No such file or directory; run provision.yml"
    )


def test_a_run_s_folder_is_used_once(host: Host, gate: Callable[..., Json]) -> None:
    """What an earlier run of that name left stays as it is."""
    (host.data / "runs" / "r1").mkdir()
    assert gate(host.part())["msg"] == (
        f"c1: {host.data}/runs/r1 exists, so the run r1 was started before; "
        "choose another pipeline_run_id"
    )
    assert list((host.data / "runs" / "r1").iterdir()) == []


def test_a_broker_that_does_not_answer_is_told_in_the_probe_s_last_line(
    host: Host, gate: Callable[..., Json]
) -> None:
    """Or by its status, where it said nothing."""
    host.program("probe", "echo first >&2; echo 'server-monitoring: error: no broker' >&2; exit 8")
    assert gate(host.part())["msg"] == "c1: server-monitoring: error: no broker"
    host.program("probe", "exit 8")
    assert gate(host.part())["msg"].endswith("/probe: status 8")
    for place in ("runs", "units"):
        assert list((host.data / place).iterdir()) == []


def test_units_wait_as_long_as_the_gate_says() -> None:
    """The Spark jobs' unit reads the file that the gate writes for it."""
    unit = (PROJECT / "roles/pipeline/templates/analyze.service.j2").read_text(encoding="utf-8")
    gate = (PROJECT / "roles/pipeline/tasks/run/gate.yml").read_text(encoding="utf-8")
    assert "/units/%i/analyze.env" in unit
    assert "--wait ${WAIT}" in unit
    assert "analyze.env: |\n        WAIT=" in gate
